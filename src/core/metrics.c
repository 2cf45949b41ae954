/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.c - counters and gauges, from one table, in Prometheus' two texts.
 *
 * DESIGN
 *   A series is an index into an array, so counting costs an addition, and
 *   every series is there with 0 from the first scrape. Values are integers;
 *   seconds of the histogram are kept in µs and printed by hand, so that no
 *   locale and no rounding can touch them.
 *
 * INVARIANTS
 *   The series table is grouped by family, in the order of the families.
 */
#include "core/metrics.h"

#include <string.h>

#ifndef AISLE_VERSION
#define AISLE_VERSION "0"
#endif

enum kind { COUNTER, GAUGE };

enum family {
#define F(constant, name, kind, help) FAMILY_##constant,
	METRIC_FAMILIES(F)
#undef F
	    FAMILY_COUNT
};

static const struct {
	const char *name;
	enum kind kind;
	const char *help;
} families[FAMILY_COUNT] = {
#define F(constant, name, kind, help) { name, kind, help },
	METRIC_FAMILIES(F)
#undef F
};

static const struct {
	enum family family;
	const char *labels;
} series[METRIC_COUNT] = {
#define X(constant, name, ...) \
	{ FAMILY_EVENTS, "type=\"" name "\",result=\"accepted\"" }, \
	    { FAMILY_EVENTS, "type=\"" name "\",result=\"duplicate\"" },
	EVENT_TYPES(X)
#undef X
#define X(constant, name) { FAMILY_REJECTED, "reason=\"" name "\"" },
	    REJECT_REASONS(X)
#undef X
#define S(constant, family, labels) { FAMILY_##family, labels },
		METRIC_SERIES_PLAIN(S)
#define X(constant, name) { FAMILY_LIMITS_HIT, "limit=\"" name "\"" },
		    METRIC_LIMITS(X)
#undef X
			METRIC_SERIES_SENT(S)
#define X(constant, name) { FAMILY_REFUSED, "reason=\"" name "\"" },
			    REFUSALS(X)
#undef X
				METRIC_SERIES_LAST(S)
#undef S
};

static const struct {
	int64_t us;
	const char *le; /* as OpenMetrics writes it */
} bounds[] = {
	{ 50, "5e-05" },
	{ 100, "0.0001" },
	{ 200, "0.0002" },
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 2000, "0.002" },
	{ 5000, "0.005" },
	{ 10000, "0.01" },
	{ 20000, "0.02" },
	{ 50000, "0.05" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 1000000, "1.0" },
	{ 5000000, "5.0" },
};

static int64_t values[METRIC_COUNT];
static int64_t bucket_counts[ARRAY_LEN(bounds) + 1], sum_us;

void
metrics_add(enum metric metric, int64_t n)
{
	CHECK((unsigned)metric < METRIC_COUNT);
	values[metric] += n;
}

void
metrics_set(enum metric metric, int64_t value)
{
	CHECK((unsigned)metric < METRIC_COUNT);
	values[metric] = value;
}

int64_t
metrics_get(enum metric metric)
{
	CHECK((unsigned)metric < METRIC_COUNT);
	return values[metric];
}

void
metrics_event(enum event_type type, bool duplicate)
{
	CHECK((unsigned)type < EV_COUNT);
	values[METRIC_ACCEPTED_BASKET_OPENED + 2 * (int)type + duplicate]++;
}

void
metrics_rejected(enum reject reason)
{
	CHECK(reason > REJECT_NONE && reason < REJECT_COUNT);
	values[METRIC_REJECTED_TOO_BIG + (int)reason - 1]++;
}

void
metrics_refused(enum refusal reason)
{
	CHECK(reason > REFUSED_NONE && reason < REFUSED_COUNT);
	metrics_add((enum metric)(METRIC_REFUSED_MALFORMED + (int)reason - 1), 1);
}

void
metrics_observe(int64_t us)
{
	size_t i = 0;
	while (i < ARRAY_LEN(bounds) && us > bounds[i].us)
		i++;
	bucket_counts[i]++;
	sum_us += us > 0 ? us : 0;
}

bool
metrics_bucket(size_t i, int64_t *ret_us, int64_t *ret_count)
{
	if (i > ARRAY_LEN(bounds))
		return false;
	*ret_us = i < ARRAY_LEN(bounds) ? bounds[i].us : INT64_MAX;
	*ret_count = bucket_counts[i];
	return true;
}

void
metrics_reset(void)
{
	memset(values, 0, sizeof(values));
	memset(bucket_counts, 0, sizeof(bucket_counts));
	sum_us = 0;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);
	return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

static void
write_head(struct buf *out, const char *name, const char *suffix, const char *type,
    const char *help, bool openmetrics)
{
	buf_addf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix, type);
	if (!openmetrics)
		return;
	if (ends_with(name, "_seconds"))
		buf_addf(out, "# UNIT %s seconds\n", name);
	else if (ends_with(name, "_bytes"))
		buf_addf(out, "# UNIT %s bytes\n", name);
}

static void
write_histogram(struct buf *out, bool openmetrics)
{
	static const char name[] = "aisle_turn_duration_seconds";
	int64_t count = 0;
	write_head(out, name, "", "histogram", "From the first input of a turn to its commit.",
	    openmetrics);
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		count += bucket_counts[i];
		buf_addf(out, "%s_bucket{le=\"%s\"} %lld\n", name, bounds[i].le, (long long)count);
	}
	count += bucket_counts[ARRAY_LEN(bounds)];
	buf_addf(out, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum %lld.%06lld\n%s_count %lld\n", name,
	    (long long)count, name, (long long)(sum_us / 1000000), (long long)(sum_us % 1000000),
	    name, (long long)count);
}

void
metrics_write(struct buf *out, bool openmetrics)
{
	size_t next = 0;
	for (size_t f = 0; f < FAMILY_COUNT; f++) {
		bool counter = families[f].kind == COUNTER;
		const char *total = counter ? "_total" : "";
		write_head(out, families[f].name, openmetrics ? "" : total,
		    counter ? "counter" : "gauge", families[f].help, openmetrics);
		for (; next < METRIC_COUNT && series[next].family == (enum family)f; next++) {
			bool labels = series[next].labels[0] != '\0';
			buf_addf(out, "%s%s%s%s%s %lld\n", families[f].name, total,
			    labels ? "{" : "", series[next].labels, labels ? "}" : "",
			    (long long)values[next]);
		}
	}
	CHECK(next == METRIC_COUNT);
	write_histogram(out, openmetrics);
	buf_addf(out,
	    "# HELP aisle_build%s What runs.\n# TYPE aisle_build%s %s\n"
	    "aisle_build_info{version=\"%s\"} 1\n",
	    openmetrics ? "" : "_info", openmetrics ? "" : "_info", openmetrics ? "info" : "gauge",
	    AISLE_VERSION);
	if (openmetrics)
		buf_adds(out, "# EOF\n");
}

const char *
metrics_content_type(bool openmetrics)
{
	return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			   : "text/plain; version=0.0.4; charset=utf-8";
}
