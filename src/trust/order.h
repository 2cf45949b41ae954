/* SPDX-License-Identifier: Apache-2.0
 *
 * order.h - what HQ tells one store, a ring or all: erase a subject, ask for a snapshot, revoke a tablet, stop an
 * action. Signed, numbered, expiring; only ever taking away.
 */
#ifndef AISLE_TRUST_ORDER_H
#define AISLE_TRUST_ORDER_H

#include "trust/release.h"

#define ORDERS_STORE_MAX 32  /* in the list of a store */
#define ORDERS_CHAIN_MAX 256 /* in the chain's list of stops */
#define ORDERS_BYTES_MAX (1u << 20)

/* X(constant, wire name, member that it has) */
/* clang-format off */
#define ORDER_TYPES(X) \
	X(ERASE, "erase", "subject") X(SNAPSHOT, "snapshot", NULL) X(REVOKE, "revoke", "tablet") \
	X(STOP, "stop", "action") X(LIFT, "lift", "action")
/* clang-format on */
enum order_type {
#define X(constant, name, member) ORDER_##constant,
	ORDER_TYPES(X)
#undef X
	    ORDER_TYPE_COUNT
};
const char *order_type_name(enum order_type type);
enum role order_role(enum order_type type); /* whose keys sign it */
bool order_target_ok(const char *target);

struct order {
	char target[TRUST_NAME_SIZE + 5]; /* a store's id, "all", "ring:NAME" */
	int64_t sequence, issued_ms, expires_ms;
	enum order_type type;
	struct id subject;  /* erase */
	char object[129];   /* revoke: the tablet; stop, lift: the action, "*" for every one */
	uint8_t digest[32]; /* of the manifest */
	char signer
	    [MINISIGN_ID_TEXT]; /* of the first signature: who gave it, for the manager's page */
};

/* The manifest alone, nothing verified. */
int order_parse(const char *manifest, size_t len, const char *name, struct order *ret,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
/* Root in force, parsed, threshold of the keys of its role: erase keys for erase, order keys for all others. */
int order_open(const struct root *root, const char *text, size_t len, const char *name,
    int64_t now_ms, struct order *ret, enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
/* May it come this way? A store's own list: orders for that store alone (other-store). The chain's list: stop and lift
 * (wrong-kind) for all or a ring (other-store). *ret_ours: all, or our ring, or our store. */
int order_topic(const struct order *order, const struct trust_self *self, bool own, bool *ret_ours,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
int order_in_time(const struct order *order, int64_t now_ms, enum refusal *ret_refusal,
    struct err *err) AISLE_MUST_CHECK;
void order_counter(const struct order *order, char out[static SEQUENCES_NAME_SIZE]);
/* All of that in its order: open, topic, sequence, in time. *ret_new: ours, and not taken before; the caller takes its
 * sequence (sequences_take, list) when it has carried it out. What was taken before is nothing new whatever became of its
 * keys, and has no signer. */
int order_accept(const struct root *root, const struct sequences *seen,
    const struct trust_self *self, bool own, const char *text, size_t len, const char *name,
    int64_t now_ms, struct order *ret, bool *ret_new, enum refusal *ret_refusal, struct err *err)
    AISLE_MUST_CHECK;

/* A retained list, [envelope, …] of at most most, taken apart: each is called with its own text, in their order. An empty
 * text is an empty list. malformed: it is no such list, then none was called. */
typedef void (*order_each_fn)(void *ctx, const char *text, size_t len, size_t at);
int order_list_each(const char *text, size_t len, size_t most, const char *name, order_each_fn each,
    void *ctx, enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
/* Appends an envelope to the text of a list; an empty buffer becomes a list of it. */
void order_list_add(struct buf *list, const char *envelope, size_t len);

void order_write(const struct order *order, struct buf *out); /* the manifest */

#endif
