/* md5 - the digest of RFC 1321 and the keyed one of RFC 2104, for APOP and CRAM-MD5 alone: both are
 * broken for anything that must resist collisions. */
#ifndef LIB_MD5_H
#define LIB_MD5_H

#include <stddef.h>
#include <stdint.h>

#include "lib/span.h"

#define MD5_SIZE 16
#define MD5_HEX_SIZE (2 * MD5_SIZE + 1)
#define MD5_BLOCK 64

struct md5 {
	uint32_t state[4];
	uint64_t bytes;
	unsigned char block[MD5_BLOCK];		/* its first bytes % MD5_BLOCK are filled */
};

void md5_begin(struct md5 *m);
void md5_add(struct md5 *m, struct span bytes);
/* Wipes m. */
void md5_end(struct md5 *m, unsigned char digest[MD5_SIZE]);

void md5_hmac(struct span key, struct span text, unsigned char digest[MD5_SIZE]);
/* Lower case, with a NUL. */
void md5_hex(const unsigned char digest[MD5_SIZE], char hex[MD5_HEX_SIZE]);

#endif
