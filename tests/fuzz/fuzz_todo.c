/* A message's envelope on its way: what qmail-queue writes is what it was given; what qmail-todo
 * makes of it has the same sender and, split by channel, the same recipients in order; of a file
 * that makes no sense nothing is left but the file.  Input: `q`, then an envelope as qmail-queue
 * reads it, or bytes of a todo file; a `~` stands for a NUL. */
#include <stdlib.h>
#include <unistd.h>

#include "queue/enqueue.h"
#include "queue/envelope.h"
#include "rig.h"
#include "send/split.h"

#define ID 46			/* in subdirectory 0 of 23 */
#define TODO "todo/46"
#define INFO "info/0/46"
#define LOCAL "local/0/46"
#define REMOTE "remote/0/46"

const char *const fuzz_words[] = {
	"q", "u1000~", "p4711~", "F", "T", "~", "~~", "Fa@b.test~", "Tj@here.test~",
	"Tk@far.test~", "Tv@virt.test~", "Tnobody~", "D", "x", "u", "\n", "%", "@",
	"Tu%here.test@far.test~", "\xff", "qFa@b~Tc@here.test~Td@far.test~~",
	"18446744073709551616", NULL
};

static void
make_routes(struct routes *r)
{
	*r = (struct routes){ .envnoathost = span_str("noat.test") };
	set_add(&r->locals, span_str("here.test"), span_str(""));
	set_add(&r->virtualdomains, span_str("virt.test"), span_str("vd"));
	set_add(&r->percenthack, span_str("far.test"), span_str(""));
	promise(set_finish(&r->locals) && set_finish(&r->virtualdomains) &&
	    set_finish(&r->percenthack));
}

static void
log_line(void *arg, struct span line)
{
	(void)arg;
	promise(line.n > 1 && span_chr(line, '\n') == line.n - 1 && rig_is_text(line));
}

/* What must be in the files of qmail-todo, from the records of the todo file alone.  false: it
 * makes no sense. */
static bool
expect(const struct routes *r, struct span todo, struct buf channels[CHANNELS], struct buf *info)
{
	bool has_sender = false;

	while (todo.n) {
		size_t end = span_chr(todo, '\0');
		struct span data = span_of(todo.p + 1, end - 1);

		if (todo.p[0] == '\0')
			return false;
		if (end == todo.n)
			break;		/* no NUL: it does not count */
		if (data.n > ENVELOPE_RECORD_MAX)
			return false;
		if (todo.p[0] == 'T') {
			struct buf address = { 0 };
			enum channel c = route_recipient(r, data, &address);

			buf_addc(&channels[c], 'T');
			buf_addbuf(&channels[c], &address);
			buf_addc(&channels[c], '\0');
			buf_free(&address);
		} else if (todo.p[0] == 'F' && !has_sender) {
			buf_add(info, todo.p, end + 1);
			has_sender = true;
		} else if (todo.p[0] != 'F' && todo.p[0] != 'u' && todo.p[0] != 'p') {
			return false;
		}
		todo = span_tail(todo, end + 1);
	}
	return has_sender;
}

static void
file_is(const char *path, const struct buf *want)
{
	struct buf got = { 0 };
	bool there = rig_read(path, &got);

	promise(there == (want && want->n > 0));
	promise(!there || span_eq(buf_span(&got), buf_span(want)));
	buf_free(&got);
}

static void
check_split(struct span todo)
{
	static const struct qlayout layout = { .big_todo = false };
	struct activity log = { .emit = log_line, .tag = "" };
	struct buf channels[CHANNELS] = { { 0 }, { 0 } }, info = { 0 };
	struct splitter *s = calloc(1, sizeof *s);
	struct routes routes;
	struct split m;
	bool good;

	promise(s != NULL);
	make_routes(&routes);
	s->q = &layout;
	s->routes = &routes;
	s->log = &log;
	rig_write(TODO, todo);
	good = expect(&routes, todo, channels, &info);
	if (split_message(s, ID, &m) == SPLIT_OK) {
		promise(good);
		file_is(INFO, &info);
		file_is(LOCAL, &channels[CHANNEL_LOCAL]);
		file_is(REMOTE, &channels[CHANNEL_REMOTE]);
		split_discard(s, &m);
	} else {
		promise(!good);
	}
	file_is(INFO, NULL);
	file_is(LOCAL, NULL);
	file_is(REMOTE, NULL);
	for (int c = 0; c < CHANNELS; c++)
		buf_free(&channels[c]);
	buf_free(&info);
	buf_free(&s->record);
	buf_free(&s->address);
	buf_free(&s->sender);
	buf_free(&log.line);
	set_free(&routes.locals);
	set_free(&routes.percenthack);
	set_free(&routes.virtualdomains);
	free(s);
}

/* How much of the input is an envelope: F..NUL (T..NUL)* NUL.  0: none of it. */
static size_t
envelope_length(struct span in)
{
	char want = 'F';

	for (size_t at = 0; at < in.n;) {
		size_t n = span_chr(span_tail(in, at), '\0');

		if (in.p[at] == '\0' && want == 'T')
			return at;
		if (in.p[at] != want || at + n == in.n || n - 1 > ENVELOPE_ADDRESS_MAX)
			return 0;
		want = 'T';
		at += n + 1;
	}
	return 0;
}

static void
check_queue(struct span in)
{
	struct enqueue e = ENQUEUE_EMPTY;
	struct buf got = { 0 }, want = { 0 };
	size_t n = envelope_length(in);
	enum qqcode code;

	e.id = ID;
	e.uid = 1000;
	e.pid = 4711;
	code = enqueue_envelope(&e, rig_file(0, in));
	promise((code == QQ_OK) == (n > 0));
	promise(rig_read("intd/46", &got));
	if (code == QQ_OK) {
		buf_adds(&want, "u1000");
		buf_addc(&want, '\0');
		buf_adds(&want, "p4711");
		buf_addc(&want, '\0');
		buf_addspan(&want, span_head(in, n));
		promise(span_eq(buf_span(&got), buf_span(&want)));
		check_split(buf_span(&got));
	}
	(void)enqueue_abandon(&e, QQ_READ);
	promise(!rig_read("intd/46", &got));
	buf_free(&got);
	buf_free(&want);
}

static void
make_queue(void)
{
	static const char *const dirs[] = { "intd", "todo", "mess", "info", "local", "remote",
		"bounce", "mess/0", "info/0", "local/0", "remote/0", "bounce/0", NULL };

	rig_directory();
	if (access("mess/0/46", F_OK) == 0)
		return;
	for (size_t i = 0; dirs[i]; i++)
		rig_mkdir(dirs[i]);
	rig_write("mess/0/46", span_str("text\n"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 };

	make_queue();
	rig_nuls(&in, rig_input(p, n), '~');
	if (in.n && in.p[0] == 'q')
		check_queue(span_tail(buf_span(&in), 1));
	else
		check_split(buf_span(&in));
	buf_free(&in);
	return 0;
}
