/* climit: where the locks of an address lie, and that there are as many as allowed. */
#include "tools/climit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/proc.h"
#include "scratch.h"
#include "tap.h"

static struct ip
address(const char *text)
{
	struct ip ip = { 0 };

	if (!ip_parse(span_str(text), &ip))
		abort();
	return ip;
}

static const struct {
	const char *a, *b;
	bool address, network;	/* counted together? */
} pairs[] = {
	{ "192.0.2.1", "192.0.2.1", true, true },
	{ "192.0.2.1", "192.0.2.2", false, true },
	{ "192.0.2.1", "192.0.3.1", false, false },
	{ "0.0.0.0", "255.255.255.255", false, false },
	{ "2001:db8::1", "2001:db8::2", true, true },
	{ "2001:db8::1", "2001:db8::ffff:0:0:1", true, true },
	{ "2001:db8::1", "2001:db8:0:1::1", false, true },
	{ "2001:db8::1", "2001:db8:1::1", false, false },
	{ "192.0.2.1", "2001:db8::1", false, false },
};

/* A child that takes a place and keeps it until it is killed. */
static pid_t
hold(const struct ip *ip, unsigned limit, enum climit_status *status)
{
	int fds[2];
	unsigned char got = 99;
	pid_t pid;

	if (pipe(fds) == -1 || (pid = proc_fork()) == -1)
		abort();
	if (pid == 0) {
		struct climit c;

		got = climit_open(&c, ".") == -1 ? CLIMIT_FAILED :
		    (unsigned char)climit_take(&c, CLIMIT_ADDRESS, ip, limit);
		(void)!io_write(fds[1], &got, 1);
		(void)pause();
		_exit(0);
	}
	(void)close(fds[1]);
	(void)!io_read(fds[0], &got, 1);
	(void)close(fds[0]);
	*status = (enum climit_status)got;
	return pid;
}

static void
end(pid_t pid)
{
	int status;

	(void)kill(pid, SIGKILL);
	if (proc_wait(pid, &status) == -1)
		abort();
}

static void
test_places(struct tap *t)
{
	const struct ip ip = address("2001:db8::1");
	enum climit_status status;
	pid_t pids[3], more;

	for (size_t i = 0; i < 3; i++) {
		pids[i] = hold(&ip, 3, &status);
		is_num(t, status, CLIMIT_TAKEN, "one of three places");
	}
	more = hold(&ip, 3, &status);
	is_num(t, status, CLIMIT_FULL, "no fourth");
	end(more);
	more = hold(&ip, 4, &status);
	is_num(t, status, CLIMIT_TAKEN, "with a limit of four there is");
	end(more);
	end(pids[1]);
	more = hold(&ip, 3, &status);
	is_num(t, status, CLIMIT_TAKEN, "one is killed: a place");
	end(more);
	more = hold(&ip, 0, &status);
	is_num(t, status, CLIMIT_FULL, "limit 0: none");
	end(more);
	end(pids[0]);
	end(pids[2]);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;
	struct climit c, again;
	struct stat st;

	scratch_enter(&s);
	is_num(&t, climit_open(&c, "nonesuch"), -1, "no directory");
	is_num(&t, climit_open(&c, "."), 0, "a new file");
	is_num(&t, climit_open(&again, "."), 0, "the same again");
	ok(&t, memcmp(c.key, again.key, CLIMIT_KEY) == 0, "it has one key");
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct ip a = address(pairs[i].a), b = address(pairs[i].b);

		ok(&t, (climit_place(&c, CLIMIT_ADDRESS, &a) ==
		    climit_place(&c, CLIMIT_ADDRESS, &b)) == pairs[i].address, "address: %s, %s",
		    pairs[i].a, pairs[i].b);
		ok(&t, (climit_place(&c, CLIMIT_NETWORK, &a) ==
		    climit_place(&c, CLIMIT_NETWORK, &b)) == pairs[i].network, "network: %s, %s",
		    pairs[i].a, pairs[i].b);
		ok(&t, climit_place(&c, CLIMIT_ADDRESS, &a) !=
		    climit_place(&c, CLIMIT_NETWORK, &a), "  and the two are apart");
		ok(&t, climit_place(&c, CLIMIT_NETWORK, &a) > 0 &&
		    climit_place(&c, CLIMIT_NETWORK, &a) % 65536 == 0, "  room for the numbers");
	}
	test_places(&t);
	ok(&t, stat("locks", &st) == 0 && st.st_size == (off_t)CLIMIT_KEY, "it has not grown");
	(void)close(c.fd);
	(void)close(again.fd);
	scratch_leave(&s);
	return done(&t);
}
