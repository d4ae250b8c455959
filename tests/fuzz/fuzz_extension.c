/* Which .qmail file an address has: the first of its names that is there, never one above the
 * directory or hidden deeper, and what `default` stands for is the rest of the extension.
 * Input: the extension. */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "mail/dotqmail.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"a", "b", "-", "A", ".", "..", "/", "../", "default", "a-b", "a-default", "a-b.c", "a:b",
	"x-y-z", "-default", "owner", "\xff", "sub/x", "a-", "default-default", NULL
};

static const char *const there[] = { ".qmail-default", ".qmail-a", ".qmail-a-default",
	".qmail-a-b:c", ".qmail-x-y-default", ".qmail-sub/x", NULL };

/* The text of a file is its name. */
static void
make_files(void)
{
	rig_directory();
	if (access(there[0], F_OK) == 0)
		return;
	rig_mkdir(".qmail-sub");
	rig_mkdir("other");
	rig_write("x", span_str("no"));
	for (size_t i = 0; there[i]; i++)
		rig_write(there[i], span_str(there[i]));
}

/* The file that a name leads to, or NULL.  Of a row of slashes the kernel sees one. */
static const char *
file_at(const struct buf *name)
{
	const char *found = NULL;
	struct buf plain = { 0 };

	for (size_t i = 0; i < name->n; i++)
		if (i == 0 || name->p[i] != '/' || name->p[i - 1] != '/')
			buf_addc(&plain, name->p[i]);
	for (size_t i = 0; there[i]; i++)
		if (span_eq(buf_span(&plain), span_str(there[i])))
			found = there[i];
	buf_free(&plain);
	return found;
}

/* `-EXT`, then for each dash in it from the right what stands before it, with `default`. */
static bool
expect(struct span ext, struct buf *name, size_t *rest)
{
	for (size_t kept = ext.n + 2; kept-- > 0;) {
		size_t n = kept > ext.n ? ext.n : kept;

		if (kept <= ext.n && kept > 0 && ext.p[kept - 1] != '-')
			continue;
		buf_reset(name);
		buf_adds(name, ".qmail-");
		for (size_t i = 0; i < n; i++)
			buf_addc(name, ext.p[i] == '.' ? ':' : ascii_lower(ext.p[i]));
		if (kept <= ext.n)
			buf_adds(name, "default");
		*rest = kept;
		if (file_at(name))
			return true;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct dotqmail d = DOTQMAIL_EMPTY;
	struct buf want = { 0 }, ext = { 0 };
	size_t rest;
	bool found;

	make_files();
	buf_addspan(&ext, span_head(rig_input(p, n), span_chr(rig_input(p, n), '\0')));
	found = expect(buf_span(&ext), &want, &rest);
	switch (dotqmail_find(&d, span_str("-"), buf_span(&ext))) {
	case DOTQMAIL_FOUND:
		promise(found && span_eq(buf_span(&d.name), buf_span(&want)));
		promise(span_eq(buf_span(&d.text), span_str(file_at(&d.name))));
		promise(rest > ext.n || (d.has_rest && d.rest == rest));
		promise(!d.has_rest || d.rest <= ext.n);
		break;
	case DOTQMAIL_ABSENT:
		promise(!found && d.name.n == 0);
		break;
	default:
		/* A name that is too long, or goes through a file. */
		promise(span_chr(buf_span(&ext), '/') < ext.n || ext.n > 200);
	}
	dotqmail_free(&d);
	buf_free(&want);
	buf_free(&ext);
	return 0;
}
