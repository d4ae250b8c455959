/* request - what the caller of qmail-inject asked for: environment, options, arguments. */
#ifndef INJECT_REQUEST_H
#define INJECT_REQUEST_H

#include <stdbool.h>

#include "inject/fault.h"
#include "lib/attr.h"
#include "lib/buf.h"

enum request_to {
	REQUEST_EITHER,		/* -A: arguments if there are any, else the header */
	REQUEST_ARGUMENTS,	/* -a */
	REQUEST_HEADER,		/* -h */
	REQUEST_BOTH		/* -H */
};

/* Text from a variable; control bytes in it became spaces, so it cannot add header lines. */
struct request_text {
	struct buf text;
	bool set;		/* also if it is empty */
};

struct request {
	struct request_text user, host, name;	/* of From; user is always set */
	struct request_text sender_user, sender_host;	/* of the default envelope sender */
	const char *followup_file;		/* QMAILMFTFILE or NULL */
	/* letters in QMAILINJECT */
	bool name_as_comment;			/* c */
	bool ignore_return_path;		/* s */
	bool replace_from;			/* f */
	bool replace_message_id;		/* i */
	bool per_recipient;			/* r */
	bool per_message;			/* m */
	bool real_user;				/* u: the passwd name, where no variable tells */
	bool from_sendmail;			/* S: sendmail(8) calls, addresses are raw */
	/* options */
	bool print;				/* -n */
	enum request_to to;
	const char *sender;			/* -f or NULL */
	char *const *args;			/* recipients, NULL at the end */
};

/* {0} to start.  FAULT_NONE or FAULT_MEMORY.  Takes the letter S out of the environment. */
MUST_CHECK enum fault request_environment(struct request *r);
/* FAULT_NONE or FAULT_USAGE (complaint written to standard error).  Borrows argv. */
MUST_CHECK enum fault request_options(struct request *r, int argc, char *const *argv);
void request_free(struct request *r);

/* Do the arguments count as recipients?  Does the header? */
bool request_wants_arguments(const struct request *r);
bool request_wants_header(const struct request *r);

#endif
