/* qfilter: what is taken for an envelope, whose domain it has, and its limits.  Running filters is
 * the matter of tests/prog/qmail-qfilter.t. */
#include "queue/qfilter.h"

#include "queue/qqcode.h"
#include "scratch.h"
#include "tap.h"

#define BYTES(s) (s), sizeof(s) - 1

static const struct {
	const char *what, *envelope;
	size_t n;
	int code;
	const char *domain;
} rows[] = {
	{ "one recipient", BYTES("Fa@b\0Tc@d\0\0"), QQ_OK, "b" },
	{ "no recipient", BYTES("Fa@b\0\0"), QQ_OK, "b" },
	{ "no sender", BYTES("F\0Tc@d\0\0"), QQ_OK, "" },
	{ "no domain", BYTES("Froot\0Tc@d\0\0"), QQ_OK, "" },
	{ "two @", BYTES("Fa@x@b\0Tc@d\0\0"), QQ_OK, "b" },
	{ "bytes behind the end", BYTES("Fa@b\0Tc@d\0\0garbage"), QQ_OK, "b" },
	{ "nothing", BYTES(""), QQ_READ, "" },
	{ "cut in the sender", BYTES("Fa@b"), QQ_READ, "" },
	{ "cut behind the sender", BYTES("Fa@b\0"), QQ_READ, "" },
	{ "cut in a recipient", BYTES("Fa@b\0Tc@"), QQ_READ, "" },
	{ "cut before the end", BYTES("Fa@b\0Tc@d\0"), QQ_READ, "" },
	{ "no F", BYTES("Ta@b\0\0"), QQ_FORMAT, "" },
	{ "starts with the end", BYTES("\0"), QQ_FORMAT, "" },
	{ "another letter", BYTES("Fa@b\0Xc@d\0\0"), QQ_FORMAT, "" },
};

int
main(void)
{
	struct buf domain = { 0 };
	struct scratch s;
	struct tap t = { 0 };

	scratch_enter(&s);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct qfilter f = QFILTER_EMPTY;

		f.envelope = scratch_file("envelope", "");
		if (io_write_all(f.envelope, rows[i].envelope, rows[i].n) == -1)
			abort();
		buf_reset(&domain);
		is_num(&t, qfilter_sender_domain(&f, &domain), rows[i].code, rows[i].what);
		is(&t, buf_span(&domain), span_str(rows[i].domain), rows[i].what);
		qfilter_free(&f);
	}
	for (int above = 0; above < 2; above++) {
		struct qfilter f = QFILTER_EMPTY;

		f.envelope = scratch_file("envelope", "Fa@b");
		if (ftruncate(f.envelope, (off_t)QFILTER_ENVELOPE_MAX - 2 + above) == -1 ||
		    lseek(f.envelope, 0, SEEK_END) == -1 ||
		    io_write_all(f.envelope, "\0\0", 2) == -1)
			abort();
		is_num(&t, qfilter_sender_domain(&f, &domain), above ? QQ_MEMORY : QQ_OK,
		    above ? "an envelope that is too large" : "the largest envelope");
		qfilter_free(&f);
	}
	buf_free(&domain);
	scratch_leave(&s);
	return done(&t);
}
