/* fault - what can go wrong while a message is made ready; qmail-inject.c has the words and exit
 * codes.  Functions that return one leave what it is about in a `detail` buffer. */
#ifndef INJECT_FAULT_H
#define INJECT_FAULT_H

enum fault {
	FAULT_NONE,
	FAULT_MEMORY,
	FAULT_HOME,		/* the home directory cannot be entered */
	FAULT_READ,		/* standard input, a control file, the Mail-Followup-To file */
	FAULT_WRITE,		/* standard output, with -n */
	FAULT_RUN,		/* no process for qmail-queue */
	FAULT_LINE,		/* detail: field, or address, with a syntax error */
	FAULT_ADDRESS,		/* detail: the argument */
	FAULT_HEADER_SIZE,	/* over HEADER_MAX, or over a limit of mail/hdr5322.h */
	FAULT_RECIPIENTS,	/* over RECIPS_MAX, or over the administrator's limit */
	FAULT_NOBODY,		/* no recipients, and sendmail(8) must not take such mail */
	FAULT_QUEUE_NOW,	/* detail: qmail-queue's reason; temporary */
	FAULT_QUEUE,		/* the same; permanent */
	FAULT_USAGE		/* the text was printed already */
};

#endif
