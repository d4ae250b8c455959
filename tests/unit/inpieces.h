/* inpieces - a text through authstrip, so many bytes at a time. */
#ifndef INPIECES_H
#define INPIECES_H

#include "mail/authstrip.h"

static void
inpieces_strip(struct span text, struct span id, size_t n, struct buf *out)
{
	struct authstrip f;

	authstrip_begin(&f, id);
	while (text.n) {
		authstrip_text(&f, span_head(text, n), out);
		text = span_tail(text, n);
	}
	authstrip_end(&f, out);
	authstrip_free(&f);
}

#endif
