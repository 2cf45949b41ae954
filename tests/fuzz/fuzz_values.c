/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_values.c - any bytes as one value: a time, a duration, a date, an id, a customer, a decimal number, a broker's
 * address.
 *
 * What must hold: no, or a value inside of its bounds; what is written as text again is read as the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/conf_broker.h"
#include "core/id.h"
#include "core/when.h"
#include "fuzz.h"
#include "ingest/decimal.h"
#include "sync/wan.h"

#define YEAR_10000_MS INT64_C(253402300800000)

static void
as_times(const char *text)
{
	char again[WHEN_TEXT_SIZE];
	int64_t ms, read;
	int32_t days;

	if (when_parse(text, &ms)) {
		when_text(ms, again);
		CHECK(when_parse(again, &read) && read == ms);
	}
	if (when_parse_local(text, &ms))
		CHECK(ms >= 0 && ms < YEAR_10000_MS);
	if (when_duration(text, &ms))
		CHECK(ms >= 0 && ms <= 36525 * D_MS);
	if (when_date(text, &days)) {
		when_text(days * D_MS, again);
		CHECK(strncmp(text, again, 10) == 0 && strlen(text) == 10);
	}
}

static void
as_ids(const char *text)
{
	char again[SUBJECT_TEXT_SIZE];
	struct id id, read;

	if (id_parse(text, &id)) {
		id_text(&id, again);
		CHECK(id_parse(again, &read) && id_equal(&id, &read));
	}
	if (subject_parse(text, &id)) {
		subject_text(&id, again);
		CHECK(strcmp(again, text) == 0);
	}
}

static void
as_decimal(const char *text)
{
	struct buf whole = { 0 };
	int64_t minor, rounded, read;

	for (int digits = 0; digits <= 3; digits++) {
		bool exact = decimal_minor(text, digits, false, &minor);

		/* What needs no rounding is not changed by it. */
		if (exact)
			CHECK(decimal_minor(text, digits, true, &rounded) && rounded == minor);
		if (exact && digits == 0) {
			buf_addf(&whole, "%" PRId64, minor);
			CHECK(decimal_minor(whole.data, 0, false, &read) && read == minor);
		}
	}
	buf_done(&whole);
}

static void
as_broker(const char *text)
{
	char buffer[WAN_HOST_SIZE], again[300];
	struct conf_broker broker, read;
	struct wan wan = { 0 };

	if (conf_broker_parse(text, &broker)) {
		bool six = strchr(broker.host, ':') != NULL;

		CHECK(broker.host[0] != '\0' && broker.port >= 0 && broker.port <= 65535);
		snprintf(again, sizeof(again), six ? "[%s]" : "%s", broker.host);
		CHECK(conf_broker_parse(again, &read) && strcmp(read.host, broker.host) == 0);
	}
	if (wan_url(text, &wan, buffer))
		CHECK(wan.host[0] != '\0' && wan.port >= 1 && wan.port <= 65535);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[400];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, size > 0 ? (const char *)data : "", size);
	text[size] = '\0';
	as_times(text);
	as_ids(text);
	as_decimal(text);
	as_broker(text);
	return 0;
}
