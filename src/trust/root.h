/* SPDX-License-Identifier: Apache-2.0
 *
 * root.h - which keys may sign what, how many of them it takes, and until when. Each version is signed by the one before
 * and by itself.
 */
#ifndef AISLE_TRUST_ROOT_H
#define AISLE_TRUST_ROOT_H

#include "trust/envelope.h"

#define ROOT_KEYS_MAX 16     /* of a role */
#define ROOT_REVOKED_MAX 128 /* the newest are kept */
#define ROOT_VERSION_MAX INT64_C(1000000000)

enum role { ROLE_RELEASE, ROLE_ORDER, ROLE_ERASE, ROLE_COUNT };
const char *role_name(enum role role);

struct root {
	int64_t version, issued_ms, expires_ms;
	int threshold;
	struct minisign_pub keys[ROLE_COUNT][ROOT_KEYS_MAX];
	size_t key_count[ROLE_COUNT];
	struct minisign_pub
	    revoked[ROOT_REVOKED_MAX]; /* keys of roots before it that it has in no role */
	size_t revoked_count;
	uint8_t digest[32]; /* of the manifest */
};

/* The manifest alone, nothing verified: for show, and for those below. */
int root_parse(const char *manifest, size_t len, const char *name, struct root *ret,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
/* The root that a gateway is born with, or one that was kept: signed by a threshold of its own release keys. */
int root_open(const char *text, size_t len, const char *name, struct root *ret,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
int root_open_file(const char *path, struct root *ret, enum refusal *ret_refusal, struct err *err)
    AISLE_MUST_CHECK;
/* The next one: version + 1 exactly, signed by a threshold of old's release keys and of its own. Either may have expired:
 * the way to a root in force may lead over some that are not. root-older, root-gap. ret may be old. */
int root_next(const struct root *old, const char *text, size_t len, const char *name,
    struct root *ret, enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
/* Adds to root->revoked the keys of an older root (the one born with, the one kept before) that it does not have. */
void root_revoke(struct root *root, const struct root *older);
/* root-expired: nothing but a next root is taken. */
int root_in_force(const struct root *root, int64_t now_ms, enum refusal *ret_refusal,
    struct err *err) AISLE_MUST_CHECK;
/* The keys of a role, its threshold (the root's, at most as many as there are keys). */
struct signers root_signers(const struct root *root, enum role role);

/* For HQ: the manifest's text. What is wrong with root is found by root_parse(). */
void root_write(const struct root *root, struct buf *out);

#endif
