/* SPDX-License-Identifier: Apache-2.0
 *
 * test_contributions.c - what each input did to the scores of a decision on record, asked for later.
 */
#include "spine_bundle.h"

/* m: of the basket's total, the till's own x, the depth, what the offer is worth and another model. */
static void
a_model(const char *version)
{
	a_policy(arena_printf(texts, "{'version':%s}", version));
	parts.part[2] = parts.part[--parts.count];
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'total','type':'number','from':'basket.total()'},"
		   "{'name':'word','type':'string','from':'event.word'},{'name':'x','type':'number'"
		   ",'from':'event.x'},"
		   "{'name':'deep','type':'number','from':'action.depth'},{'name':'worthy','type':'"
		   "number','from':'action.worth'},"
		   "{'name':'group','type':'string','from':'action.group'},"
		   "{'name':'other','type':'number','from':'model.n'}]}"));
	add_part(texts, &parts, "models/models.json",
	    quoted("{'models':[{'model':'m','file':'m.json','target':'redeemed','window_days':0,'"
		   "population':'shown',"
		   "'exam':'m.csv'},{'model':'n','file':'n.json','exam':'n.csv'}]}"));
	add_part(texts, &parts, "models/m.json",
	    quoted("{'format':'aisle-linear','link':'logit','bias':0.5,'weights':{'total':-0."
		   "0078125,'word=tea':0.25,'x':0.125,"
		   "'deep':0.03125,'worthy':-0.0625,'group=g':0.75,'other':2}}"));
	add_part(texts, &parts, "models/m.csv",
	    "total,word,x,deep,worthy,group,other,margin\n0,,,0,0,,0,0.5\n");
	add_part(texts, &parts, "models/n.json",
	    quoted("{'format':'aisle-linear','link':'identity','bias':0.25,'weights':{'x':0.5}}"));
	add_part(texts, &parts, "models/n.csv", "x,margin\n1,0.75\n");
	an_action("o",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'propensity':{'model':'m'},'"
	    "margin':5000,"
	    "'offer':{'type':'amount','depth':40,'max':40,'apply':'till-code','until':'0d'}}");
	in_force();
}

static json_t *
asked(const char *id)
{
	struct buf out = { 0 };
	json_t *json;

	assert_int_equal(query_decision(engine, id, &out), 0);
	json = json_loadb(out.data, out.len, 0, NULL);
	buf_done(&out);
	assert_non_null(json);
	return json;
}

static const json_t *
part_of(const json_t *model, const char *feature)
{
	const json_t *part;
	size_t i;

	json_array_foreach(json_object_get(model, "parts"), i, part) {
		if (strcmp(text_of(part, "feature"), feature) == 0)
			return part;
	}
	return NULL;
}

static double
moved(const json_t *model, const char *feature)
{
	return json_number_value(json_object_get(part_of(model, feature), "part"));
}

static const char *
decide_once(void)
{
	char id[ID_TEXT_SIZE];

	open_basket("b");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':64,'currency':'EUR','"
	    "x':4,'word':'tea'}");
	assert_said("guidance 7: o");
	id_text(&visit_of("b")->cards[0].decision, id);
	return arena_strdup(texts, id);
}

static void
each_input_says_what_it_did_the_largest_first_and_they_add_up(void **state)
{
	double sum = 0, last = 1e9;
	const json_t *contributions, *model, *part;
	json_t *json;
	size_t i;

	(void)state;
	a_model("1");
	json = asked(decide_once());
	contributions = json_object_get(json, "contributions");
	assert_true(json_is_true(json_object_get(contributions, "same")));
	assert_string_equal(text_of(json_object_get(contributions, "policy"), "name"), "t");
	assert_int_equal(json_array_size(json_object_get(contributions, "models")), 1);
	model = json_array_get(json_object_get(contributions, "models"), 0);
	assert_string_equal(text_of(model, "action"), "o");
	assert_string_equal(text_of(model, "model"), "m");
	assert_true(json_is_true(json_object_get(model, "exact")));
	assert_true(moved(model, "total") == -0.5);
	assert_true(moved(model, "word") == 0.25);
	assert_true(moved(model, "x") == 0.5);
	assert_true(moved(model, "deep") == 1.25);
	assert_true(moved(model, "worthy") == -2.5);
	assert_true(moved(model, "group") == 0.75);
	assert_true(moved(model, "other") == 4.5);
	assert_string_equal(text_of(part_of(model, "word"), "value"), "tea");
	assert_true(json_number_value(json_object_get(part_of(model, "worthy"), "value")) == 40);
	json_array_foreach(json_object_get(model, "parts"), i, part) {
		double size = json_number_value(json_object_get(part, "part"));

		sum += size;
		size = size < 0 ? -size : size;
		assert_true(size <= last);
		last = size;
	}
	assert_true(json_number_value(json_object_get(model, "base")) == 0.5);
	assert_true(json_number_value(json_object_get(model, "margin")) == 0.5 + sum);
	json_decref(json);
}

/* n hangs on the candidate, as the model that asks it does; "gap" is missing, and has a stand-in. */
static void
what_hangs_on_the_candidate_is_worked_out_again(void **state)
{
	const json_t *model;
	json_t *json;

	(void)state;
	a_policy("{}");
	parts.part[2] = parts.part[--parts.count];
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'flag','type':'bool','from':'event.flag'},"
		   "{'name':'gap','type':'number','from':'event.gap'},"
		   "{'name':'deep','type':'number','from':'action.depth'},"
		   "{'name':'worthy','type':'number','from':'action.worth'},"
		   "{'name':'lines','type':'number','from':'action.line_margin'},"
		   "{'name':'issue','type':'string','from':'action.issue'},"
		   "{'name':'fallback','type':'number','from':'model.none','default':0.25},"
		   "{'name':'inner','type':'number','from':'model.n'}]}"));
	add_part(texts, &parts, "models/models.json",
	    quoted("{'models':[{'model':'m','file':'m.json','target':'redeemed','window_days':0,'"
		   "population':'shown','exam':'m.csv'},{'model':'n','file':'n.json','exam':'n."
		   "csv'},{'model':'none','file':'none.json','exam':'none.csv'}]}"));
	add_part(texts, &parts, "models/m.json",
	    quoted("{'format':'aisle-linear','link':'logit','bias':0.5,'weights':{'flag':0.0625,'"
		   "gap':0.25,'deep':0.03125,'worthy':-0.0625,'lines':0.0078125,'issue=i':0.75,'"
		   "fallback':1,'inner':2},'missing':{'gap':3}}"));
	add_part(texts, &parts, "models/m.csv",
	    "flag,gap,deep,worthy,lines,issue,fallback,inner,margin\n,,0,0,0,,0,0,1.25\n");
	add_part(texts, &parts, "models/n.json",
	    quoted("{'format':'aisle-linear','link':'identity','bias':0.25,'weights':{'deep':0.5}"
		   "}"));
	add_part(texts, &parts, "models/n.csv", "deep,margin\n1,0.75\n");
	add_part(texts, &parts, "models/none.json",
	    quoted("{'format':'aisle-linear','link':'identity','bias':0,'weights':{'deep':1e308,'"
		   "worthy':1e308}}"));
	add_part(texts, &parts, "models/none.csv", "deep,worthy,margin\n0,0,0\n");
	an_action("o",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'propensity':{'model':'m'},'"
	    "margin':5000,'offer':{'type':'amount','depth':40,'max':40,'apply':'till-code','until'"
	    ":'0d','funded':0.25,'funder':'f'}}");
	in_force();
	open_basket("b");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':64,'margin':16,'"
	    "currency':'EUR','flag':true}");
	assert_said("guidance 7: o");
	{
		char id[ID_TEXT_SIZE];

		id_text(&visit_of("b")->cards[0].decision, id);
		json = asked(id);
	}
	model =
	    json_array_get(json_object_get(json_object_get(json, "contributions"), "models"), 0);
	assert_true(json_is_true(json_object_get(model, "exact")));
	assert_true(moved(model, "flag") == 0.0625);
	assert_true(json_is_true(json_object_get(part_of(model, "flag"), "value")));
	assert_null(part_of(model, "gap")); /* what is missing moves nothing */
	assert_true(moved(model, "deep") == 1.25);
	assert_true(moved(model, "worthy") == -2.5);
	assert_true(moved(model, "lines") == 0.125);
	assert_string_equal(text_of(part_of(model, "issue"), "value"), "i");
	assert_true(moved(model, "fallback") == 0.25);
	assert_true(moved(model, "inner") == 40.5);
	json_decref(json);
}

static void
under_another_policy_it_says_that_it_is_another(void **state)
{
	const char *id;
	json_t *json;

	(void)state;
	a_model("1");
	id = decide_once();
	memset(&parts, 0, sizeof(parts));
	a_model("2");
	json = asked(id);
	assert_true(json_is_false(json_object_get(json_object_get(json, "contributions"), "same")));
	json_decref(json);
	memset(&parts, 0, sizeof(parts));
	only("k", "{}"); /* knows no such action, and no model */
	json = asked(id);
	assert_null(json_object_get(json, "contributions"));
	json_decref(json);
}

/* Each arm has a model of its own. */
static void
of_a_decision_in_an_arm_the_arms_own_model_speaks(void **state)
{
	const json_t *models;
	json_t *json;

	(void)state;
	a_model("1");
	add_part(texts, &parts, "experiments.json",
	    quoted("{'experiments':["
		   "{'experiment':'e1','unit':'store','salt':'" SALT "','share':1,'arms':{"
		   "'same':{'weight':1}},'guardrails':[]},"
		   "{'experiment':'e2','unit':'store','salt':'" SALT "','share':1,'arms':{"
		   "'other':{'weight':1,'patch':{'actions':{'o':{'propensity':{'model':'n'}}}}}},"
		   "'guardrails':[]}]}"));
	in_force_from_a_file();
	json = asked(decide_once());
	assert_true(json_is_true(json_object_get(json_object_get(json, "contributions"), "same")));
	models = json_object_get(json_object_get(json, "contributions"), "models");
	assert_int_equal(json_array_size(models), 1);
	assert_string_equal(text_of(json_array_get(models, 0), "model"), "n");
	json_decref(json);
	folder_gone();
}

static void
without_a_model_or_a_policy_there_is_nothing_to_say(void **state)
{
	char id[ID_TEXT_SIZE];
	json_t *json;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	id_text(&visit_of("b")->cards[0].decision, id);
	json = asked(id);
	assert_null(json_object_get(json, "contributions"));
	json_decref(json);
	engine_drop_policy(engine);
	json = asked(id);
	assert_null(json_object_get(json, "contributions"));
	json_decref(json);
}

/* So large that it leaves the doubles. */
static void
a_score_that_is_no_number_is_a_missing_factor(void **state)
{
	(void)state;
	a_policy("{}");
	add_part(texts, &parts, "models/models.json",
	    quoted("{'models':[{'model':'m','file':'m.json','target':'bought','window_days':0,'"
		   "population':'shown','exam':'m.csv'},"
		   "{'model':'n','file':'n.json','target':'bought','window_days':0,'population':'"
		   "shown','exam':'m.csv'}]}"));
	add_part(texts, &parts, "models/m.json",
	    quoted("{'format':'aisle-linear','link':'identity','bias':0,'weights':{'x':1e300}}"));
	add_part(texts, &parts, "models/n.json",
	    quoted("{'format':'aisle-linear','link':'identity','bias':0,'weights':{'x':1e300}}"));
	add_part(texts, &parts, "models/m.csv", "x,margin\n0,0\n");
	an_action("a",
	    "{'kind':'recommend','outcome':{'is':'bought','item':{'category':'z'}},'propensity':"
	    "null,'incremental':null,'uplift':{'treated':'m','control':'n'}}");
	in_force();
	open_basket("b");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':64,'currency':'EUR','"
	    "x':1e300}");
	assert_string_equal(fate_in_record("a"), "missing");
	assert_said("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(each_input_says_what_it_did_the_largest_first_and_they_add_up),
		SPINE_TEST(what_hangs_on_the_candidate_is_worked_out_again),
		SPINE_TEST(of_a_decision_in_an_arm_the_arms_own_model_speaks),
		SPINE_TEST(under_another_policy_it_says_that_it_is_another),
		SPINE_TEST(a_score_that_is_no_number_is_a_missing_factor),
		SPINE_TEST(without_a_model_or_a_policy_there_is_nothing_to_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
