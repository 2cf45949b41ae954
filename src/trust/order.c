/* SPDX-License-Identifier: Apache-2.0
 *
 * order.c - an order's manifest, and what it says to the store that looks at it.
 *
 * DESIGN
 *   Orders only take away: the worst that a stolen order key does is silence, and no key of this role can put a card on a
 *   screen. What cannot be taken back, erasing, has keys of its own.
 *
 *   Which keys must have signed depends on the type, so an order is parsed before its signatures are asked. What was
 *   taken before comes again with each connection, 256 at once: it is known by its digest, and its signatures, whose keys
 *   may have gone since, are not asked again.
 */
#include "trust/order.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/when.h"
#include "trust/manifest.h"

static const struct {
	const char *name, *member;
} types[ORDER_TYPE_COUNT] = {
#define X(constant, name, member) { name, member },
	ORDER_TYPES(X)
#undef X
};

const char *
order_type_name(enum order_type type)
{
	CHECK((size_t)type < ORDER_TYPE_COUNT);
	return types[type].name;
}

bool
order_target_ok(const char *target)
{
	return trust_name_ok(strncmp(target, "ring:", 5) == 0 ? target + 5 : target);
}

static void
read_target(struct manifest *m, struct order *order)
{
	manifest_text(m, m->json, "store", order->target, sizeof(order->target));
	if (m->rc == 0 && !order_target_ok(order->target))
		manifest_malformed(m, "\"store\" is no store's id, \"all\" or \"ring:NAME\"");
}

static void
read_type(struct manifest *m, struct order *order)
{
	static const char *const members[] = { "subject", "tablet", "action" };
	int at = 0;
	char type[16];

	manifest_text(m, m->json, "type", type, sizeof(type));
	while (at < ORDER_TYPE_COUNT && strcmp(types[at].name, type) != 0)
		at++;
	if (m->rc == 0 && at == ORDER_TYPE_COUNT)
		manifest_malformed(m,
		    "\"type\" is \"%s\", expected erase, snapshot, revoke, stop or lift", type);
	if (m->rc != 0)
		return;
	order->type = (enum order_type)at;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		bool wanted = types[at].member != NULL && strcmp(types[at].member, members[i]) == 0;

		if (wanted != manifest_has(m->json, members[i]))
			manifest_malformed(m, "an order to %s %s \"%s\"", type,
			    wanted ? "needs" : "has no", members[i]);
	}
}

static void
read_object(struct manifest *m, struct order *order)
{
	const char *member = types[order->type].member;

	if (m->rc != 0 || member == NULL)
		return;
	if (order->type != ORDER_ERASE) {
		manifest_text(m, m->json, member, order->object, sizeof(order->object));
		return;
	}
	const char *subject = json_string_value(json_object_get(m->json, member));

	if (subject == NULL || !subject_parse(subject, &order->subject))
		manifest_malformed(m, "\"subject\" is not 32 lower-case hex digits");
}

int
order_parse(const char *manifest, size_t len, const char *name, struct order *ret,
    enum refusal *ret_refusal, struct err *err)
{
	struct manifest m = { .name = name, .ret_refusal = ret_refusal, .err = err };
	struct order order = { 0 };

	manifest_read(&m, manifest, len, "order",
	    "order store sequence issued expires type subject? tablet? action?");
	read_target(&m, &order);
	order.sequence = manifest_int(&m, m.json, "sequence", 1, SEQUENCE_MAX);
	manifest_times(&m, &order.issued_ms, &order.expires_ms);
	read_type(&m, &order);
	read_object(&m, &order);
	manifest_done(&m);
	if (m.rc == 0) {
		hash_bytes(order.digest, sizeof(order.digest), manifest, len, NULL, 0);
		*ret = order;
	}
	return m.rc;
}

enum role
order_role(enum order_type type)
{
	return type == ORDER_ERASE ? ROLE_ERASE : ROLE_ORDER;
}

/* Read and parsed; nobody has verified it. */
static int
read_order(const char *text, size_t len, const char *name, struct signed_text *ret_envelope,
    struct order *ret, enum refusal *ret_refusal, struct err *err)
{
	int rc = signed_read(text, len, name, ret_envelope, ret_refusal, err);

	if (rc != 0)
		return rc;
	rc = order_parse(ret_envelope->manifest, ret_envelope->len, name, ret, ret_refusal, err);
	if (rc != 0)
		signed_done(ret_envelope);
	return rc;
}

static int
verify_order(const struct root *root, const struct signed_text *envelope, int64_t now_ms,
    struct order *order, enum refusal *ret_refusal, struct err *err)
{
	struct signers signers = root_signers(root, order_role(order->type));
	int rc = root_in_force(root, now_ms, ret_refusal, err);

	if (rc == 0)
		rc = signed_verify(envelope, &signers, ret_refusal, err);
	if (rc == 0)
		minisign_id_text(envelope->signatures[0].id, order->signer);
	return rc;
}

int
order_open(const struct root *root, const char *text, size_t len, const char *name, int64_t now_ms,
    struct order *ret, enum refusal *ret_refusal, struct err *err)
{
	struct signed_text envelope;
	struct order order;
	int rc = read_order(text, len, name, &envelope, &order, ret_refusal, err);

	if (rc != 0)
		return rc;
	rc = verify_order(root, &envelope, now_ms, &order, ret_refusal, err);
	if (rc == 0)
		*ret = order;
	signed_done(&envelope);
	return rc;
}

int
order_topic(const struct order *order, const struct trust_self *self, bool own, bool *ret_ours,
    enum refusal *ret_refusal, struct err *err)
{
	bool all = strcmp(order->target, "all") == 0,
	     ring = strncmp(order->target, "ring:", 5) == 0;

	*ret_ours = false;
	if (own && strcmp(order->target, self->store) != 0)
		return refusal_say(REFUSED_OTHER_STORE, ret_refusal, err,
		    "order %" PRId64 " is for %s, expected %s", order->sequence, order->target,
		    self->store);
	if (!own && !all && !ring)
		return refusal_say(REFUSED_OTHER_STORE, ret_refusal, err,
		    "order %" PRId64 " in the chain's list is for %s, expected all or a ring",
		    order->sequence, order->target);
	if (!own && order->type != ORDER_STOP && order->type != ORDER_LIFT)
		return refusal_say(REFUSED_WRONG_KIND, ret_refusal, err,
		    "order %" PRId64 " in the chain's list is to %s, expected stop or lift",
		    order->sequence, order_type_name(order->type));
	*ret_ours =
	    own || all || (self->ring != NULL && strcmp(order->target + 5, self->ring) == 0);
	return 0;
}

int
order_in_time(const struct order *order, int64_t now_ms, enum refusal *ret_refusal, struct err *err)
{
	char text[WHEN_TEXT_SIZE];

	if (now_ms < order->expires_ms)
		return 0;
	when_text(order->expires_ms, text);
	return refusal_say(REFUSED_EXPIRED, ret_refusal, err,
	    "order %" PRId64 " was to be carried out until %s, expected a later one",
	    order->sequence, text);
}

void
order_counter(const struct order *order, char out[static SEQUENCES_NAME_SIZE])
{
	snprintf(out, SEQUENCES_NAME_SIZE, "order:%s", order->target);
}

int
order_accept(const struct root *root, const struct sequences *seen, const struct trust_self *self,
    bool own, const char *text, size_t len, const char *name, int64_t now_ms, struct order *ret,
    bool *ret_new, enum refusal *ret_refusal, struct err *err)
{
	char counter[SEQUENCES_NAME_SIZE];
	struct signed_text envelope;
	struct order order;
	bool ours, is_new = false;
	int rc = read_order(text, len, name, &envelope, &order, ret_refusal, err);

	if (rc != 0)
		return rc;
	order_counter(&order, counter);
	if (!sequences_known(seen, counter, order.digest)) {
		rc = verify_order(root, &envelope, now_ms, &order, ret_refusal, err);
		if (rc == 0)
			rc = order_topic(&order, self, own, &ours, ret_refusal, err);
		if (rc == 0 && ours)
			rc = sequences_check(seen, counter, order.sequence, order.digest, true,
			    &is_new, ret_refusal, err);
		if (rc == 0 && is_new)
			rc = order_in_time(&order, now_ms, ret_refusal, err);
	}
	signed_done(&envelope);
	if (rc != 0)
		return rc;
	*ret = order;
	*ret_new = is_new;
	return 0;
}
