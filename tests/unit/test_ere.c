/* ere: which expressions the C library may see; the limit at, below and above. */
#include "mail/ere.h"

#include "tap.h"

#define MAX ((size_t)40)
#define BACK "back-references are not supported"

static const struct {
	const char *expression, *why;
} rows[] = {
	{ "", NULL },
	{ "^(a|b)+@x\\.org$", NULL },
	{ "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd", NULL },		/* 40 bytes */
	{ "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddx", ERE_EXCESS },
	{ "a{10}", ERE_EXCESS },	/* 5 bytes, ten times */
	{ "a{8}", NULL },
	{ "a{1,8}", ERE_EXCESS },	/* 6 bytes, eight times */
	{ "a{1,6}", NULL },
	{ "a{6,1}", NULL },		/* malformed, but not large */
	{ "a{7,1}", ERE_EXCESS },
	{ "a{,6}", NULL },
	{ "a{0}", NULL },
	{ "a{}", NULL },
	{ "a{3}{3}", ERE_EXCESS },	/* 7 bytes, nine times */
	{ "a{2}{2}", NULL },
	{ "a{99999999999999999999}", ERE_EXCESS },
	{ "a\\{9}", NULL },		/* a brace, not a repetition */
	{ "(a)\\1", BACK },
	{ "\\0", BACK },
	{ "\\\\1", NULL },		/* a backslash, and a digit */
	{ "a\\", NULL },
	{ "a{", NULL },
	{ "a++++", NULL },		/* 16 */
	{ "a+++++++", ERE_EXCESS },	/* 128: each one doubles */
	{ "a\\+\\+\\+\\+\\+\\+\\+", NULL },
	{ "[a+++++++]", NULL },
	{ "[]+++++++]+", NULL },
	{ "[[:alpha:]+++++++]", NULL },
	{ "(((((((a+)+)+)+)+)+)+)+", ERE_EXCESS },
	{ "a+b+c+d+e+f+g+h+i+j+k+l+m+n+", NULL },
	{ "[(](a+[)]b)++++", ERE_EXCESS },	/* a bracketed one is no group */
	{ "a{2}++++++", ERE_EXCESS },
	{ "((((((((((((((((((", NULL },
	{ "(((((((((((((((((((((((((((((((((", ERE_EXCESS },	/* 33 */
};

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is(&t, span_str(ere_excess(span_str(rows[i].expression), MAX)),
		    span_str(rows[i].why), rows[i].expression);
	return done(&t);
}
