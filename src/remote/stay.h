/* stay - qmail-remote as a process that begins deliveries for qmail-rspawn (queue/remoteproto.h).
 * Control files and resolv.conf are read once, and again when they have changed; each delivery is a
 * process of its own, forked, that knows nothing of others.  With a password in the control files
 * it does not stay: no delivery shall hold those of another. */
#ifndef REMOTE_STAY_H
#define REMOTE_STAY_H

/* Serves the socket on descriptor 0 until its other end is closed.  argv: as in remoteproto.h;
 * ps(1) shows there what is delivered. */
void stay_run(char **argv);

#endif
