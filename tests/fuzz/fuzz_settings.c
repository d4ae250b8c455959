/* What the servers, qmail-send and qmail-inject take from control files with any bytes: names that
 * go into replies and commands cannot end a line, numbers stay in their ranges, and what is used
 * was in order.  Input: me `|` helohost `|` a text that all the other files have. */
#include "remote/settings.h"

#include <unistd.h>

#include "inject/rewrite.h"
#include "lib/ascii.h"
#include "lib/conf.h"
#include "mail/msgid.h"
#include "rig.h"
#include "send/controls.h"
#include "smtp/smtpconf.h"

const char *const fuzz_words[] = {
	"|", "me.test", "mx.test\n", "\r\n", " ", "\t", "~", "\x1b", "\xff", "0", "1",
	"99999999999999999999", "a.test:b\n", ":", "#", "\n", "[", "]", "(", "\"",
	"a.test\n.b.test\n", NULL
};

static bool
is_clean(const struct buf *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (ascii_iscntrl(b->p[i]))
			return false;
	return true;
}

static void
check_remote(void)
{
	struct settings s = { .connect_ms = 0 };

	if (settings_read(&s) == SETTINGS_OK) {
		promise(s.helohost.n > 0 && is_clean(&s.helohost));
		promise(span_chr(buf_span(&s.helohost), ' ') == s.helohost.n);
		promise(s.connect_ms >= 1000 && s.timeout_ms >= 1000);
	}
	settings_free(&s);
}

static void
check_smtpd(void)
{
	struct smtpconf conf = { .timeout_ms = 0 };
	char *none[] = { NULL };

	promise(smtpconf_read(&conf, none) == 0);
	promise(is_clean(&conf.greeting) && is_clean(&conf.local_ip_host));
	promise(conf.timeout_ms >= 1000 && conf.intake.size_limit <= INT64_MAX);
	smtpconf_free(&conf);
}

static void
check_send(void)
{
	struct controls c = { .me_set = false };

	promise(controls_read(&c) == 0);
	promise(c.lifetime_s <= CONTROLS_LIFETIME_MAX_S);
	promise(c.concurrency[CHANNEL_LOCAL] <= SPAWN_SLOTS);
	promise(c.concurrency[CHANNEL_REMOTE] <= SPAWN_SLOTS);
	promise(span_chr(c.routes.envnoathost, '\n') == c.routes.envnoathost.n);
	controls_free(&c);
}

static void
check_inject(void)
{
	struct rewrite w = { .local_time = false };
	struct buf detail = { 0 };

	if (rewrite_load(&w, &detail) == FAULT_NONE)
		promise(msgid_is_host(buf_span(&w.id_host)));
	else
		promise(detail.n > 0);
	rewrite_free(&w);
	buf_free(&detail);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const others[] = { "control/smtpgreeting", "control/localiphost",
		"control/timeoutsmtpd", "control/databytes", "control/badmailfrom",
		"control/rcpthosts", "control/timeoutremote", "control/timeoutconnect",
		"control/smtproutes", "control/envnoathost", "control/bouncefrom",
		"control/queuelifetime", "control/concurrencylocal", "control/concurrencyremote",
		"control/percenthack", "control/virtualdomains", "control/locals",
		"control/defaulthost", "control/idhost", "control/plusdomain", NULL };
	struct buf in = { 0 };
	struct span rest;

	rig_directory();
	rig_mkdir("control");
	rig_nuls(&in, rig_input(p, n), '~');
	rest = buf_span(&in);
	rig_write("control/me", rig_take(&rest, '|'));
	rig_write("control/helohost", rig_take(&rest, '|'));
	for (size_t i = 0; others[i]; i++)
		rig_write(others[i], rest);
	check_remote();
	check_smtpd();
	check_send();
	check_inject();
	buf_free(&in);
	return 0;
}
