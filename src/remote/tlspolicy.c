/* tlspolicy - whether a server must, may or must not be talked to with TLS. */
#include "remote/tlspolicy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/date.h"

#define LONGEST_NAME ((size_t)253)
#define EXHAUSTIVE TLS_HOSTS "/exhaustivelist"

void
tlspolicy_free(struct tlspolicy *p)
{
	buf_free(&p->name);
	buf_free(&p->authorities);
	buf_free(&p->reason);
}

/* Names come from DNS, so from strangers: no path may be made of one unless it is plain. */
static bool
is_plain(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_isalnum(name.p[i]) &&
		    span_chr(span_str("-._:"), name.p[i]) == strlen("-._:"))
			return false;
	return name.n > 0 && name.n <= LONGEST_NAME && name.p[0] != '.';
}

/* Without brackets and without the dot of the root. */
static void
take_name(struct buf *to, struct span name)
{
	struct ip ip;
	char text[IP_TEXT_SIZE];

	buf_reset(to);
	if (ip_parse_literal(name, &ip))
		name = span_str(ip_format(&ip, text));
	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	buf_addspan(to, name);
}

static void
make_path(struct buf *path, const char *directory, struct span name, const char *suffix)
{
	buf_reset(path);
	buf_adds(path, directory);
	buf_addc(path, '/');
	buf_addspan(path, name);
	buf_adds(path, suffix);
}

/* A directory that cannot be searched might hold anything, so it counts as if it did: for a file
 * that demands TLS that is the safe side. */
static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Looks for the name as it is, and in lower case. */
static bool
find_file(struct buf *path, const char *directory, const struct buf *name, const char *suffix)
{
	size_t start = strlen(directory) + 1;

	if (!is_plain(buf_span(name)))
		return false;
	make_path(path, directory, buf_span(name), suffix);
	if (!buf_ok(path) || is_there(path->p))
		return buf_ok(path);
	ascii_lower_n(path->p + start, name->n);
	return !span_eq(span_of(path->p + start, name->n), buf_span(name)) && is_there(path->p);
}

/* A file that we have made ourselves counts for a day. */
static bool
is_fresh(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1 || st.st_uid != geteuid())
		return true;
	if (date_now() - (int64_t)st.st_mtime < TLSPOLICY_NOTE_S)
		return true;
	(void)unlink(path);
	return false;
}

static bool
never(const struct tlspolicy *p, const struct settings *s)
{
	struct buf path = { 0 };
	bool found = (s->no_tls_hosts && find_file(&path, NO_TLS_HOSTS, &p->name, "") &&
	    is_fresh(buf_str(&path))) || (s->tls_hosts && is_there(EXHAUSTIVE));

	buf_free(&path);
	return found;
}

/* A login goes to nobody but the server that is meant. */
static bool
guards_login(const struct smtproute *route, const struct ip *ip)
{
	return route->user.n && !route->clear && !ip_is_loopback(ip);
}

static enum starttls_need
find_need(struct tlspolicy *p, const struct settings *s, const struct ip *ip,
    const struct smtproute *route)
{
	bool guarded = guards_login(route, ip);

	buf_reset(&p->reason);
	buf_reset(&p->authorities);
	if (s->tls_hosts && find_file(&p->authorities, TLS_HOSTS, &p->name, ".pem")) {
		buf_addbuf(&p->reason, &p->authorities);
		buf_adds(&p->reason, " exists");
	} else {
		buf_reset(&p->authorities);
		if (guarded)
			buf_adds(&p->authorities, TLSPOLICY_AUTHORITIES);
		buf_adds(&p->reason, "a login must not be sent in clear");
	}
	if (route->port == SMTPS_PORT)
		return STARTTLS_FIRST;
	if (p->authorities.n)
		return STARTTLS_MUST;
	return never(p, s) ? STARTTLS_NEVER : STARTTLS_MAY;
}

static const char *
or_null(const struct buf *b)
{
	return b->n ? buf_str(b) : NULL;
}

bool
tlspolicy_find(struct tlspolicy *p, const struct settings *s, struct span name,
    const struct ip *ip, const struct smtproute *route)
{
	enum starttls_need need;

	take_name(&p->name, name);
	need = find_need(p, s, ip, route);
	p->terms = (struct starttls_terms){ .need = need, .name = buf_str(&p->name),
		.authorities = or_null(&p->authorities), .ciphers = or_null(&s->tls_ciphers),
		.certificate = s->client_certificate ? CLIENT_CERTIFICATE : NULL,
		.reason = buf_str(&p->reason) };
	return buf_ok(&p->name) && buf_ok(&p->authorities) && buf_ok(&p->reason);
}

void
tlspolicy_note(const struct tlspolicy *p, const struct settings *s)
{
	struct buf path = { 0 };
	int fd;

	if (!s->note_no_tls || !s->no_tls_hosts || !is_plain(buf_span(&p->name)))
		return;
	make_path(&path, NO_TLS_HOSTS, buf_span(&p->name), "");
	if (buf_ok(&path)) {
		ascii_lower_n(path.p, path.n);
		fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd != -1)
			(void)close(fd);
	}
	buf_free(&path);
}
