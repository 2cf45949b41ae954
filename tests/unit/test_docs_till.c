/* SPDX-License-Identifier: Apache-2.0
 *
 * test_docs_till.c - every JSON example of docs/integrating-a-till.md is what it says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/json.h"
#include "ingest/envelope.h"
#include "ingest/mapping.h"

#define PAGE "docs/integrating-a-till.md"

static char *
read_page(void)
{
	FILE *file = fopen(PAGE, "r");
	struct buf text = { 0 };
	int c;

	if (file == NULL)
		fail_msg("%s: run this from the top folder", PAGE);
	while ((c = getc(file)) != EOF)
		buf_addc(&text, (char)c);
	fclose(file);
	return buf_steal(&text);
}

static void
try_event(const char *text, size_t len)
{
	static const uint8_t pepper[32] = { 1 };
	const struct envelope_rules rules = {
		.pepper = pepper, .currency = "EUR", .clock_past_ms = D_MS
	};
	struct arena *arena = arena_new();
	struct rejected rejected;
	struct event *event;
	struct route route;
	unsigned unknown = 0;
	int64_t now_ms;

	if (envelope_parse_recorded(arena, &rules, text, len, &route, &now_ms, &event, &rejected,
		&unknown) != 0)
		fail_msg("%s in %.*s", rejected.detail, (int)len, text);
	assert_int_equal(unknown, 0);
	assert_int_equal(rejected.bad_gtins, 0);
	event_done(event);
	arena_free(arena);
}

static void
try_mapping(const char *text, size_t len)
{
	static const char payload[] = "{\"kind\":\"scan\",\"ticket\":\"t1\",\"pos\":1,\"ts\":"
				      "1795257000,\"ean\":\"4006381333931\","
				      "\"price\":4.35}";
	char path[] = "/tmp/aisle-docs-XXXXXX", terminal[33];
	struct mapping *mapping = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };
	json_t *events;
	FILE *file = fdopen(mkstemp(path), "w");

	fwrite(text, 1, len, file);
	fclose(file);
	if (mapping_load("docs", path, &mapping, &report) != 0)
		fail_msg("%s", report.data);
	buf_done(&report);
	unlink(path);
	events = mapping_apply(mapping, "tills/7/scan", payload, strlen(payload), terminal, &err);
	if (events == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(json_array_size(events), 1);
	json_decref(events);
	mapping_free(mapping);
}

static void
every_example_is_accepted(void **state)
{
	char *page = read_page();
	int events = 0, mappings = 0;

	(void)state;
	for (char *at = strstr(page, "```json\n"); at != NULL; at = strstr(at, "```json\n")) {
		char *start = at + strlen("```json\n"), *end = strstr(start, "```");

		assert_non_null(end);
		if (strncmp(start, "{\"specversion\"", 14) == 0) {
			try_event(start, (size_t)(end - start));
			events++;
		} else {
			try_mapping(start, (size_t)(end - start));
			mappings++;
		}
		at = end;
	}
	assert_true(events >= 10);
	assert_int_equal(mappings, 1);
	free(page);
}

static void
every_type_and_reason_is_on_the_page(void **state)
{
	char *page = read_page();

	(void)state;
	for (int i = 0; i < EV_GUIDANCE_SHOWN; i++) {
		const char *name = event_type_name((enum event_type)i);
		const char *leaf = strncmp(name, "aisle.basket.", 13) == 0 ? name + 13 : name;
		char quoted[80];

		snprintf(quoted, sizeof(quoted), "`%s`", leaf);
		if (strstr(page, quoted) == NULL)
			fail_msg("%s is not on the page", quoted);
	}
	for (int i = REJECT_NONE + 1; i < REJECT_COUNT; i++) {
		char quoted[80];

		snprintf(quoted, sizeof(quoted), "| `%s` |", reject_name((enum reject)i));
		if (strstr(page, quoted) == NULL)
			fail_msg("%s is not on the page", quoted);
	}
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_example_is_accepted),
		cmocka_unit_test(every_type_and_reason_is_on_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
