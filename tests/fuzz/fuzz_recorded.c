/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_recorded.c - any bytes as a file of recorded events, through a whole store with a small policy.
 *
 * What must hold: lines are whole and bounded; whatever the events say, a turn ends; how the file is cut into turns
 * changes no decision.
 */
#include "../unit/policy_fixture.h"
#include "core/conf.h"
#include "fuzz.h"
#include "sync/bundle_internal.h"
#include "tools/recorded.h"
#include "fuzz_tokens.h"

/* clang-format off */
static const struct fixture_part small_parts[] = {
	{ "actions/bag.json",
	    "{\"action\":\"bag\",\"kind\":\"service\",\"issue\":\"care\",\"group\":\"bag\",\"personal\":false,"
	    "\"on\":[\"aisle.basket.opened\",\"aisle.customer.identified\"],\"propensity\":0.5,\"incremental\":1,\"margin\":5,"
	    "\"outcome\":{\"is\":\"none\"},\"placements\":[\"tablet\"],\"gate\":\"associate\",\"expires\":\"90s\","
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"A bag?\"}]}" },
	{ "actions/coffee.json",
	    "{\"action\":\"coffee\",\"kind\":\"offer\",\"issue\":\"grow\",\"group\":\"coffee\",\"on\":[\"aisle.basket.item-added\"],"
	    "\"applicable\":{\"==\":[{\"var\":\"basket_coffee\"},0]},\"propensity\":0.4,\"incremental\":0.3,\"margin\":180,"
	    "\"outcome\":{\"is\":\"redeemed\",\"within\":\"0d\"},\"offer\":{\"type\":\"percent\",\"depth\":10,\"typical\":450,"
	    "\"max\":300,\"apply\":\"till-code\",\"include\":{\"category\":\"grocery/coffee\"}},\"placements\":[\"tablet\"],"
	    "\"gate\":\"associate\",\"expires\":\"120s\",\"budget\":{\"money\":20000,\"per\":\"store-day\"},"
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"{{depth}} % off coffee\"}]}" },
	{ "actions/recall.json",
	    "{\"action\":\"recall\",\"kind\":\"alert\",\"issue\":\"safety\",\"group\":\"recall\",\"on\":[\"aisle.basket.item-added\","
	    "\"timer\"],\"mandatory\":true,\"personal\":false,\"applicable\":{\">\":[{\"var\":\"basket_coffee\"},0]},"
	    "\"placements\":[\"tablet\"],\"gate\":\"none\",\"expires\":\"10m\","
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Please keep aside\"}]}" },
	{ "features.json",
	    "{\"features\":[{\"name\":\"basket_coffee\",\"type\":\"number\",\"from\":\"basket.sum(category=grocery/coffee)\"}]}" },
	{ "policy.json",
	    "{\"name\":\"small\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\"],\"salts\":{\"id\":\"" SALT_A
	    "\",\"control\":\"" SALT_B "\",\"explore\":\"" SALT_A "\"},\"placements\":{\"tablet\":{\"slots\":2}},"
	    "\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8}}" },
	{ "zones.json", "{\"Europe/Berlin\":\"CET-1CEST,M3.5.0,M10.5.0/3\",\"UTC\":\"UTC0\"}" },
};
/* clang-format on */

static const uint8_t pepper[32] = { 9 };
static char path[FUZZ_PATH_SIZE];
static struct conf conf;

static void
set_up(void)
{
	struct policy_part part[ARRAY_LEN(small_parts)];
	struct policy_parts parts = { .part = part, .count = ARRAY_LEN(small_parts) };
	struct bundle_what what = { "policy", "small", 1, 1 << 20 };
	struct err err = { 0 };

	if (path[0] != '\0')
		return;
	fuzz_path("policy", path);
	for (size_t i = 0; i < parts.count; i++)
		part[i] = (struct policy_part){ small_parts[i].name, small_parts[i].text,
			strlen(small_parts[i].text) };
	CHECK(bundle_write(path, &what, &parts, &err) == 0);
	conf_init(&conf);
	conf.store_id = mem_strdup("1");
	free(conf.currency);
	conf.currency = mem_strdup("EUR");
}

static void
on_decision(void *ctx, const char *json, size_t len)
{
	buf_add(ctx, json, len);
	buf_addc(ctx, '\n');
}

static void
look_at_lines(const uint8_t *data, size_t size)
{
	static char line[RECORDED_LINE_MAX + 1];
	FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");
	struct err err = { 0 };
	size_t len = 0, sum = 0;

	CHECK(file != NULL);
	if (recorded_start(file, &err) == 0) {
		while (recorded_line(file, line, &len) == 1) {
			CHECK(len <= RECORDED_LINE_MAX && line[len] == '\0');
			sum += len;
		}
		CHECK(sum <= size);
	} else {
		CHECK(err.text[0] != '\0');
	}
	fclose(file);
}

static int
feed(const uint8_t *data, size_t size, int turn, struct buf *told)
{
	struct recorded_options options = { .conf = &conf,
		.pepper = pepper,
		.turn = turn,
		.on_decision = on_decision,
		.ctx = told };
	struct recorded *recorded = NULL;
	struct buf report = { 0 }, refusals = { 0 };
	struct err err = { 0 };
	FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");

	CHECK(file != NULL && recorded_open(&options, &recorded, &err) == 0);
	CHECK(recorded_bundle(recorded, path, false, &report, &err) == 0);
	int rc = recorded_feed(recorded, file, NULL, NULL, &err);

	CHECK((rc == 0) == (err.text[0] == '\0'));
	recorded_refusals(recorded, &refusals);
	recorded_close(recorded);
	fclose(file);
	buf_done(&report);
	buf_done(&refusals);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = { 0 }, all = { 0 };

	set_up();
	if (size < 1 || size > 1u << 16)
		return 0;
	look_at_lines(data, size);
	/* A store is opened for each: the second time for one in four. */
	if (feed(data, size, 1, &one) == 0 && size % 4 == 0) {
		CHECK(feed(data, size, 0, &all) == 0 && one.len == all.len);
		CHECK(one.len == 0 || memcmp(one.data, all.data, one.len) == 0);
	}
	buf_done(&one);
	buf_done(&all);
	return 0;
}
