/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet.c - what each store runs and who is in trouble.
 *
 * DESIGN
 *   One verdict a store, the worst that is so: an operator of a thousand stores looks at the first lines only. What is
 *   wrong beside that (clock, disk, what waits) is a mark.
 */
#include "hq/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/when.h"
#include "trust/refusal.h"

#define DISK_PERCENT 90
#define QUEUE_LONG 100000

const char *const verdict_names[VERDICT_COUNT] = {
#define X(constant, name) name,
	FLEET_VERDICTS(X)
#undef X
};

static struct fleet_store *
new_store(struct fleet *fleet, const char *store)
{
	struct fleet_store *one;

	if (fleet->count == FLEET_STORES_MAX || strlen(store) >= TRUST_NAME_SIZE) {
		fleet->full = true;
		return NULL;
	}
	fleet->stores = mem_grow(fleet->stores, fleet->count, &fleet->room, sizeof(*fleet->stores));
	one = &fleet->stores[fleet->count++];
	*one = (struct fleet_store){ .disk_percent = -1 };
	snprintf(one->store, sizeof(one->store), "%s", store);
	return one;
}

static void
take_text(const json_t *json, const char *name, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(json, name));

	snprintf(out, size, "%s", text != NULL ? text : "");
}

static int64_t
number_of(const json_t *json, const char *name)
{
	int64_t number = 0;

	return json_int(json_object_get(json, name), &number) ? number : 0;
}

static int
disk_percent(const json_t *disk)
{
	double state = (double)number_of(disk, "state_bytes"),
	       most = (double)number_of(disk, "max_bytes"),
	       left = (double)number_of(disk, "free_bytes");

	if (most <= 0)
		return -1;
	/* The state may be small on a disk that others have filled. */
	if (json_object_get(disk, "free_bytes") != NULL && left + state < most)
		most = left + state;
	if (state >= most)
		return 100;
	return state > 0 ? (int)(100 * state / most) : 0;
}

static bool
is_state(const struct fleet_store *one, const char *state)
{
	return strcmp(one->state, state) == 0;
}

static bool
is_refused(const struct fleet_store *one)
{
	return is_state(one, "refused") || is_state(one, "rolled-back");
}

/* Of the channel's release and the store's own (its profiles) the one that is in trouble. */
static void
take_release(struct fleet_store *one, const json_t *release, const json_t *own)
{
	const char *state = json_string_value(json_object_get(own, "state"));

	take_text(release, "channel", one->channel, sizeof(one->channel));
	one->sequence = number_of(release, "sequence");
	take_text(release, "state", one->state, sizeof(one->state));
	if (!is_refused(one) && state != NULL &&
	    (strcmp(state, "refused") == 0 || strcmp(state, "rolled-back") == 0)) {
		snprintf(one->state, sizeof(one->state), "%s", state);
		release = own;
	}
	take_text(release, "why", one->why, sizeof(one->why));
	take_text(release, "detail", one->detail, sizeof(one->detail));
	/* What is for others is nothing to look at. */
	if (strcmp(one->why, "not-for-us") == 0)
		one->why[0] = one->detail[0] = '\0';
}

static void
take_body(struct fleet_store *one, const json_t *body)
{
	const json_t *policy = json_object_get(body, "policy"),
		     *stops = json_object_get(json_object_get(body, "stops"), "actions"), *value;
	const char *name;

	take_release(one, json_object_get(body, "release"), json_object_get(body, "own_release"));
	take_text(body, "ring", one->ring, sizeof(one->ring));
	take_text(body, "version", one->version, sizeof(one->version));
	take_text(policy, "name", one->policy, sizeof(one->policy));
	one->policy_version = number_of(policy, "version");
	one->queued = number_of(body, "queued");
	one->orders = number_of(body, "orders");
	one->damaged = number_of(body, "damaged");
	one->disk_percent = disk_percent(json_object_get(body, "disk"));
	one->clock_bad = strcmp(json_string_value(json_object_get(body, "store_time")) != NULL
				 ? json_string_value(json_object_get(body, "store_time"))
				 : "",
			     "uncertain") == 0;
	/* What the store judged itself is no mischief, nor is a roll-out in steps. */
	json_object_foreach((json_t *)json_object_get(body, "refused"), name, value)
		if (refusal_is_foreign(refusal_by_name(name)))
			one->foreign += json_integer_value(value);
	if (json_array_size(stops) > 0)
		one->stops = json_deep_copy(stops);
}

void
fleet_add(struct fleet *fleet, const char *store, const char *at, const char *body)
{
	struct fleet_store *one = new_store(fleet, store);
	json_t *json;

	if (one == NULL)
		return;
	if (!when_parse(at, &one->heard_ms))
		one->heard_ms = 0;
	json = json_read(body, strlen(body), "health", NULL);
	take_body(one, json);
	json_decref(json);
}

void
fleet_heard(struct fleet *fleet, const char *at)
{
	int64_t at_ms;

	if (at != NULL && fleet->count > 0 && when_parse(at, &at_ms))
		fleet->stores[fleet->count - 1].heard_ms = at_ms;
}

void
fleet_expect(struct fleet *fleet, const char *store, const char *channel, const char *ring)
{
	struct fleet_store *one;

	for (size_t i = 0; i < fleet->count; i++)
		if (strcmp(fleet->stores[i].store, store) == 0)
			return;
	one = new_store(fleet, store);
	if (one == NULL)
		return;
	snprintf(one->channel, sizeof(one->channel), "%s", channel);
	snprintf(one->ring, sizeof(one->ring), "%s", ring);
}

/* ---- what it should run ---- */

static bool
is_same_bundle(const struct release_bundle *a, const struct release_bundle *b)
{
	return a->named == b->named && a->bytes == b->bytes && a->chunk == b->chunk &&
	    strcmp(a->name, b->name) == 0 && strcmp(a->version, b->version) == 0 &&
	    strcmp(a->hash, b->hash) == 0;
}

static bool
is_same_goods(const struct release *a, const struct release *b)
{
	int kind = 0;

	while (kind < BUNDLE_KINDS && is_same_bundle(&a->bundles[kind], &b->bundles[kind]))
		kind++;
	return kind == BUNDLE_KINDS;
}

/* Is what it names held for nobody more, by a later release? */
static bool
is_held(const struct goods *goods, const struct release *release)
{
	for (size_t i = 0; i < goods->release_count; i++) {
		const struct release *later = &goods->releases[i].release;

		if (later->sequence > release->sequence && later->has_percent &&
		    later->percent <= 0 && strcmp(later->channel, release->channel) == 0 &&
		    is_same_goods(later, release))
			return true;
	}
	return false;
}

static int64_t
expected_by(const struct goods *goods, const struct fleet_store *one)
{
	struct trust_self self = { .store = one->store,
		.channel = one->channel,
		.ring = one->ring[0] != '\0' ? one->ring : NULL };
	int64_t expected = 0;

	for (size_t i = 0; i < goods->release_count; i++) {
		const struct release *release = &goods->releases[i].release;

		if (!release_is_own(release) && release->sequence > expected &&
		    release_for_us(release, &self, NULL, NULL) == 0 &&
		    (release->sequence <= one->sequence || !is_held(goods, release)))
			expected = release->sequence;
	}
	return expected;
}

static int64_t
expected_of_peers(const struct fleet *fleet, const struct fleet_store *one)
{
	int64_t expected = 0;

	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_store *other = &fleet->stores[i];

		if (strcmp(other->channel, one->channel) == 0 &&
		    strcmp(other->ring, one->ring) == 0 && other->sequence > expected)
			expected = other->sequence;
	}
	return expected;
}

static enum verdict
verdict_of(const struct fleet *fleet, const struct fleet_store *one)
{
	if (one->heard_ms == 0 || fleet->now_ms - one->heard_ms > fleet->silent_ms)
		return VERDICT_SILENT;
	if (is_state(one, "refused"))
		return VERDICT_REFUSED;
	if (is_state(one, "rolled-back"))
		return VERDICT_ROLLED_BACK;
	if (is_state(one, "fetching") || is_state(one, "staged") || is_state(one, "examining") ||
	    is_state(one, "waiting"))
		return VERDICT_ON_ITS_WAY;
	if (one->sequence < one->expected)
		return one->why[0] != '\0' ? VERDICT_REFUSED : VERDICT_BEHIND;
	if (one->policy_version == 0)
		return VERDICT_NO_POLICY;
	return is_state(one, "probation") ? VERDICT_PROBATION : VERDICT_GOOD;
}

static int
marks_of(const struct fleet_store *one)
{
	return (one->clock_bad ? MARK_CLOCK : 0) |
	    (one->disk_percent >= DISK_PERCENT ? MARK_DISK : 0) |
	    (one->queued >= QUEUE_LONG ? MARK_QUEUE : 0) | (one->damaged > 0 ? MARK_DAMAGED : 0) |
	    (one->foreign > 0 ? MARK_ATTACKED : 0);
}

static int
by_trouble(const void *a, const void *b)
{
	const struct fleet_store *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	if ((x->marks != 0) != (y->marks != 0))
		return x->marks != 0 ? -1 : 1;
	return strcmp(x->store, y->store);
}

void
fleet_settle(struct fleet *fleet, const struct goods *goods)
{
	memset(fleet->counts, 0, sizeof(fleet->counts));
	for (size_t i = 0; i < fleet->count; i++) {
		struct fleet_store *one = &fleet->stores[i];

		one->expected =
		    goods != NULL ? expected_by(goods, one) : expected_of_peers(fleet, one);
	}
	for (size_t i = 0; i < fleet->count; i++) {
		struct fleet_store *one = &fleet->stores[i];

		one->verdict = verdict_of(fleet, one);
		one->marks = marks_of(one);
		fleet->counts[one->verdict]++;
	}
	if (fleet->count > 1)
		qsort(fleet->stores, fleet->count, sizeof(*fleet->stores), by_trouble);
}

void
fleet_done(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++)
		json_decref(fleet->stores[i].stops);
	free(fleet->stores);
	*fleet = (struct fleet){ 0 };
}
