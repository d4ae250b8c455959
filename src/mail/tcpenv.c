/* tcpenv - the other end of a TCP connection, as the environment describes it. */
#include "mail/tcpenv.h"

#include <stdlib.h>

struct variable {
	const char *tcp, *tcp6;
};

static const char *
find(struct variable v)
{
	const char *value = getenv(v.tcp), *proto;

	if (value || !(proto = getenv("PROTO")) || strcmp(proto, "TCP6") != 0)
		return value;
	return getenv(v.tcp6);
}

static struct span
find_or_unknown(struct variable v)
{
	const char *value = find(v);

	return span_str(value ? value : "unknown");
}

void
tcpenv_hop(struct trace_hop *hop)
{
	const char *local = find((struct variable){ "TCPLOCALHOST", "TCP6LOCALHOST" });

	hop->remote_host = find_or_unknown((struct variable){ "TCPREMOTEHOST", "TCP6REMOTEHOST" });
	hop->remote_ip = find_or_unknown((struct variable){ "TCPREMOTEIP", "TCP6REMOTEIP" });
	hop->remote_info = span_str(find((struct variable){ "TCPREMOTEINFO", "TCP6REMOTEINFO" }));
	hop->local_name = local ? span_str(local) :
	    find_or_unknown((struct variable){ "TCPLOCALIP", "TCP6LOCALIP" });
}
