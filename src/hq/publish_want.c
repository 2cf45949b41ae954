/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_want.c - stores that ask for chunks.
 *
 * DESIGN
 *   A store has one request at a time, and the next takes its place: so however often and whatever it asks, it
 *   costs HQ one row. Stores take turns, chunk by chunk; each has a rate of its own, and all together have one.
 */
#include "hq/publish_want.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"

#define REQUEST_BYTES_MAX 256

void
wants_init(struct wants *wants, int64_t rate_kib_s, int64_t now_ms)
{
	*wants = (struct wants){ .rate_s = rate_kib_s * 1024, .at_ms = now_ms };
	wants->want = mem_calloc(WANTS_STORES_MAX, sizeof(*wants->want));
}

void
wants_done(struct wants *wants)
{
	free(wants->want);
	wants->want = NULL;
}

void
wants_clear(struct wants *wants)
{
	for (size_t i = 0; i < wants->count; i++) {
		wants->want[i].artifact = NULL;
		wants->want[i].left = 0;
	}
}

/* "aisle/v1/hq/store/{store}/want" */
static bool
read_topic(const char *topic, char ret_store[static TRUST_NAME_SIZE])
{
	static const char start[] = TOPIC_HQ "store/";
	size_t len;

	if (strncmp(topic, start, sizeof(start) - 1) != 0)
		return false;
	topic += sizeof(start) - 1;
	len = strcspn(topic, "/");
	if (len == 0 || len >= TRUST_NAME_SIZE || strcmp(topic + len, "/want") != 0)
		return false;
	memcpy(ret_store, topic, len);
	ret_store[len] = '\0';
	return trust_name_ok(ret_store);
}

/* {"hash","from","count"}, and no more. */
static const struct artifact_file *
read_request(const struct plan *plan, const char *store, const void *payload, size_t len,
    int64_t *ret_from, int64_t *ret_count)
{
	json_t *request = len <= REQUEST_BYTES_MAX ? json_read(payload, len, "want", NULL) : NULL;
	const char *hash = json_string_value(json_object_get(request, "hash"));
	const struct artifact_file *artifact =
	    hash != NULL && json_object_size(request) == 3 ? plan_grant(plan, store, hash) : NULL;
	int64_t chunks = artifact != NULL ? artifact_chunks(artifact->bytes) : 0;

	if (artifact == NULL || !json_int(json_object_get(request, "from"), ret_from) ||
	    !json_int(json_object_get(request, "count"), ret_count) || *ret_from < 0 ||
	    *ret_from >= chunks || *ret_count < 1 || *ret_count > WANT_CHUNKS_MAX)
		artifact = NULL;
	else if (*ret_count > chunks - *ret_from)
		*ret_count = chunks - *ret_from;
	json_decref(request);
	return artifact;
}

/* The store's row; a new one, or one of somebody who waits for nothing. */
static struct want *
row_of(struct wants *wants, const char *store, int64_t now_ms)
{
	struct want *idle = NULL;

	for (size_t i = 0; i < wants->count; i++) {
		if (strcmp(wants->want[i].store, store) == 0)
			return &wants->want[i];
		if (wants->want[i].left == 0 &&
		    (idle == NULL || wants->want[i].at_ms < idle->at_ms))
			idle = &wants->want[i];
	}
	if (wants->count < WANTS_STORES_MAX)
		idle = &wants->want[wants->count++];
	if (idle == NULL)
		return NULL;
	*idle = (struct want){ .tokens = WANT_STORE_BURST, .at_ms = now_ms };
	memcpy(idle->store, store, strlen(store) + 1);
	return idle;
}

bool
wants_take(struct wants *wants, const struct plan *plan, const char *topic, const void *payload,
    size_t len, int64_t now_ms)
{
	char store[TRUST_NAME_SIZE];
	int64_t from = 0, count = 0;
	const struct artifact_file *artifact = NULL;
	struct want *want = NULL;

	if (read_topic(topic, store))
		artifact = read_request(plan, store, payload, len, &from, &count);
	if (artifact != NULL)
		want = row_of(wants, store, now_ms);
	if (want == NULL) {
		wants->refused++;
		return false;
	}
	want->artifact = artifact;
	want->next = from;
	want->left = count;
	return true;
}

static void
refill(double *tokens, double rate_s, double most, int64_t *at_ms, int64_t now_ms)
{
	*tokens += rate_s * (double)(now_ms - *at_ms) / 1000;
	if (*tokens > most)
		*tokens = most;
	*at_ms = now_ms;
}

bool
wants_next(struct wants *wants, int64_t now_ms, char ret_store[static TRUST_NAME_SIZE],
    const struct artifact_file **ret_artifact, int64_t *ret_n)
{
	if (wants->rate_s > 0) {
		refill(&wants->tokens, (double)wants->rate_s, (double)wants->rate_s, &wants->at_ms,
		    now_ms);
		if (wants->tokens < 0)
			return false;
	}
	for (size_t i = 0; i < wants->count; i++) {
		struct want *want = &wants->want[(wants->turn + i) % wants->count];

		if (want->left == 0)
			continue;
		refill(&want->tokens, WANT_STORE_S, WANT_STORE_BURST, &want->at_ms, now_ms);
		if (want->tokens < 1)
			continue;
		want->tokens -= 1;
		memcpy(ret_store, want->store, sizeof(want->store));
		*ret_artifact = want->artifact;
		*ret_n = want->next++;
		want->left--;
		wants->turn = (wants->turn + i + 1) % wants->count;
		return true;
	}
	return false;
}

void
wants_sent(struct wants *wants, size_t bytes)
{
	if (wants->rate_s > 0)
		wants->tokens -= (double)bytes;
}
