/* tickets: keys of session tickets are made, shared, renewed and forgotten in time. */
#include "tls/tickets.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

#define NOW INT64_C(1700000000)

static bool
same(const struct ticket_key *a, const struct ticket_key *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

static void
test_ages(struct tap *t)
{
	struct tickets first, later;

	ok(t, tickets_read(&first, "tickets", NOW) && first.key[0].made == NOW &&
	    first.key[1].made == 0, "made");
	ok(t, tickets_read(&later, "tickets", NOW + TICKETS_LIFETIME_S - 1) &&
	    same(&later.key[0], &first.key[0]), "the same for everybody");
	ok(t, tickets_read(&later, "tickets", NOW + TICKETS_LIFETIME_S) &&
	    !same(&later.key[0], &first.key[0]) && same(&later.key[1], &first.key[0]),
	    "after twelve hours another one, the old one still counts");
	first = later;
	ok(t, tickets_read(&later, "tickets", NOW + 3 * TICKETS_LIFETIME_S) &&
	    later.key[0].made == NOW + 3 * TICKETS_LIFETIME_S && later.key[1].made == 0,
	    "after a day both are forgotten");
	ok(t, tickets_read(&later, "tickets", NOW) && later.key[0].made == NOW,
	    "a key from the future is none");
}

/* Two processes at the moment of a renewal: one has looked at the clock before the other. */
static void
test_skew(struct tap *t)
{
	struct tickets first, next, later;

	(void)unlink("tickets");
	ok(t, tickets_read(&first, "tickets", NOW) &&
	    tickets_read(&next, "tickets", NOW + TICKETS_LIFETIME_S), "a renewal");
	ok(t, tickets_read(&later, "tickets", NOW + TICKETS_LIFETIME_S - 1) &&
	    same(&later.key[0], &next.key[0]) && same(&later.key[1], &first.key[0]),
	    "a second behind: the same keys");
	ok(t, tickets_read(&later, "tickets", NOW - 1) && later.key[0].made == NOW - 1 &&
	    same(&later.key[1], &first.key[0]),
	    "hours behind: a new one, the old one still counts");
}

/* Somebody holds the lock for ever. */
static void
test_held(struct tap *t)
{
	struct tickets first, later;
	int fd;

	(void)unlink("tickets");
	ok(t, tickets_read(&first, "tickets", NOW), "a key");
	fd = open("tickets", O_RDWR | O_CLOEXEC);
	ok(t, fd != -1 && flock(fd, LOCK_EX) == 0, "held");
	ok(t, tickets_read(&later, "tickets", NOW + TICKETS_LIFETIME_S) &&
	    same(&later.key[0], &first.key[0]), "it is time for another: the old one is used");
	ok(t, !tickets_read(&later, "tickets", NOW + 2 * TICKETS_LIFETIME_S),
	    "and no longer than for a day");
	tickets_remember(&first, "tickets", span_str("pem"), 2);
	ok(t, tickets_read(&later, "tickets", NOW) &&
	    !tickets_knows(&later, span_str("pem"), 2), "nothing is remembered");
	(void)close(fd);
}

static void
test_files(struct tap *t)
{
	struct tickets keys;
	struct stat st;

	ok(t, !tickets_read(&keys, "none/tickets", NOW), "no directory");
	ok(t, truncate("tickets", 30) == 0 && tickets_read(&keys, "tickets", NOW) &&
	    keys.key[0].made == NOW, "a file that was cut");
	ok(t, chmod("tickets", 0640) == 0 && !tickets_read(&keys, "tickets", NOW) &&
	    keys.key[0].made == 0, "a file that others can read is not used");
	ok(t, unlink("tickets") == 0 && symlink("elsewhere", "tickets") == 0 &&
	    !tickets_read(&keys, "tickets", NOW), "nor a link");
	ok(t, unlink("tickets") == 0 && tickets_read(&keys, "tickets", NOW) &&
	    stat("tickets", &st) == 0 && (st.st_mode & 0777) == 0600, "mode");
}

static void
test_known(struct tap *t)
{
	static const char pem[3 * TICKETS_KNOWN] = "key and certificate";
	const struct span text = span_str(pem), other = span_str("key and certificatE");
	struct tickets keys, later, none = { 0 };
	struct stat st;
	struct span many[3 * TICKETS_KNOWN];
	size_t known = 0;

	ok(t, unlink("tickets") == 0 && tickets_read(&keys, "tickets", NOW) &&
	    !tickets_knows(&keys, text, 2), "unknown at first");
	tickets_remember(&keys, "tickets", text, 2);
	ok(t, tickets_read(&later, "tickets", NOW + 1) && tickets_knows(&later, text, 2) &&
	    same(&later.key[0], &keys.key[0]), "then all processes know it");
	ok(t, !tickets_knows(&later, other, 2) && !tickets_knows(&later, text, 1) &&
	    !tickets_knows(&later, span_head(text, text.n - 1), 2),
	    "not another text, nor for another level of security");
	for (size_t i = 0; i < 3 * TICKETS_KNOWN; i++) {
		many[i] = span_of(pem, i);
		tickets_remember(&later, "tickets", many[i], 2);
	}
	ok(t, tickets_read(&later, "tickets", NOW + 1), "many of them");
	for (size_t i = 0; i < 3 * TICKETS_KNOWN; i++)
		known += tickets_knows(&later, many[i], 2);
	ok(t, known >= 1 && known <= TICKETS_KNOWN && stat("tickets", &st) == 0 &&
	    st.st_size == (off_t)sizeof keys && tickets_knows(&later, many[3 * TICKETS_KNOWN - 1],
	    2), "have as much room as one");
	ok(t, tickets_read(&later, "tickets", NOW + TICKETS_LIFETIME_S) &&
	    !tickets_knows(&later, many[3 * TICKETS_KNOWN - 1], 2), "a new key knows none");
	tickets_remember(&keys, "tickets", text, 2);
	ok(t, tickets_read(&later, "tickets", NOW + TICKETS_LIFETIME_S) &&
	    !tickets_knows(&later, text, 2), "who has the old key does not tell the new one");
	tickets_remember(&none, "absent", text, 2);
	ok(t, !tickets_knows(&none, text, 2) && stat("absent", &st) == -1, "without keys: never");
	ok(t, chmod("tickets", 0644) == 0, "a file that others can read");
	tickets_remember(&later, "tickets", text, 2);
	ok(t, chmod("tickets", 0600) == 0 && tickets_read(&later, "tickets", NOW +
	    TICKETS_LIFETIME_S) && !tickets_knows(&later, text, 2), "is not written");
}

int
main(void)
{
	struct scratch scratch;
	struct tap t = { 0 };

	scratch_enter(&scratch);
	test_ages(&t);
	test_files(&t);
	test_known(&t);
	test_skew(&t);
	test_held(&t);
	scratch_leave(&scratch);
	return done(&t);
}
