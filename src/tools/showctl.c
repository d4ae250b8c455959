/* showctl - the text of qmail-showctl. */
#include "tools/showctl.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/ascii.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/log.h"
#include "lib/uids.h"

enum kind {
	LINE,		/* before VALUE after; `absent` is the value then */
	NUMBER,		/* the same for the leading digits; without any it counts as absent */
	LINE_ME,	/* the same; the value is then that of me, else the file's own name */
	LIST,		/* the same for each entry; `absent` is the whole text then */
	ROUTES,		/* the same, but a login in it is not shown */
	MARK,		/* only that it is there */
	MORE_HOSTS,	/* morercpthosts: a list that needs rcpthosts */
	MORE_HOSTS_CDB	/* morercpthosts.cdb: compared with its source */
};

struct control {
	const char *name;
	enum kind kind;
	const char *before, *after, *absent;
};

static const struct control controls[] = {
	{ "badmailfrom", LIST, "", " not accepted in MAIL FROM.", "Any MAIL FROM is allowed." },
	{ "bouncefrom", LINE, "Bounce user name is ", ".", "MAILER-DAEMON" },
	{ "bouncehost", LINE_ME, "Bounce host name is ", ".", NULL },
	{ "concurrencylocal", NUMBER, "Local concurrency is ", ".", "10" },
	{ "concurrencyremote", NUMBER, "Remote concurrency is ", ".", "20" },
	{ "databytes", NUMBER, "SMTP DATA limit is ", " bytes.", "0" },
	{ "defaultdomain", LINE_ME, "Default domain name is ", ".", NULL },
	{ "defaulthost", LINE_ME, "Default host name is ", ".", NULL },
	{ "doublebouncehost", LINE_ME, "2B recipient host: ", ".", NULL },
	{ "doublebounceto", LINE, "2B recipient user: ", ".", "postmaster" },
	{ "envnoathost", LINE_ME, "Presumed domain name is ", ".", NULL },
	{ "helohost", LINE_ME, "SMTP client HELO host name is ", ".", NULL },
	{ "idhost", LINE_ME, "Message-ID host name is ", ".", NULL },
	{ "localiphost", LINE_ME, "Local IP address becomes ", ".", NULL },
	{ "locals", LIST, "Messages for ", " are delivered locally.",
	    "Messages for me are delivered locally." },
	{ "me", LINE, "My name is ", ".", "undefined! Uh-oh" },
	{ "percenthack", LIST, "The percent hack is allowed for user%host@", ".",
	    "The percent hack is not allowed." },
	{ "plusdomain", LINE_ME, "Plus domain name is ", ".", NULL },
	{ "qmqpservers", LIST, "QMQP server: ", ".", "No QMQP servers." },
	{ "queuelifetime", NUMBER, "Message lifetime in the queue is ", " seconds.", "604800" },
	{ "rcpthosts", LIST, "SMTP clients may send messages to recipients at ", ".",
	    "SMTP clients may send messages to any recipient." },
	{ "morercpthosts", MORE_HOSTS, NULL, NULL, NULL },
	{ "morercpthosts.cdb", MORE_HOSTS_CDB, NULL, NULL, NULL },
	{ "smtpgreeting", LINE_ME, "SMTP greeting: 220 ", ".", NULL },
	{ "smtproutes", ROUTES, "SMTP route: ", "", "No artificial SMTP routes." },
	{ "timeoutconnect", NUMBER, "SMTP client connection timeout is ", " seconds.", "60" },
	{ "timeoutremote", NUMBER, "SMTP client data timeout is ", " seconds.", "1200" },
	{ "timeoutsmtpd", NUMBER, "SMTP server data timeout is ", " seconds.", "1200" },
	{ "virtualdomains", LIST, "Virtual domain: ", "", "No virtual domains." }
};

#define CONTROLS (sizeof controls / sizeof *controls)

/* Files that qmail-1.03 has not: shown only where they are, so that the rest stays as it was. */
static const struct control own_controls[] = {
	{ "authsenders", ROUTES, "Sender route: ", "", "No sender routes." },
	{ "authservid", LINE, "Results of authentication are told by ", ".", "me" },
	{ "badhelo", LIST, "Refused names of clients: ", "", "No names of clients are refused." },
	{ "badhelonorelay", LIST, "Refused names of clients that may not relay: ", "",
	    "No others are." },
	{ "badmailfrom-unknown", LIST, "Refused from clients without a name: ", "",
	    "No others are." },
	{ "badmailfromnorelay", LIST, "Refused from clients that may not relay: ", "",
	    "No other senders are refused." },
	{ "badmailfromunknown", LIST, "Refused from clients without a name: ", "",
	    "No senders are refused from clients without a name." },
	{ "badmailpatterns", LIST, "Refused pattern of senders: ", "",
	    "No patterns of senders are refused." },
	{ "badmailto", LIST, "Refused recipient: ", "", "No others are." },
	{ "badmailtonorelay", LIST, "Refused recipient of clients that may not relay: ", "",
	    "No others are." },
	{ "badrcptpatterns", LIST, "Refused pattern of recipients: ", "",
	    "No patterns of recipients are refused." },
	{ "badrcptto", LIST, "Refused recipient: ", "", "No recipients are refused." },
	{ "badrcpttonorelay", LIST, "Refused recipient of clients that may not relay: ", "",
	    "No others are." },
	{ "barecr", NUMBER, "A CR in a message that ends no line is refused (1) or not (0): ", ".",
	    "0" },
	{ "bouncemaxbytes", NUMBER, "Bounces hold at most ", " bytes of the message.", "all" },
	{ "brtlimit", NUMBER, "Refused recipients after which a connection ends: ", ".", "0" },
	{ "clientca.pem", MARK, "Certificates of clients come from authorities in it.", "", NULL },
	{ "clientcrl.pem", MARK, "Certificates of clients that were revoked are in it.", "", NULL },
	{ "clientcert.pem", MARK, "The SMTP client shows this certificate.", "", NULL },
	{ "dh512.pem", MARK, "Not needed any more.", "", NULL },
	{ "dh1024.pem", MARK, "Not needed any more.", "", NULL },
	{ "dh2048.pem", MARK, "Not needed any more.", "", NULL },
	{ "dh4096.pem", MARK, "Not needed any more.", "", NULL },
	{ "dnsblfailclosed", NUMBER, "Clients whose list does not answer pass (0) or not (1): ",
	    ".", "0" },
	{ "dnsbllist", LIST, "Clients are looked up in: ", "", "No lists of clients." },
	{ "domainips", LIST, "Source of SMTP connections: ", "", "None." },
	{ "greetdelay", NUMBER, "SMTP clients wait for the greeting for ", " seconds.", "0" },
	{ "hideip", NUMBER, "Addresses of users are hidden (1), and their names (2): ", ".", "0" },
	{ "filterargs", LIST, "Deliveries are filtered: ", "", "No delivery is filtered." },
	{ "filtertimeout", NUMBER, "Filters of a message may take ", " seconds.", "300" },
	{ "injectmaxrcpt", NUMBER, "qmail-inject refuses messages with more than ", " recipients.",
	    "1000000" },
	{ "localtime", NUMBER, "New messages have dates in UTC (0) or local time (1): ", ".", "0" },
	{ "maxrcpt", NUMBER, "Messages by SMTP have at most so many recipients: ", ".", "0" },
	{ "maxrecipients", NUMBER, "The same, without maxrcpt: ", ".", "0" },
	{ "mfcheck", NUMBER, "Domains of senders are checked at level ", ".", "0" },
	{ "morevalidrcptto", LIST, "More recipients, or with - none: ", "",
	    "No more recipients are listed." },
	{ "morevalidrcptto.cdb", MARK, "More recipients are listed in it.", "", NULL },
	{ "moreipme", LIST, "This host is also ", ".", "No other addresses are this host." },
	{ "nofilterargs", LIST, "Deliveries are not filtered for ", ".", "" },
	{ "notipme", LIST, "This host is not ", ".", "All its addresses are this host." },
	{ "notlshosts", MARK, "The SMTP client does without TLS for the hosts in it.", "", NULL },
	{ "notlshosts_auto", NUMBER, "Failures of TLS are remembered (1) or not (0): ", ".", "0" },
	{ "outgoingip", LIST, "Source of SMTP connections: ", "", "None." },
	{ "policy", LIST, "Who writes to whom: ", "", "Everybody writes to everybody." },
	{ "qfilters", LIST, "Mail is filtered by sender: ", "", "No mail is filtered." },
	{ "rejectnullsenders", NUMBER, "The empty sender is refused (1) or not (0): ", ".", "0" },
	{ "rejectrelaytest", NUMBER, "Recipients with @, % or ! in front are refused (1): ", ".",
	    "0" },
	{ "relaylimits", LIST, "Recipients in a day (rcptcheck-overlimit): ", "", "No limits." },
	{ "remotebatch", NUMBER, "One delivery to another host has at most ", " recipients.", "1" },
	{ "remotereuse", NUMBER, "Messages over one connection to another host: ", ".", "1" },
	{ "rsa512.pem", MARK, "Not needed any more.", "", NULL },
	{ "rsa2048.pem", MARK, "Not needed any more.", "", NULL },
	{ "rsa4096.pem", MARK, "Not needed any more.", "", NULL },
	{ "s25rwhite", LIST, "Has no name of a dial-up line: ", "", "No such client." },
	{ "servercert.pem", MARK, "Servers offer TLS.", "", NULL },
	{ "servercerts", MARK, "Clients may ask for certificates of other names.", "", NULL },
	{ "smtpplugins", LIST, "SMTP plug-in: ", "", "No SMTP plug-ins." },
	{ "smtputf8", NUMBER, "SMTPUTF8 is offered (1) or not (0): ", ".", "0" },
	{ "spfbehavior", NUMBER, "SPF is handled at level ", ".", "0" },
	{ "spfexp", LINE, "SPF refusals are explained by: ", "", "" },
	{ "spfexplain", LINE, "SPF refusals, without spfexp, are explained by: ", "", "" },
	{ "spfguess", LINE, "SPF record of domains without one: ", "", "" },
	{ "spflocalrules", LINE, "SPF terms for every domain, without spfrules: ", "", "" },
	{ "spfrules", LINE, "SPF terms for every domain: ", "", "" },
	{ "spptimeout", NUMBER, "SMTP plug-ins may take ", " seconds.", "60" },
	{ "strictpatterns", NUMBER, "Malformed patterns stop the service (1) or not (0): ", ".",
	    "0" },
	{ "submitsenders", LIST, "Login and sender: ", "", "Every login may use any sender." },
	{ "taps", LIST, "Copies go to others: ", "", "No copies go to others." },
	{ "tarpitcount", NUMBER, "Recipients of a message that do not wait: ", ".", "0" },
	{ "tarpitdelay", NUMBER, "The others wait for ", " seconds.", "5" },
	{ "tlsclientciphers", LIST, "Ciphers of the SMTP client: ", ".", "DEFAULT" },
	{ "tlsclients", LIST, "Who has a certificate for ", " may send to any recipient.",
	    "Nobody relays by certificate." },
	{ "tlshosts", MARK, "The SMTP client demands TLS from the hosts in it.", "", NULL },
	{ "tlsserverciphers", LIST, "TLS ciphers of servers: ", ".", "DEFAULT" },
	{ "tlsservermin", LINE, "Servers speak TLS from version ", ".", "1.2" },
	{ "tlsusers", LIST, "TLS servers may run as ", ".", "vpopmail" },
	{ "validrcptto", LIST, "Recipient, or with - none: ", "", "Recipients are not listed." }
};

#define OWN_CONTROLS (sizeof own_controls / sizeof *own_controls)

static void
put_visible(struct io_out *out, struct span text)
{
	struct buf line = { 0 };

	log_add_visible(&line, text, true, '?');
	io_putspan(out, buf_span(&line));
	buf_free(&line);
}

static void
put_line(struct io_out *out, const struct control *c, struct span value)
{
	io_puts(out, c->before);
	put_visible(out, value);
	io_puts(out, c->after);
	io_putc(out, '\n');
}

/* ---- the build ---- */

static void
put_number(struct io_out *out, const char *what, uint64_t value)
{
	io_puts(out, what);
	io_putnum(out, value);
	io_puts(out, ".\n");
}

static void
put_id(struct io_out *out, enum uids_status status, uint64_t id)
{
	if (status == UIDS_FOUND)
		io_putnum(out, id);
	else
		io_puts(out, "unknown");
}

static void
put_users(struct io_out *out)
{
	static const char *const users[] = { USER_ALIAS, USER_DAEMON, USER_LOG, USER_OWNER,
		USER_PASSWD, USER_QUEUE, USER_REMOTE, USER_SEND };

	io_puts(out, "user ids: ");
	for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
		uid_t uid = 0;
		gid_t gid;
		enum uids_status status = uids_user(users[i], &uid, &gid);

		io_puts(out, i ? ", " : "");
		put_id(out, status, uid);
	}
	io_puts(out, ".\n");
}

static void
put_groups(struct io_out *out)
{
	static const char *const groups[] = { GROUP_NOFILES, GROUP_QMAIL };

	io_puts(out, "group ids: ");
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		gid_t gid = 0;
		enum uids_status status = uids_group(groups[i], &gid);

		io_puts(out, i ? ", " : "");
		put_id(out, status, gid);
	}
	io_puts(out, ".\n");
}

void
showctl_build(struct io_out *out)
{
	io_puts(out, "qmail home directory: " QMAIL_HOME ".\n");
	io_puts(out, "user-ext delimiter: ");
	io_putc(out, USER_BREAK);
	io_puts(out, ".\n");
	put_number(out, "paternalism (in decimal): ", FORBIDDEN_MODE);
	put_number(out, "silent concurrency limit: ", SPAWN_SLOTS);
	put_number(out, "subdirectory split: ", QUEUE_SPLIT);
	put_users(out);
	put_groups(out);
}

/* ---- control files ---- */

static void
put_trouble(struct io_out *out)
{
	io_puts(out, "Oops! Trouble reading this file.\n");
}

static void
show_line(struct io_out *out, const struct control *c, struct span me)
{
	struct buf value = { 0 };
	struct span absent = span_str(c->absent ? c->absent : c->name);

	switch (ctl_line(c->name, &value)) {
	case CTL_FOUND:
		put_line(out, c, buf_span(&value));
		break;
	case CTL_ABSENT:
		io_puts(out, "(Default.) ");
		put_line(out, c, c->kind == LINE_ME && me.p ? me : absent);
		break;
	case CTL_ERROR:
	default:
		put_trouble(out);
		break;
	}
	buf_free(&value);
}

static void
show_number(struct io_out *out, const struct control *c)
{
	uint64_t value = 0;

	switch (ctl_number(c->name, UINT64_MAX, &value)) {
	case CTL_FOUND:
		io_puts(out, c->before);
		io_putnum(out, value);
		io_puts(out, c->after);
		io_putc(out, '\n');
		break;
	case CTL_ABSENT:
		io_puts(out, "(Default.) ");
		put_line(out, c, span_str(c->absent));
		break;
	case CTL_ERROR:
	default:
		put_trouble(out);
		break;
	}
}

/* `relay|user|password`, `relay user password`: with stars after the relay. */
static void
put_route(struct io_out *out, const struct control *c, struct span entry)
{
	size_t colon = span_chr(entry, ':') + 1, n = colon;
	struct buf line = { 0 };
	char mark;

	while (n < entry.n && ascii_isblank(entry.p[n]))
		n++;
	while (n < entry.n && entry.p[n] != '|' && !ascii_isblank(entry.p[n]))
		n++;
	buf_addspan(&line, span_head(entry, n));
	mark = n < entry.n && entry.p[n] == '|' ? '|' : ' ';
	for (int word = 0; n < entry.n && word < 2; word++) {
		buf_addc(&line, mark);
		buf_adds(&line, "***");
		while (n < entry.n && (mark == '|' ? entry.p[n] == '|' :
		    ascii_isblank(entry.p[n])))
			n++;
		while (n < entry.n && (mark == '|' ? entry.p[n] != '|' :
		    !ascii_isblank(entry.p[n])))
			n++;
	}
	put_line(out, c, buf_span(&line));
	buf_free(&line);
}

static void
show_list(struct io_out *out, const struct control *c)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	struct span entry;
	size_t pos = 0;

	switch (ctl_list(c->name, &text)) {
	case CTL_FOUND:
		io_putc(out, '\n');
		while (ctl_next(&text, &pos, &entry))
			(c->kind == ROUTES ? put_route : put_line)(out, c, entry);
		break;
	case CTL_ABSENT:
		io_puts(out, "(Default.) ");
		io_puts(out, c->absent);
		io_putc(out, '\n');
		break;
	case CTL_ERROR:
	default:
		put_trouble(out);
		break;
	}
	buf_free(&text);
}

static bool
look(const char *path, struct stat *st)
{
	return stat(path, st) == 0;
}

static void
show_more_hosts(struct io_out *out)
{
	static const struct control with = { "morercpthosts", LIST,
		"SMTP clients may send messages to recipients at ", ".", "No effect." };
	static const struct control without = { "morercpthosts", LIST,
		"No rcpthosts; doesn't matter that morercpthosts has ", ".",
		"No rcpthosts; morercpthosts is irrelevant." };
	struct stat st;

	show_list(out, look("control/rcpthosts", &st) ? &with : &without);
}

static bool
older(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

static void
show_more_hosts_cdb(struct io_out *out)
{
	struct stat source, cdb;
	bool has_source = look("control/morercpthosts", &source);
	bool has_cdb = look("control/morercpthosts.cdb", &cdb);
	const char *text;

	if (!has_source && !has_cdb)
		text = "(Default.) No effect.\n";
	else if (!has_source)
		text = "Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n";
	else if (!has_cdb)
		text = "Oops! morercpthosts exists but morercpthosts.cdb doesn't.\n";
	else if (older(&cdb, &source))
		text = "Oops! morercpthosts.cdb is older than morercpthosts.\n";
	else
		text = "Modified recently enough; hopefully up to date.\n";
	io_puts(out, text);
}

static void
put_name(struct io_out *out, const char *name)
{
	io_putc(out, '\n');
	put_visible(out, span_str(name));
	io_puts(out, ": ");
}

static void
show(struct io_out *out, const struct control *c, struct span me)
{
	put_name(out, c->name);
	switch (c->kind) {
	case NUMBER:
		show_number(out, c);
		break;
	case LINE:
	case LINE_ME:
		show_line(out, c, me);
		break;
	case LIST:
	case ROUTES:
		show_list(out, c);
		break;
	case MARK:
		io_puts(out, c->before);
		io_putc(out, '\n');
		break;
	case MORE_HOSTS:
		show_more_hosts(out);
		break;
	case MORE_HOSTS_CDB:
		show_more_hosts_cdb(out);
		break;
	}
}

void
showctl_files(struct io_out *out, struct span me)
{
	for (size_t i = 0; i < CONTROLS; i++)
		show(out, &controls[i], me);
}

static bool
is_known(const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	for (size_t i = 0; i < CONTROLS; i++)
		if (strcmp(name, controls[i].name) == 0)
			return true;
	return false;
}

static const struct control *
own_control(const char *name)
{
	for (size_t i = 0; i < OWN_CONTROLS; i++)
		if (strcmp(name, own_controls[i].name) == 0)
			return &own_controls[i];
	return NULL;
}

static void
show_other(struct io_out *out, const char *name)
{
	const struct control *own = own_control(name);

	if (own) {
		show(out, own, span_of(NULL, 0));
	} else if (!is_known(name)) {
		put_name(out, name);
		io_puts(out, "I have no idea what this file does.\n");
	}
}

int
showctl_others(struct io_out *out)
{
	struct dirent **found;
	int n = scandir("control", &found, NULL, alphasort);

	if (n == -1)
		return -1;
	for (int i = 0; i < n; i++) {
		show_other(out, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return 0;
}
