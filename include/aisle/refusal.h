/* SPDX-License-Identifier: Apache-2.0
 *
 * refusal.h - why something that headquarters sent was not taken. One word each: in the log, in a counter, in status and
 * in the health record.
 */
#ifndef AISLE_REFUSAL_H
#define AISLE_REFUSAL_H

/* X(constant, wire name) */
/* clang-format off */
#define REFUSALS(X) \
	X(MALFORMED, "malformed") X(UNSIGNED, "unsigned") X(BAD_SIGNATURE, "bad-signature") X(WRONG_KEY, "wrong-key") \
	X(REVOKED_KEY, "revoked-key") X(THRESHOLD, "threshold") X(ROOT_EXPIRED, "root-expired") X(ROOT_GAP, "root-gap") \
	X(ROOT_OLDER, "root-older") X(SEQUENCE_OLDER, "sequence-older") X(SEQUENCE_SAME, "sequence-same") \
	X(FAST_FORWARD, "fast-forward") X(EXPIRED, "expired") X(NOT_FOR_US, "not-for-us") X(OTHER_STORE, "other-store") \
	X(OTHER_CHANNEL, "other-channel") X(WRONG_KIND, "wrong-kind") X(FULL, "full") \
	/* of what a release names: while it comes, and once it is here */ \
	X(WRONG_SIZE, "wrong-size") X(WRONG_HASH, "wrong-hash") X(BAD_CHUNK, "bad-chunk") X(BOMB, "bomb") \
	X(SCHEMA, "schema") X(POLICY, "policy") X(EXAM, "exam") X(DEADLINE, "deadline") X(SHADOW, "shadow") \
	X(PROBATION, "probation") X(GAP, "gap") X(DISK_FULL, "disk-full") X(IO, "io")
/* clang-format on */
enum refusal {
	REFUSED_NONE,
#define X(constant, name) REFUSED_##constant,
	REFUSALS(X)
#undef X
	    REFUSED_COUNT
};

#endif
