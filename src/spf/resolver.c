/* resolver - the questions that a check of a sender asks, to the system's resolver. */
#include "spf/resolver.h"

#include "lib/deadline.h"

static void
begin(void *arg)
{
	dns_set_deadline(arg, deadline_after(SPF_CHECK_MS));
}

static enum dns_status
ask_txt(void *arg, struct span name, struct buf *texts)
{
	return dns_txt(arg, name, texts);
}

static enum dns_status
ask_family(void *arg, struct span name, enum ip_family family, struct ip_list *to)
{
	return dns_family(arg, name, family, to);
}

static enum dns_status
ask_mx(void *arg, struct span name, struct dns_mx_list *to)
{
	return dns_mx(arg, name, to);
}

static enum dns_status
ask_ptr(void *arg, const struct ip *ip, struct buf *names)
{
	return dns_ptr_all(arg, ip, names);
}

struct spf_resolver
spf_resolver_dns(struct dns *d)
{
	return (struct spf_resolver){ begin, ask_txt, ask_family, ask_mx, ask_ptr, d };
}
