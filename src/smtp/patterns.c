/* patterns - lists of addresses and names that are refused. */
#include "smtp/patterns.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/log.h"
#include "lib/utf8.h"
#include "mail/ere.h"
#include "smtp/smtplog.h"
#include "smtp/wildmat.h"

#define ERROR_BYTES 128		/* what regerror(3) says */
#define SHOWN_BYTES 200		/* of a line that is complained about */

/* ---- lines ---- */

/* One @, and nothing that an expression needs.  Labels in UTF-8 are none of that. */
static bool
is_plain(struct span line)
{
	size_t ats = 0;

	if (!utf8_valid(line))
		return false;
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '@')
			ats++;
		else if ((unsigned char)line.p[i] < 128 && !ascii_isalnum(line.p[i]) &&
		    !memchr("._+=/&~-", line.p[i], 8))
			return false;
	}
	return ats == 1;
}

void
patterns_complain(struct buf *to, const char *file, size_t number, struct span line,
    const char *why)
{
	buf_adds(to, "control/");
	buf_adds(to, file);
	buf_adds(to, " line ");
	buf_addnum(to, number);
	buf_adds(to, ": ");
	log_add_visible(to, span_head(line, SHOWN_BYTES), true, '?');
	buf_adds(to, ": ");
	buf_adds(to, why);
	buf_addc(to, '\n');
}

/* A place for one more.  NULL with errno. */
static struct pattern *
grow(struct patterns *p)
{
	if (p->n == PATTERNS_MAX) {
		errno = EFBIG;
		return NULL;
	}
	if (p->n == p->size) {
		size_t size = p->size ? p->size * 2 : 16;
		struct pattern *list = realloc(p->list, size * sizeof *list);

		if (!list)
			return NULL;
		p->list = list;
		p->size = size;
	}
	p->list[p->n] = (struct pattern){ 0 };
	return &p->list[p->n];
}

/* NULL: p->text has it now, as a C string, and *at says where.  errno is ENOMEM for "memory". */
static int
keep_text(struct patterns *p, struct span line, bool fold, size_t *at)
{
	*at = p->text.n;
	buf_addspan(&p->text, line);
	buf_addc(&p->text, '\0');
	if (!buf_ok(&p->text)) {
		errno = ENOMEM;
		return -1;
	}
	if (fold)
		ascii_lower_n(p->text.p + *at, line.n);
	return 0;
}

/* *why: NULL, or what is wrong with the expression.  -1: nobody knows, for want of memory. */
static int
compile(struct pattern *one, const char *text, char error[ERROR_BYTES], const char **why)
{
	int code = regcomp(&one->regex, text, REG_EXTENDED | REG_ICASE | REG_NOSUB);

	one->compiled = code == 0;
	if (code == REG_ESPACE) {
		errno = ENOMEM;
		return -1;
	}
	if (code != 0) {
		(void)regerror(code, &one->regex, error, ERROR_BYTES);
		*why = error;
	}
	return 0;
}

/* -1 with errno; a line that cannot be used is a complaint. */
static int
add_pattern(struct patterns *p, const char *file, size_t number, struct span line,
    struct buf *complaints)
{
	bool wild = p->syntax == PATTERNS_WILDMAT;
	char error[ERROR_BYTES];
	struct pattern *one = grow(p);
	const char *why = NULL;

	if (!one)
		return -1;
	*one = (struct pattern){ .n = line.n, .negated = line.p[0] == '!' };
	if (line.n > PATTERNS_LINE_MAX)
		why = ERE_EXCESS;
	else if (wild && !wildmat_is_pattern(span_tail(line, one->negated)))
		why = "no pattern: a class is open, or a backslash is at the end";
	else if (!wild)
		why = ere_excess(line, PATTERNS_REPEATED_MAX);
	if (!why && keep_text(p, line, wild, &one->at) == -1)
		return -1;
	if (!why && !wild &&
	    compile(one, p->text.p + one->at + one->negated, error, &why) == -1)
		return -1;
	if (why)
		patterns_complain(complaints, file, number, line, why);
	else
		p->n++;
	return 0;
}

static int
add_line(struct patterns *p, const char *file, size_t number, struct span line,
    struct buf *complaints)
{
	if (p->syntax == PATTERNS_PLAIN || (p->syntax == PATTERNS_MIXED && is_plain(line))) {
		set_add(&p->plain, line, span_of("", 0));
		return 0;
	}
	return add_pattern(p, file, number, line, complaints);
}

int
patterns_read(struct patterns *p, const struct ctlnames *names, const char *file,
    enum patterns_syntax syntax, struct buf *complaints)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	size_t pos = 0, number = 0;
	struct span line;
	enum ctl_status status = CTL_ABSENT;
	int rc;

	if (ctlnames_may_have(names, file))
		status = ctl_text(file, &text);
	p->syntax = syntax;
	rc = status == CTL_ERROR ? -1 : 0;
	while (rc == 0 && status == CTL_FOUND && ctl_next_line(&text, &pos, &number, &line))
		rc = add_line(p, file, number, line, complaints);
	if (rc == -1)
		(void)smtplog_unread(file);
	buf_free(&text);
	return rc;
}

bool
patterns_finish(struct patterns *p)
{
	return set_finish(&p->plain);
}

void
patterns_free(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].compiled)
			regfree(&p->list[i].regex);
	free(p->list);
	set_free(&p->plain);
	buf_free(&p->text);
	*p = (struct patterns){ 0 };
}

/* ---- looking for one ---- */

static struct span
line_of(const struct patterns *p, const struct pattern *one)
{
	return span_of(p->text.p + one->at, one->n);
}

static enum patterns_status
find_expression(const struct patterns *p, const char *subject, struct span *line)
{
	for (size_t i = 0; i < p->n; i++) {
		int code = regexec(&p->list[i].regex, subject, 0, NULL, 0);

		if (code != 0 && code != REG_NOMATCH)
			return PATTERNS_MEMORY;
		*line = line_of(p, &p->list[i]);
		if ((code == 0) != p->list[i].negated)
			return PATTERNS_HIT;
	}
	return PATTERNS_NO;
}

static enum patterns_status
find_wildmat(const struct patterns *p, struct span subject, struct span *line)
{
	for (size_t i = p->n; i > 0; i--) {
		const struct pattern *one = &p->list[i - 1];

		*line = line_of(p, one);
		if (wildmat_match(span_tail(*line, one->negated), subject))
			return one->negated ? PATTERNS_NO : PATTERNS_HIT;
	}
	return PATTERNS_NO;
}

enum patterns_status
patterns_find(const struct patterns *p, struct span subject, struct span *line, bool *plain)
{
	char text[PATTERNS_SUBJECT_MAX + 1];
	size_t at = span_rchr(subject, '@'), n;

	*plain = true;
	*line = subject;
	if (set_find(&p->plain, subject, NULL))
		return PATTERNS_HIT;
	*line = span_tail(subject, at);
	if (at < subject.n && set_find(&p->plain, *line, NULL))
		return PATTERNS_HIT;
	*plain = false;
	if (!p->n)
		return PATTERNS_NO;
	subject = span_head(subject, PATTERNS_SUBJECT_MAX);
	n = span_chr(subject, '\0');
	memcpy(text, subject.p, n);
	text[n] = '\0';
	if (p->syntax != PATTERNS_WILDMAT)
		return find_expression(p, text, line);
	ascii_lower_n(text, n);
	return find_wildmat(p, span_of(text, n), line);
}
