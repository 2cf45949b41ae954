/* SPDX-License-Identifier: Apache-2.0
 *
 * event_samples.h - one right event of each type, every member filled; for tests of the envelope.
 *
 * The members of "data" are the contract, written down a second time on
 * purpose: a change of the tables in src/ingest shows here.
 */
#ifndef TESTS_EVENT_SAMPLES_H
#define TESTS_EVENT_SAMPLES_H

#include <string.h>

#include "core/json.h"
#include "core/when.h"
#include "ingest/envelope.h"

#define SAMPLE_NOW_MS INT64_C(1795257000123) /* 2026-11-21T10:30:00.123Z */
#define SECRET "SECRET4711"		     /* every card number and PIN of the samples */

struct sample {
	const char *type, *tail, *data;
};

/* clang-format off */
static const struct sample samples[] = {
	{ "aisle.basket.opened", "pos/7/event", "{\"basket\":\"b1\",\"terminal\":\"7\",\"station\":\"s7\","
	    "\"associate\":\"a-1\",\"training\":false}" },
	{ "aisle.basket.item-added", "pos/7/event", "{\"basket\":\"b1\",\"line\":4,\"gtin\":\"4006381333931\","
	    "\"category\":\"grocery/coffee\",\"brand\":\"acme\",\"name\":\"Coffee 500 g\",\"qty\":1.5,\"amount\":499,"
	    "\"currency\":\"EUR\",\"margin\":120,\"discounts\":[{\"ref\":\"d1\",\"amount\":50}]}" },
	{ "aisle.basket.item-voided", "pos/7/event", "{\"basket\":\"b1\",\"line\":4}" },
	{ "aisle.basket.suspended", "pos/7/event", "{\"basket\":\"b1\",\"terminal\":\"7\"}" },
	{ "aisle.basket.resumed", "pos/7/event", "{\"basket\":\"b1\",\"terminal\":\"7\"}" },
	{ "aisle.basket.tender-started", "pos/7/event", "{\"basket\":\"b1\",\"terminal\":\"7\"}" },
	{ "aisle.basket.payment-declined", "pos/7/event", "{\"basket\":\"b1\",\"terminal\":\"7\"}" },
	{ "aisle.basket.cancelled", "pos/7/event", "{\"basket\":\"b1\",\"terminal\":\"7\"}" },
	{ "aisle.basket.closed", "pos/7/event", "{\"basket\":\"b1\",\"total\":499,\"currency\":\"EUR\","
	    "\"tenders\":[{\"type\":\"card\",\"amount\":499}]}" },
	{ "aisle.return.completed", "pos/7/event", "{\"return\":\"r1\",\"basket\":\"b0\",\"card\":\"" SECRET "\","
	    "\"items\":[{\"gtin\":\"4006381333931\",\"category\":\"grocery/coffee\",\"qty\":1,\"amount\":499}],"
	    "\"total\":499,\"currency\":\"EUR\"}" },
	{ "aisle.customer.identified", "pos/7/event", "{\"card\":\"" SECRET "\",\"basket\":\"b1\",\"station\":\"s7\"}" },
	{ "aisle.customer.enrolled", "loyalty/r1/event", "{\"card\":\"" SECRET "\",\"station\":\"s7\"}" },
	{ "aisle.customer.left", "loyalty/r1/event", "{\"card\":\"" SECRET "\",\"station\":\"s7\"}" },
	{ "aisle.customer.merged", "loyalty/r1/event", "{\"card\":\"" SECRET "\",\"into\":\"" SECRET "2\"}" },
	{ "aisle.consent.changed", "loyalty/r1/event", "{\"card\":\"" SECRET "\",\"purpose\":\"personalise\","
	    "\"state\":\"granted\",\"until\":\"2027-01-01T00:00:00Z\"}" },
	{ "aisle.care.case-opened", "care/event", "{\"card\":\"" SECRET "\",\"case\":\"c1\",\"topic\":\"billing\","
	    "\"severity\":2}" },
	{ "aisle.care.case-closed", "care/event", "{\"card\":\"" SECRET "\",\"case\":\"c1\",\"topic\":\"billing\","
	    "\"severity\":2}" },
	{ "aisle.loyalty.balance", "loyalty/r1/event", "{\"card\":\"" SECRET "\",\"points\":1200,\"tier\":\"gold\","
	    "\"expires\":\"2027-01-01T00:00:00Z\"}" },
	{ "aisle.wallet.changed", "loyalty/r1/event", "{\"card\":\"" SECRET "\",\"offer\":\"o1\",\"worth\":200,"
	    "\"until\":\"2027-01-01T00:00:00Z\",\"state\":\"open\"}" },
	{ "aisle.contact.recorded", "loyalty/r1/event", "{\"card\":\"" SECRET "\",\"channel\":\"mail\",\"action\":\"a1\","
	    "\"at\":\"2026-11-20T08:00:00Z\"}" },
	{ "aisle.stock.changed", "pos/7/event", "{\"gtin\":\"4006381333931\",\"state\":\"low\",\"qty\":3}" },
	{ "aisle.sensor.reading", "loyalty/r1/event", "{\"kind\":\"queue\",\"station\":\"s7\",\"value\":4}" },
	{ "aisle.survey.answered", "loyalty/r1/event", "{\"card\":\"" SECRET "\",\"basket\":\"b1\",\"kind\":\"nps\","
	    "\"score\":9}" },
	{ "aisle.offer.applied", "pos/7/event", "{\"basket\":\"b1\",\"token\":\"t1\",\"amount\":50}" },
	{ "aisle.offer.refused", "pos/7/event", "{\"basket\":\"b1\",\"token\":\"t1\",\"reason\":\"no coffee\"}" },
	{ "aisle.offer.redeemed", "pos/7/event", "{\"basket\":\"b1\",\"token\":\"t1\",\"amount\":50}" },
	{ "aisle.offer.reversed", "pos/7/event", "{\"basket\":\"b1\",\"token\":\"t1\",\"amount\":50}" },
	{ "aisle.guidance.shown", "tablet/t1/event", "{\"guidance\":\"g1\",\"prompt\":\"p1\",\"tablet\":\"t1\","
	    "\"shown\":true}" },
	{ "aisle.guidance.decided", "tablet/t1/event", "{\"guidance\":\"g1\",\"prompt\":\"p1\",\"decision\":\"override\","
	    "\"reason\":\"insensitive\",\"instead\":{\"action\":\"a2\",\"depth\":10},\"until\":\"2026-11-21T11:00:00Z\","
	    "\"associate\":\"a-1\",\"note\":\"asked for it\",\"approval\":{\"manager\":\"m1\",\"pin\":\"" SECRET "\"}}" },
};
/* clang-format on */

static inline const struct sample *
sample_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		if (strcmp(samples[i].type, type) == 0)
			return &samples[i];
	}
	return NULL;
}

/* The whole event as a tree. New reference. */
static inline json_t *
sample_tree(const struct sample *sample, int64_t time_ms)
{
	char time[WHEN_TEXT_SIZE];
	struct err err = { 0 };

	when_text(time_ms, time);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "specversion", "1.0", "id", "e1",
	    "source", "/store/0042/pos/7", "type", sample->type, "time", time, "datacontenttype",
	    "application/json", "data",
	    json_read(sample->data, strlen(sample->data), "sample", &err));
}

#endif
