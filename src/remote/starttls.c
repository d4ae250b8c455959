/* starttls - TLS for an SMTP client, done by qmail-tls. */
#include "remote/starttls.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/proc.h"
#include "lib/sys.h"
#include "tls/verdict.h"

#define ARGUMENTS_SIZE 12

/* ---- qmail-tls ---- */

/* Pipes to and from it: [0] is read from, [1] written to. */
struct pipes {
	int out[2], in[2], verdict[2];
};

static void
close_pair(int fds[2])
{
	for (size_t i = 0; i < 2; i++)
		if (fds[i] != -1)
			(void)close(fds[i]);
}

static bool
open_pipes(struct pipes *p)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (sys_pipe(p->out) == 0 && sys_pipe(p->in) == 0 && sys_pipe(p->verdict) == 0 &&
	    io_nonblock(p->out[1], true) == 0 && io_nonblock(p->in[0], true) == 0)
		return true;
	close_pair(p->out);
	close_pair(p->in);
	close_pair(p->verdict);
	return false;
}

static char *
argument(const char *s)
{
	union {
		const char *in;
		char *out;	/* execve(2) changes nothing */
	} u = { .in = s };

	return u.out;
}

/* Its descriptor 2 is where the verdict goes: ours is the report. */
static pid_t
start(const struct starttls_terms *t, int fd, const struct pipes *p)
{
	const char *const options[][2] = { { "-h", t->name }, { "-a", t->authorities },
		{ "-C", t->ciphers }, { "-k", t->certificate } };
	char *argv[ARGUMENTS_SIZE] = { argument(STARTTLS_PROGRAM), argument("-c"), NULL };
	char *envp[] = { NULL };
	const struct proc_spawn spawn = { .argv = argv, .envp = envp, .nfds = 5, .fds = {
		{ 0, p->out[0] }, { 1, p->in[1] }, { 2, p->verdict[1] },
		{ VERDICT_FD, p->verdict[1] }, { VERDICT_SOCKET_FD, fd } } };
	size_t n = 2;

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (options[i][1]) {
			argv[n++] = argument(options[i][0]);
			argv[n++] = argument(options[i][1]);
		}
	return proc_spawn(&spawn, NULL);
}

/* Starts it and reads what it has found out. */
static void
run(const struct starttls_terms *t, int fd, int64_t deadline, struct pipes *p, struct verdict *v)
{
	if (start(t, fd, p) == -1) {
		v->result = VERDICT_LOCAL;
		buf_adds(&v->reason, "qmail-tls cannot be started");
		return;
	}
	/* What only it shall hold, so that each end sees the other go. */
	(void)close(p->out[0]);
	(void)close(p->in[1]);
	(void)close(p->verdict[1]);
	p->out[0] = p->in[1] = p->verdict[1] = -1;
	if (verdict_read(p->verdict[0], deadline, v) != VERDICT_READ ||
	    (v->result == VERDICT_OK && t->authorities && !v->verified)) {
		verdict_free(v);
		/* A server that is slower than we want to wait, or a qmail-tls that has died. */
		v->result = deadline_poll(deadline) == 0 ? VERDICT_TLS : VERDICT_LOCAL;
		buf_adds(&v->reason, "qmail-tls gave no answer");
	}
}

/* true: plaintext flows through *in and *out. */
static bool
encrypt(const struct starttls_terms *t, int fd, int64_t deadline, struct verdict *v, int *in,
    int *out)
{
	struct pipes p;
	bool good;

	if (!open_pipes(&p)) {
		v->result = VERDICT_LOCAL;
		buf_adds(&v->reason, "out of descriptors");
		return false;
	}
	run(t, fd, deadline, &p, v);
	good = v->result == VERDICT_OK;
	if (good) {
		*in = p.in[0];
		*out = p.out[1];
		p.in[0] = p.out[1] = -1;
	}
	close_pair(p.out);
	close_pair(p.in);
	close_pair(p.verdict);
	return good;
}

/* ---- what is said of a failure ---- */

static void
add_unverified(struct buf *report, const struct starttls_terms *t, const char *why)
{
	buf_adds(report, "ZTLS unable to verify server ");
	buf_adds(report, t->name);
	buf_adds(report, why);
}

static void
add_reason(struct buf *report, const struct verdict *v)
{
	buf_adds(report, ": ");
	buf_addbuf(report, &v->reason);
}

static void
add_failure(struct buf *report, const struct starttls_terms *t, const struct verdict *v)
{
	switch (v->result) {
	case VERDICT_CAFILE:
		buf_adds(report, "ZTLS unable to load ");
		buf_adds(report, t->authorities);
		add_reason(report, v);
		break;
	case VERDICT_CHAIN:
		buf_adds(report, "ZTLS unable to verify server with ");
		buf_adds(report, t->authorities);
		add_reason(report, v);
		break;
	case VERDICT_NAME:
		add_unverified(report, t, v->cn.n ? ": received certificate for " :
		    ": certificate contains no matching dNSNnames");
		buf_addbuf(report, &v->cn);
		break;
	case VERDICT_NOCERT:
		add_unverified(report, t, ": no certificate provided");
		break;
	case VERDICT_NOCN:
		add_unverified(report, t, ": certificate contains no valid commonName");
		break;
	case VERDICT_LOCAL:
	case VERDICT_TLS:
	case VERDICT_OK:
	case VERDICT_RESULTS:
	default:
		buf_adds(report, "ZTLS connect failed");
		add_reason(report, v);
		break;
	}
}

/* From the host, whatever it is called, to the end of the record. */
static void
add_place(struct dialogue *d, const char *where)
{
	buf_adds(d->report, where);
	buf_adds(d->report, d->ip);
	buf_addc(d->report, '.');
}

/* ---- the dialogue ---- */

enum dialogue_outcome
starttls_failed(const struct starttls_terms *t)
{
	return t->need == STARTTLS_MAY ? DIALOGUE_CLEAR : DIALOGUE_NEXT;
}

bool
starttls_upgrade(struct dialogue *d, const struct starttls_terms *t)
{
	int64_t wait = deadline_after(d->reply_ms < STARTTLS_WAIT_MS ? d->reply_ms :
	    STARTTLS_WAIT_MS);
	struct verdict v = { .result = VERDICT_OK };
	int in, out;
	bool good = encrypt(t, d->in.fd, deadline_first(wait, d->end), &v, &in, &out);

	if (good) {
		dialogue_move(d, in, out);
	} else {
		/* So that a qmail-tls that is still waiting ends. */
		(void)shutdown(d->in.fd, SHUT_RDWR);
		add_failure(d->report, t, &v);
		add_place(d, v.result == VERDICT_CAFILE ? "; connecting to " : "; connected to ");
		buf_addc(d->report, '\n');
		dialogue_record_end(d);
		d->hung_up = true;
		(void)dialogue_settle(d, v.result == VERDICT_LOCAL && t->need == STARTTLS_MAY ?
		    DIALOGUE_CLEAR_NOW : starttls_failed(t));
	}
	verdict_free(&v);
	return good;
}

/* It must be, and the server does not do it. */
static bool
missing(struct dialogue *d, const struct starttls_terms *t, bool offered)
{
	buf_adds(d->report, offered ? "ZSTARTTLS rejected while " : "ZNo TLS achieved while ");
	buf_adds(d->report, t->reason);
	add_place(d, "; connecting to ");
	if (offered) {
		dialogue_add_reply(d);
	} else {
		buf_addc(d->report, '\n');
		dialogue_record_end(d);
	}
	return dialogue_settle(d, DIALOGUE_NEXT);
}

bool
starttls_negotiate(struct dialogue *d, const struct starttls_terms *t, bool offered,
    bool *encrypted)
{
	*encrypted = false;
	if (t->need == STARTTLS_NEVER || t->need == STARTTLS_FIRST)
		return true;
	if (!offered)
		return t->need == STARTTLS_MAY || missing(d, t, false);
	io_puts(&d->out, "STARTTLS\r\n");
	if (!dialogue_reply(d))
		return dialogue_settle(d, starttls_failed(t));
	if (d->reply.code == DIALOGUE_CLOSING)
		return dialogue_unwelcome(d, " but STARTTLS was refused.");
	if (d->reply.code != DIALOGUE_READY)
		return t->need == STARTTLS_MAY || missing(d, t, true);
	/* What came in clear together with the reply is nobody's word: dialogue_move drops it. */
	*encrypted = starttls_upgrade(d, t);
	return *encrypted;
}
