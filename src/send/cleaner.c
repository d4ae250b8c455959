/* cleaner - requests to qmail-clean, sent without waiting and answered in order. */
#include "send/cleaner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/num.h"

int
cleaner_init(struct cleaner *c, int to, int from, const struct qlayout *q, struct activity *log)
{
	c->to = to;
	c->from = from;
	c->q = q;
	c->log = log;
	return io_nonblock(to, true) == -1 ? -1 : io_nonblock(from, true);
}

size_t
cleaner_room(const struct cleaner *c)
{
	return c->to == -1 ? 0 : CLEANER_MAX - c->n;
}

/* `foop/457` or, todo being a real directory, its path. */
static void
request_name(const struct cleaner *c, enum clean_what what, uint64_t id,
    char out[QLAYOUT_PATH_SIZE])
{
	if (what == CLEAN_TODO) {
		(void)qlayout_path(c->q, out, Q_TODO, id);
		return;
	}
	memcpy(out, "foop/", sizeof "foop/");
	(void)num_format(out + sizeof "foop/" - 1, id);
}

void
cleaner_ask(struct cleaner *c, enum clean_what what, uint64_t id)
{
	size_t at = (c->first + c->n++) % CLEANER_MAX, n;
	char name[QLAYOUT_PATH_SIZE];

	c->asked[at].id = id;
	c->asked[at].what = what;
	request_name(c, what, id, name);
	n = strlen(name) + 1;
	if (c->out_at) {
		memmove(c->out, c->out + c->out_at, c->out_n - c->out_at);
		c->out_n -= c->out_at;
		c->out_at = 0;
	}
	memcpy(c->out + c->out_n, name, n);
	c->out_n += n;
}

bool
cleaner_pending(const struct cleaner *c, uint64_t id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->asked[(c->first + i) % CLEANER_MAX].id == id)
			return true;
	return false;
}

bool
cleaner_has_requests(const struct cleaner *c)
{
	return c->out_at < c->out_n;
}

static void
lose(struct cleaner *c)
{
	(void)close(c->to);
	(void)close(c->from);
	c->to = c->from = -1;
	c->n = c->out_n = c->out_at = 0;
	activity_alert(c->log, "oh no! lost qmail-clean connection! dying...");
}

static bool
send_requests(struct cleaner *c)
{
	ssize_t n;

	if (c->out_at == c->out_n)
		return true;
	n = io_write(c->to, c->out + c->out_at, c->out_n - c->out_at);
	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	c->out_at += (size_t)n;
	if (c->out_at == c->out_n)
		c->out_at = c->out_n = 0;
	return true;
}

void
cleaner_watch(struct cleaner *c, struct waitset *w)
{
	waitset_fd(w, c->from, POLLIN);
	/* What is left over, and the end of the other side, is for cleaner_step. */
	if (!send_requests(c) || c->out_at < c->out_n)
		waitset_fd(w, c->to, POLLOUT);
}

static void
take_answer(struct cleaner *c, char answer)
{
	enum clean_what what = c->asked[c->first].what;
	uint64_t id = c->asked[c->first].id;
	char name[QLAYOUT_PATH_SIZE];

	c->first = (c->first + 1) % CLEANER_MAX;
	c->n--;
	if (answer != '+') {
		request_name(c, what, id, name);
		activity_warn_plain(c->log, "qmail-clean unable to clean up ", name);
	}
	if (c->owner[what].answered)
		c->owner[what].answered(c->owner[what].arg, id, answer == '+');
}

/* false: end of file or trouble. */
static bool
read_answers(struct cleaner *c)
{
	char answers[CLEANER_MAX];
	ssize_t n = io_read(c->from, answers, sizeof answers);

	if (n <= 0)
		return n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
	for (ssize_t i = 0; i < n && c->n; i++)	/* more answers than requests: ignored */
		take_answer(c, answers[i]);
	return true;
}

bool
cleaner_step(struct cleaner *c, const struct waitset *w)
{
	if (c->to == -1)
		return false;
	if (!send_requests(c) ||
	    (waitset_ready(w, c->from, POLLIN) && !read_answers(c))) {
		lose(c);
		return false;
	}
	return true;
}
