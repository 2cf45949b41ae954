/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.c - is this till feed good enough to go live?
 *
 * DESIGN
 *   One table of checks: what is counted, of how many, where it begins to
 *   cost (warn), where the engine cannot work (bad), and the mend in one
 *   sentence. A feed is ready when nothing is bad. Shares are per mille in
 *   integers, so the report of a file is the same everywhere.
 */
#include "tools/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_write.h"
#include "spine/recording.h"
#include "sync/catalog.h"
#include "tools/feed_stats.h"
#include "tools/recorded.h"

#define NEVER 1001 /* a bound that no share reaches */

enum grade { GRADE_OK, GRADE_WARN, GRADE_BAD, GRADE_UNSEEN };
static const char *const grade_names[] = { "ok", "warn", "bad", "unseen" };

struct check {
	const char *name, *label;
	bool high;     /* a high share is good */
	int warn, bad; /* per mille: high: below it; else above it */
	int64_t count, of;
	const char *mend;
};

static const struct {
	enum reject reason;
	const char *mend;
} reason_mends[] = {
	{ REJECT_TOO_BIG,
	    "Keep each event under 64 KiB: send one event a line of the basket, not the whole "
	    "basket." },
	{ REJECT_NOT_JSON,
	    "Write strict JSON in UTF-8: each key once, no NaN, nothing behind the closing "
	    "brace." },
	{ REJECT_BAD_ENVELOPE,
	    "Send CloudEvents 1.0 with specversion, id, source, type, and time as RFC 3339 with a "
	    "zone." },
	{ REJECT_UNKNOWN_TYPE,
	    "Use the event types of docs/integrating-a-till.md, to the letter." },
	{ REJECT_BAD_SHAPE,
	    "Send the named member with the JSON type of docs/integrating-a-till.md; money is an "
	    "integer." },
	{ REJECT_BAD_VALUE,
	    "Bring the named member into its range, or spell it as docs/integrating-a-till.md "
	    "does." },
	{ REJECT_CLOCK,
	    "Set the till's clock by NTP, and send events when they happen, not days later." },
	{ REJECT_NOT_YOURS,
	    "Publish basket and offer events on pos topics only, care events on care only." },
	{ REJECT_RATE, "Send fewer events a second, or raise [limits] terminal_rate." },
};

/* Without its newline. A line that is too long is read to its end and given as one byte too many.
 * false: the end. */
static bool
read_line(FILE *file, char line[static EVENT_BYTES_MAX + 2], size_t *ret_len)
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (len <= EVENT_BYTES_MAX)
			line[len++] = (char)c;
	}
	if (c == EOF && len == 0)
		return false;
	line[len] = '\0';
	*ret_len = len;
	return true;
}

/* As a store with this catalog takes it. */
static void
look_up(const struct catalog *catalog, struct arena *arena, struct event *event)
{
	if (catalog != NULL && event != NULL && event->type == EV_BASKET_ITEM_ADDED)
		(void)catalog_fill(catalog, arena, &event->item, event->data, true);
}

static void
read_events(FILE *file, const struct catalog *catalog, struct feed_stats *stats)
{
	static const uint8_t no_pepper[32];
	const struct envelope_rules rules = { .pepper = no_pepper,
		.clock_past_ms = 3 * D_MS,
		.clock_ahead_ms = 300 * S_MS,
		.recorded = true,
		.catalog = catalog != NULL };
	char *line = mem_alloc(EVENT_BYTES_MAX + 2);
	struct arena *arena = arena_new();
	unsigned unknown = 0;
	size_t len;

	for (int64_t n = 1; read_line(file, line, &len); n++) {
		struct rejected rejected;
		struct event *event;
		struct route route;
		int64_t now_ms;

		if (len <= EVENT_BYTES_MAX && strspn(line, " \t\r") == len)
			continue;
		if (recording_is_mark(line, len)) /* no till sent it */
			continue;
		if (envelope_parse_recorded(arena, &rules, line, len, &route, &now_ms, &event,
			&rejected, &unknown) != 0)
			event = NULL;
		look_up(catalog, arena, event);
		feed_stats_add(stats, n, event, &rejected,
		    strstr(line, "\"recordedtime\"") != NULL);
		event_done(event);
		arena_reset(arena);
	}
	stats->unknown_members = unknown;
	arena_free(arena);
	free(line);
}

static int
per_mille(int64_t count, int64_t of)
{
	return of > 0 ? (int)(count * 1000 / of) : 0;
}

/* One wrong in ten thousand is 0 per mille and still not none: a low share is compared exactly. */
static enum grade
grade_of(const struct check *check)
{
	if (check->of == 0)
		return GRADE_UNSEEN;
	if (check->high)
		return check->count * 1000 < check->of * check->bad ? GRADE_BAD
		    : check->count * 1000 < check->of * check->warn ? GRADE_WARN
								    : GRADE_OK;
	return check->count * 1000 > check->of * check->bad ? GRADE_BAD
	    : check->count * 1000 > check->of * check->warn ? GRADE_WARN
							    : GRADE_OK;
}

#define CHECKS_MAX 17
static size_t
make_checks(const struct feed_stats *s, struct check checks[static CHECKS_MAX])
{
	int64_t fresh = s->events - s->doubles - s->conflicts;
	const struct check all[] = {
		{ "baskets-closed", "baskets closed", true, 950, 800, s->closed + s->cancelled,
		    s->baskets,
		    "Send aisle.basket.closed or .cancelled for every basket, also after a till "
		    "restarts." },
		{ "identified", "baskets with a customer", true, 100, 0, s->identified, s->baskets,
		    "Send aisle.customer.identified when a card is read, with the basket, as early "
		    "in the sale as the till can." },
		{ "category", "lines with a category", true, 990, 900,
		    s->items - s->without_category, s->items,
		    "Send category as a slash path from the item master; most rules and features "
		    "read it." },
		{ "margin", "lines with a margin", true, 800, 0, s->with_margin, s->items,
		    "Send margin in minor units for the whole line: margin_floor guards what the "
		    "lines state, and an action whose margin is of its lines is judged by it; all "
		    "else by the number that the policy states." },
		{ "opened", "baskets opened by an event", true, 950, 0, s->baskets - s->unopened,
		    s->baskets,
		    "Send aisle.basket.opened before the first line; it carries station, associate "
		    "and training." },
		{ "tender", "closed baskets with tender-started", true, 800, 0, s->tendered,
		    s->closed,
		    "Send aisle.basket.tender-started when payment begins, so that cards leave the "
		    "screen in time." },
		{ "totals", "closed baskets whose lines do not add up to the total", false, 10, 100,
		    s->wrong_totals, s->closed,
		    "Send every line, void and line discount: amount is the whole line after "
		    "discounts." },
		{ "rejected", "lines refused", false, 1, 10, s->rejected, s->lines,
		    "See the reasons below, each with its first line." },
		{ "doubles", "events sent twice", false, 50, NEVER, s->doubles, s->events,
		    "Doubles are harmless; so many of them mean that receipts or acknowledgements "
		    "get lost." },
		{ "conflicts", "events with the source and id of another one", false, 0, 0,
		    s->conflicts, s->events,
		    "Give each event an id of its own for ever: terminal, business day, sequence "
		    "number, step." },
		{ "numbers", "baskets with a number that their till had given before", false, 0,
		    NEVER, s->again, s->baskets,
		    "Each is a basket of its own, if opened comes before its lines. Numbers with "
		    "terminal and business day in them cannot be taken for one another." },
		{ "late", "line events after their basket was closed", false, 5, 100, s->late_lines,
		    s->items,
		    "Send lines as they are scanned; after the close they enter history and "
		    "trigger nothing." },
		{ "order", "events older than the one before from the same source", false, 10,
		    NEVER, s->out_of_order, fresh,
		    "Keep one connection and one queue per till, so that events leave in the order "
		    "they happened." },
		{ "gtins", "lines whose GTIN does not check", false, 20, 200, s->bad_gtins,
		    s->items,
		    "Send GTIN-8, -12, -13 or -14 with a right check digit in gtin, and house "
		    "numbers in sku." },
		{ "clock", "events more than 5 s ahead or 60 s behind on arrival", false, 10, 100,
		    s->off_clock, s->recorded,
		    "Set the tills' clocks by NTP, and send events at once instead of in "
		    "batches." },
		{ "future", "events whose time is still to come", false, 0, 10, s->future,
		    s->events - s->recorded,
		    "Set the tills' clocks by NTP: what is more than 300 s ahead is refused." },
		{ "store", "events of another store", false, 0, 0, s->other_store,
		    s->store != NULL ? fresh : 0,
		    "Point each till at the broker of its own store." },
	};

	_Static_assert(ARRAY_LEN(all) <= CHECKS_MAX, "room for each check");
	memcpy(checks, all, sizeof(all));
	return ARRAY_LEN(all);
}

static const char *
verdict_of(const struct feed_stats *stats, const struct check *checks, size_t count)
{
	bool warned = false;

	if (stats->closed == 0)
		return "not-ready";
	for (size_t i = 0; i < count; i++) {
		if (grade_of(&checks[i]) == GRADE_BAD)
			return "not-ready";
		warned |= grade_of(&checks[i]) == GRADE_WARN;
	}
	return warned ? "ready-with-warnings" : "ready";
}

static const char *
mend_of(enum reject reason)
{
	for (size_t i = 0; i < ARRAY_LEN(reason_mends); i++) {
		if (reason_mends[i].reason == reason)
			return reason_mends[i].mend;
	}
	return "";
}

static void
write_percent(struct buf *out, const struct check *check)
{
	int share = per_mille(check->count, check->of);

	buf_addf(out, "%d.%d", share / 10, share % 10);
}

static void
text_check(const struct check *check, struct buf *out)
{
	enum grade grade = grade_of(check);

	if (grade == GRADE_UNSEEN)
		return;
	buf_addf(out, "%-5s ", NAME_OF(grade_names, grade));
	write_percent(out, check);
	buf_addf(out, " %% %s (%" PRId64 " of %" PRId64 ")\n", check->label, check->count,
	    check->of);
	if (grade != GRADE_OK)
		buf_addf(out, "      %s\n", check->mend);
}

static void
report_text(const struct feed_stats *stats, const struct check *checks, size_t count,
    struct buf *out)
{
	buf_addf(out,
	    "%" PRId64 " lines, %" PRId64 " events, %" PRId64 " baskets (%" PRId64
	    " cancelled, %" PRId64 " still open, %" PRId64 " training besides)\n",
	    stats->lines, stats->events, stats->baskets, stats->cancelled, stats->open,
	    stats->training);
	for (size_t i = 0; i < count; i++)
		text_check(&checks[i], out);
	if (stats->conflicts > 0)
		buf_addf(out, "      first event under another one's name: line %" PRId64 "\n",
		    stats->conflict_line);
	if (stats->again > 0)
		buf_addf(out, "      first number given again: line %" PRId64 "\n",
		    stats->again_line);
	if (stats->recorded > 0)
		buf_addf(out,
		    "      clock: at most %" PRId64 ".%03d s ahead, %" PRId64 ".%03d s behind\n",
		    stats->ahead_ms / S_MS, (int)(stats->ahead_ms % S_MS), stats->behind_ms / S_MS,
		    (int)(stats->behind_ms % S_MS));
	else
		buf_adds(out, "      clock: not judged, no event has recordedtime\n");
	for (int i = REJECT_NONE + 1; i < REJECT_COUNT; i++) {
		const struct feed_reject *reject = &stats->rejects[i];

		if (reject->count > 0)
			buf_addf(out,
			    "%-12s %" PRId64 ", first at line %" PRId64 ": %s\n      %s\n",
			    reject_name((enum reject)i), reject->count, reject->first_line,
			    reject->detail, mend_of((enum reject)i));
	}
	if (stats->unknown_members > 0)
		buf_addf(out, "      %" PRId64 " unknown members were ignored\n",
		    stats->unknown_members);
	if (stats->restricted > 0)
		buf_addf(out,
		    "      %" PRId64 " lines with in-store codes (price or weight inside)\n",
		    stats->restricted);
	if (stats->full)
		buf_adds(out,
		    "      the file is larger than the tables of this check: its end was not "
		    "followed\n");
	if (stats->closed == 0)
		buf_adds(out, "bad   no basket was closed\n");
	buf_addf(out, "verdict: %s\n", verdict_of(stats, checks, count));
}

static void
json_check(const struct check *check, struct json_writer *w)
{
	enum grade grade = grade_of(check);

	json_add_object(w, NULL);
	json_add_str(w, "check", check->name);
	json_add_str(w, "grade", NAME_OF(grade_names, grade));
	json_add_int(w, "count", check->count);
	json_add_int(w, "of", check->of);
	if (grade == GRADE_UNSEEN)
		json_add_null(w, "percent");
	else
		json_add_fixed(w, "percent", per_mille(check->count, check->of) / 10.0, 1);
	json_add_str(w, "what", check->label);
	if (grade == GRADE_WARN || grade == GRADE_BAD)
		json_add_str(w, "mend", check->mend);
	json_end(w);
}

static void
json_rejects(const struct feed_stats *stats, struct json_writer *w)
{
	json_add_list(w, "rejected");
	for (int i = REJECT_NONE + 1; i < REJECT_COUNT; i++) {
		const struct feed_reject *reject = &stats->rejects[i];

		if (reject->count == 0)
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "reason", reject_name((enum reject)i));
		json_add_int(w, "count", reject->count);
		json_add_int(w, "first_line", reject->first_line);
		json_add_str(w, "detail", reject->detail);
		json_add_str(w, "mend", mend_of((enum reject)i));
		json_end(w);
	}
	json_end(w);
}

static void
report_json(const struct feed_stats *stats, const struct check *checks, size_t count,
    struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "verdict", verdict_of(stats, checks, count));
	json_add_int(w, "lines", stats->lines);
	json_add_int(w, "events", stats->events);
	json_add_object(w, "baskets");
	json_add_int(w, "all", stats->baskets);
	json_add_int(w, "closed", stats->closed);
	json_add_int(w, "cancelled", stats->cancelled);
	json_add_int(w, "open", stats->open);
	json_add_int(w, "training", stats->training);
	json_end(w);
	json_add_list(w, "checks");
	for (size_t i = 0; i < count; i++)
		json_check(&checks[i], w);
	json_end(w);
	json_rejects(stats, w);
	json_add_object(w, "clock");
	json_add_int(w, "recorded", stats->recorded);
	json_add_int(w, "ahead_ms", stats->ahead_ms);
	json_add_int(w, "behind_ms", stats->behind_ms);
	json_end(w);
	json_add_int(w, "unknown_members", stats->unknown_members);
	json_add_int(w, "restricted_codes", stats->restricted);
	json_add_bool(w, "complete", !stats->full);
	json_end(w);
	buf_addc(out, '\n');
}

static int
read_source(const struct feed_source *source, const struct catalog *catalog,
    struct feed_stats *stats, struct err *err)
{
	const char *name = source->path != NULL ? source->path : "stdin";
	FILE *file = source->path != NULL ? fopen(source->path, "rbe") : stdin;
	struct err start = { 0 };
	int rc;

	if (file == NULL)
		return err_at(err, errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO, name, 0, 0, "%s",
		    strerror(errno));
	rc = recorded_start(file, &start);
	if (rc == 0)
		read_events(file, catalog, stats);
	if (rc != 0)
		err_at(err, rc, name, 1, 0, "%s", start.text);
	else if (ferror(file))
		rc = err_at(err, AISLE_E_IO, name, 0, 0, "%s", strerror(errno));
	else if (stats->lines == 0)
		rc = err_at(err, AISLE_E_INVALID, name, 1, 0,
		    "no events, expected one CloudEvent a line");
	if (source->path != NULL)
		fclose(file);
	return rc;
}

int
feed_check(const struct feed_source *source, bool json, struct buf *out, bool *ret_ready,
    struct err *err)
{
	struct check checks[CHECKS_MAX];
	struct catalog *catalog = NULL;
	struct feed_stats stats;
	size_t count;
	int rc = source->catalog != NULL ? catalog_load(source->catalog, NULL, &catalog, err) : 0;

	if (rc != 0)
		return rc;
	feed_stats_init(&stats, source->store);
	stats.now_ms = source->now_ms;
	rc = read_source(source, catalog, &stats, err);
	feed_stats_end(&stats);
	count = make_checks(&stats, checks);
	if (rc == 0 && json)
		report_json(&stats, checks, count, out);
	else if (rc == 0)
		report_text(&stats, checks, count, out);
	*ret_ready = strcmp(verdict_of(&stats, checks, count), "not-ready") != 0;
	feed_stats_done(&stats);
	catalog_free(catalog);
	return rc;
}
