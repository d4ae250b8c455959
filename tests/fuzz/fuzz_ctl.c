/* Control files: every form gives entries without blanks at their ends, comments and line ends; all
 * forms of a file agree with each other. */
#include "lib/ctl.h"

#include "lib/ascii.h"
#include "lib/num.h"
#include "rig.h"

#define NAME "x"
#define PATH "control/x"
#define NUMBER_MAX 1000000

const char *const fuzz_words[] = {
	"a.test", "\n", "\r\n", " ", "\t", "#", "# comment\n", ":", "virt.test:vd\n",
	".x.test:relay\n", "12", "00012", "99999999999999999999", "-1", "\xff", "~",
	":relay:25\n", "a.test\n", "A.TEST\n", "\n\n", NULL
};

static void
check_entry(struct span entry)
{
	char last = entry.p[entry.n - 1];

	promise(entry.n > 0 && entry.p[0] != '#');
	promise(last != ' ' && last != '\t' && last != '\r');
	promise(span_chr(entry, '\n') == entry.n && span_chr(entry, '\0') == entry.n);
}

static void
check_line(struct span in)
{
	struct buf line = { 0 };
	uint64_t value = 0, want = 0;
	enum ctl_status status;

	promise(ctl_line(NAME, &line) == CTL_FOUND);
	promise(span_starts(in, buf_span(&line)) && span_chr(buf_span(&line), '\n') == line.n);
	if (line.n)
		promise(!ascii_isblank(line.p[line.n - 1]) && line.p[line.n - 1] != '\r');
	status = ctl_number(NAME, NUMBER_MAX, &value);
	promise(status == (in.n && ascii_isdigit(in.p[0]) ? CTL_FOUND : CTL_ABSENT));
	promise(value <= NUMBER_MAX);
	if (status == CTL_FOUND)
		promise(num_lead_u64(in, NUMBER_MAX, &want) && want == value);
	buf_free(&line);
}

static void
check_list(void)
{
	struct buf text = { 0 };
	struct set keys = { .n = 0 }, map = { .n = 0 };
	struct span entry, value;
	size_t pos = 0;

	promise(ctl_list(NAME, &text) == CTL_FOUND);
	promise(ctl_set(NAME, &keys) == CTL_FOUND && ctl_map(NAME, &map) == CTL_FOUND);
	while (ctl_next(&text, &pos, &entry)) {
		size_t colon = span_chr(entry, ':');

		check_entry(entry);
		promise(set_find(&keys, entry, NULL));
		if (colon < entry.n)
			promise(set_find(&map, span_head(entry, colon), &value));
	}
	promise(keys.n <= text.n && map.n <= keys.n);
	set_free(&keys);
	set_free(&map);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 }, text = { 0 };

	rig_directory();
	rig_mkdir("control");
	rig_nuls(&in, rig_input(p, n), '~');
	rig_write(PATH, buf_span(&in));
	check_line(buf_span(&in));
	check_list();
	promise(ctl_path_text(PATH, &text) == CTL_FOUND);
	promise(span_eq(buf_span(&text), buf_span(&in)));
	buf_free(&text);
	buf_free(&in);
	return 0;
}
