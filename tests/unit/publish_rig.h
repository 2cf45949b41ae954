/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_rig.h - what HQ is about to publish, and a broker that holds something.
 */
#ifndef AISLE_TESTS_PUBLISH_RIG_H
#define AISLE_TESTS_PUBLISH_RIG_H

#include "trust_rig.h"

#include <stdio.h>

#include "hq/publish_lists.h"
#include "hq/publish_plan.h"

struct hq {
	struct rig *rig;
	struct goods goods;
	struct kept kept;
	struct plan plan;
	struct buf notes;
	struct err err;
	char folder[64];
};

static inline struct goods_text
hq_text(struct buf *text, const char *name)
{
	struct goods_text file = { .path = mem_strdup(name), .len = text->len };

	while (file.len > 0 && text->data[file.len - 1] == '\n')
		text->data[--file.len] = '\0';
	file.text = buf_steal(text);
	return file;
}

static inline void
hq_add_root(struct hq *hq, int64_t version, int first, int last)
{
	struct root root = rig_root(hq->rig, version);
	struct buf text = rig_signed_root(hq->rig, &root, first, last);

	hq->goods.roots = mem_grow(hq->goods.roots, hq->goods.root_count, &hq->goods.root_room,
	    sizeof(*hq->goods.roots));
	hq->goods.roots[hq->goods.root_count++] =
	    (struct goods_root){ hq_text(&text, "root.json"), root };
}

static inline void
hq_add_release(struct hq *hq, const struct release *release, const char *name)
{
	struct buf text = rig_signed_release(hq->rig, release, 0, 1);
	struct goods_release one = { .file = hq_text(&text, name) };
	struct signed_text envelope;

	assert_int_equal(signed_read(one.file.text, one.file.len, name, &envelope, NULL, &hq->err),
	    0);
	assert_int_equal(release_parse(envelope.manifest, envelope.len, name, &one.release, NULL,
			     &hq->err),
	    0);
	signed_done(&envelope);
	hq->goods.releases = mem_grow(hq->goods.releases, hq->goods.release_count,
	    &hq->goods.release_room, sizeof(one));
	hq->goods.releases[hq->goods.release_count++] = one;
}

static inline void
hq_add_order(struct hq *hq, const struct order *order)
{
	struct buf text = rig_signed_order(hq->rig, order, 2, 3);
	struct goods_order one = { .file = hq_text(&text, "order.json") };
	struct signed_text envelope;

	assert_int_equal(signed_read(one.file.text, one.file.len, "order", &envelope, NULL,
			     &hq->err),
	    0);
	assert_int_equal(order_parse(envelope.manifest, envelope.len, "order", &one.order, NULL,
			     &hq->err),
	    0);
	signed_done(&envelope);
	hq->goods.orders =
	    mem_grow(hq->goods.orders, hq->goods.order_count, &hq->goods.order_room, sizeof(one));
	hq->goods.orders[hq->goods.order_count++] = one;
}

/* A file of so many bytes, all the same letter, as the bundle of the release that names it. */
static inline void
hq_add_artifact(struct hq *hq, struct release *release, enum bundle_kind kind, int64_t bytes,
    char letter)
{
	struct release_bundle *bundle = &release->bundles[kind];
	struct artifact_file file = { .bytes = bytes, .packed = -1 };
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%c", hq->folder, letter);
	out = fopen(path, "w");
	assert_non_null(out);
	for (int64_t i = 0; i < bytes; i++)
		fputc(letter, out);
	fclose(out);
	*bundle = (struct release_bundle){ .named = true,
		.name = "starter",
		.version = "3",
		.bytes = bytes,
		.chunk = RELEASE_CHUNK };
	memset(bundle->hash, letter, 64);
	file.path = mem_strdup(path);
	memcpy(file.hash, bundle->hash, sizeof(file.hash));
	snprintf(file.kind, sizeof(file.kind), "%s", bundle_kind_name(kind));
	strcpy(file.version, "3");
	hq->goods.artifacts = mem_grow(hq->goods.artifacts, hq->goods.artifact_count,
	    &hq->goods.artifact_room, sizeof(file));
	hq->goods.artifacts[hq->goods.artifact_count++] = file;
}

/* 0, and the plan; else err. */
static inline int
hq_plan(struct hq *hq)
{
	plan_done(&hq->plan);
	buf_clear(&hq->notes);
	hq->err = (struct err){ 0 };
	return plan_make(&hq->goods, &hq->kept, NOW_MS, &hq->plan, &hq->notes, &hq->err);
}

/* The steps, a word each: "root/1 +aa release/stable stop -bb ?cc" */
static inline const char *
hq_steps(const struct hq *hq)
{
	static char words[4096];
	size_t at = 0;

	words[0] = '\0';
	for (size_t i = 0; i < hq->plan.count; i++) {
		const struct step *step = &hq->plan.steps[i];
		const char *sign = step->kind == STEP_TEXT ? ""
		    : step->kind == STEP_ARTIFACT	   ? "+"
		    : step->kind == STEP_CHECK		   ? "?"
							   : "-";

		at += (size_t)snprintf(words + at, sizeof(words) - at, "%s%s%.*s", i > 0 ? " " : "",
		    sign, step->kind == STEP_TEXT ? 100 : 2,
		    step->kind == STEP_TEXT ? step->topic + sizeof(TOPIC_HQ) - 1 : step->hash);
	}
	return words;
}

/* As if the broker had taken all of the plan. */
static inline void
hq_take_all(struct hq *hq)
{
	for (size_t i = 0; i < hq->plan.count; i++) {
		const struct step *step = &hq->plan.steps[i];
		char topic[PUBLISH_TOPIC_SIZE];

		if (step->kind == STEP_TEXT) {
			kept_put(&hq->kept, step->topic, step->payload, step->len);
		} else if (step->kind == STEP_ARTIFACT) {
			topic_chunk(topic, step->hash, 0);
			kept_put(&hq->kept, topic, "", 0);
		}
	}
}

static inline void
hq_forget_goods(struct hq *hq)
{
	goods_done(&hq->goods);
}

/* Root 1, release SEQUENCE of stable with a bundle of three chunks, all of letter. */
static inline void
a_release(struct hq *hq, int64_t sequence, char letter)
{
	struct release release = rig_release(sequence);

	if (hq->goods.root_count == 0)
		hq_add_root(hq, 1, 0, 1);
	hq_add_artifact(hq, &release, BUNDLE_POLICY, 2 * RELEASE_CHUNK + 9, letter);
	hq_add_release(hq, &release, "release.json");
}

static inline void
an_order(struct hq *hq, const char *target, int64_t sequence, const char *action)
{
	struct order order = rig_order(target, sequence);

	strcpy(order.object, action);
	hq_add_order(hq, &order);
}

static inline void
expect(struct hq *hq, const char *steps)
{
	if (hq_plan(hq) != 0)
		fail_msg("%s", hq->err.text);
	assert_string_equal(hq_steps(hq), steps);
}

static inline size_t
listed(struct hq *hq, const char *topic)
{
	const struct kept_text *text = kept_get(&hq->kept, topic);
	json_t *list = text != NULL ? json_loads(text->bytes, 0, NULL) : NULL;
	size_t count = json_array_size(list);

	json_decref(list);
	return count;
}

static inline int
hq_open(void **state)
{
	struct hq *hq = mem_zero(sizeof(*hq));
	void *rig;

	rig_open(&rig);
	hq->rig = rig;
	strcpy(hq->folder, "/tmp/aisle-publish-XXXXXX");
	assert_non_null(mkdtemp(hq->folder));
	*state = hq;
	return 0;
}

static inline int
hq_close(void **state)
{
	struct hq *hq = *state;
	char command[100];
	void *rig = hq->rig;

	plan_done(&hq->plan);
	goods_done(&hq->goods);
	kept_done(&hq->kept);
	buf_done(&hq->notes);
	snprintf(command, sizeof(command), "rm -rf %s", hq->folder);
	assert_int_equal(system(command), 0);
	rig_close(&rig);
	free(hq);
	return 0;
}

#endif
