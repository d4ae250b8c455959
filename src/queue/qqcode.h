/* qqcode - exit codes of qmail-queue and of programs in its place (qmail-queue(8)).
 * 11 to 40 are permanent, everything else but 0 temporary. */
#ifndef QUEUE_QQCODE_H
#define QUEUE_QQCODE_H

enum qqcode {
	QQ_OK = 0,
	QQ_ADDRESS_TOO_LONG = 11,
	QQ_REFUSED = 31,
	QQ_KEY = 32,		/* a signer has no key */
	QQ_MEMORY = 51,
	QQ_TIMEOUT = 52,
	QQ_WRITE = 53,
	QQ_READ = 54,
	QQ_CONFIG = 55,
	QQ_NETWORK = 56,
	QQ_CHILD = 58,		/* 58, 59, 70: of other add-ons */
	QQ_PIPES = 59,
	QQ_HOME = 61,
	QQ_QUEUE = 62,
	QQ_PID = 63,
	QQ_MESS = 64,
	QQ_INTD = 65,
	QQ_TODO = 66,
	QQ_PID_FILE = 70,
	QQ_REFUSED_NOW = 71,
	QQ_CONN_TIMEOUT = 72,
	QQ_CONN_REFUSED = 73,
	QQ_CONN_FAILED = 74,
	QQ_BUG = 81,
	QQ_CUSTOM = 82,		/* reason on the error descriptor */
	QQ_CUSTOM_OTHER = 88,	/* the same, other add-ons */
	QQ_FORMAT = 91,
	QQ_ACCOUNTS = 111,	/* trouble looking up accounts */
	QQ_LONG_ADDRESS_OTHER = 115,	/* as 11 */
	QQ_EXEC = 120
};

#endif
