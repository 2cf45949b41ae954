/* SPDX-License-Identifier: Apache-2.0
 *
 * test_engine_catalog.c - what a till does not say of an article is looked up when its line is taken.
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

/* Coffee, schnapps (sensitive in Germany, else not to be promoted), a shop's own stamps, and what has
 * nothing but a name. */
static void
catalog_of(const char *version, const char *category, bool persist)
{
	static const char *const coffee[] = { COFFEE_GTIN }, *const apples[] = { "2012345002005" };
	static const struct catalog_mark schnapps[] = { { MARK_SENSITIVE, "DE" },
		{ MARK_NO_PROMOTION, "" } },
					 stamps[] = { { MARK_NO_PROMOTION, "" } };
	const struct catalog_row rows[] = {
		{ .sku = "C-1",
		    .gtins = coffee,
		    .gtin_count = 1,
		    .category = category,
		    .brand = "acme",
		    .name = "Coffee",
		    .margin_kind = CATALOG_MARGIN_SHARE,
		    .margin = 25000 },
		{ .sku = "S-1", .category = "drinks/clear", .marks = schnapps, .mark_count = 2 },
		{ .sku = "T-1",
		    .category = "services/stamps",
		    .marks = stamps,
		    .mark_count = 1,
		    .margin_kind = CATALOG_MARGIN_PIECE,
		    .margin = 5 },
		{ .sku = "N-1", .name = "Nothing" },
		{ .gtins = apples, .gtin_count = 1, .category = "produce/apples" },
	};
	struct catalog_is is = { .name = "range", .version = 1 };
	struct catalog_clash clash;
	struct buf bytes = { 0 };
	struct catalog *catalog;
	struct err err = { 0 };
	size_t len;
	char *kept;

	memset(is.hash, version[0], 64);
	assert_int_equal(catalog_pack(rows, ARRAY_LEN(rows), &bytes, &clash, &err), 0);
	len = bytes.len;
	kept = buf_steal(&bytes);
	assert_int_equal(catalog_open(kept, len, conf.country, release, &catalog, &err), 0);
	catalog_name(catalog, &is);
	assert_int_equal(engine_set_catalog(engine, catalog, persist, &err), 0);
}

static void
in_country(const char *country)
{
	free(conf.country);
	conf.country = mem_strdup(country);
	catalog_of("a", "grocery/coffee", false);
}

static void
scan_article(int number, const char *article, const char *more)
{
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':%d,%s,'qty':1,'amount':400,'currency':'EUR'%s}", number, article,
	    more);
}

static const struct line *
line_at(int number)
{
	struct visit *visit = sessions_by_basket(engine->sessions, "b");
	struct line *found;

	assert_non_null(visit);
	found = visit_line(visit, number);
	assert_non_null(found);
	return found;
}

static void
assert_line(int number, const char *category, const char *brand, const char *name, int margin)
{
	const struct line *found = line_at(number);

	assert_string_equal(found->category, category);
	assert_string_equal(found->brand != NULL ? found->brand : "-", brand);
	assert_string_equal(found->name != NULL ? found->name : "-", name);
	assert_int_equal(found->has_margin ? found->margin_minor : -1, margin);
}

/* ---- what is filled in ---- */

static void
a_till_that_sends_a_sku_alone_is_told_the_rest(void **state)
{
	(void)state;
	catalog_of("a", "grocery/coffee", false);
	open_basket("b");
	scan_article(1, "'sku':'C-1'", "");
	assert_said("");
	assert_line(1, "grocery/coffee", "acme", "Coffee", 100);
	scan_article(2, "'gtin':'04006381333931'", "");
	assert_line(2, "grocery/coffee", "acme", "Coffee", 100);
	scan_article(3, "'gtin':'https://id.gs1.org/01/04006381333931/10/L7'", "");
	assert_line(3, "grocery/coffee", "acme", "Coffee", 100);
	/* A GTIN that the catalog has not, beside a sku that it has. */
	scan_article(4, "'gtin':'036000291452','sku':'C-1'", "");
	assert_line(4, "grocery/coffee", "acme", "Coffee", 100);
	/* A code of the shop's own is named by the sku beside it; the catalog has the code. */
	scan_article(5, "'gtin':'2012345002005','sku':'apples'", "");
	assert_line(5, "produce/apples", "-", "-", -1);
	scan_article(7, "'sku':'T-1'", "");
	assert_line(7, "services/stamps", "-", "-", 5);
}

static void
what_the_till_says_wins_but_for_a_category_that_says_nothing(void **state)
{
	(void)state;
	catalog_of("a", "grocery/coffee", false);
	open_basket("b");
	scan_article(1, "'sku':'C-1'", ",'category':'tea','brand':'own','name':'Tea','margin':7");
	assert_line(1, "tea", "own", "Tea", 7);
	scan_article(2, "'sku':'C-1'", ",'category':'Unknown'");
	assert_line(2, "grocery/coffee", "acme", "Coffee", 100);
	scan_article(3, "'sku':'C-1'", ",'category':''");
	assert_line(3, "grocery/coffee", "acme", "Coffee", 100);
	/* Nothing better is known. */
	scan_article(4, "'sku':'N-1'", ",'category':'unknown'");
	assert_line(4, "unknown", "-", "Nothing", -1);
	scan_article(5, "'sku':'C-1'", ",'category':null");
	assert_line(5, "grocery/coffee", "acme", "Coffee", 100);
}

static void
an_article_that_it_has_not_is_a_line_all_the_same(void **state)
{
	(void)state;
	catalog_of("a", "grocery/coffee", false);
	open_basket("b");
	scan_article(1, "'sku':'X'", "");
	assert_said("");
	assert_line(1, "", "-", "-", -1);
	scan_article(2, "'sku':'N-1'", "");
	assert_line(2, "", "-", "Nothing", -1);
	scan_article(3, "'sku':'C-1'", ",'category':7");
	assert_said("dead bad-shape");
}

static void
without_a_catalog_a_category_is_needed_as_ever(void **state)
{
	struct err err = { 0 };

	(void)state;
	open_basket("b");
	scan_article(1, "'sku':'C-1'", "");
	assert_said("dead bad-shape");
	assert_non_null(strstr(why_dead, "/data/category"));
	catalog_of("a", "grocery/coffee", false);
	assert_int_equal(engine_set_catalog(engine, NULL, false, &err), 0);
	scan_article(2, "'sku':'C-1'", ",'category':''");
	assert_said("dead bad-value");
}

static void
the_margin_is_of_the_whole_line_after_its_discounts(void **state)
{
	(void)state;
	catalog_of("a", "grocery/coffee", false);
	open_basket("b");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'C-1','qty':2,'amount':720,'currency':'EUR',"
	    "'discounts':[{'ref':'happy','amount':80}]}");
	assert_line(1, "grocery/coffee", "acme", "Coffee", 120);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':2,'sku':'T-1','qty':3,'amount':255,'currency':'EUR'}");
	assert_line(2, "services/stamps", "-", "-", 15);
}

/* ---- when ---- */

static void
a_catalog_of_later_changes_no_line_that_was_taken(void **state)
{
	(void)state;
	catalog_of("a", "grocery/coffee", false);
	open_basket("b");
	scan_article(1, "'sku':'C-1'", "");
	scan_article(2, "'sku':'C-1'", "");
	catalog_of("b", "hot/drinks", false);
	assert_line(1, "grocery/coffee", "acme", "Coffee", 100);
	now_ms += 1000;
	/* A newer version of the line is taken now. */
	scan_article(2, "'sku':'C-1'", "");
	scan_article(3, "'sku':'C-1'", "");
	assert_line(1, "grocery/coffee", "acme", "Coffee", 100);
	assert_line(2, "hot/drinks", "acme", "Coffee", 100);
	assert_line(3, "hot/drinks", "acme", "Coffee", 100);
}

static const char *
meta(const char *name)
{
	static char text[80];
	struct buf value = { 0 };

	text[0] = '\0';
	if (store_meta_get(engine_store(engine), name, &value) == 0)
		snprintf(text, sizeof(text), "%.*s", (int)value.len, value.data);
	buf_done(&value);
	return text;
}

static void
the_state_names_the_one_in_force_and_the_last_good_one(void **state)
{
	(void)state;
	catalog_of("a", "x", false);
	assert_string_equal(meta("catalog"), "");
	catalog_of("b", "x", true);
	assert_int_equal(strspn(meta("catalog"), "b"), 64);
	assert_int_equal(strspn(meta("catalog_last_good"), "a"), 64);
	/* Once more is no way back from itself. */
	catalog_of("b", "x", true);
	assert_int_equal(strspn(meta("catalog_last_good"), "a"), 64);
	catalog_of("c", "x", true);
	assert_int_equal(strspn(meta("catalog_last_good"), "b"), 64);
}

static void
a_line_keeps_what_was_found_over_a_restart(void **state)
{
	(void)state;
	catalog_of("a", "grocery/coffee", true);
	open_basket("b");
	scan_article(1, "'sku':'C-1'", "");
	scan_article(2, "'sku':'S-1'", "");
	restart();
	assert_null(engine_catalog(engine));
	assert_line(1, "grocery/coffee", "acme", "Coffee", 100);
	assert_int_equal(line_at(2)->mark, MARK_SENSITIVE);
}

/* ---- marks ---- */

static void
spending(void)
{
	a_policy("{}");
	an_action("look",
	    "{'on':['aisle.basket.item-added','aisle.basket.closed'],"
	    "'applicable':{'and':[{'>=':[{'var':['total',-1]},0]},"
	    "{'>=':[{'var':['spent',-1]},-1]},{'==':[{'var':['x',1]},1]}]}}");
	in_force();
}

/* A feature of the last decision. */
static int
feature(const char *name)
{
	struct err err = { 0 };
	json_t *json = json_read(record.data, strlen(record.data), "record", &err);
	const json_t *value = json_object_get(json_object_get(json, "features"), name);
	int number = json_is_number(value) ? (int)json_number_value(value) : -1;

	json_decref(json);
	return number;
}

static void
an_article_is_marked_by_country_and_is_no_part_of_a_sum(void **state)
{
	(void)state;
	spending();
	in_country("FR");
	open_basket("b");
	scan_article(1, "'sku':'C-1'", "");
	assert_int_equal(feature("total"), 400);
	scan_article(2, "'sku':'S-1'", "");
	assert_int_equal(line_at(2)->mark, MARK_NO_PROMOTION);
	assert_int_equal(feature("total"), 400);
	in_country("DE");
	scan_article(3, "'sku':'S-1'", "");
	assert_int_equal(line_at(3)->mark, MARK_SENSITIVE);
	/* Taken when it was another country's. */
	assert_int_equal(line_at(2)->mark, MARK_NO_PROMOTION);
	assert_int_equal(feature("total"), 400);
}

/* Marks only add: what the till calls it does not take one away, nor does a catalog that has none. */
static void
a_mark_is_never_taken_away(void **state)
{
	(void)state;
	spending();
	catalog_of("a", "grocery/coffee", false);
	open_basket("b");
	scan_article(1, "'sku':'S-1'", ",'category':'grocery/water'");
	assert_line(1, "grocery/water", "-", "-", -1);
	assert_int_equal(feature("total"), 0);
	scan_article(2, "'sku':'C-1'", ",'category':'grocery/tobacco'");
	assert_int_equal(feature("total"), 0);
	scan_article(3, "'sku':'C-1'", "");
	assert_int_equal(feature("total"), 400);
}

static void
what_an_event_says_of_a_marked_article_no_rule_reads(void **state)
{
	(void)state;
	a_policy("{}");
	parts.count--;
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'of','type':'string','from':'event.category'},"
		   "{'name':'m','type':'number','from':'event.margin'},"
		   "{'name':'tier','type':'string','from':'profile.tier'}]}"));
	an_action("say",
	    "{'applicable':{'and':[{'==':[{'var':'of'},'grocery/coffee']},"
	    "{'==':[{'var':'m'},100]}]}}");
	an_action("tell", "{'applicable':{'==':[{'var':'of'},'drinks/clear']}}");
	in_force();
	catalog_of("a", "grocery/coffee", false);
	open_basket("b");
	scan_article(1, "'sku':'S-1'", "");
	assert_said("");
	scan_article(2, "'sku':'C-1'", "");
	assert_said("guidance 7: say");
}

static void
history_has_no_sensitive_article_and_sums_none_that_may_not_be_promoted(void **state)
{
	const struct subject *anna;
	struct id id;

	(void)state;
	spending();
	in_country("DE");
	grant(ANNA, "personalise");
	grant(ANNA, "profile");
	open_basket("b");
	identify(ANNA);
	scan_article(1, "'sku':'C-1'", "");
	scan_article(2, "'sku':'S-1'", "");
	scan_article(3, "'sku':'T-1'", "");
	close_basket("b", 1200);
	assert_true(subject_parse(ANNA, &id));
	anna = engine_person(engine, &id);
	assert_int_equal(anna->purchase_count, 1);
	assert_int_equal(anna->purchases[0].line_count, 2);
	assert_int_equal(anna->purchases[0].total_minor, 800);
	assert_int_equal(anna->purchases[0].lines[0].mark, MARK_NONE);
	assert_int_equal(anna->purchases[0].lines[1].mark, MARK_NO_PROMOTION);
	/* As the row on disk has it. */
	restart();
	in_country("DE");
	anna = engine_person(engine, &id);
	assert_int_equal(anna->purchases[0].lines[1].mark, MARK_NO_PROMOTION);
	now_ms += 60000;
	open_basket("c");
	identify(ANNA);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'c','line':1,'sku':'x','category':'y','qty':1,'amount':10,'currency':'EUR'"
	    "}");
	assert_int_equal(feature("spent"), 400);
}

static void
no_offer_is_of_a_marked_article(void **state)
{
	(void)state;
	only("off", "{'personal':false," OFFER_OF(",'min_basket':1") "}");
	in_country("DE");
	open_basket("b");
	scan_article(1, "'sku':'S-1'", "");
	scan_article(2, "'sku':'T-1'", "");
	assert_said("");
	scan_article(3, "'sku':'C-1'", "");
	assert_said("guidance 7: off");
}

static const char *
command(void)
{
	for (size_t i = 0; i < engine->output_count; i++) {
		if (engine->outputs[i].kind == OUTPUT_COMMAND)
			return engine->outputs[i].payload;
	}
	return "";
}

static void
the_till_is_told_which_articles_of_the_basket_an_offer_may_not_touch(void **state)
{
	(void)state;
	only("off", "{'personal':false," OFFER_OF(",'min_basket':1") "}");
	in_country("FR");
	open_basket("b");
	scan_article(1, "'sku':'S-1'", "");
	scan_article(2, "'sku':'S-1'", "");
	scan_article(3, "'sku':'C-1'", "");
	assert_said("guidance 7: off");
	(void)answer_with("off", "{'decision':'accept'}", NULL);
	assert_non_null(strstr(command(), "{\"item\":\"S-1\"}"));
	assert_null(strstr(strstr(command(), "{\"item\":\"S-1\"}") + 1, "{\"item\":"));
}

static void
a_return_of_a_sensitive_article_is_told_to_nobody(void **state)
{
	const struct subject *anna;
	struct id id;

	(void)state;
	in_country("DE");
	grant(ANNA, "personalise");
	grant(ANNA, "profile");
	assert_true(subject_parse(ANNA, &id));
	tell("pos/7/event", "return.completed",
	    "{'return':'r1','subject':'" ANNA "','items':[{'sku':'S-1','qty':1,'amount':400}],"
	    "'total':400,'currency':'EUR'}");
	assert_said("");
	anna = engine_person(engine, &id);
	assert_int_equal(anna->incident_count, 0);
	tell("pos/7/event", "return.completed",
	    "{'return':'r2','subject':'" ANNA "','items':[{'sku':'C-1','qty':1,'amount':400}],"
	    "'total':400,'currency':'EUR'}");
	assert_int_equal(engine_person(engine, &id)->incident_count, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_ON_DISK(name) cmocka_unit_test_setup_teardown(name, set_up_on_disk, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_till_that_sends_a_sku_alone_is_told_the_rest),
		TEST(what_the_till_says_wins_but_for_a_category_that_says_nothing),
		TEST(an_article_that_it_has_not_is_a_line_all_the_same),
		TEST(without_a_catalog_a_category_is_needed_as_ever),
		TEST(the_margin_is_of_the_whole_line_after_its_discounts),
		TEST(a_catalog_of_later_changes_no_line_that_was_taken),
		TEST_ON_DISK(the_state_names_the_one_in_force_and_the_last_good_one),
		TEST_ON_DISK(a_line_keeps_what_was_found_over_a_restart),
		TEST(an_article_is_marked_by_country_and_is_no_part_of_a_sum),
		TEST(a_mark_is_never_taken_away),
		TEST(what_an_event_says_of_a_marked_article_no_rule_reads),
		TEST_ON_DISK(
		    history_has_no_sensitive_article_and_sums_none_that_may_not_be_promoted),
		TEST(no_offer_is_of_a_marked_article),
		TEST(the_till_is_told_which_articles_of_the_basket_an_offer_may_not_touch),
		TEST(a_return_of_a_sensitive_article_is_told_to_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
