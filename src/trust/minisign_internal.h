/* SPDX-License-Identifier: Apache-2.0
 *
 * minisign_internal.h - what minisign.c (public keys, signatures) and minisign_secret.c share.
 */
#ifndef AISLE_TRUST_MINISIGN_INTERNAL_H
#define AISLE_TRUST_MINISIGN_INTERNAL_H

#include "trust/minisign.h"

#include <sodium.h>

struct minisign_secret {
	uint8_t id[8];
	uint8_t key[64]; /* seed ‖ public key */
};

/* The next line, without its end. false: there is none. */
bool minisign_line(const char **at, const char *end, const char **ret_line, size_t *ret_len);
bool minisign_comment_line(const char **at, const char *end);
/* Exactly out_len bytes. */
bool minisign_base64(const char *line, size_t len, void *out, size_t out_len);

#endif
