/* qmail-lspawn and qmail-rspawn: each command, whatever is in it, has exactly one report for its
 * own slot; a delivery is started only for a message number and an address with a host; what
 * programs print becomes a report of one class.  Input: `~` stands for a NUL. */
#include <string.h>
#include <sys/stat.h>

#include "lib/ascii.h"
#include "lib/packet.h"
#include "queue/stayproto.h"
#include "rig.h"
#include "spawn/lchild.h"
#include "spawn/spawnd.c"

const char *const fuzz_words[] = {
	"~", "\1", "\2", "\377", "1~", "0/1~", "s@x.test~", "joe@y.test~", "joe~", "~1~s@x~j@y~",
	"/", "r~K1.2.3.4 accepted message.\n~", "h1.2.3.4 does not like recipient.\n~", "s", "r",
	"K", "Z", "D", "ok\n", "joe~503~100~/home/joe~-~ext~", "|", "~1 0",
	"~1 -", " last", "4294967295", "\xff", NULL
};

struct play {
	int code;
	size_t started;
};

static pid_t
play_start(const void *state, const struct spawnd_delivery *d, int *code)
{
	/* The state is ours, and const for programs only. */
	struct play *play = *(struct play *const *)state;

	promise(strchr(d->recipient, '@') && d->recipient[d->at] == '@');
	promise(!strchr(d->recipient + d->at + 1, '@'));
	promise(d->message_fd > 2 && d->output_fd > 2);
	play->started++;
	*code = play->code;
	return 0;
}

/* Takes the one report that must be there. */
static void
take_report(struct spawnd *d, unsigned slot, size_t *reports)
{
	struct spawnproto_report r = { 0 };
	size_t found = 0;

	while (d->n_active)
		finish(d, d->n_active - 1);
	for (size_t i = 0; i < d->out.reports.n; i++) {
		if (!spawnproto_report_feed(&r, d->out.reports.p[i]))
			continue;
		found++;
		promise(r.slot == slot && r.text.n > 0 && strchr("KZD", r.text.p[0]));
		spawnproto_report_next(&r);
	}
	promise(found == 1);
	*reports += found;
	buf_reset(&d->out.reports);
	spawnproto_report_free(&r);
}

static void
check_commands(struct span in)
{
	struct play play = { .code = 0 };
	struct play *const state = &play;
	const struct spawnd_ops ops = { .start = play_start, .limit = report_limit_local,
		.report = report_local, .state = &state, .batch = 1 };
	struct spawnd *d = calloc(1, sizeof *d);
	struct stat st;
	size_t reports = 0, commands = 0;

	promise(d != NULL && stat("1", &st) == 0);
	d->ops = &ops;
	d->owner = st.st_uid;
	for (size_t i = 0; i < in.n; i++) {
		unsigned slot;

		if (!spawnproto_command_feed(&d->command, in.p[i]))
			continue;
		slot = d->command.slot;
		carry_out(d);
		commands++;
		take_report(d, slot, &reports);
	}
	promise(reports == commands && play.started <= commands);
	for (size_t i = 0; i < SPAWN_SLOTS; i++)
		buf_free(&d->slots[i].output);
	spawnproto_command_free(&d->command);
	batch_free(&d->batch);
	buf_free(&d->out.reports);
	free(d);
}

/* A worker that says anything, each part up to `|` in one packet. */
static void
check_worker(struct span in)
{
	struct workers ws = { .probe = { .greeting = STAYPROTO_LOCAL }, .fit = true };
	struct worker w = { .number = 1, .times = 1 };
	char chunk[STAYPROTO_PIECE];
	int fds[2];

	promise(packet_pair(fds) == 0);
	w.fd = fds[0];
	while (in.n) {
		struct span packet = span_head(in, span_chr(in, '|'));
		enum worker_said said;
		size_t n = 0;
		int code = -1;

		if (packet.n && packet.n < sizeof chunk) {
			promise(io_write(fds[1], packet.p, packet.n) == (ssize_t)packet.n);
			w.greeted = true;
			said = worker_read(&ws, &w, chunk, sizeof chunk, &n, &code);
			promise((said == WORKER_DONE) == (code >= 0 && code <= 255));
			promise((said == WORKER_OUTPUT) == (packet.p[0] != '\0'));
			promise(n == packet.n && said != WORKER_ENDED && said != WORKER_UNABLE);
		}
		in = span_tail(in, packet.n + 1);
	}
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
check_report(struct span output, void (*make)(int code, struct span output, size_t index,
    struct buf *text))
{
	static const int codes[] = { 0, 100, 111, 99, 1, SPAWND_CRASHED };

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		struct buf text = { 0 };

		make(codes[i], output, 0, &text);
		promise(text.n > 0 && strchr("KZD", text.p[0]) != NULL);
		promise(span_chr(buf_span(&text), '\0') == text.n);
		promise(text.p[0] != 'K' || codes[i] == 0 || codes[i] == 99);
		/* qmail-remote must have said so, and nothing worse. */
		if (make == report_remote && text.p[0] == 'K')
			promise(span_chr(output, 'K') < output.n && output.p[0] != 's' &&
			    output.p[0] != 'h');
		buf_free(&text);
	}
}

static void
check_limits(struct span output)
{
	struct buf text = { 0 };

	for (int i = 0; i < 20; i++) {
		buf_addspan(&text, span_head(output, SPAWND_READ_SIZE));
		report_limit_local(&text);
		promise(text.n <= REPORT_LOCAL_MAX);
	}
	report_limit_remote(&text);
	promise(text.n <= REPORT_REMOTE_MAX);
	buf_free(&text);
}

static void
check_user(struct span answer)
{
	struct buf text = { 0 };
	struct lchild_user u;

	buf_addspan(&text, answer);
	if (text.n && lchild_parse_user(text.p, text.n, &u) == 0) {
		const char *end = text.p + text.n;

		promise(u.uid != (uid_t)-1 && u.gid != (gid_t)-1);
		promise(u.name == text.p && u.ext + strlen(u.ext) < end && u.home < u.dash);
	}
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 };

	rig_directory();
	rig_write("1", span_str("text\n"));
	rig_nuls(&in, rig_input(p, n), '~');
	check_commands(buf_span(&in));
	check_report(buf_span(&in), report_local);
	check_report(buf_span(&in), report_remote);
	check_limits(buf_span(&in));
	check_user(buf_span(&in));
	check_worker(buf_span(&in));
	buf_free(&in);
	return 0;
}
