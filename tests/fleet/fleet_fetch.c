/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet_fetch.c - a release arrives: verified, its bundle fetched in chunks into a file, the whole against its hash.
 */
#include "fleet.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_MS 10000

static const struct release_bundle *
bundle_of(const struct fleet_store *store)
{
	return &store->release.bundles[BUNDLE_POLICY];
}

static void
chunk_topic(const struct fleet_store *store, int chunk, char out[static 128])
{
	snprintf(out, 128, "aisle/v1/hq/artifact/%s/%d", bundle_of(store)->hash, chunk);
}

void
fleet_release(struct fleet *fleet, struct fleet_store *store, const char *topic, const char *text,
    size_t len)
{
	const struct trust_self self = { .store = store->id, .channel = "stable" };
	struct release release;
	struct err err = { 0 };
	bool new;
	if (store->fetching || store->released)
		return;
	if (release_accept(&fleet->root, &store->seen, &self, false, text, len, topic,
		fleet_wall_ms(), &release, &new, NULL, &err) != 0) {
		fleet->refused++;
		fprintf(stderr, "%s: %s\n", store->id, err.text);
		return;
	}
	if (!new || !release.bundles[BUNDLE_POLICY].named) {
		release_done(&release);
		return;
	}
	store->release = release;
	store->fetching = true;
	int64_t jitter_ms = release.fetch.jitter_s * S_MS;
	store->fetch_at_ms =
	    fleet_now_ms() + (jitter_ms > 0 ? fleet_random((uint32_t)jitter_ms) : 0);
}

static void
whole(struct fleet *fleet, struct fleet_store *store)
{
	char counter[SEQUENCES_NAME_SIZE];
	release_counter(&store->release, false, counter);
	sequences_take(&store->seen, counter, store->release.sequence, store->release.digest,
	    false);
	transfer_remove(store->transfer);
	release_done(&store->release);
	store->transfer = NULL;
	store->fetching = false;
	store->released = true;
	fleet->released++;
}

static void
step(struct fleet *fleet, struct fleet_store *store)
{
	struct err err = { 0 };
	int state;
	while ((state = transfer_step(store->transfer, NULL, &err)) == TRANSFER_WORKS)
		;
	if (state < 0) {
		fleet->refused++;
		fprintf(stderr, "%s: %s\n", store->id, err.text);
		transfer_close(store->transfer);
		store->transfer = NULL;
		store->fetch_at_ms = fleet_now_ms() + ASK_AGAIN_MS;
	} else if (state == TRANSFER_WHOLE) {
		whole(fleet, store);
	}
}

void
fleet_fetch_begin(struct fleet *fleet, struct fleet_store *store)
{
	const struct release_bundle *bundle = bundle_of(store);
	struct err err = { 0 };
	if (transfer_open(store->folder, bundle->hash, bundle->bytes, bundle->chunk,
		fleet_wall_ms(), &store->transfer, NULL, &err) != 0) {
		fprintf(stderr, "%s: %s\n", store->id, err.text);
		store->fetch_at_ms = fleet_now_ms() + ASK_AGAIN_MS;
		return;
	}
	step(fleet, store);
	fleet_ask(store, true);
}

/* As many as the window has room for; again: those that did not come, and after another connect. */
void
fleet_ask(struct fleet_store *store, bool again)
{
	int next = 0;
	char topic[128];
	if (store->transfer == NULL || !store->connected)
		return;
	store->ask_again_ms = fleet_now_ms() + ASK_AGAIN_MS;
	for (int i = 0; i < FLEET_WINDOW; i++) {
		if (store->asked[i] >= 0 && !again)
			continue;
		bool taken = store->asked[i] >= 0;
		while (!taken && next >= 0 &&
		    (next = transfer_missing(store->transfer, next)) >= 0) {
			bool under_way = false;
			for (int j = 0; j < FLEET_WINDOW; j++)
				under_way = under_way || store->asked[j] == next;
			if (!under_way) {
				store->asked[i] = next;
				taken = true;
			}
			next++;
		}
		if (!taken)
			continue; /* there is no more of them, but others may be asked again */
		chunk_topic(store, store->asked[i], topic);
		mosquitto_subscribe(store->client, NULL, topic, 0);
	}
}

void
fleet_chunk(struct fleet *fleet, struct fleet_store *store, const char *topic, const void *frame,
    size_t len)
{
	const char *hash = topic + strlen("aisle/v1/hq/artifact/");
	struct err err = { 0 };
	bool new;
	if (store->transfer == NULL || strncmp(hash, bundle_of(store)->hash, 64) != 0)
		return;
	int number = atoi(hash + 65);
	if (transfer_chunk(store->transfer, number, frame, len, &new, NULL, &err) != 0) {
		fleet->refused++;
		fprintf(stderr, "%s: %s\n", store->id, err.text);
		return;
	}
	for (int i = 0; i < FLEET_WINDOW; i++) {
		if (store->asked[i] == number)
			store->asked[i] = -1;
	}
	mosquitto_unsubscribe(store->client, NULL, topic);
	step(fleet, store);
	fleet_ask(store, false);
}
