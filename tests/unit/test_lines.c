/* SPDX-License-Identifier: Apache-2.0
 *
 * test_lines.c - a basket's lines: their versions and voids by their times, whatever came first.
 */
#include "session/session_call.h"
#include "session_fixture.h"

#include "core/metrics.h"

/* A line of an article that was said at one second and void at another; 0: never. */
struct said {
	int64_t added, voided;
	bool void_first;
};

static void
add(struct line *line, int64_t second, int64_t amount)
{
	struct event event = { .time_ms = second,
		.now_ms = 1000 + second,
		.item = { .item = "05012345678900", .qty_milli = 1000, .amount_minor = amount } };

	line_add(line, &event);
}

static struct visit *
visit_of(const struct said *lines, size_t count)
{
	struct visit *visit = visit_new(&(struct id){ { 1 } });

	for (size_t i = 0; i < count; i++) {
		struct line *line = visit_add_line(visit, (int64_t)i + 1);

		if (lines[i].void_first)
			line_void(line, lines[i].voided);
		if (lines[i].added != 0)
			add(line, lines[i].added, 10 + (int64_t)i);
		if (lines[i].voided != 0 && !lines[i].void_first)
			line_void(line, lines[i].voided);
	}
	return visit;
}

static void
a_version_counts_if_no_void_came_after_it(void **state)
{
	static const struct {
		struct said before;
		int64_t at;
		bool changes, counts;
	} cases[] = {
		{ { 0, 0, false }, 5, true, true }, { { 4, 0, false }, 5, true, true },
		{ { 5, 0, false }, 5, true, true },
		{ { 6, 0, false }, 5, false, true }, /* an older one */
		{ { 3, 4, false }, 5, true, true },
		{ { 3, 5, false }, 5, true, true }, /* of one time what came last */
		{ { 3, 6, false }, 5, false, false }, { { 0, 4, true }, 5, true, true },
		{ { 0, 5, true }, 5, false, false }, /* but for the first of a void's time */
		{ { 0, 6, true }, 5, false, false },
		{ { 5, 5, true }, 5, true, true },   /* and the next of that time counts */
		{ { 4, 5, true }, 5, false, false }, /* this is still the first of its time */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *visit = visit_of(&cases[i].before, 1);
		struct event event = { .time_ms = cases[i].at, .item = { .item = "1" } };

		if (line_add(&visit->lines[0], &event) != cases[i].changes ||
		    visit->lines[0].voided == cases[i].counts)
			fail_msg("case %zu", i);
		visit_free(visit);
	}
}

static void
a_void_takes_out_what_is_not_newer(void **state)
{
	static const struct {
		struct said before;
		int64_t at;
		bool changes, counts;
	} cases[] = {
		{ { 5, 0, false }, 4, false, true },
		{ { 5, 0, false }, 5, true, false },
		{ { 5, 0, false }, 6, true, false },
		{ { 0, 0, false }, 5, true, false },
		{ { 5, 6, false }, 7, false, false }, /* it is void */
		{ { 5, 6, false }, 5, false, false }, /* an older one */
		{ { 5, 3, true }, 2, false, true },
		{ { 5, 3, true }, 3, false, true },
		{ { 5, 3, true }, 5, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *visit = visit_of(&cases[i].before, 1);

		if (line_void(&visit->lines[0], cases[i].at) != cases[i].changes ||
		    visit->lines[0].voided == cases[i].counts)
			fail_msg("case %zu", i);
		assert_true(visit->lines[0].void_said);
		visit_free(visit);
	}
}

/* A line that only a void has told of is not of those that a void of the rest takes out: it keeps the newer time. */
static void
a_void_of_the_rest_holds_for_a_line_that_is_not_known_yet(void **state)
{
	static const struct {
		int64_t said, rest, line;
		bool counts;
	} cases[] = {
		{ 0, 5, 4, false },
		{ 0, 5, 5, true }, /* it came after all that was said */
		{ 0, 5, 6, true },
		{ 3, 5, 4, false },
		{ 3, 5, 5, true },
		{ 5, 5, 5, false }, /* cancelled by its own void */
		{ 7, 5, 6, false },
		{ 7, 5, 7, false },
		{ 7, 5, 8, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct said before = { 0, cases[i].said, true };
		struct visit *visit = visit_of(&before, 1);
		struct line *line = &visit->lines[0];

		if (cases[i].said == 0)
			*line = (struct line){ .line = 1, .category = line->category };
		assert_false(line_void_rest(line, cases[i].rest));
		assert_true(line->voided && line->void_said);
		add(line, cases[i].line, 1);
		if (line->voided == cases[i].counts)
			fail_msg("case %zu", i);
		visit_free(visit);
	}
}

/* ---- which line of an article is void ---- */

struct of_article {
	const char *item, *sku;
	int64_t time, qty_milli;
	bool voided;
};

static void
the_newest_line_of_the_article_is_meant_one_of_its_quantity_before_others(void **state)
{
	static const struct {
		struct of_article lines[3];
		int64_t time, qty_milli;
		int64_t line; /* 0: none */
	} cases[] = {
		{ { { "1", NULL, 1, 1000, false }, { "1", NULL, 2, 1000, false } }, 9, 1000, 2 },
		{ { { "1", NULL, 2, 1000, false }, { "1", NULL, 1, 1000, false } }, 9, 1000, 1 },
		{ { { "1", NULL, 2, 1000, false }, { "1", NULL, 2, 1000, false } }, 9, 1000, 2 },
		{ { { "1", NULL, 1, 1000, false }, { "1", NULL, 2, 1000, true } }, 9, 1000, 1 },
		{ { { "1", NULL, 1, 1000, false }, { "2", NULL, 2, 1000, false } }, 9, 1000, 1 },
		{ { { "1", NULL, 1, 1000, false }, { "", "1", 2, 1000, false } }, 9, 1000, 2 },
		/* what was scanned after the void is not void */
		{ { { "1", NULL, 9, 1000, false }, { "2", NULL, 1, 1000, false } }, 9, 1000, 1 },
		{ { { "1", NULL, 10, 1000, false }, { "2", NULL, 1, 1000, false } }, 9, 1000, 0 },
		/* of its quantity, though another is newer, whichever stands first */
		{ { { "1", NULL, 1, 1000, false }, { "1", NULL, 2, 2000, false } }, 9, 1000, 1 },
		{ { { "1", NULL, 2, 2000, false }, { "1", NULL, 1, 1000, false } }, 9, 1000, 2 },
		{ { { "1", NULL, 3, 1000, false }, { "1", NULL, 9, 2000, false },
		      { "1", NULL, 1, 1000, false } },
		    9, 1000, 1 },
		{ { { "1", NULL, 1, 1000, false }, { "1", NULL, 9, 2000, false },
		      { "1", NULL, 1, 1000, false } },
		    9, 1000, 3 },
		/* of none of its quantity the newest */
		{ { { "1", NULL, 2, 2000, false }, { "1", NULL, 1, 3000, false } }, 9, 1000, 1 },
		{ { { "1", NULL, 1, 2000, false }, { "1", NULL, 2, 3000, false } }, 9, 1000, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *visit = visit_new(&(struct id){ { 1 } });
		struct event event = { .type = EV_BASKET_ITEM_VOIDED,
			.void_of = VOID_ARTICLE,
			.time_ms = cases[i].time,
			.item = { .qty_milli = cases[i].qty_milli } };

		for (size_t l = 0; l < 3 && cases[i].lines[l].item != NULL; l++) {
			const struct of_article *of = &cases[i].lines[l];
			struct line *line = visit_add_line(visit, (int64_t)l + 1);

			snprintf(line->item, sizeof(line->item), "%s", of->item);
			line->sku = of->sku != NULL ? mem_strdup(of->sku) : NULL;
			line->time_ms = line->first_ms = of->time;
			line->qty_milli = of->qty_milli;
			line->voided = of->voided;
		}
		for (int by_sku = 0; by_sku < 2; by_sku++) {
			int64_t taken = 0;

			snprintf(event.item.item, sizeof(event.item.item), "%s",
			    by_sku ? "2" : "1");
			event.item.sku = by_sku ? "1" : NULL;
			articles_lift(visit, &event);
			articles_void(visit, &event);
			articles_settle(visit, 0, false);
			for (size_t l = 0; l < visit->line_count; l++) {
				if (visit->lines[l].taken_ms != 0)
					taken = visit->lines[l].line;
			}
			if (taken != cases[i].line)
				fail_msg("case %zu", i);
			articles_lift(visit, &event);
			visit_drop_article_void(visit, 0);
		}
		visit_free(visit);
	}
}

/* ---- lines of a basket that became part of another ---- */

static void
of_two_baskets_lines_the_newer_version_and_the_newer_void_remain(void **state)
{
	static const struct {
		struct said into, from;
		bool counts;
		int64_t amount, void_ms;
	} cases[] = {
		{ { 4, 0, false }, { 5, 0, false }, true, 20, 0 },
		{ { 5, 0, false }, { 5, 0, false }, true, 20, 0 },
		{ { 6, 0, false }, { 5, 0, false }, true, 10, 0 },
		{ { 6, 7, false }, { 5, 0, false }, false, 10, 7 },
		{ { 4, 5, false }, { 6, 0, false }, true, 20, 5 },
		{ { 4, 6, false }, { 6, 0, false }, false, 20, 6 },
		{ { 4, 7, false }, { 6, 0, false }, false, 20, 7 },
		{ { 4, 0, false }, { 5, 6, false }, false, 20, 6 },
		{ { 7, 0, false }, { 5, 6, false }, true, 10, 6 },
		{ { 6, 0, false }, { 5, 6, false }, false, 10, 6 },
		{ { 5, 8, false }, { 4, 6, false }, false, 10, 8 },
		{ { 5, 6, false }, { 4, 8, false }, false, 10, 8 },
		{ { 5, 8, false }, { 9, 8, true }, true, 20, 8 },
		/* one of them is known by a void alone */
		{ { 0, 5, true }, { 4, 0, false }, false, 20, 5 },
		{ { 0, 5, true }, { 6, 0, false }, true, 20, 5 },
		{ { 4, 0, false }, { 0, 5, true }, false, 10, 5 },
		{ { 6, 0, false }, { 0, 5, true }, true, 10, 5 },
		{ { 0, 5, true }, { 0, 6, true }, false, 0, 6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *into = visit_of(&cases[i].into, 1);
		struct visit *from = visit_of(&cases[i].from, 1);

		if (from->lines[0].item[0] != '\0')
			from->lines[0].amount_minor = 20;
		lines_take(into, from);
		assert_int_equal(into->line_count, 1);
		assert_int_equal(from->line_count, 0);
		if (into->lines[0].voided == cases[i].counts ||
		    into->lines[0].amount_minor != cases[i].amount ||
		    into->lines[0].void_ms != cases[i].void_ms)
			fail_msg("case %zu", i);
		visit_free(into);
		visit_free(from);
	}
}

static void
a_void_of_the_rest_holds_for_both_from_the_later_on(void **state)
{
	static const int64_t cases[][3] = { { 0, 5, 5 }, { 5, 0, 5 }, { 4, 5, 5 }, { 6, 5, 6 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct visit *into = visit_of(NULL, 0), *from = visit_of(NULL, 0);

		into->rest_at_ms = cases[i][0];
		from->rest_at_ms = cases[i][1];
		lines_take(into, from);
		assert_int_equal(into->rest_at_ms, cases[i][2]);
		visit_free(into);
		visit_free(from);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_version_counts_if_no_void_came_after_it),
		cmocka_unit_test(a_void_takes_out_what_is_not_newer),
		cmocka_unit_test(a_void_of_the_rest_holds_for_a_line_that_is_not_known_yet),
		cmocka_unit_test(
		    the_newest_line_of_the_article_is_meant_one_of_its_quantity_before_others),
		cmocka_unit_test(of_two_baskets_lines_the_newer_version_and_the_newer_void_remain),
		cmocka_unit_test(a_void_of_the_rest_holds_for_both_from_the_later_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
