/* lscode - exit codes between qmail-getpw or the child of qmail-lspawn that prepares a delivery,
 * and qmail-lspawn, which makes reports of them (table in qmail-lspawn(8)). */
#ifndef QUEUE_LSCODE_H
#define QUEUE_LSCODE_H

enum lscode {
	LS_BUG = 112,
	LS_ROOT = 113,		/* the address belongs to uid 0 */
	LS_NFS = 115,		/* a home directory cannot be looked at just now */
	LS_NO_ALIAS = 116,	/* there is no alias account */
	LS_CDB = 117,		/* users/cdb cannot be read */
	LS_TEMPORARY = 118,
	LS_MEMORY = 119,
	LS_EXEC_TEMPORARY = 120,	/* of qmail-local */
	LS_EXEC_GETPW = 121,
	LS_EXEC = 126		/* of qmail-local, for good */
};

#endif
