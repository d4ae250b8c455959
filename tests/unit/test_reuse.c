/* reuse: which connection is kept, for what, and how long. */
#include "remote/reuse.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "tap.h"

struct pair {
	struct reuse r;
	int peer;
};

/* A connection that has carried a message, which the server took. */
static void
begin(struct pair *p, uint64_t most)
{
	int fds[2] = { -1, -1 };

	p->r = (struct reuse){ .most = most };
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && io_nonblock(fds[0], true) == 0)
		reuse_new(&p->r, fds[0], "192.0.2.1")->stands = true;
	p->peer = fds[1];
	reuse_keep(&p->r, span_str("a"));
}

static void
end(struct pair *p)
{
	reuse_end(&p->r);
	(void)close(p->peer);
}

/* Has it been closed, after QUIT? */
static bool
is_over(const struct pair *p)
{
	char said[16];

	return recv(p->peer, said, sizeof said, MSG_DONTWAIT) == 6 &&
	    memcmp(said, "QUIT\r\n", 6) == 0 && recv(p->peer, said, sizeof said, MSG_DONTWAIT) == 0;
}

static bool
is_open(const struct pair *p)
{
	char said[16];

	return recv(p->peer, said, sizeof said, MSG_DONTWAIT) == -1;
}

static void
test_count(struct tap *t)
{
	struct pair p;

	begin(&p, 3);
	ok(t, is_open(&p), "one of three: kept");
	for (unsigned i = 2; i <= 3; i++) {
		struct smtplink *link = reuse_find(&p.r, span_str("a"));

		ok(t, link != NULL, "message %u goes over it", i);
		if (link)
			link->stands = true;
		reuse_keep(&p.r, span_str("a"));
	}
	ok(t, is_over(&p), "it was the last");
	ok(t, !reuse_find(&p.r, span_str("a")), "there is none");
	end(&p);
	for (uint64_t most = 0; most <= 1; most++) {
		begin(&p, most);
		ok(t, is_over(&p), "most %u: none is kept", (unsigned)most);
		end(&p);
	}
}

static void
test_place(struct tap *t)
{
	struct pair p;

	begin(&p, 9);
	ok(t, !reuse_find(&p.r, span_str("b")), "another place");
	ok(t, is_over(&p), "  it is closed");
	end(&p);
	begin(&p, 9);
	ok(t, !reuse_find(&p.r, span_of("a", 2)), "the place and more");
	end(&p);
}

static void
test_time(struct tap *t)
{
	struct pair p;
	int64_t left;

	begin(&p, 9);
	left = p.r.until - deadline_now();
	ok(t, left > REUSE_AGE_MS - 60000 && left <= REUSE_AGE_MS, "five minutes");
	p.r.until = deadline_now();
	ok(t, !reuse_find(&p.r, span_str("a")), "they are over");
	ok(t, is_over(&p), "  it is closed");
	end(&p);
}

static void
test_server(struct tap *t)
{
	struct pair p;

	begin(&p, 9);
	ok(t, write(p.peer, "421 bye\r\n", 9) == 9 && !reuse_find(&p.r, span_str("a")),
	    "the server says something");
	end(&p);
	begin(&p, 9);
	ok(t, shutdown(p.peer, SHUT_WR) == 0 && !reuse_find(&p.r, span_str("a")),
	    "the server hangs up");
	end(&p);
	begin(&p, 9);
	p.r.link.stands = false;
	reuse_keep(&p.r, span_str("a"));
	ok(t, is_over(&p), "the last message was not taken");
	end(&p);
}

int
main(void)
{
	struct tap t = { 0 };

	test_count(&t);
	test_place(&t);
	test_time(&t);
	test_server(&t);
	return done(&t);
}
