/* many - qmail-remote as a process that does one delivery after the other for qmail-rspawn. */
#ifndef REMOTE_MANY_H
#define REMOTE_MANY_H

/* Started as queue/stayproto.h says.  Returns when nobody asks any more, or when it is better that
 * a new process does. */
void many_run(char **argv);

#endif
