/* password - is it the right one? */
#include "pop3/password.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/md5.h"
#include "lib/sys.h"

/* Takes as long wherever the difference is. */
static bool
is_same_text(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char difference = 0;

	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

/* `!`, `*` and other marks of a locked account stand where no hash can begin; an empty field is an
 * account without a password, which is of no use over a network. */
static bool
is_hash(const char *text)
{
	return text && (*text == '$' || *text == '.' || *text == '/' || *text == '_' ||
	    ascii_isalnum(*text));
}

/* libcrypt has failed: for want of memory, of which a kind that it knows may take megabytes, or as
 * this is no hash?  It does not tell.  If it fails with a new setting of the same kind as well, it
 * is not the hash. */
static enum verdict
why_failed(const char *password, const char *hash, struct crypt_data *work)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *result;

	if (!crypt_gensalt_rn(hash, 0, NULL, 0, setting, sizeof setting))
		return VERDICT_BAD;
	result = crypt_r(password, setting, work);
	return result && *result != '*' ? VERDICT_BAD : VERDICT_UNKNOWN;
}

enum verdict
password_compare(const char *password, const char *hash, const char *like)
{
	struct crypt_data *work = calloc(1, sizeof *work);
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	enum verdict verdict = VERDICT_UNKNOWN;
	bool usable = is_hash(hash);
	const char *result;

	if (!work)
		return VERDICT_UNKNOWN;
	if (!usable && !is_hash(like)) {
		if (!(like = crypt_gensalt_rn(NULL, 0, NULL, 0, setting, sizeof setting)))
			goto out;
	}
	if ((result = crypt_r(password, usable ? hash : like, work)) && *result != '*')
		verdict = usable && is_same_text(result, hash) ? VERDICT_GOOD : VERDICT_BAD;
	else
		verdict = why_failed(password, usable ? hash : like, work);
out:
	sys_wipe(work, sizeof *work);
	free(work);
	return verdict;
}

bool
password_is_digest(const char *digest, const char *challenge, const char *secret)
{
	unsigned char raw[MD5_SIZE];
	char apop[MD5_HEX_SIZE], cram[MD5_HEX_SIZE];
	bool same;
	struct md5 m;

	md5_begin(&m);
	md5_add(&m, span_str(challenge));
	md5_add(&m, span_str(secret));
	md5_end(&m, raw);
	md5_hex(raw, apop);
	md5_hmac(span_str(secret), span_str(challenge), raw);
	md5_hex(raw, cram);
	same = is_same_text(digest, apop);
	same = is_same_text(digest, cram) || same;
	sys_wipe(raw, sizeof raw);
	sys_wipe(apop, sizeof apop);
	sys_wipe(cram, sizeof cram);
	return same;
}
