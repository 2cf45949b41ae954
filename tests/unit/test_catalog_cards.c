/* SPDX-License-Identifier: Apache-2.0
 *
 * test_catalog_cards.c - what the catalog in force means for cards: the image of an article, and actions about nothing but
 * marked articles.
 */
#include "nouns/catalog.h"
#include "spine_story.h"

#define COFFEE_GTIN "4006381333931"

static void
release(const void *bytes, size_t len)
{
	(void)len;
	free((void *)(uintptr_t)bytes);
}

static const uint8_t red[32] = { 0x1f, 0x0e };
#define RED_PATH "/v1/images/1f0e000000000000000000000000000000000000000000000000000000000000"

/* Coffee, schnapps (marked in Germany) and matches (of a marked category), each with an image; tea has none; stamps are marked
 * everywhere in the first catalog, and not in the second. */
static void
a_catalog(const char *country, bool first)
{
	static const char *const coffee[] = { COFFEE_GTIN };
	static const struct catalog_mark marks[] = { { MARK_NO_PROMOTION, "DE" } },
					 everywhere[] = { { MARK_NO_PROMOTION, "" } };
	const struct catalog_row rows[] = {
		{ .sku = "C-1", .gtins = coffee, .gtin_count = 1, .picture = red },
		{ .sku = "S-1", .picture = red, .marks = marks, .mark_count = 1 },
		{ .sku = "M-1", .picture = red, .category = "tobacco/matches" },
		{ .sku = "T-1" },
		{ .sku = "P-1", .marks = everywhere, .mark_count = first ? 1 : 0 },
	};
	struct catalog_is is = { .name = "range", .version = 1 };
	struct catalog_clash clash;
	struct buf bytes = { 0 };
	struct catalog *catalog;
	struct err err = { 0 };
	size_t len;

	memset(is.hash, 'a', 64);
	assert_int_equal(catalog_pack(rows, ARRAY_LEN(rows), &bytes, &clash, &err), 0);
	len = bytes.len;
	assert_int_equal(catalog_open(buf_steal(&bytes), len, country, release, &catalog, &err), 0);
	catalog_name(catalog, &is);
	assert_int_equal(engine_set_catalog(engine, catalog, false, &err), 0);
}

/* ---- images ---- */

/* "say:PATH see:- " of what is on the screen. */
static const char *
images(void)
{
	const json_t *prompt;
	struct buf says = { 0 };
	const char *copy;
	size_t i;

	buf_adds(&says, "");
	json_array_foreach(json_object_get(screen, "prompts"), i, prompt)
		buf_addf(&says, "%s:%s ", text_of(prompt, "action"), text_of(prompt, "image"));
	copy = arena_strdup(texts, says.data);
	buf_done(&says);
	return copy;
}

#define SHOWS(item) \
	"'treatments':[{'treatment':'t','language':'en','headline':'H','image':{'item':'" item \
	"'}}]"

static void
cards_of_articles(void)
{
	a_policy("{'placements':{'tablet':{'slots':6}}}");
	an_action("coffee", "{'group':'1'," SHOWS("4006381333931") "}");
	an_action("matches", "{'group':'2'," SHOWS("M-1") "}");
	an_action("recall", "{'group':'3','kind':'alert','mandatory':true," SHOWS("S-1") "}");
	an_action("schnapps", "{'group':'4'," SHOWS("S-1") "}");
	an_action("tea", "{'group':'5'," SHOWS("T-1") "}");
	an_action("unknown", "{'group':'6'," SHOWS("X") "}");
	in_force();
	open_basket("b");
}

static void
a_card_names_the_image_of_an_article_that_may_be_shown(void **state)
{
	(void)state;
	cards_of_articles();
	a_catalog("DE", true);
	scan("b", "c", 100);
	assert_string_equal(images(),
	    "recall:" RED_PATH " coffee:" RED_PATH " matches: schnapps: tea: unknown: ");
}

static void
a_mark_of_another_country_leaves_the_image(void **state)
{
	(void)state;
	cards_of_articles();
	a_catalog("FR", true);
	scan("b", "c", 100);
	assert_string_equal(images(),
	    "recall:" RED_PATH " coffee:" RED_PATH " matches: schnapps:" RED_PATH
	    " tea: unknown: ");
}

static void
without_a_catalog_the_card_is_shown_without(void **state)
{
	(void)state;
	cards_of_articles();
	scan("b", "c", 100);
	assert_string_equal(images(), "recall: coffee: matches: schnapps: tea: unknown: ");
}

/* ---- actions about marked articles ---- */

/* The fate of an action that is about these goods alone. */
static const char *
fate_of(const char *members, const char *country)
{
	memset(&parts, 0, sizeof(parts));
	only("o", arena_printf(texts, "{'personal':false,%s}", members));
	an_action("look", "{'group':'l'}");
	in_force();
	free(conf.country);
	conf.country = mem_strdup(country);
	a_catalog(country, true);
	now_ms += 1000;
	open_basket("b");
	scan("b", "c", 100);
	return fate_in_record("o");
}

#define ON(goods) OFFER_OF(",'include':" goods)
#define ADVICE(goods) "'kind':'recommend','outcome':{'is':'bought','item':" goods "}"

static void
what_is_about_marked_articles_alone_is_decided_for_nobody(void **state)
{
	(void)state;
	assert_string_equal(fate_of(ON("{'item':'C-1'}"), "DE"), "offered");
	assert_string_equal(fate_of(ON("{'item':'S-1'}"), "DE"), "eligibility");
	assert_non_null(strstr(record.data, "\"clause\":\"goods.marked\""));
	assert_string_equal(fate_of(ON("{'item':'S-1'}"), "FR"), "offered");
	assert_string_equal(fate_of(ON("{'item':'M-1'}"), "FR"), "eligibility");
	assert_string_equal(fate_of(ON("[{'item':'S-1'},{'item':'P-1'}]"), "DE"), "eligibility");
	assert_string_equal(fate_of(ON("[{'item':'S-1'},{'item':'C-1'}]"), "DE"), "offered");
	assert_string_equal(fate_of(ON("{'item':'unknown'}"), "DE"), "offered");
	/* The product's own list, of a country that has it and of one that has not. */
	assert_string_equal(fate_of(ON("{'category':'drinks/wine'}"), "FR"), "eligibility");
	assert_string_equal(fate_of(ON("{'category':'drinks/wine'}"), "DE"), "offered");
	assert_string_equal(fate_of(ON("{'category':'drinks'}"), "DE"), "offered");
	/* Of what there is to buy as well as of what is offered. */
	assert_string_equal(fate_of(ADVICE("{'item':'P-1'}"), "DE"), "eligibility");
	assert_string_equal(fate_of(ADVICE("{'item':'C-1'}"), "DE"), "offered");
}

static void
another_catalog_or_none_lets_it_through_again(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_string_equal(fate_of(ON("{'item':'P-1'}"), "DE"), "eligibility");
	a_catalog("DE", false);
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("o"), "offered");
	assert_string_equal(fate_of(ON("{'item':'P-1'}"), "DE"), "eligibility");
	assert_int_equal(engine_set_catalog(engine, NULL, false, &err), 0);
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("o"), "offered");
}

static void
a_recall_is_never_barred(void **state)
{
	(void)state;
	assert_string_equal(fate_of("'mandatory':true," ADVICE("{'item':'P-1'}"), "DE"), "offered");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_card_names_the_image_of_an_article_that_may_be_shown),
		SPINE_TEST(a_mark_of_another_country_leaves_the_image),
		SPINE_TEST(without_a_catalog_the_card_is_shown_without),
		SPINE_TEST(what_is_about_marked_articles_alone_is_decided_for_nobody),
		SPINE_TEST(another_catalog_or_none_lets_it_through_again),
		SPINE_TEST(a_recall_is_never_barred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
