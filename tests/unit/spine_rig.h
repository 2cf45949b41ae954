/* SPDX-License-Identifier: Apache-2.0
 *
 * spine_rig.h - the spine with a policy of one's own, told what happens at exact instants.
 */
#ifndef AISLE_TESTS_SPINE_RIG_H
#define AISLE_TESTS_SPINE_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "core/when.h"
#include "policy/policy_load.h"
#include "spine/spine.h"

#define RIG __attribute__((unused)) static
#define T0 INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */
#define SALT "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define RIG_PARTS_MAX 1024

static struct {
	struct conf conf;
	struct engine *engine;
	int64_t now_ms;
	int count; /* of the messages so far: their ids */
	struct policy_part parts[RIG_PARTS_MAX];
	size_t part_count;
	json_t *record; /* the last decision's */
	size_t largest; /* of all records, in bytes */
} rig;

static void
rig_record(void *ctx, const char *json, size_t len)
{
	struct err err = { 0 };

	(void)ctx;
	json_decref(rig.record);
	rig.record = json_read(json, len, "record", &err);
	assert_non_null(rig.record);
	if (len > rig.largest)
		rig.largest = len;
}

/* dir NULL: in memory. */
RIG void
rig_open(const char *dir)
{
	struct engine_options options = { .conf = &rig.conf,
		.on_decision = rig_record,
		.state_dir = dir,
		.sealed = dir != NULL,
		.recorded = true };
	struct err err = { 0 };

	memset(&rig, 0, sizeof(rig));
	log_set_level(LOG_ERROR);
	conf_init(&rig.conf);
	free(rig.conf.store_id);
	rig.conf.store_id = mem_strdup("0042");
	rig.conf.terminal_rate = 0;
	rig.conf.baskets_a_day = 1000000; /* of a few customers, all on one day */
	rig.now_ms = T0;
	assert_int_equal(engine_open(&options, &rig.engine, &err), 0);
}

RIG void
rig_close(void)
{
	engine_close(rig.engine);
	conf_done(&rig.conf);
	json_decref(rig.record);
	for (size_t i = 0; i < rig.part_count; i++) {
		free((void *)(uintptr_t)rig.parts[i].name);
		free((void *)(uintptr_t)rig.parts[i].bytes);
	}
}

/* ---- the policy ---- */

__attribute__((format(printf, 2, 3))) RIG void
rig_part(const char *name, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	assert_true(rig.part_count < RIG_PARTS_MAX);
	rig.parts[rig.part_count++] = (struct policy_part){ mem_strdup(name), text, strlen(text) };
}

/* more: members of policy.json. */
RIG void
rig_policy_begin(const char *placements, const char *more)
{
	rig_part("policy.json",
	    "{\"name\":\"t\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\"],"
	    "\"salts\":{\"id\":\"" SALT "\",\"control\":\"" SALT "\",\"explore\":\"" SALT "\"},"
	    "\"placements\":%s,\"explore\":\"greedy\",\"interrupt\":3%s}",
	    placements, more);
}

/* An action worth 50; more: members that it has beside these. */
__attribute__((format(printf, 2, 3))) RIG void
rig_action(const char *id, const char *format, ...)
{
	char *more, name[192];
	va_list args;

	va_start(args, format);
	assert_true(vasprintf(&more, format, args) >= 0);
	va_end(args);
	snprintf(name, sizeof(name), "actions/%s.json", id);
	rig_part(name,
	    "{\"action\":\"%s\",\"issue\":\"grow\",\"group\":\"g\","
	    "\"on\":[\"aisle.basket.item-added\"],\"personal\":false,\"placements\":[\"tablet\"],"
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Hello\"}]"
	    "%s}",
	    id, more);
	free(more);
}

RIG void
rig_policy_set(void)
{
	struct policy_parts parts = { .part = rig.parts, .count = rig.part_count };
	struct buf report = { 0 };
	struct policy *policy;
	struct err err = { 0 };

	if (policy_compile(&parts, &policy, &report) != 0)
		fail_msg("%s", report.data);
	buf_done(&report);
	assert_int_equal(engine_set_bundle(rig.engine, NULL, policy, false, &err), 0);
}

/* ---- what is sent ---- */

__attribute__((format(printf, 3, 4))) RIG int
rig_send(const char *topic, const char *type, const char *format, ...)
{
	char at[WHEN_TEXT_SIZE], full[128], data[4096];
	struct buf text = { 0 };
	struct input input = { .kind = INPUT_MESSAGE, .now_ms = rig.now_ms, .topic = full };
	va_list args;
	int rc;

	va_start(args, format);
	vsnprintf(data, sizeof(data), format, args);
	va_end(args);
	snprintf(full, sizeof(full), "aisle/v1/0042/%s", topic);
	when_text(rig.now_ms, at);
	buf_addf(&text,
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"m%d\",\"type\":\"aisle.%s\","
	    "\"time\":\"%s\",\"data\":%s}",
	    ++rig.count, type, at, data);
	input.payload = text.data;
	input.len = text.len;
	rc = turn_run(rig.engine, &input, 1);
	buf_done(&text);
	return rc;
}

/* ---- what came of it ---- */

RIG const char *
rig_fate(const char *action)
{
	const json_t *candidate;
	size_t i;

	json_array_foreach(json_object_get(rig.record, "candidates"), i, candidate) {
		if (strcmp(json_string_value(json_object_get(candidate, "action")), action) == 0)
			return json_string_value(json_object_get(candidate, "fate"));
	}
	return "not a candidate";
}

/* The prompt of this action in the last record; NULL: it has no slot. */
RIG const char *
rig_prompt(const char *action)
{
	const json_t *slot;
	size_t i;

	json_array_foreach(json_object_get(rig.record, "slots"), i, slot) {
		if (strcmp(json_string_value(json_object_get(slot, "action")), action) == 0)
			return json_string_value(json_object_get(slot, "prompt"));
	}
	return NULL;
}

RIG size_t
rig_sent(enum output_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < rig.engine->output_count; i++)
		count += rig.engine->outputs[i].kind == kind;
	return count;
}

#endif
