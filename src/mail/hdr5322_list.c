/* hdr5322 - header fields with addresses: finding the addresses of a list.
 *
 * The field is read from right to left, because what words mean is known only at what follows
 * them: before `<` they are a phrase, otherwise an address.  Everything is gathered in that order
 * and turned round at the end. */
#include "mail/hdr5322.h"

struct list {
	const struct hdr5322_tokens *in;
	size_t left;			/* tokens still to be read */
	struct hdr5322_tokens address;	/* being gathered, last token first */
	struct hdr5322_tokens *out;	/* last token first; NULL: not wanted */
	hdr5322_use *use;
	void *arg;
	bool in_group;			/* a `;` was met, its `:` not yet */
	bool word_ok;			/* a word here belongs to the address at hand */
	enum hdr5322_status status;
};

static void
reverse(struct hdr5322_tokens *t)
{
	for (size_t i = 0; i < t->n / 2; i++) {
		struct hdr5322_token swap = t->v[i];

		t->v[i] = t->v[t->n - 1 - i];
		t->v[t->n - 1 - i] = swap;
	}
}

static void
put(struct list *l, struct hdr5322_token token)
{
	if (l->out)
		hdr5322_push(l->out, token);
}

static void
put_separator(struct list *l, char c)
{
	put(l, hdr5322_separator(c));
}

/* Hands the gathered address over, even if it is empty. */
static void
use_address(struct list *l)
{
	reverse(&l->address);
	if (l->address.status == HDR5322_OK)
		l->address.status = l->use(l->arg, &l->address);
	if (l->status == HDR5322_OK)
		l->status = l->address.status;
	for (size_t i = l->address.n; i > 0; i--)
		put(l, l->address.v[i - 1]);
	hdr5322_reset(&l->address);
}

/* true: there was an address and it is complete now. */
static bool
finish_address(struct list *l)
{
	if (!l->address.n)
		return false;
	use_address(l);
	return true;
}

/* Two elements met without a comma between them. */
static void
separate(struct list *l)
{
	if (finish_address(l))
		put_separator(l, ',');
}

/* `>` was read: all to the left of it up to `<` is one address. */
static enum hdr5322_status
read_angle(struct list *l)
{
	put_separator(l, '>');
	for (;;) {
		struct hdr5322_token t;

		if (!l->left)
			return HDR5322_SYNTAX;
		t = l->in->v[--l->left];
		if (t.type == '<')
			break;
		t.blank = false;
		hdr5322_push(&l->address, t);
	}
	use_address(l);
	put_separator(l, '<');
	return HDR5322_OK;
}

static bool
is_phrase(char type)
{
	return type == HDR5322_COMMENT || type == HDR5322_ATOM || type == HDR5322_QUOTED ||
	    type == '@' || type == '.';
}

/* The name in front of `<`.  It goes out as it is; around a dot also blanks do (`John Q. Public`).
 * So `blank` is kept where it counts and cleared everywhere else. */
static void
read_phrase(struct list *l)
{
	const struct hdr5322_token *v = l->in->v;

	while (l->left && is_phrase(v[l->left - 1].type)) {
		struct hdr5322_token t = v[--l->left];

		t.blank = t.blank && l->left &&
		    (t.type == '.' || (v[l->left - 1].type == '.'));
		put(l, t);
	}
}

/* `:` was read: the name of the group reaches to the comma before it. */
static void
read_group_name(struct list *l)
{
	bool comma = false;

	put_separator(l, ':');
	while (l->left && !comma) {
		struct hdr5322_token t = l->in->v[--l->left];

		comma = t.type == ',';
		t.blank = false;
		put(l, t);
	}
}

static enum hdr5322_status
read_separator(struct list *l, char c)
{
	l->word_ok = true;
	switch (c) {
	case ',':
		(void)finish_address(l);
		put_separator(l, ',');
		return HDR5322_OK;
	case ';':
		separate(l);
		put_separator(l, ';');
		if (l->in_group)
			return HDR5322_SYNTAX;
		l->in_group = true;
		return HDR5322_OK;
	case ':':
		(void)finish_address(l);
		if (!l->in_group)
			return HDR5322_SYNTAX;
		l->in_group = false;
		read_group_name(l);
		return HDR5322_OK;
	case '>':
		separate(l);
		l->word_ok = false;
		if (read_angle(l) != HDR5322_OK)
			return HDR5322_SYNTAX;
		read_phrase(l);
		return HDR5322_OK;
	default:
		hdr5322_push(&l->address, hdr5322_separator(c));
		return HDR5322_OK;
	}
}

static enum hdr5322_status
read_token(struct list *l)
{
	struct hdr5322_token t = l->in->v[--l->left];

	t.blank = false;
	switch (t.type) {
	case HDR5322_COMMENT:
		put(l, t);
		return HDR5322_OK;
	case HDR5322_ATOM:
	case HDR5322_QUOTED:
	case HDR5322_LITERAL:
		if (!l->word_ok)
			separate(l);
		l->word_ok = false;
		hdr5322_push(&l->address, t);
		return HDR5322_OK;
	default:
		return read_separator(l, t.type);
	}
}

enum hdr5322_status
hdr5322_list(const struct hdr5322_tokens *in, hdr5322_use *use, void *arg,
    struct hdr5322_tokens *out)
{
	struct list l = { .in = in, .left = in->n, .out = out, .use = use, .arg = arg,
		.word_ok = true, .status = in->status };

	if (out)
		hdr5322_reset(out);
	while (l.left && l.status == HDR5322_OK) {
		enum hdr5322_status read = read_token(&l);

		if (l.status == HDR5322_OK)
			l.status = read;
	}
	if (l.status == HDR5322_OK)
		(void)finish_address(&l);
	hdr5322_free(&l.address);
	if (out) {
		reverse(out);
		if (l.status == HDR5322_OK)
			l.status = out->status;
	}
	return l.status;
}
