/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_lint.c - a good policy made senseless in one place at a time: each is said, at its place; the policy as
 * it was, and its neighbours that make sense, get no word.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/when.h"
#include "policy_fixture.h"

/* clang-format off */
static const struct fixture_part sound_parts[] = {
	{ "policy.json",
	    "{\"name\":\"sound\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\",\"de\"],\n"
	    " \"salts\":{\"id\":\"" SALT_A "\",\"control\":\"" SALT_B "\",\n"
	    "  \"explore\":\"99887766554433221100ffeeddccbbaa99887766554433221100ffeeddccbbaa\"},\n"
	    " \"placements\":{\"tablet\":{\"slots\":2},\"receipt\":{\"slots\":1}},\n"
	    " \"explore\":\"greedy\",\"interrupt\":3,\"control\":{\"share\":0.05},\n"
	    " \"levers\":{\"group:coffee\":1.5},\"care\":{\"severity\":2,\"only\":[\"inform\"]},\n"
	    " \"sensitive\":[\"category=beer\"],\"forbidden_words\":{\"en\":[\"cheap\"]}}\n" },
	{ "features.json",
	    "{\"features\":[\n"
	    " {\"name\":\"tier\",\"type\":\"string\",\"from\":\"profile.tier\",\"default\":\"none\"},\n"
	    " {\"name\":\"points\",\"type\":\"number\",\"from\":\"profile.points\"},\n"
	    " {\"name\":\"club\",\"type\":\"bool\",\"from\":\"profile.club\"},\n"
	    " {\"name\":\"known\",\"type\":\"bool\",\"from\":\"visit.known\"},\n"
	    " {\"name\":\"lines\",\"type\":\"number\",\"from\":\"basket.count()\"},\n"
	    " {\"name\":\"visits\",\"type\":\"number\",\"from\":\"local.visits()\"},\n"
	    " {\"name\":\"hour\",\"type\":\"number\",\"from\":\"time.hour\"}]}\n" },
	{ "actions/coffee.json",
	    "{\"action\":\"coffee\",\"kind\":\"offer\",\"issue\":\"grow\",\"group\":\"coffee\",\n"
	    " \"on\":[\"aisle.customer.identified\",\"aisle.basket.item-added\"],\n"
	    " \"valid\":{\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2027-01-01T00:00:00Z\",\"days\":[\"mon\",\"sat\"]},\n"
	    " \"eligible\":{\"in\":[{\"var\":\"tier\"},[\"gold\",\"silver\"]]},\n"
	    " \"applicable\":{\">\":[{\"var\":\"points\"},5]},\n"
	    " \"propensity\":0.4,\"incremental\":0.9,\"context\":1,\"lever\":1,\"margin\":300,\n"
	    " \"outcome\":{\"is\":\"redeemed\",\"within\":\"0d\"},\n"
	    " \"offer\":{\"type\":\"amount\",\"depth\":50,\"max\":50,\"min_worth\":10,\"funded\":0.5,\"funder\":\"acme\",\n"
	    "  \"include\":{\"category\":\"grocery/coffee\"},\"exclude\":{\"brand\":\"house\"}},\n"
	    " \"placements\":[\"tablet\",\"receipt\"],\"gate\":\"associate\",\"expires\":\"120s\",\n"
	    " \"caps\":[{\"per\":\"customer\",\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}],\n"
	    " \"budget\":{\"money\":20000,\"units\":9,\"per\":\"store-day\"},\n"
	    " \"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"{{worth|money}} off\",\"origin\":\"human\",\"approved_by\":\"me\"},\n"
	    "  {\"treatment\":\"short\",\"language\":\"en\",\"headline\":\"Less\"},\n"
	    "  {\"treatment\":\"plain\",\"language\":\"de\",\"headline\":\"Rabatt\"}]}\n" },
	{ "actions/hello.json",
	    "{\"action\":\"hello\",\"kind\":\"inform\",\"issue\":\"info\",\"group\":\"hello\",\"personal\":false,\n"
	    " \"on\":[\"aisle.basket.opened\"],\n"
	    " \"propensity\":0.5,\"incremental\":1,\"margin\":100,\"outcome\":{\"is\":\"none\"},\n"
	    " \"placements\":[\"tablet\"],\"gate\":\"none\",\"expires\":\"60s\",\n"
	    " \"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Hello\"},\n"
	    "  {\"treatment\":\"plain\",\"language\":\"de\",\"headline\":\"Hallo\"}]}\n" },
	{ "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":3,\"within\":\"1d\",\"clock\":\"business-day\"},\n"
	    "  {\"per\":\"customer\",\"scope\":\"group:coffee\",\"outcome\":\"redeemed\",\"max\":9,\"within\":\"2d\"}],\n"
	    " \"suppress\":[{\"after\":{\"outcome\":\"dismissed\",\"count\":2,\"within\":\"30d\"},\"scope\":\"group\",\"for\":\"30d\"}]}\n" },
};

#define P "policy.json"
#define C "actions/coffee.json"
#define H "actions/hello.json"
#define K "contact.json"
#define GATE "\"applicable\":{\">\":[{\"var\":\"points\"},5]}"
#define IS(rule) "\"applicable\":" rule
#define V(name) "{\"var\":\"" name "\"}"

struct lint_row {
	const char *claim, *part, *from, *to;
	const char *at, *text; /* NULL: nothing is said */
};
#define NEVER "this never holds, so the action is dead"
#define AGAINST "this contradicts what stands before it, so the action is dead"
#define ALWAYS "this always holds, expected a test that can be false"
#define DEAD_PART "this alternative never holds"

static const struct lint_row rows[] = {
	/* clauses */
	{ "a gate of false is dead", C, GATE, IS("false"), "\"applicable\"", NEVER },
	{ "a gate of 0 is dead", C, GATE, IS("0"), "\"applicable\"", NEVER },
	{ "constants that are compared are dead", C, GATE, IS("{\">\":[1,2]}"), "\"applicable\"", NEVER },
	{ "constants that are compared always hold", C, GATE, IS("{\"<\":[1,2]}"), "\"applicable\"", ALWAYS },
	{ "above 5 and below 3 is dead", C, GATE, IS("{\"and\":[{\">\":[" V("points") ",5]},{\"<\":[" V("points") ",3]}]}"), "{\"<\"", AGAINST },
	{ "above 5 and below 6 is not", C, GATE, IS("{\"and\":[{\">\":[" V("points") ",5]},{\"<\":[" V("points") ",6]}]}"), NULL, NULL },
	{ "no whole number is above 5 and below 6", C, GATE, IS("{\"and\":[{\">\":[" V("lines") ",5]},{\"<\":[" V("lines") ",6]}]}"), "{\"<\"", AGAINST },
	{ "from 5 to 5 is one", C, GATE, IS("{\"and\":[{\">=\":[" V("points") ",5]},{\"<=\":[" V("points") ",5]}]}"), NULL, NULL },
	{ "from 5 to below 5 is dead", C, GATE, IS("{\"and\":[{\">=\":[" V("points") ",5]},{\"<\":[" V("points") ",5]}]}"), "{\"<\"", AGAINST },
	{ "the constant may stand first", C, GATE, IS("{\"and\":[{\"<\":[5," V("points") "]},{\">\":[3," V("points") "]}]}"), "{\">\":[3", AGAINST },
	{ "between is two tests", C, GATE, IS("{\"and\":[{\"<\":[1," V("points") ",5]},{\"==\":[" V("points") ",7]}]}"), "{\"==\"", AGAINST },
	{ "a value of between is none", C, GATE, IS("{\"and\":[{\"<\":[1," V("points") ",5]},{\"==\":[" V("points") ",4]}]}"), NULL, NULL },
	{ "gates contradict each other", C, GATE, IS("{\"==\":[" V("tier") ",\"bronze\"]}"), "\"applicable\"", AGAINST },
	{ "gates that agree do not", C, GATE, IS("{\"==\":[" V("tier") ",\"gold\"]}"), NULL, NULL },
	{ "what one gate leaves the other may not take", C, GATE, IS("{\"!\":{\"in\":[" V("tier") ",[\"silver\",\"gold\"]]}}"), "\"applicable\"", AGAINST },
	{ "two values at once are dead", C, GATE, IS("{\"and\":[{\"==\":[" V("points") ",1]},{\"===\":[" V("points") ",2]}]}"), "{\"===\"", AGAINST },
	{ "a value and not that value are dead", C, GATE, IS("{\"and\":[{\"!=\":[" V("points") ",1]},{\"==\":[" V("points") ",1]}]}"), "{\"==\"", AGAINST },
	{ "nothing is in an empty list", C, GATE, IS("{\"in\":[" V("tier") ",[]]}"), "\"applicable\"", NEVER },
	{ "true and not true is dead", C, GATE, IS("{\"and\":[" V("club") ",{\"!\":" V("club") "}]}"), "{\"!\"", AGAINST },
	{ "what is missing is no number", C, GATE, IS("{\"and\":[{\"==\":[" V("points") ",null]},{\">\":[" V("points") ",1]}]}"), "{\">\"", AGAINST },
	{ "so it is with the operator", C, GATE, IS("{\"and\":[{\"missing\":[\"points\"]},{\">\":[" V("points") ",1]}]}"), "{\">\"", AGAINST },
	{ "what has a default is never missing", C, GATE, IS("{\"==\":[" V("tier") ",null]}"), "\"applicable\"", NEVER },
	{ "what has none may be", C, GATE, IS("{\"==\":[" V("points") ",null]}"), NULL, NULL },
	{ "no hour is 24", C, GATE, IS("{\"==\":[" V("hour") ",24]}"), "\"applicable\"", NEVER },
	{ "an hour is 23", C, GATE, IS("{\"==\":[" V("hour") ",23]}"), NULL, NULL },
	{ "nobody has fewer visits than none", C, GATE, IS("{\"<\":[" V("visits") ",0]}"), "\"applicable\"", NEVER },
	{ "a basket has 0 lines or more", C, GATE, IS("{\">=\":[" V("lines") ",0]}"), "\"applicable\"", ALWAYS },
	{ "of a stranger's visits that says something", C, GATE, IS("{\">=\":[" V("visits") ",0]}"), NULL, NULL },
	{ "a part of an or may be dead", C, GATE, IS("{\"or\":[{\">\":[" V("points") ",1]},{\"<\":[" V("hour") ",0]}]}"), "{\"<\"", DEAD_PART },
	{ "an or is dead with all its parts", C, GATE, IS("{\"or\":[{\">\":[" V("hour") ",23]},{\"<\":[" V("hour") ",0]}]}"), "\"applicable\"", NEVER },
	{ "an or that all pass always holds", C, GATE, IS("{\"or\":[{\">\":[" V("hour") ",5]},{\"<\":[" V("hour") ",7]}]}"), "\"applicable\"", ALWAYS },
	{ "a personal action is for nobody unknown", C, GATE, IS("{\"!\":" V("known") "}"), "\"applicable\"", NEVER },
	{ "arithmetic is not guessed at", C, GATE, IS("{\">\":[{\"*\":[" V("points") ",0]},1]}"), NULL, NULL },
	/* value */
	{ "a chance of 0 is said", C, "\"propensity\":0.4", "\"propensity\":0", "\"propensity\"", "a chance of 0, so it is never chosen" },
	{ "a cost above what it brings is said", C, "\"margin\":300", "\"margin\":27", "\"margin\"", "the gain is at most -0.28" },
	{ "nothing that is due to it is said", C, "\"incremental\":0.9", "\"incremental\":0", "\"margin\"", "the gain is at most -10" },
	{ "a priority of interrupt is said", H, "\"margin\":100", "\"margin\":6", "\"margin\"", "the priority is at most 3, so it is never chosen, expected more than \"interrupt\", 3" },
	{ "one above is not", H, "\"margin\":100", "\"margin\":7", NULL, NULL },
	{ "a cost above what it brings says on what", C, "\"margin\":300", "\"margin\":27", "\"margin\"",
	    "the gain is at most -0.28 on what usually qualifies, so it is chosen only where it saves less, expected incremental * margin above 25" },
	{ "where there is no cost it is never", H, "\"margin\":100", "\"margin\":0", "\"margin\"",
	    "the gain is at most 0, so it is never chosen, expected incremental * margin above 0" },
	{ "as far as a manager may move a lever it counts", P, "\"group:coffee\":1.5", "\"group:coffee\":{\"value\":0.02,\"min\":0.01,\"max\":0.1}", NULL, NULL },
	{ "a lever counts in it", C, "\"margin\":300", "\"margin\":34", NULL, NULL },
	{ "a context of 0 is said", C, "\"context\":1", "\"context\":0", "\"context\"", "a context of 0, so it is never chosen" },
	{ "a lever of 0 is said", C, "\"lever\":1", "\"lever\":0", "\"lever\"", "a lever of 0, so it is never chosen" },
	{ "caps of a mandatory action are said", H, "\"personal\":false", "\"personal\":false,\"mandatory\":true,\"caps\":[{\"per\":\"customer\",\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}]", "\"caps\"", "caps of a mandatory action are never asked" },
	{ "waiting for a goal is said", H, "\"kind\":\"inform\",\"issue\":\"info\",\"group\":\"hello\",\"personal\":false,\n \"on\":[\"aisle.basket.opened\"],\n \"propensity\":0.5,\"incremental\":1,\"margin\":100,\"outcome\":{\"is\":\"none\"}",
	  "\"kind\":\"coach\",\"issue\":\"info\",\"group\":\"hello\",\"personal\":false,\n \"on\":[\"aisle.basket.opened\"],\n \"propensity\":0.5,\"incremental\":1,\"margin\":100,\"outcome\":{\"is\":\"goal\",\"within\":\"3d\"}", "\"within\"", "no event says that a goal was reached" },
	{ "what a mandatory action is never asked is said", H, "\"personal\":false", "\"personal\":false,\"mandatory\":true", "\"margin\"", "\"margin\" of a mandatory action is never asked" },
	/* offer */
	{ "an item without article is said", C, "\"include\":{\"category\":\"grocery/coffee\"}", "\"include\":{\"item\":\"4006381333930\"}", "\"item\"", "\"4006381333930\" has a wrong check digit, so no article has it" },
	{ "one with an article is not", C, "\"include\":{\"category\":\"grocery/coffee\"}", "\"include\":{\"item\":\"4006381333931\"}", NULL, NULL },
	{ "an exclude of all is said", C, "\"exclude\":{\"brand\":\"house\"}", "\"exclude\":{\"category\":\"grocery/coffee\"}", "\"exclude\"", "it takes away all that \"include\" names" },
	{ "less than min_worth is said", C, "\"min_worth\":10", "\"min_worth\":60,\"margin_floor\":-1000", "\"depth\"", "it saves less than \"min_worth\", 60" },
	{ "min_worth above max is said", C, "\"min_worth\":10", "\"min_worth\":60", "\"min_worth\"", "it is above \"max\", so nothing is ever worth it" },
	{ "a depth above max is said", C, "\"max\":50", "\"max\":40", "\"depth\"", "it saves no more than \"max\", 40" },
	{ "a ladder that no chance follows is said", C, "\"depth\":50", "\"ladder\":[20,50]", "\"ladder\"", "no chance depends on the depth" },
	{ "a ladder of one is said", C, "\"depth\":50", "\"ladder\":[50]", "\"ladder\"", "a ladder of one depth" },
	{ "tiers that give no more are said", C, "\"depth\":50", "\"depth\":50,\"tiers\":[{\"from\":1000,\"depth\":50}]", "{\"from\":1000", "a larger basket gets no more, expected a depth beyond 50" },
	{ "a funder who pays nothing is said", C, "\"funded\":0.5", "\"funded\":0", "\"funded\"", "\"funder\" pays nothing" },
	{ "slashes at the ends of a category are nothing", C, "\"include\":{\"category\":\"grocery/coffee\"},\"exclude\":{\"brand\":\"house\"}", "\"include\":{\"category\":\"/grocery/coffee/\"},\"exclude\":{\"category\":\"grocery/coffee\"}", "\"exclude\"", "it takes away all that \"include\" names" },
	/* when */
	{ "what has ended is said", C, "\"until\":\"2027-01-01T00:00:00Z\"", "\"until\":\"2026-06-01T00:00:00Z\"", "\"until\"", "it has ended, expected a time after 2026-06-01T00:00:00.000Z" },
	{ "what ends in a millisecond is not", C, "\"until\":\"2027-01-01T00:00:00Z\"", "\"until\":\"2026-06-01T00:00:00.001Z\"", NULL, NULL },
	{ "days that never come are said", C, "\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2027-01-01T00:00:00Z\"", "\"from\":\"2026-11-24T12:00:00Z\",\"until\":\"2026-11-26T00:00:00Z\"", "\"days\"", "none of these days is between" },
	{ "a day that begins elsewhere already comes", C, "\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2027-01-01T00:00:00Z\"", "\"from\":\"2026-11-24T12:00:00Z\",\"until\":\"2026-11-27T12:00:00Z\"", NULL, NULL },
	{ "a timer alone is said", H, "\"aisle.basket.opened\"", "\"timer\"", "\"timer\"", "\"timer\" never happens by itself, expected an event type: nothing triggers" },
	{ "a trigger that is there twice is said", C, "\"aisle.basket.item-added\"]", "\"aisle.customer.identified\"]", "\"aisle.customer.identified\"]", "it is there twice" },
	{ "a tablet after the sale is said", H, "\"aisle.basket.opened\"", "\"aisle.basket.closed\"", "\"aisle.basket.closed\"", "none of its placements shows anything then" },
	{ "a receipt after it is not", C, "\"aisle.basket.item-added\"]", "\"aisle.basket.closed\"]", NULL, NULL },
	{ "a tablet while paying is said", H, "\"aisle.basket.opened\"", "\"aisle.basket.tender-started\"", "\"aisle.basket.tender-started\"", "none of its placements shows anything then" },
	{ "a customer who cannot be known yet is said", H, "\"personal\":false", "\"personal\":true", "\"on\"", "only a card that was read before the basket" },
	/* limits */
	{ "a cap of 0 is said", C, "\"max\":1,", "\"max\":0,", "\"max\":0", "at most 0, so the action is dead" },
	{ "a cap of an outcome that it never has is said", H, "\"expires\"", "\"caps\":[{\"per\":\"customer\",\"outcome\":\"redeemed\",\"max\":1,\"within\":\"1d\"}],\"expires\"", "\"outcome\":\"redeemed\"", "this action never has the outcome" },
	{ "a cap under a tighter one is said", C, "\"max\":1,\"within\":\"7d\"", "\"max\":3,\"within\":\"1d\",\"clock\":\"business-day\"", "{\"per\"", "a cap of contact.json is never wider" },
	{ "a tighter cap is not", C, "\"max\":1,\"within\":\"7d\"", "\"max\":2,\"within\":\"1d\",\"clock\":\"business-day\"", NULL, NULL },
	{ "a longer cap is not", C, "\"max\":1,\"within\":\"7d\"", "\"max\":3,\"within\":\"2d\",\"clock\":\"business-day\"", NULL, NULL },
	{ "a cap that is there twice is said once", C, "\"within\":\"7d\"}", "\"within\":\"7d\"},{\"per\":\"customer\",\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}", "{\"per\":\"customer\",\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}]", "another cap of this action is never wider" },
	{ "a budget below one offer is said", C, "\"money\":20000", "\"money\":24", "\"money\"", "24 does not hold one offer, so the action is dead, expected at least 25" },
	{ "one of one offer is not", C, "\"money\":20000", "\"money\":25", NULL, NULL },
	{ "a budget of 0 units is said", C, "\"units\":9", "\"units\":0", "\"units\"", "0 units, so the action is dead" },
	{ "a group that no action has is said", K, "\"group:coffee\"", "\"group:cofee\"", "\"scope\":\"group:cofee\"", "no action has \"cofee\", so nothing is counted" },
	{ "a cap of 0 for all is said", K, "\"max\":3", "\"max\":0", "\"max\":0", "at most 0, so what it counts is never shown" },
	{ "a cap of what never happens is said", K, "\"outcome\":\"redeemed\"", "\"outcome\":\"case-closed\"", "\"outcome\":\"case-closed\"", "no action ever has the outcome, so nothing is counted" },
	{ "a suppression after what never happens is said", K, "\"outcome\":\"dismissed\"", "\"outcome\":\"goal\"", "\"outcome\":\"goal\"", "no action ever has the outcome, so nothing is suppressed" },
	/* words */
	{ "a language without text is said", C, "\"language\":\"de\"", "\"language\":\"en\",\"body\":\"b\",\"placement\":\"receipt\"", "\"treatments\"", "no text in \"de\"" },
	{ "a machine's text that nobody approved is said", C, "\"origin\":\"human\",\"approved_by\":\"me\"", "\"origin\":\"generated\"", "\"origin\"", "a text that no person wrote and nobody approved" },
	{ "one that somebody approved is not", C, "\"origin\":\"human\"", "\"origin\":\"generated\"", NULL, NULL },
	{ "words that are there twice are said", C, "\"short\",\"language\":\"en\",\"headline\":\"Less\"", "\"short\",\"language\":\"de\",\"headline\":\"Rabatt\"", "{\"treatment\":\"plain\",\"language\":\"de\"", "these words are there twice under two names" },
	{ "a placement without text is said", H, "\"placements\":[\"tablet\"],\"gate\":\"none\",\"expires\":\"60s\",\n \"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Hello\"},\n  {\"treatment\":\"plain\",\"language\":\"de\",",
	  "\"placements\":[\"tablet\",\"receipt\"],\"gate\":\"none\",\"expires\":\"60s\",\n \"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Hello\",\"placement\":\"tablet\"},\n  {\"treatment\":\"plain\",\"language\":\"de\",\"placement\":\"tablet\",", "\"treatments\"", "no text for placement receipt, so it never shows there" },
	{ "a value in single braces is said", C, "\"headline\":\"Less\"", "\"headline\":\"{depth} less\"", "\"headline\"", "{depth} is shown as it stands, expected {{depth}} for the value" },
	{ "a feature in them, with a filter, in a list is said", C, "\"headline\":\"Less\"", "\"headline\":\"Less\",\"steps\":[\"Look\",\"At { points|round }\"]", "\"At {", "{points} is shown as it stands" },
	{ "a word in them that is no value is not", C, "\"headline\":\"Less\"", "\"headline\":\"{less}\"", NULL, NULL },
	{ "nor is a value in braces of its own", C, "\"headline\":\"Less\"", "\"headline\":\"{ {{depth}} }\"", NULL, NULL },
	{ "a text without a placement is for all of them", H, "\"placements\":[\"tablet\"]", "\"placements\":[\"tablet\",\"receipt\"]", NULL, NULL },
	/* settings */
	{ "a control group of all is said", P, "\"share\":0.05", "\"share\":1", "\"share\"", "everybody is left alone" },
	{ "one of nearly all is not", P, "\"share\":0.05", "\"share\":0.99", NULL, NULL },
	{ "one salt for control and exploration is said", P, "99887766554433221100ffeeddccbbaa99887766554433221100ffeeddccbbaa", SALT_B, "\"explore\":\"0", "the same as \"control\"" },
	{ "one salt for ids and exploration is said", P, "99887766554433221100ffeeddccbbaa99887766554433221100ffeeddccbbaa", SALT_A, "\"explore\":\"c", "the same as \"id\"" },
	{ "a placement of no action is said", P, "\"receipt\":{\"slots\":1}", "\"receipt\":{\"slots\":1},\"later\":{\"slots\":1}", "\"later\"", "no action has this placement" },
	{ "a list of forbidden words without any is said", P, "{\"en\":[\"cheap\"]}", "{\"en\":[\"cheap\"],\"de\":[]}", "\"de\"", "no word is forbidden" },
	{ "a lever of 0 for many is said", P, "\"group:coffee\":1.5", "\"group:coffee\":0", "\"group:coffee\"", "a lever of 0, so what it names is never chosen" },
	{ "care that nothing passes is said", P, "[\"inform\"]", "[\"retain\"]", "\"only\"", "no action is of these kinds" },
};
/* clang-format on */

static void
sound_init(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	for (size_t i = 0; i < ARRAY_LEN(sound_parts); i++)
		fixture->part[i] = (struct policy_part){ sound_parts[i].name, sound_parts[i].text,
			strlen(sound_parts[i].text) };
	fixture->parts =
	    (struct policy_parts){ .part = fixture->part, .count = ARRAY_LEN(sound_parts) };
}

static void
lint_of(struct fixture *fixture, const struct policy_goods *goods, struct buf *report)
{
	struct policy *policy = NULL;
	int64_t now_ms;

	buf_adds(report, "");
	assert_true(when_parse("2026-06-01T00:00:00Z", &now_ms));
	if (policy_compile(&fixture->parts, &policy, report) != 0)
		fail_msg("%s", report->data);
	policy_lint(policy, &fixture->parts, now_ms, goods, report);
	policy_free(policy);
}

static void
lint(struct fixture *fixture, struct buf *report)
{
	lint_of(fixture, NULL, report);
}

static void
place_of(const struct lint_row *row, const char *text, char *out, size_t size)
{
	const char *changed = strstr(text, row->to), *found = strstr(text, row->at);
	int line = 1, column = 1;

	/* In what was changed, if it stands there. */
	if (changed != NULL && strstr(changed, row->at) != NULL &&
	    strstr(changed, row->at) < changed + strlen(row->to))
		found = strstr(changed, row->at);
	assert_non_null(found);
	for (const char *p = text; p < found; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	snprintf(out, size, "%s:%d:%d: warning: %s", row->part, line, column, row->text);
}

static void
is_said_at_its_place(void **state)
{
	const struct lint_row *row = *state;
	struct fixture fixture;
	struct buf report = { 0 };
	char line[600];

	sound_init(&fixture);
	assert_int_equal(fixture_replace(&fixture, row->part, row->from, row->to), 0);
	lint(&fixture, &report);
	if (row->at == NULL) {
		assert_string_equal(report.data, "");
	} else {
		place_of(row, fixture.changed, line, sizeof(line));
		if (strstr(report.data, line) == NULL)
			fail_msg("expected %s\ngot: %s", line, report.data);
	}
	buf_done(&report);
	fixture_done(&fixture);
}

static void
the_policy_as_it_was_gets_no_word(void **state)
{
	struct fixture fixture;
	struct buf report = { 0 };

	(void)state;
	sound_init(&fixture);
	lint(&fixture, &report);
	assert_string_equal(report.data, "");
	buf_done(&report);
}

/* ---- goods ---- */

/* Of an offer of depth 10, of large baskets 25. */
static bool
is_said_of_a_headline(const char *headline, const char *said)
{
	struct fixture fixture;
	struct buf report = { 0 }, text = { 0 };
	bool found;

	sound_init(&fixture);
	buf_addf(&text,
	    "{\"action\":\"coffee\",\"kind\":\"offer\",\"issue\":\"grow\",\"group\":\"coffee\","
	    "\"on\":[\"aisle.customer."
	    "identified\"],\"propensity\":0.4,\"incremental\":0.9,\"margin\":300,\"outcome\":{"
	    "\"is\":\"redeemed\","
	    "\"within\":\"0d\"},\"offer\":{\"type\":\"percent\",\"depth\":10,\"tiers\":[{\"from\":"
	    "2000,\"depth\":25}],"
	    "\"max\":500,\"typical\":450},\"placements\":[\"tablet\"],\"gate\":\"associate\","
	    "\"expires\":\"120s\","
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"%s\"}]}",
	    headline);
	assert_int_equal(fixture_replace(&fixture, C, "", text.data), 0);
	lint(&fixture, &report);
	found = strstr(report.data, said) != NULL;
	buf_done(&report);
	buf_done(&text);
	fixture_done(&fixture);
	return found;
}

static void
a_percentage_that_the_offer_never_gives_is_said(void **state)
{
	static const char said[] = "(its depth is 10), expected {{depth}}";

	(void)state;
	assert_true(is_said_of_a_headline("20 % off", "it says 20 %, which the offer never gives"));
	assert_true(is_said_of_a_headline("Now 20% off", said));
	assert_true(is_said_of_a_headline("20\xc2\xa0% off", said));
	assert_true(is_said_of_a_headline("12.5 % off", "it says 12.5 %"));
	assert_true(is_said_of_a_headline("100 % off", said));
	assert_false(is_said_of_a_headline("10 % off", said));
	assert_false(is_said_of_a_headline("Up to 25 % off", said));
	assert_false(is_said_of_a_headline("{{depth}} % off 70 % chocolate", said));
	assert_false(is_said_of_a_headline("10 % off 70 % chocolate", said));
	assert_false(is_said_of_a_headline("20 coffees", said));
}

static const char *
said_of_goods(const char *coffee, const char *house)
{
	static char said[600];
	const char *categories[] = { "grocery", coffee }, *brands[] = { house };
	const struct policy_goods goods = { .categories = { categories, 2 },
		.brands = { brands, 1 } };
	struct fixture fixture;
	struct buf report = { 0 };

	sound_init(&fixture);
	assert_int_equal(fixture_replace(&fixture, "features.json", "basket.count()",
			     "basket.count(category=Grocery/Coffee)"),
	    0);
	lint_of(&fixture, &goods, &report);
	snprintf(said, sizeof(said), "%s", report.data);
	buf_done(&report);
	fixture_done(&fixture);
	return said;
}

static void
what_no_till_has_sold_is_said_where_what_they_sell_is_known(void **state)
{
	(void)state;
	assert_string_equal(said_of_goods("grocery/coffee", "house"), "");
	assert_string_equal(said_of_goods("grocery/coffee", "hause"),
	    "actions/coffee.json:9:54: warning: no line of the recording is of brand \"house\"; is "
	    "\"hause\" meant?, expected one that the tills send\n");
	assert_string_equal(said_of_goods("grocery/tea", "house"),
	    "actions/coffee.json:9:14: warning: no line of the recording is of category "
	    "\"grocery/coffee\", expected one that the tills send\n"
	    "features.json:6:34: warning: no line of the recording is of category "
	    "\"grocery/coffee\", expected one that the tills send\n");
}

/* What is said of a policy with this shrink.json. */
static const char *
said_of_shrink(const char *text)
{
	static char said[1000];
	struct fixture fixture;
	struct buf report = { 0 };

	sound_init(&fixture);
	fixture.part[fixture.parts.count++] =
	    (struct policy_part){ "shrink.json", text, strlen(text) };
	lint(&fixture, &report);
	snprintf(said, sizeof(said), "%s", report.data);
	buf_done(&report);
	fixture_done(&fixture);
	return said;
}

static void
a_default_and_a_shrink_of_no_action_are_said(void **state)
{
#define NUMBERS \
	"\"mid\":0,\"d\":1,\"a\":0,\"beta\":1,\"delta\":0,\"lambda\":0.5,\"rows\":9,\"from\":"
	(void)state;
	assert_string_equal(said_of_shrink("{\"shrink\":{\"coffee\":{" NUMBERS "\"settled\"}}}"),
	    "");
	assert_string_equal(said_of_shrink("{\"shrink\":{\"coffee\":{" NUMBERS "\"default\"}}}"),
	    "shrink.json:1:83: warning: the difference that the models of \"coffee\" tell is "
	    "shrunk "
	    "by a default, expected randomised rows (aislectl hq shrink)\n");
	assert_string_equal(said_of_shrink("{\"shrink\":{\"tea\":{" NUMBERS "\"settled\"}}}"),
	    "shrink.json:1:12: warning: no action \"tea\", so nothing asks it\n");
}

/* ---- rules that a customer passes ---- */

static uint64_t seed = 20261129;
static unsigned
draw(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % below;
}

/* A test that is true, or false, of a customer with so many points who comes at this hour. */
static void
add_test(struct buf *out, int points, int hour, bool holds, int depth)
{
	static const char *const above[] = { ">", ">=", "<", "<=", "==", "!=" };
	bool of_hour = draw(2) != 0;
	int value = of_hour ? hour : points, bound = value + (int)draw(5) - 2;
	unsigned op = draw(ARRAY_LEN(above));
	bool is[] = { value > bound, value >= bound, value < bound, value <= bound, value == bound,
		value != bound };

	if (depth > 0 && draw(3) == 0) {
		bool all = draw(2) != 0;
		unsigned open = draw(3);

		buf_addf(out, "{\"%s\":[", all ? "and" : "or");
		for (unsigned i = 0; i < 3; i++) {
			buf_adds(out, i > 0 ? "," : "");
			/* Enough that one of them decides. */
			add_test(out, points, hour, i == open || all == holds ? holds : !holds,
			    depth - 1);
		}
		buf_adds(out, "]}");
	} else if (is[op] != holds) {
		buf_addf(out, "{\"!\":{\"%s\":[{\"var\":\"%s\"},%d]}}", above[op],
		    of_hour ? "hour" : "points", bound);
	} else if (draw(2) != 0) {
		buf_addf(out, "{\"!\":{\"!\":{\"%s\":[{\"var\":\"%s\"},%d]}}}", above[op],
		    of_hour ? "hour" : "points", bound);
	} else {
		buf_addf(out, "{\"%s\":[{\"var\":\"%s\"},%d]}", above[op],
		    of_hour ? "hour" : "points", bound);
	}
}

static void
no_rule_that_a_customer_passes_is_called_dead(void **state)
{
	(void)state;
	for (int run = 0; run < 2000; run++) {
		struct fixture fixture;
		struct buf report = { 0 }, rule = { 0 };
		int points = (int)draw(9), hour = (int)draw(24);

		buf_adds(&rule, "\"applicable\":{\"and\":[");
		for (int i = 0; i < 4; i++) {
			buf_adds(&rule, i > 0 ? "," : "");
			add_test(&rule, points, hour, true, 3);
		}
		buf_adds(&rule, "]}");
		sound_init(&fixture);
		assert_int_equal(fixture_replace(&fixture, C, GATE, rule.data), 0);
		lint(&fixture, &report);
		if (strstr(report.data, "the action is dead") != NULL)
			fail_msg("points %d, hour %d: %s\n%s", points, hour, rule.data,
			    report.data);
		buf_done(&rule);
		buf_done(&report);
		fixture_done(&fixture);
	}
}

int
main(void)
{
	static struct CMUnitTest tests[ARRAY_LEN(rows) + 5];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[count++] = (struct CMUnitTest){ rows[i].claim, is_said_at_its_place, NULL,
			NULL, (void *)(uintptr_t)&rows[i] };
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(the_policy_as_it_was_gets_no_word);
	tests[count++] =
	    (struct CMUnitTest)cmocka_unit_test(a_percentage_that_the_offer_never_gives_is_said);
	tests[count++] = (struct CMUnitTest)
	    cmocka_unit_test(what_no_till_has_sold_is_said_where_what_they_sell_is_known);
	tests[count++] =
	    (struct CMUnitTest)cmocka_unit_test(a_default_and_a_shrink_of_no_action_are_said);
	tests[count++] =
	    (struct CMUnitTest)cmocka_unit_test(no_rule_that_a_customer_passes_is_called_dead);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
