/* poppasswd - users that are no accounts of the system. */
#include "mail/poppasswd.h"

#include "lib/ascii.h"
#include "lib/num.h"

#define FIELDS_SHORT 3		/* behind the name */
#define FIELDS_LONG 5
#define ID_MAX (UINT32_MAX - 1)	/* the last one means "none" to the kernel */

static const char *
take_id(struct span text, uint32_t *id)
{
	uint64_t value;

	if (num_parse_u64(text.p, text.n, ID_MAX, &value) != NUM_OK)
		return "an id is no number";
	if (value == 0)
		return "an id is 0";
	*id = (uint32_t)value;
	return NULL;
}

/* 0: more than there is room for. */
static size_t
split(struct span record, struct span fields[FIELDS_LONG])
{
	for (size_t n = 0; n < FIELDS_LONG; n++) {
		size_t colon = span_chr(record, ':');

		fields[n] = span_head(record, colon);
		if (colon == record.n)
			return n + 1;
		record = span_tail(record, colon + 1);
	}
	return 0;
}

static const char *
check_bytes(struct span record)
{
	for (size_t i = 0; i < record.n; i++)
		if (ascii_iscntrl(record.p[i]))
			return "it has a control character";
	return NULL;
}

const char *
poppasswd_parse(struct span record, struct poppasswd *p)
{
	struct span fields[FIELDS_LONG];
	const char *why = check_bytes(record);
	size_t n = split(record, fields);

	*p = (struct poppasswd){ .hash = fields[0] };
	if (why)
		return why;
	if (n == FIELDS_SHORT) {
		p->account = fields[1];
		p->home = fields[2];
		if (!p->account.n)
			return "the account is empty";
	} else if (n == FIELDS_LONG) {
		if ((why = take_id(fields[1], &p->uid)) || (why = take_id(fields[2], &p->gid)))
			return why;
		p->home = fields[3];
		p->maildir = fields[4];
	} else {
		return "it has neither four fields nor six";
	}
	return p->home.n && p->home.p[0] == '/' ? NULL : "the directory is not absolute";
}
