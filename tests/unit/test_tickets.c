/* tickets: keys of session tickets are made, shared, renewed and forgotten in time. */
#include "tls/tickets.h"

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

int
main(void)
{
	struct scratch scratch;
	struct tap t = { 0 };

	scratch_enter(&scratch);
	test_ages(&t);
	test_files(&t);
	scratch_leave(&scratch);
	return done(&t);
}
