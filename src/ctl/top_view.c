/* SPDX-License-Identifier: Apache-2.0
 *
 * top_view.c - what looks at a store say together: rates, times, one screen.
 *
 * What stands in the middle of a bucket is taken as spread over it evenly; what took longer than
 * the last bound is said as that bound.
 */
#include "ctl/top_view.h"

#include <stdio.h>
#include <string.h>

#include "core/currency.h"
#include "core/when.h"

void
top_view_add(struct top_view *view, json_t *look)
{
	if (view->count == TOP_LOOKS_MAX) {
		json_decref(view->looks[0]);
		memmove(view->looks, view->looks + 1, --view->count * sizeof(*view->looks));
	}
	view->looks[view->count++] = look;
}

void
top_view_done(struct top_view *view)
{
	for (size_t i = 0; i < view->count; i++)
		json_decref(view->looks[i]);
	view->count = 0;
}

/* ---- figures ---- */

static int64_t
count_in(const json_t *turns, size_t i)
{
	return json_integer_value(json_array_get(json_array_get(turns, i), 1));
}

double
top_quantile(const json_t *turns, const json_t *since, double share)
{
	size_t buckets = json_array_size(turns);
	double all = 0, below = 0, from_us = 0, wanted;

	for (size_t i = 0; i < buckets; i++)
		all += (double)(count_in(turns, i) - count_in(since, i));
	if (all <= 0)
		return -1;
	wanted = all * share;
	for (size_t i = 0; i < buckets; i++) {
		const json_t *bound = json_array_get(json_array_get(turns, i), 0);
		double here = (double)(count_in(turns, i) - count_in(since, i));
		double to_us = (double)json_integer_value(bound);

		if (json_is_null(bound))
			break;
		if (here > 0 && below + here >= wanted)
			return (from_us + (to_us - from_us) * (wanted - below) / here) / 1000;
		below += here;
		from_us = to_us;
	}
	return from_us / 1000;
}

static const json_t *
newest(const struct top_view *view)
{
	return view->looks[view->count - 1];
}

static int64_t
number(const json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

static int64_t
at_ms(const json_t *look)
{
	int64_t ms = 0;

	(void)when_parse(json_string_value(json_object_get(look, "at")), &ms);
	return ms;
}

/* Between the last two looks; a daemon that started anew between them has counted from 0. */
static double
rate(const struct top_view *view, const char *name)
{
	const json_t *before = view->count > 1 ? view->looks[view->count - 2] : NULL;
	int64_t ms = before != NULL ? at_ms(newest(view)) - at_ms(before) : 0;
	int64_t more = before != NULL ? number(newest(view), name) - number(before, name) : 0;

	return ms > 0 && more > 0 ? (double)more * 1000 / (double)ms : 0;
}

/* The look since when turns are told; NULL: since the start. A screen has many looks, --once has two. */
static const json_t *
oldest(const struct top_view *view)
{
	const json_t *first = view->looks[0];

	return view->count > 2 && number(first, "up_s") <= number(newest(view), "up_s") ? first
											: NULL;
}

static double
turn_ms(const struct top_view *view, double share)
{
	return top_quantile(json_object_get(newest(view), "turns"),
	    json_object_get(oldest(view), "turns"), share);
}

/* ---- JSON ---- */

static json_t *
turn_json(const struct top_view *view)
{
	static const char *const names[] = { "p50_ms", "p99_ms" };
	json_t *turn = json_object();
	const double shares[] = { 0.5, 0.99 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		double ms = turn_ms(view, shares[i]);

		json_object_set_new(turn, names[i], ms < 0 ? json_null() : json_real(ms));
	}
	return turn;
}

void
top_view_json(const struct top_view *view, struct buf *out)
{
	static const char *const rates[] = { "events", "decisions", "dead_letters" };
	json_t *look = json_copy((json_t *)(uintptr_t)newest(view)), *second = json_object();

	for (size_t i = 0; i < ARRAY_LEN(rates); i++)
		json_object_set_new(second, rates[i], json_real(rate(view, rates[i])));
	json_object_set_new(look, "a_second", second);
	json_object_set_new(look, "turn", turn_json(view));
	json_object_del(look, "turns");
	json_write(look, out);
	json_decref(look);
}

/* ---- text ---- */

/* What came from outside moves no cursor: control characters are shown as "?". */
static void
add_plain(struct buf *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)(text != NULL ? text : "-");

	for (; *at != '\0'; at++) {
		bool c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;

		buf_addc(out, *at < 0x20 || *at == 0x7f || c1 ? '?' : (char)*at);
		at += c1;
	}
}

static void
add_text(struct buf *out, const json_t *json, const char *name)
{
	add_plain(out, json_string_value(json_object_get(json, name)));
}

static void
add_head(const json_t *look, struct buf *out)
{
	const json_t *policy = json_object_get(look, "policy"), *hq = json_object_get(look, "hq");
	const char *disk = json_string_value(json_object_get(look, "disk"));
	int64_t up = number(look, "up_s");

	buf_adds(out, "store      ");
	add_text(out, look, "store");
	buf_addf(out, ", up %lld:%02d:%02d, ", (long long)(up / 3600), (int)(up / 60 % 60),
	    (int)(up % 60));
	add_text(out, look, "at");
	buf_adds(out, "\npolicy     ");
	if (json_is_object(policy)) {
		add_text(out, policy, "name");
		buf_addf(out, " version %lld\n", (long long)number(policy, "version"));
	} else {
		buf_adds(out, "none\n");
	}
	if (disk != NULL && strcmp(disk, "ok") != 0)
		buf_addf(out, "disk       %s: nothing is acknowledged\n", disk);
	buf_adds(out, "broker     ");
	add_text(out, look, "broker");
	buf_adds(out, "\nhq         ");
	add_text(out, hq, "state");
	if (strcmp(json_string_value(json_object_get(hq, "state")), "none") != 0)
		buf_addf(out, ", %lld records wait", (long long)number(hq, "queued"));
	if (strcmp(json_string_value(json_object_get(look, "time")), "certain") != 0)
		buf_adds(out, "\ntime       uncertain: offers that depend on a date are held back");
	buf_adds(out, "\n\n");
}

static void
add_rates(const struct top_view *view, struct buf *out)
{
	static const char *const rows[][2] = { { "events", "events" }, { "decisions", "decisions" },
		{ "dead", "dead_letters" } };
	const json_t *look = newest(view), *waiting = json_object_get(look, "waiting");
	double p50 = turn_ms(view, 0.5), p99 = turn_ms(view, 0.99);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_addf(out, "%-9s %9.1f /s %14lld since start\n", rows[i][0],
		    rate(view, rows[i][1]), (long long)number(look, rows[i][1]));
	if (p50 < 0)
		buf_addf(out, "turns      none %s\n",
		    oldest(view) != NULL ? "in the last minute" : "since start");
	else
		buf_addf(out, "turns      p50 %.2f ms, p99 %.2f ms %s\n", p50, p99,
		    oldest(view) != NULL ? "in the last minute" : "since start");
	buf_addf(out, "waiting    %lld events, %lld bytes\n", (long long)number(waiting, "events"),
	    (long long)number(waiting, "bytes"));
	buf_addf(out, "streams    %lld\nvisits     %lld open\n\n",
	    (long long)number(look, "streams"), (long long)number(look, "visits"));
}

static void
add_today(const json_t *today, struct buf *out)
{
	const char *currency = json_string_value(json_object_get(today, "currency"));
	int digits = currency != NULL ? currency_digits(currency) : 0;
	double unit = 1;

	for (int i = 0; i < digits; i++)
		unit *= 10;
	buf_addf(out, "today      %lld shown, %lld accepted, %lld redeemed: %.*f ",
	    (long long)number(today, "shown"), (long long)number(today, "accepted"),
	    (long long)number(today, "redeemed"), digits > 0 ? digits : 0,
	    (double)number(today, "redeemed_minor") / unit);
	add_plain(out, currency);
	buf_addc(out, '\n');
}

/* Stations with their open cards, as many to a line as there is room for. */
static void
add_stations(const json_t *stations, int columns, struct buf *out)
{
	const json_t *station;
	size_t i, line = out->len;

	buf_adds(out, "cards     ");
	json_array_foreach(stations, i, station) {
		struct buf one = { 0 };

		buf_addc(&one, ' ');
		add_text(&one, station, "station");
		buf_addf(&one, ":%lld", (long long)number(station, "open"));
		if (out->len - line + one.len > (size_t)columns) {
			line = out->len + 1;
			buf_adds(out, "\n          ");
		}
		buf_add(out, one.data, one.len);
		buf_done(&one);
	}
	buf_addc(out, '\n');
}

/* What does not fit is cut: bytes beyond the columns, lines beyond the rows. */
static void
add_cut(struct buf *out, const char *text, int columns, int rows)
{
	for (int row = 0; row < rows && *text != '\0'; row++) {
		size_t len = strcspn(text, "\n"),
		       kept = len < (size_t)columns ? len : (size_t)columns;

		while (kept > 0 && kept < len && ((unsigned char)text[kept] & 0xc0) == 0x80)
			kept--;
		buf_add(out, text, kept);
		buf_addc(out, '\n');
		text += len + (text[len] == '\n');
	}
}

void
top_view_text(const struct top_view *view, const char *away, int columns, int rows, struct buf *out)
{
	struct buf text = { 0 };
	const json_t *look = newest(view);

	if (away != NULL) {
		buf_adds(&text,
		    "NO ANSWER  asked again each second; q leaves. Below: the last look\n          "
		    " ");
		add_plain(&text, away);
		buf_adds(&text, "\n\n");
	}
	add_head(look, &text);
	add_rates(view, &text);
	add_today(json_object_get(look, "today"), &text);
	add_stations(json_object_get(look, "stations"), columns, &text);
	add_cut(out, text.data, columns, rows);
	buf_done(&text);
}
