/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_want.c - any bytes as what a store asks headquarters for, and as the topic that it asks on. @ becomes the hash of a
 * bundle that there is.
 *
 * What must hold: taken, or counted as refused; no store gets a chunk that is not there, nor one of another's bundle.
 */
#include "fuzz.h"
#include "hq/publish_artifact.h"
#include "hq/publish_want.h"
#include "sync/transfer.h"

#define CHUNKS 41

static struct artifact_file shared, own;
static struct grant grants[] = { { "", &shared }, { "0417", &own } };
static const struct plan plan = { .grants = grants, .grant_count = 2 };

static void
set_up(void)
{
	if (shared.bytes > 0)
		return;
	shared.bytes = (CHUNKS - 1) * RELEASE_CHUNK + 1;
	own.bytes = 100;
	memset(shared.hash, 'a', sizeof(shared.hash) - 1);
	memset(own.hash, 'b', sizeof(own.hash) - 1);
}

static void
ask(struct wants *wants, const char *topic, const struct buf *request)
{
	int64_t counted = wants->refused;
	bool taken = wants_take(wants, &plan, topic, request->data, request->len, 0);

	CHECK(wants->refused == counted + !taken && wants->count <= 3);
}

static void
look_at_chunks(struct wants *wants)
{
	const struct artifact_file *artifact;
	char store[TRUST_NAME_SIZE];
	int64_t n;
	int sent = 0;

	while (wants_next(wants, 0, store, &artifact, &n)) {
		CHECK(store[0] != '\0' && n >= 0 && n < (artifact == &own ? 1 : CHUNKS));
		CHECK(artifact != &own || strcmp(store, "0417") == 0);
		CHECK(++sent <= 2 * WANT_CHUNKS_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf request = { 0 };
	struct wants wants;
	char topic[256];
	size_t len = size < sizeof(topic) - 1 ? size : sizeof(topic) - 1;

	set_up();
	buf_adds(&request, "");
	for (size_t i = 0; i < size; i++)
		if (data[i] == '@')
			buf_adds(&request, i % 2 == 0 ? shared.hash : own.hash);
		else
			buf_addc(&request, (char)data[i]);
	wants_init(&wants, 1 << 20, 0);
	ask(&wants, "aisle/v1/hq/store/0417/want", &request);
	ask(&wants, "aisle/v1/hq/store/0418/want", &request);
	look_at_chunks(&wants);
	memcpy(topic, data, len);
	topic[len] = '\0';
	buf_clear(&request);
	buf_addf(&request, "{\"hash\":\"%s\",\"from\":0,\"count\":2}", shared.hash);
	ask(&wants, topic, &request);
	look_at_chunks(&wants);
	wants_done(&wants);
	buf_done(&request);
	return 0;
}
