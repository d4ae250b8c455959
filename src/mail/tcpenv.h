/* tcpenv - the other end of a TCP connection, as tcpserver, tcp-env or an IPv6 relative of them
 * describes it in the environment (tcp-environ(5)). */
#ifndef MAIL_TCPENV_H
#define MAIL_TCPENV_H

#include "mail/trace.h"

/* Fills in remote_host and remote_ip (`unknown` if not set), remote_info (or none), local_name
 * (TCPLOCALHOST, else TCPLOCALIP, else `unknown`).  With PROTO=TCP6, a variable TCPx that is
 * missing is taken from TCP6x.  Borrows from the environment.  The values are whatever the peer's
 * name server and ident server said: trace_add_received makes them harmless. */
void tcpenv_hop(struct trace_hop *hop);

#endif
