/* many - qmail-local as a process that does one delivery after the other, all as one user, for
 * qmail-lspawn: those that end in Maildirs or nowhere. */
#ifndef LOCAL_MANY_H
#define LOCAL_MANY_H

/* Started as queue/stayproto.h says.  Returns when nobody asks any more. */
void many_run(char **argv);

#endif
