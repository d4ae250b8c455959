/* SPF: which record counts, and each of its mechanisms (RFC 7208, 2 to 5).  The cases are those
 * that its text demands, one by one. */
#include "spf/record.h"

#include "spfzone.h"

#define LABEL63 "A123456789012345678901234567890123456789012345678901234567890ab"

static void
test_initial(struct tap *t)
{
	static const char zone[] =
	    "ex.net TXT v=spf1 -all exp=exp.ex.net\n"
	    "exp.ex.net TXT %{l}\n"
	    "a." LABEL63 ".ex TXT v=spf1 -all\n"
	    "hosed.ex TXT v=spf1 a:\xef\xbb\xbfgarbage.ex -all\n"
	    "hosed2.ex TXT v=spf1 \x80" "a:ex.net -all\n"
	    "hosed3.ex TXT v=spf1 a:ex.net \x96-all\n"
	    "control.ex TXT v=spf1 a:c\x01.ex -all\n"
	    "tab.ex TXT v=spf1\ta -all\n"
	    "tab2.ex TXT v=spf1 mx\t-all\n"
	    "nonspf.ex TXT \x96 is not ours\n"
	    "nonspf.ex TXT v=spf1 -all\n";
	static const struct spf_case rows[] = {
		{ "label of 64", "mail.ex.net", "1.2.3.5", "l@" LABEL63 "c.ex", "none", NULL },
		{ "label of 63", "mail.ex.net", "1.2.3.5", "l@a." LABEL63 ".ex", "fail", NULL },
		{ "empty label", "mail.ex.net", "1.2.3.5", "l@out..ex", "none", NULL },
		{ "empty label at the front", "mail.ex.net", "1.2.3.5", "l@.ex", "none", NULL },
		{ "HELO without a dot", "ex2", "1.2.3.5", "", "none", NULL },
		{ "HELO literal", "[1.2.3.5]", "1.2.3.5", "", "none", NULL },
		{ "HELO", "ex.net", "1.2.3.5", "", "fail", "postmaster" },
		{ "no local part", "mail.ex.net", "1.2.3.5", "@ex.net", "fail", "postmaster" },
		{ "literal", "OEMCOMPUTER", "1.2.3.5", "foo@[1.2.3.5]", "none", NULL },
		{ "one label", "mail.ex.net", "1.2.3.5", "foo@ex", "none", NULL },
		{ "dot at the end", "mail.ex.net", "1.2.3.5", "foo@ex.net.", "fail", "foo" },
		{ "two @", "mail.ex.net", "1.2.3.5", "a@b@ex.net", "fail", "a@b" },
		{ "bytes above ASCII", "h", "1.2.3.5", "foo@hosed.ex", "permerror", NULL },
		{ "in a name", "h", "1.2.3.5", "foo@hosed2.ex", "permerror", NULL },
		{ "before a qualifier", "h", "1.2.3.5", "foo@hosed3.ex", "permerror", NULL },
		{ "control byte", "h", "1.2.3.5", "foo@control.ex", "permerror", NULL },
		{ "TAB after the version", "h", "1.2.3.5", "foo@tab.ex", "none", NULL },
		{ "TAB between terms", "h", "1.2.3.5", "foo@tab2.ex", "permerror", NULL },
		{ "in other texts", "h", "1.2.3.5", "foo@nonspf.ex", "fail", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

static void
test_selection(struct tap *t)
{
	static const char zone[] =
	    "silent.ex TXT !\n"
	    "none.ex A 1.2.3.4\n"
	    "e1.ex TXT v=spf1\n"
	    "e2.ex TXT v=spf1 \n"
	    "e3.ex TXT v=spf10\n"
	    "e4.ex TXT v=spf1a -all\n"
	    "e5.ex TXT v=spf1 -all\n"
	    "e5.ex TXT v=spf1 +all\n"
	    "e6.ex TXT v=spf1 -all\n"
	    "e6.ex TXT v=spf1 -all\n"
	    "e7.ex TXT other\n"
	    "e7.ex TXT v=spf1 -all\n"
	    "e7.ex TXT v=spf2.0/pra +all\n"
	    "e8.ex TXT V=sPf1 -ALL\n"
	    "e9.ex TXT  v=spf1 -all\n"
	    "e10.ex TXT v=spf1    ip4:1.2.3.4    -all   \n"
	    "e11.ex CNAME e8.ex\n"
	    "e12.ex TXT v=spf1.1 -all\n";
	static const struct spf_case rows[] = {
		{ "no answer", "h", "1.2.3.4", "a@silent.ex", "temperror", NULL },
		{ "no name", "h", "1.2.3.4", "a@nowhere.ex", "none", NULL },
		{ "no text", "h", "1.2.3.4", "a@none.ex", "none", NULL },
		{ "version only", "h", "1.2.3.4", "a@e1.ex", "neutral", NULL },
		{ "version and a blank", "h", "1.2.3.4", "a@e2.ex", "neutral", NULL },
		{ "another version", "h", "1.2.3.4", "a@e3.ex", "none", NULL },
		{ "no blank", "h", "1.2.3.4", "a@e4.ex", "none", NULL },
		{ "two records", "h", "1.2.3.4", "a@e5.ex", "permerror", NULL },
		{ "twice the same", "h", "1.2.3.4", "a@e6.ex", "permerror", NULL },
		{ "other texts", "h", "1.2.3.4", "a@e7.ex", "fail", NULL },
		{ "case", "h", "1.2.3.4", "a@e8.ex", "fail", NULL },
		{ "blank in front", "h", "1.2.3.4", "a@e9.ex", "none", NULL },
		{ "many blanks", "h", "1.2.3.4", "a@e10.ex", "pass", NULL },
		{ "alias", "h", "1.2.3.4", "a@e11.ex", "fail", NULL },
		{ "version with a point", "h", "1.2.3.4", "a@e12.ex", "none", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

static void
test_evaluation(struct tap *t)
{
	static const char zone[] =
	    "t1.ex TXT v=spf1 ip4:1.2.3.4 -all moo\n"
	    "t2.ex TXT v=spf1 ip4:1.2.3.4 -all moo:cow\n"
	    "t3.ex TXT v=spf1 moo.cow-far_out=man:dog/cat ip4:1.2.3.4 -all\n"
	    "t4.ex TXT v=spf1 moo.cow:far_out=man:dog/cat ip4:1.2.3.4 -all\n"
	    "t5.ex TXT v=spf1 redirect=t5.ex ~all\n"
	    "t6.ex TXT v=spf1 ip4:1.2.3.4 redirect=t10.ex\n"
	    "t7.ex TXT v=spf1 ip4:1.2.3.4\n"
	    "t8.ex TXT v=spf1 redirect:t10.ex\n"
	    "t9.ex TXT v=spf1 a:foo-bar -all\n"
	    "t10.ex TXT v=spf1 a:mail.ex...ex ~all\n"
	    "t11.ex TXT v=spf1 a:a123456789012345678901234567890123456789012345678901234567890"
	    "bcd.ex ~all\n"
	    "t12.ex TXT v=spf1 a:%{H}.bar ~all\n"
	    "t13.ex TXT v=spf1 -redirect=t10.ex\n"
	    "t14.ex TXT v=spf1 9foo=bar -all\n"
	    "t15.ex TXT v=spf1 a=bar -all\n"
	    "t16.ex TXT v=spf1 +-all\n"
	    "t17.ex TXT v=spf1 + -all\n"
	    "t18.ex TXT v=spf1 ip4:9.9.9.9 redirect=t19.ex\n"
	    "t19.ex TXT v=spf1 ip4:1.2.3.4 -all\n"
	    "t20.ex TXT v=spf1 ?ip4:1.2.3.4 ~ip4:1.2.3.5 -ip4:1.2.3.6 +ip4:1.2.3.7\n";
	static const struct spf_case rows[] = {
		{ "errors are found first", "h", "1.2.3.4", "a@t1.ex", "permerror", NULL },
		{ "behind a match", "h", "1.2.3.4", "a@t2.ex", "permerror", NULL },
		{ "name of a modifier", "h", "1.2.3.4", "a@t3.ex", "pass", NULL },
		{ "no modifier", "h", "1.2.3.4", "a@t4.ex", "permerror", NULL },
		{ "redirect stands last", "h", "1.2.3.4", "a@t5.ex", "softfail", NULL },
		{ "redirect not needed", "h", "1.2.3.4", "a@t6.ex", "pass", NULL },
		{ "nothing matches", "h", "1.2.3.5", "a@t7.ex", "neutral", NULL },
		{ "redirect with a colon", "h", "1.2.3.4", "a@t8.ex", "permerror", NULL },
		{ "no top level", "h", "1.2.3.4", "a@t9.ex", "permerror", NULL },
		{ "empty label", "h", "1.2.3.4", "a@t10.ex", "softfail", NULL },
		{ "long label", "h", "1.2.3.4", "a@t11.ex", "softfail", NULL },
		{ "long label by macro", "a12345678901234567890123456789012345678901234567890123456"
		    "7890bcd", "1.2.3.4", "a@t12.ex", "softfail", NULL },
		{ "modifier with a qualifier", "h", "1.2.3.4", "a@t13.ex", "permerror", NULL },
		{ "modifier begins with a digit", "h", "1.2.3.4", "a@t14.ex", "permerror", NULL },
		{ "mechanism's name, unknown modifier", "h", "1.2.3.4", "a@t15.ex", "fail", NULL },
		{ "two qualifiers", "h", "1.2.3.4", "a@t16.ex", "permerror", NULL },
		{ "qualifier alone", "h", "1.2.3.4", "a@t17.ex", "permerror", NULL },
		{ "redirect", "h", "1.2.3.4", "a@t18.ex", "pass", NULL },
		{ "?", "h", "1.2.3.4", "a@t20.ex", "neutral", NULL },
		{ "~", "h", "1.2.3.5", "a@t20.ex", "softfail", NULL },
		{ "-", "h", "1.2.3.6", "a@t20.ex", "fail", NULL },
		{ "+", "h", "1.2.3.7", "a@t20.ex", "pass", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

static void
test_all_include_exists(struct tap *t)
{
	static const char zone[] =
	    "all1.ex TXT v=spf1 -all.\n"
	    "all2.ex TXT v=spf1 -all:foobar\n"
	    "all3.ex TXT v=spf1 -all/8\n"
	    "all4.ex TXT v=spf1 ?all\n"
	    "all5.ex TXT v=spf1 all -all\n"
	    "pass.ex TXT v=spf1 all\n"
	    "fail.ex TXT v=spf1 -all\n"
	    "soft.ex TXT v=spf1 ~all\n"
	    "neutral.ex TXT v=spf1 ?all\n"
	    "silent.ex TXT !\n"
	    "bad.ex TXT v=spf1 bla\n"
	    "i1.ex TXT v=spf1 include:fail.ex ~all\n"
	    "i2.ex TXT v=spf1 include:soft.ex all\n"
	    "i3.ex TXT v=spf1 include:neutral.ex -all\n"
	    "i4.ex TXT v=spf1 include:silent.ex -all\n"
	    "i5.ex TXT v=spf1 include:bad.ex -all\n"
	    "i6.ex TXT v=spf1 include +all\n"
	    "i7.ex TXT v=spf1 include:nowhere.ex all\n"
	    "i8.ex TXT v=spf1 include: -all\n"
	    "i9.ex TXT v=spf1 include:pass.ex/24 -all\n"
	    "i10.ex TXT v=spf1 -include:pass.ex all\n"
	    "i11.ex TXT v=spf1 include:%{l}.ex -all\n"
	    "x1.ex TXT v=spf1 exists: -all\n"
	    "x2.ex TXT v=spf1 exists -all\n"
	    "x3.ex TXT v=spf1 exists:mail.ex/24 -all\n"
	    "x4.ex TXT v=spf1 exists:mail.ex -all\n"
	    "x5.ex TXT v=spf1 exists:mail6.ex -all\n"
	    "x6.ex TXT v=spf1 exists:silent.ex -all\n"
	    "mail.ex A 1.2.3.4\n"
	    "mail6.ex AAAA cafe:babe::4\n"
	    "silent.ex A !\n";
	static const struct spf_case rows[] = {
		{ "all.", "h", "1.2.3.4", "a@all1.ex", "permerror", NULL },
		{ "all:", "h", "1.2.3.4", "a@all2.ex", "permerror", NULL },
		{ "all/", "h", "1.2.3.4", "a@all3.ex", "permerror", NULL },
		{ "?all", "h", "1.2.3.4", "a@all4.ex", "neutral", NULL },
		{ "the first all", "h", "1.2.3.4", "a@all5.ex", "pass", NULL },
		{ "include of fail", "h", "1.2.3.4", "a@i1.ex", "softfail", NULL },
		{ "include of softfail", "h", "1.2.3.4", "a@i2.ex", "pass", NULL },
		{ "include of neutral", "h", "1.2.3.4", "a@i3.ex", "fail", NULL },
		{ "include of temperror", "h", "1.2.3.4", "a@i4.ex", "temperror", NULL },
		{ "include of permerror", "h", "1.2.3.4", "a@i5.ex", "permerror", NULL },
		{ "include of nothing", "h", "1.2.3.4", "a@i6.ex", "permerror", NULL },
		{ "include of none", "h", "1.2.3.4", "a@i7.ex", "permerror", NULL },
		{ "include without name", "h", "1.2.3.4", "a@i8.ex", "permerror", NULL },
		{ "include with length", "h", "1.2.3.4", "a@i9.ex", "permerror", NULL },
		{ "-include of pass", "h", "1.2.3.4", "a@i10.ex", "fail", NULL },
		{ "include by macro", "h", "1.2.3.4", "pass@i11.ex", "pass", NULL },
		{ "include of no name", "h", "1.2.3.4", "x..y@i11.ex", "permerror", NULL },
		{ "exists:", "h", "1.2.3.4", "a@x1.ex", "permerror", NULL },
		{ "exists", "h", "1.2.3.4", "a@x2.ex", "permerror", NULL },
		{ "exists/", "h", "1.2.3.4", "a@x3.ex", "permerror", NULL },
		{ "exists", "h", "1.2.3.4", "a@x4.ex", "pass", NULL },
		{ "exists, another address", "h", "4.3.2.1", "a@x4.ex", "pass", NULL },
		{ "exists, by IPv6", "h", "cafe:babe::3", "a@x4.ex", "pass", NULL },
		{ "exists, AAAA only", "h", "1.2.3.4", "a@x5.ex", "fail", NULL },
		{ "exists, AAAA only, by IPv6", "h", "cafe:babe::3", "a@x5.ex", "fail", NULL },
		{ "exists, no answer", "h", "1.2.3.4", "a@x6.ex", "temperror", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

static void
test_ptr(struct tap *t)
{
	static const char zone[] =
	    "mail.ex A 1.2.3.4\n"
	    "e1.ex TXT v=spf1 ptr/0 -all\n"
	    "e2.ex TXT v=spf1 ptr:ex -all\n"
	    "e3.ex TXT v=spf1 ptr -all\n"
	    "e3.ex A 1.2.3.4\n"
	    "sub.e3.ex A 1.2.3.6\n"
	    "e4.ex TXT v=spf1 ptr -all\n"
	    "e5.ex TXT v=spf1 ptr:\n"
	    "e6.ex TXT v=spf1 ptr:bar.ex -all\n"
	    "bar.ex AAAA cafe:babe::1\n"
	    "1.2.3.4 PTR e3.ex\n"
	    "1.2.3.4 PTR e4.ex\n"
	    "1.2.3.4 PTR mail.ex\n"
	    "1.2.3.6 PTR sub.E3.ex\n"
	    "1.2.3.7 PTR note3.ex\n"
	    "note3.ex A 1.2.3.7\n"
	    "1.2.3.8 PTR !\n"
	    "1.2.3.9 PTR silent.ex\n"
	    "1.2.3.9 PTR sub9.e3.ex\n"
	    "silent.ex A !\n"
	    "sub9.e3.ex A 1.2.3.9\n"
	    "1.2.3.10 PTR loop.ex\n"
	    "loop.ex CNAME loop.ex\n"
	    "cafe:babe::1 PTR Bar.ex\n";
	static const struct spf_case rows[] = {
		{ "ptr/", "h", "1.2.3.4", "a@e1.ex", "permerror", NULL },
		{ "ptr:", "h", "1.2.3.4", "a@e5.ex", "permerror", NULL },
		{ "ptr of a name", "h", "1.2.3.4", "a@e2.ex", "permerror", NULL },
		{ "ptr of the domain", "h", "1.2.3.4", "a@e3.ex", "pass", NULL },
		{ "a name below it", "h", "1.2.3.6", "a@e3.ex", "pass", NULL },
		{ "a name that only ends so", "h", "1.2.3.7", "a@e3.ex", "fail", NULL },
		{ "a name that does not lead back", "h", "1.2.3.4", "a@e4.ex", "fail", NULL },
		{ "PTR without answer", "h", "1.2.3.8", "a@e3.ex", "fail", NULL },
		{ "a name without answer", "h", "1.2.3.9", "a@e3.ex", "pass", NULL },
		{ "alias of itself", "h", "1.2.3.10", "a@e3.ex", "fail", NULL },
		{ "IPv6, another case", "h", "cafe:babe::1", "a@e6.ex", "pass", NULL },
		{ "IPv6, no PTR", "h", "cafe:babe::3", "a@e6.ex", "fail", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

int
main(void)
{
	struct tap t = { 0 };

	test_initial(&t);
	test_selection(&t);
	test_evaluation(&t);
	test_all_include_exists(&t);
	test_ptr(&t);
	return done(&t);
}
