/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_mistakes.c - one good policy, spoilt in one place at a time: each refused, at its
 * place.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "policy_fixture.h"

struct mistake_row {
	const char *claim;
	const char *part, *from, *to; /* the first "from" becomes "to"; "": the whole text */
	const char *at;	  /* the report names where this text stands; NULL: anywhere in the part */
	const char *text; /* and says this */
};

/* clang-format off */
static const struct mistake_row rows[] = {
	{ "text that is no JSON is refused where it breaks",
	    "policy.json", "\"version\":12",
	    "\"version\":12 12",
	    NULL, "" },
	{ "a name that is there twice in an object is refused",
	    "policy.json", "\"interrupt\":3",
	    "\"interrupt\":3,\"interrupt\":4",
	    NULL, "" },
	{ "an unknown member of the policy is refused",
	    "policy.json", "\"interrupt\":3",
	    "\"interupt\":3",
	    "\"interupt\"", "unknown member \"interupt\"" },
	{ "a policy without name is refused",
	    "policy.json", "\"name\":\"spring\",",
	    "",
	    "{", "\"name\" is missing" },
	{ "a name with a space is refused",
	    "policy.json", "\"spring\"",
	    "\"spring sale\"",
	    "\"name\"", "is not a name" },
	{ "a version of zero is refused",
	    "policy.json", "\"version\":12",
	    "\"version\":0",
	    "\"version\"", "\"version\" is 0, expected 1" },
	{ "a version that is not whole is refused",
	    "policy.json", "\"version\":12",
	    "\"version\":1.5",
	    "\"version\"", "wrong type, expected a whole number" },
	{ "a currency that does not exist is refused",
	    "policy.json", "\"EUR\"",
	    "\"EUX\"",
	    "\"currency\"", "is no currency" },
	{ "a policy without languages is refused",
	    "policy.json", "[\"en\",\"de\"]",
	    "[]",
	    "\"languages\"", "no language" },
	{ "a language that is there twice is refused",
	    "policy.json", "[\"en\",\"de\"]",
	    "[\"en\",\"en\"]",
	    "\"en\"]", "there twice" },
	{ "a language that is no tag is refused",
	    "policy.json", "[\"en\",\"de\"]",
	    "[\"en\",\"d\"]",
	    "\"d\"]", "not a language" },
	{ "a policy without salts is refused",
	    "policy.json", "\"salts\"",
	    "\"salt\"",
	    "\"salt\"", "unknown member \"salt\"" },
	{ "a salt of 63 hex digits is refused",
	    "policy.json", "\"control\":\"0",
	    "\"control\":\"",
	    "\"control\":\"1", "64 hex digits" },
	{ "a salt that is no hex is refused",
	    "policy.json", "\"control\":\"0",
	    "\"control\":\"x",
	    "\"control\":\"x", "64 hex digits" },
	{ "a missing explore salt is refused",
	    "policy.json", ",\"explore\":\"c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00\"",
	    "",
	    "\"salts\"", "\"explore\" is missing" },
	{ "a placement that does not exist is refused",
	    "policy.json", "\"receipt\":{",
	    "\"bag\":{",
	    "\"bag\"", "unknown member \"bag\"" },
	{ "a policy without placements is refused",
	    "policy.json", "{\"tablet\":{\"slots\":2,\"headline_max\":48,\"body_max\":120},\n  \"receipt\":{\"slots\":1,\"headline_max\":40},\"customer\":{\"slots\":1},\"later\":{\"slots\":1}}",
	    "{}",
	    "\"placements\"", "no placement" },
	{ "no slots are refused",
	    "policy.json", "\"tablet\":{\"slots\":2",
	    "\"tablet\":{\"slots\":0",
	    "\"slots\":0", "\"slots\" is 0, expected 1 to 8" },
	{ "nine slots are refused",
	    "policy.json", "\"tablet\":{\"slots\":2",
	    "\"tablet\":{\"slots\":9",
	    "\"slots\":9", "\"slots\" is 9, expected 1 to 8" },
	{ "a headline_max of zero is refused",
	    "policy.json", "\"headline_max\":48",
	    "\"headline_max\":0",
	    "\"headline_max\":0", "expected 1 to 1000" },
	{ "exploration without a limit is refused",
	    "policy.json", "\"unit\":100,\"cost_max\":2,\"shortlist\":8",
	    "\"unit\":100",
	    "\"explore\":{", "exploration has no limit" },
	{ "a misspelt greedy is refused",
	    "policy.json", "{\"unit\":100,\"cost_max\":2,\"shortlist\":8}",
	    "\"gready\"",
	    "\"explore\":\"gready\"", "is unknown, expected \"greedy\"" },
	{ "a negative gamma is refused",
	    "policy.json", "\"cost_max\":2",
	    "\"gamma\":-1",
	    "\"gamma\"", "\"gamma\" is -1, expected 0" },
	{ "a shortlist of none is refused",
	    "policy.json", "\"shortlist\":8",
	    "\"shortlist\":0",
	    "\"shortlist\"", "expected 1 to 64" },
	{ "a control share over one is refused",
	    "policy.json", "\"share\":0.05",
	    "\"share\":1.05",
	    "\"share\"", "expected 0 to 1" },
	{ "a control share below zero is refused",
	    "policy.json", "\"share\":0.05",
	    "\"share\":-0.05",
	    "\"share\"", "expected 0 to 1" },
	{ "a lever of an unknown kind is refused",
	    "policy.json", "\"issue:grow\"",
	    "\"isue:grow\"",
	    "\"isue:grow\"", "moves nothing" },
	{ "a rule of two operators is refused",
	    "actions/coffee-off.json", "{\"==\":[{\"var\":\"basket_coffee\"},0]}",
	    "{\"==\":[{\"var\":\"basket_coffee\"},0],\">\":[1,0]}",
	    NULL, "expected one operator" },
	{ "a lever without kind is refused",
	    "policy.json", "\"issue:grow\"",
	    "\"grow\"",
	    "\"grow\"", "moves nothing" },
	{ "a lever that is no number is refused",
	    "policy.json", "\"issue:grow\":1.2",
	    "\"issue:grow\":\"1.2\"",
	    "\"issue:grow\"", "expected a number" },
	{ "a negative lever is refused",
	    "policy.json", "\"issue:grow\":1.2",
	    "\"issue:grow\":-1",
	    "\"issue:grow\"", "expected 0 to 1000" },
	{ "an unknown quiet rule is refused",
	    "policy.json", "\"queue_over\"",
	    "\"queue\"",
	    "\"queue\":4", "unknown member \"queue\"" },
	{ "a care severity of four is refused",
	    "policy.json", "\"severity\":2",
	    "\"severity\":4",
	    "\"severity\"", "expected 1 to 3" },
	{ "a care severity of zero is refused",
	    "policy.json", "\"severity\":2",
	    "\"severity\":0",
	    "\"severity\"", "expected 1 to 3" },
	{ "a likelihood to call over one is refused",
	    "policy.json", "0.6",
	    "1.6",
	    "\"likely_to_call\"", "expected 0 to 1" },
	{ "care for a kind that does not exist is refused",
	    "policy.json", "\"service\",\"retain\"",
	    "\"servce\"",
	    "\"servce\"", "is unknown, expected one of offer" },
	{ "an interrupt that reads the action is refused",
	    "policy.json", "\"interrupt\":3",
	    "\"interrupt\":{\"var\":\"depth_now\"}",
	    "\"interrupt\"", "reads a feature of the action" },
	{ "an interrupt over an unknown feature is refused",
	    "policy.json", "\"interrupt\":3",
	    "\"interrupt\":{\"var\":\"queue\"}",
	    NULL, "queue" },
	{ "forbidden words of another language are refused",
	    "policy.json", "{\"en\":[\"cheap\"]}",
	    "{\"fr\":[\"cheap\"]}",
	    "\"fr\"", "is not in \"languages\"" },
	{ "forbidden words that are no list are refused",
	    "policy.json", "{\"en\":[\"cheap\"]}",
	    "{\"en\":\"cheap\"}",
	    "\"en\":\"cheap\"", "not a list" },
	{ "an unknown member of a feature is refused",
	    "features.json", "\"default\":\"none\"",
	    "\"dflt\":\"none\"",
	    "\"dflt\"", "unknown member \"dflt\"" },
	{ "a feature without from is refused",
	    "features.json", ",\"from\":\"time.hour\"",
	    "",
	    "{\"name\":\"hour\"", "\"from\" is missing" },
	{ "a feature type that does not exist is refused",
	    "features.json", "\"tier\",\"type\":\"string\"",
	    "\"tier\",\"type\":\"text\"",
	    "\"type\":\"text\"", "expected one of number, string, bool" },
	{ "a source that does not exist is refused",
	    "features.json", "\"time.hour\"",
	    "\"clock.hour\"",
	    "\"from\":\"clock.hour\"", "clock.hour" },
	{ "an unknown function is refused",
	    "features.json", "local.recency()",
	    "local.recentness()",
	    "\"from\":\"local.recentness()\"", "recentness" },
	{ "two features of one name are refused",
	    "features.json", "\"name\":\"hour\"",
	    "\"name\":\"tier\"",
	    "\"name\":\"tier\",\"type\":\"number\"", "is there twice" },
	{ "a feature called depth is refused",
	    "features.json", "\"name\":\"hour\"",
	    "\"name\":\"depth\"",
	    "\"name\":\"depth\",\"type\":\"number\",\"from\":\"time", "is the offer's" },
	{ "a feature name with a bar is refused",
	    "features.json", "\"name\":\"hour\"",
	    "\"name\":\"ho|ur\"",
	    "\"name\":\"ho|ur\"", "is not a feature name" },
	{ "a default of another type is refused",
	    "features.json", "\"default\":\"none\"",
	    "\"default\":0",
	    "\"default\"", "is not of the feature's type" },
	{ "a count that is called a string is refused",
	    "features.json", "\"name\":\"recency\",\"type\":\"number\"",
	    "\"name\":\"recency\",\"type\":\"string\"",
	    "{\"name\":\"recency\"", "gives a number" },
	{ "a sensitive source is refused",
	    "features.json", "\"profile.tier\"",
	    "\"profile.health\"",
	    "\"from\":\"profile.health\"", "is declared sensitive" },
	{ "a sensitive category is refused",
	    "features.json", "basket.sum(category=grocery/coffee)",
	    "basket.sum(category=beer/lager)",
	    "\"from\":\"basket.sum(category=beer/lager)\"", "is declared sensitive" },
	{ "a feature of a model that does not exist is refused",
	    "features.json", "\"model.churn\"",
	    "\"model.chum\"",
	    "\"from\":\"model.chum\"", "no model \"chum\"" },
	{ "features that are no list are refused",
	    "features.json", "",
	    "{\"features\":{}}",
	    "\"features\"", "expected a list" },
	{ "an unknown member of a model is refused",
	    "models/models.json", "\"window_days\"",
	    "\"window_day\"",
	    "\"window_day\"", "unknown member \"window_day\"" },
	{ "a model whose file is missing is refused",
	    "models/models.json", "\"churn.linear.json\"",
	    "\"churn.json\"",
	    "\"file\":\"churn.json\"", "there is no file models/churn.json" },
	{ "a model file elsewhere is refused",
	    "models/models.json", "\"churn.linear.json\"",
	    "\"../churn.linear.json\"",
	    "\"file\":\"../", "is not a file name" },
	{ "a model whose exam is missing is refused",
	    "models/models.json", "\"churn.exam.csv\"",
	    "\"churn.csv\"",
	    "\"exam\":\"churn.csv\"", "there is no file models/churn.csv" },
	{ "two models of one name are refused",
	    "models/models.json", "\"model\":\"coffee\"",
	    "\"model\":\"churn\"",
	    "\"model\":\"churn\",\"file\":\"coffee", "is there twice" },
	{ "an input that finds no feature is refused",
	    "models/models.json", "\"f0\":\"coffee_spend\"",
	    "\"f0\":\"coffee_spent\"",
	    "\"f0\"", "finds no feature \"coffee_spent\"" },
	{ "an input that is not mapped is refused",
	    "models/models.json", "\"f0\":\"coffee_spend\",",
	    "",
	    "{\"model\":\"churn\"", "model input \"f0\" finds no feature" },
	{ "an input that the model does not read is refused",
	    "models/models.json", "\"f0\":\"coffee_spend\",",
	    "\"f0\":\"coffee_spend\",\"f9\":\"recency\",",
	    "\"f9\"", "the model has no input \"f9\"" },
	{ "a string for a number input is refused",
	    "models/models.json", "\"f0\":\"coffee_spend\"",
	    "\"f0\":\"tier\"",
	    "\"f0\"", "is a string, expected a number" },
	{ "a number for a string input is refused",
	    "models/models.json", "\"inputs\":{\"depth\"",
	    "\"inputs\":{\"tier\":\"recency\",\"depth\"",
	    "\"tier\"", "is a number, expected a string" },
	{ "models that read each other are refused",
	    "models/models.json", "\"f1\":\"recency\"",
	    "\"f1\":\"churn\"",
	    "{\"model\":\"churn\"", "reads its own score" },
	{ "a platt calibration of one number is refused",
	    "models/models.json", "[1.02,-0.1]",
	    "[1.02]",
	    "\"platt\"", "not a platt calibration" },
	{ "an isotonic calibration that falls is refused",
	    "models/models.json", "{\"platt\":[1.02,-0.1]}",
	    "{\"isotonic\":[[0,0.5],[1,0.4]]}",
	    "[1,0.4]", "not an isotonic point" },
	{ "an isotonic calibration over one is refused",
	    "models/models.json", "{\"platt\":[1.02,-0.1]}",
	    "{\"isotonic\":[[0,0.5],[1,1.4]]}",
	    "[1,1.4]", "not an isotonic point" },
	{ "two calibrations are refused",
	    "models/models.json", "\"platt\":[1.02,-0.1]",
	    "\"platt\":[1.02,-0.1],\"isotonic\":[[0,0]]",
	    "\"calibration\"", "none or both" },
	{ "a negative tolerance is refused",
	    "models/models.json", "\"exam_tolerance\":0",
	    "\"exam_tolerance\":-1",
	    "\"exam_tolerance\"", "expected 0 to 1" },
	{ "a damaged model is refused",
	    "models/churn.linear.json", "\"aisle-linear\"",
	    "\"aisle-linea\"",
	    NULL, "" },
	{ "an unknown member of an action is refused",
	    "actions/coffee-off.json", "\"caps\"",
	    "\"cap\"",
	    "\"cap\"", "unknown member \"cap\"" },
	{ "an action called nothing is refused",
	    "actions/coffee-off.json", "\"action\":\"coffee-off\"",
	    "\"action\":\"nothing\"",
	    "\"action\"", "no action may be called \"nothing\"" },
	{ "an action without name is refused",
	    "actions/coffee-off.json", "\"action\":\"coffee-off\",",
	    "",
	    "{", "\"action\" is missing" },
	{ "two actions of one name are refused",
	    "actions/milk.json", "\"action\":\"milk\"",
	    "\"action\":\"help\"",
	    "\"action\"", "is there twice, expected it in actions/help.json only" },
	{ "a kind that does not exist is refused",
	    "actions/coffee-off.json", "\"kind\":\"offer\"",
	    "\"kind\":\"coupon\"",
	    "\"kind\"", "expected one of offer, recommend" },
	{ "an action without group is refused",
	    "actions/coffee-off.json", ",\"group\":\"coffee\"",
	    "",
	    "{", "\"group\" is missing" },
	{ "a trigger that does not exist is refused",
	    "actions/coffee-off.json", "\"aisle.customer.identified\"",
	    "\"aisle.customer.arrived\"",
	    "\"aisle.customer.arrived\"", "is no trigger" },
	{ "an action without trigger is refused",
	    "actions/help.json", "[\"aisle.basket.item-voided\"]",
	    "[]",
	    "\"on\"", "no trigger" },
	{ "a date that is none is refused",
	    "actions/coffee-off.json", "2026-01-01T00:00:00Z",
	    "2026-02-30T00:00:00Z",
	    "\"from\":\"2026", "is not a time" },
	{ "a date without zone is refused",
	    "actions/coffee-off.json", "2026-01-01T00:00:00Z",
	    "2026-01-01T00:00:00",
	    "\"from\":\"2026", "is not a time" },
	{ "an end that is not after the start is refused",
	    "actions/coffee-off.json", "2027-01-01T00:00:00Z",
	    "2026-01-01T00:00:00Z",
	    "\"valid\"", "is not after \"from\"" },
	{ "a day that does not exist is refused",
	    "actions/coffee-off.json", "\"sat\"",
	    "\"saturday\"",
	    "\"saturday\"", "expected one of mon, tue" },
	{ "hours that end before they begin are refused",
	    "actions/coffee-off.json", "[\"08:00\",\"21:00\"]",
	    "[\"21:00\",\"08:00\"]",
	    "\"hours\"", "not hours of a day" },
	{ "an hour after midnight is refused",
	    "actions/coffee-off.json", "\"21:00\"",
	    "\"24:01\"",
	    "\"hours\"", "not hours of a day" },
	{ "a minute of sixty is refused",
	    "actions/coffee-off.json", "\"21:00\"",
	    "\"20:60\"",
	    "\"hours\"", "not hours of a day" },
	{ "a rule over an unknown feature is refused",
	    "actions/coffee-off.json", "{\"var\":\"tier\"}",
	    "{\"var\":\"teir\"}",
	    NULL, "teir" },
	{ "a rule over a sensitive source is refused",
	    "actions/coffee-off.json", "{\"var\":\"tier\"}",
	    "{\"var\":\"profile.health\"}",
	    NULL, "profile.health" },
	{ "a rule with an unknown operator is refused",
	    "actions/coffee-off.json", "{\"in\":[",
	    "{\"within\":[",
	    NULL, "within" },
	{ "a rule with a computed name is refused",
	    "actions/coffee-off.json", "{\"var\":\"tier\"}",
	    "{\"var\":{\"cat\":[\"ti\",\"er\"]}}",
	    NULL, "" },
	{ "a propensity of an unknown model is refused",
	    "actions/coffee-off.json", "\"propensity\":{\"model\":\"coffee\"}",
	    "\"propensity\":{\"model\":\"tea\"}",
	    "\"model\":\"tea\"", "no model \"tea\"" },
	{ "a propensity over one is refused",
	    "actions/help.json", "\"propensity\":0.5",
	    "\"propensity\":1.5",
	    "\"propensity\"", "expected 0 to 1" },
	{ "a propensity without incremental is refused",
	    "actions/coffee-off.json", ",\"incremental\":0.3",
	    "",
	    "{", "expected \"propensity\" with \"incremental\"" },
	{ "an incremental without propensity is refused",
	    "actions/coffee-off.json", "\"propensity\":{\"model\":\"coffee\"},",
	    "",
	    "{", "expected \"propensity\" with \"incremental\"" },
	{ "an incremental over one is refused",
	    "actions/coffee-off.json", "\"incremental\":0.3",
	    "\"incremental\":1.3",
	    "\"incremental\"", "expected 0 to 1" },
	{ "uplift beside a propensity is refused",
	    "actions/milk.json", "\"uplift\"",
	    "\"propensity\":0.5,\"uplift\"",
	    "\"uplift\"", "expected one or the other" },
	{ "an uplift of an unknown model is refused",
	    "actions/milk.json", "\"control\":\"churn\"",
	    "\"control\":\"chum\"",
	    "\"control\"", "no model \"chum\"" },
	{ "an uplift of one model is refused",
	    "actions/milk.json", ",\"control\":\"churn\"",
	    "",
	    "\"uplift\"", "\"control\" is missing" },
	{ "an action without margin is refused",
	    "actions/milk.json", "\"margin\":60,",
	    "",
	    "{", "\"margin\" is missing" },
	{ "an action without outcome is refused",
	    "actions/help.json", "\"outcome\":{\"is\":\"none\"},",
	    "",
	    "{", "\"outcome\" is missing" },
	{ "an outcome of another kind is refused",
	    "actions/coffee-off.json", "\"is\":\"redeemed\"",
	    "\"is\":\"bought\"",
	    "\"is\"", "is no outcome of kind offer" },
	{ "an outcome that does not exist is refused",
	    "actions/coffee-off.json", "\"is\":\"redeemed\"",
	    "\"is\":\"redemed\"",
	    "\"is\"", "expected one of none, redeemed" },
	{ "a purchase without item is refused",
	    "actions/milk.json", ",\"item\":{\"category\":\"grocery/milk\"}",
	    "",
	    "\"outcome\"", "\"item\" is missing" },
	{ "an item that names nothing is refused",
	    "actions/milk.json", "{\"category\":\"grocery/milk\"}",
	    "{}",
	    "\"item\"", "names nothing" },
	{ "an item of a sensitive category is refused",
	    "actions/milk.json", "grocery/milk",
	    "beer",
	    "\"item\"", "declared sensitive" },
	{ "a predicted outcome of none is refused",
	    "actions/help.json", "\"propensity\":0.5",
	    "\"propensity\":{\"model\":\"churn\"}",
	    "\"propensity\"", "expected \"propensity\" as a number" },
	{ "an outcome's window shorter than the offer is refused",
	    "actions/coffee-off.json", "\"stack\":\"category\",\"margin_floor\":50,\"until\":\"0d\"",
	    "\"until\":\"7d\"",
	    "\"within\":\"0d\"", "is shorter than the offer" },
	{ "an offer without its kind is refused",
	    "actions/milk.json", "\"margin\":60",
	    "\"offer\":{\"type\":\"amount\",\"depth\":50},\"margin\":60",
	    "\"offer\"", "expected it in kind offer or retain only" },
	{ "a kind offer without offer is refused",
	    "actions/coffee-off.json", "\"offer\":{\"type\"",
	    "\"offers\":{\"type\"",
	    "{", "\"offer\" is missing" },
	{ "an offer type that does not exist is refused",
	    "actions/coffee-off.json", "\"type\":\"percent\"",
	    "\"type\":\"bogo\"",
	    "\"type\"", "expected one of percent, amount" },
	{ "an offer without depth is refused",
	    "actions/coffee-off.json", "\"depth\":10,",
	    "",
	    "\"offer\":{", "no depth or two" },
	{ "an offer with a depth and a ladder is refused",
	    "actions/coffee-off.json", "\"depth\":10",
	    "\"depth\":10,\"ladder\":[10,20]",
	    "\"offer\":{", "no depth or two" },
	{ "a depth of zero is refused",
	    "actions/coffee-off.json", "\"depth\":10",
	    "\"depth\":0",
	    "\"depth\":0", "from 1 to 100" },
	{ "a percentage over a hundred is refused",
	    "actions/coffee-off.json", "\"depth\":10",
	    "\"depth\":101",
	    "\"depth\":101", "from 1 to 100" },
	{ "a ladder that falls is refused",
	    "actions/coffee-off.json", "\"depth\":10",
	    "\"ladder\":[10,5]",
	    "5]", "depth does not rise" },
	{ "a ladder of none is refused",
	    "actions/coffee-off.json", "\"depth\":10",
	    "\"ladder\":[]",
	    "\"ladder\"", "0 depths, expected 1 to 16" },
	{ "tiers that fall are refused",
	    "actions/coffee-off.json", "\"depth\":10",
	    "\"depth\":10,\"tiers\":[{\"from\":2000,\"depth\":5},{\"from\":2000,\"depth\":9}]",
	    "{\"from\":2000,\"depth\":9}", "\"from\" does not rise" },
	{ "tiers with a ladder are refused",
	    "actions/coffee-off.json", "\"depth\":10",
	    "\"ladder\":[10],\"tiers\":[{\"from\":2000,\"depth\":5}]",
	    "\"tiers\"", "both choose the depth" },
	{ "a percent offer without max is refused",
	    "actions/coffee-off.json", "\"max\":300,",
	    "",
	    "\"offer\":{", "a percent offer has no \"max\"" },
	{ "a percent offer without typical is refused",
	    "actions/coffee-off.json", "\"typical\":450,",
	    "",
	    "\"offer\":{", "\"typical\" is missing" },
	{ "a free item without max is refused",
	    "actions/coffee-off.json", "\"type\":\"percent\",\"depth\":10,\"typical\":450,\"max\":300,",
	    "\"type\":\"free-item\",\"depth\":1,",
	    "\"offer\":{", "\"max\" is missing" },
	{ "a fixed price without max under a money budget is refused",
	    "actions/coffee-off.json", "\"type\":\"percent\",\"depth\":10,\"typical\":450,\"max\":300,",
	    "\"type\":\"fixed-price\",\"depth\":100,\"typical\":450,",
	    "\"money\"", "expected \"max\" in an offer with a money budget" },
	{ "a max of zero is refused",
	    "actions/coffee-off.json", "\"max\":300",
	    "\"max\":0",
	    "\"max\"", "\"max\" is 0, expected 1" },
	{ "a misspelt max is refused",
	    "actions/coffee-off.json", "\"max\":300",
	    "\"maximum\":300",
	    "\"maximum\"", "unknown member \"maximum\"" },
	{ "a supplier's share over one is refused",
	    "actions/coffee-off.json", "\"funded\":0.5",
	    "\"funded\":1.5",
	    "\"funded\"", "expected 0 to 1" },
	{ "a way to apply that does not exist is refused",
	    "actions/coffee-off.json", "\"till-code\"",
	    "\"magic\"",
	    "\"apply\"", "expected one of till-code, lines, barcode" },
	{ "an include that names nothing is refused",
	    "actions/coffee-off.json", "{\"category\":\"grocery/coffee\"}",
	    "{}",
	    "\"include\"", "names nothing" },
	{ "an include of a sensitive category is refused",
	    "actions/coffee-off.json", "{\"category\":\"grocery/coffee\"}",
	    "{\"category\":\"beer/ale\"}",
	    "\"include\"", "declared sensitive" },
	{ "a duration without unit is refused",
	    "actions/coffee-off.json", "\"expires\":\"120s\"",
	    "\"expires\":\"120\"",
	    "\"expires\"", "is not a duration" },
	{ "a card that expires at once is refused",
	    "actions/coffee-off.json", "\"expires\":\"120s\"",
	    "\"expires\":\"0s\"",
	    "\"expires\"", "\"expires\" is 0s" },
	{ "a placement without rules is refused",
	    "actions/coffee-off.json", "\"placements\":[\"tablet\"]",
	    "\"placements\":[\"tablet\",\"till\"]",
	    "\"till\"]", "placement till has no rules" },
	{ "an action without placement is refused",
	    "actions/coffee-off.json", "\"placements\":[\"tablet\"]",
	    "\"placements\":[]",
	    "\"placements\"", "no placement" },
	{ "a placement that is there twice is refused",
	    "actions/coffee-off.json", "\"placements\":[\"tablet\"]",
	    "\"placements\":[\"tablet\",\"tablet\"]",
	    "\"tablet\"],", "is there twice" },
	{ "a gate that does not exist is refused",
	    "actions/coffee-off.json", "\"gate\":\"associate\"",
	    "\"gate\":\"boss\"",
	    "\"gate\"", "expected one of none, associate" },
	{ "gate auto for an offer is refused",
	    "actions/coffee-off.json", "\"gate\":\"associate\"",
	    "\"gate\":\"auto\"",
	    "\"gate\"", "expected it for coach only" },
	{ "gate customer on the tablet is refused",
	    "actions/coffee-off.json", "\"gate\":\"associate\"",
	    "\"gate\":\"customer\"",
	    "\"gate\"", "expected placement customer alone" },
	{ "history on the customer's screen is refused",
	    "actions/coffee-off.json", "\"placements\":[\"tablet\"],\"gate\":\"associate\"",
	    "\"placements\":[\"customer\"],\"gate\":\"customer\"",
	    "\"body\"", "on the customer's screen" },
	{ "a cap on an unknown outcome is refused",
	    "actions/coffee-off.json", "\"outcome\":\"shown\"",
	    "\"outcome\":\"seen\"",
	    "\"outcome\":\"seen\"", "is not an outcome" },
	{ "a cap without max is refused",
	    "actions/coffee-off.json", "\"max\":1,",
	    "",
	    "{\"per\":\"customer\"", "\"max\" is missing" },
	{ "a negative cap is refused",
	    "actions/coffee-off.json", "\"max\":1",
	    "\"max\":-1",
	    "\"max\":-1", "expected 0" },
	{ "a cap without window is refused",
	    "actions/coffee-off.json", ",\"within\":\"7d\"}",
	    "}",
	    "{\"per\":\"customer\"", "\"within\" is missing" },
	{ "a cap per household is refused",
	    "actions/coffee-off.json", "\"per\":\"customer\"",
	    "\"per\":\"household\"",
	    "\"per\":\"household\"", "expected one of customer" },
	{ "a budget without limit is refused",
	    "actions/coffee-off.json", "\"money\":20000,",
	    "",
	    "\"budget\"", "the budget has no limit" },
	{ "a budget per week is refused",
	    "actions/coffee-off.json", "\"store-day\"",
	    "\"week\"",
	    "\"per\":\"week\"", "expected one of store-day, campaign" },
	{ "a money budget without offer is refused",
	    "actions/milk.json", "\"margin\":60",
	    "\"budget\":{\"money\":5,\"per\":\"campaign\"},\"margin\":60",
	    "\"money\"", "costs no money" },
	{ "an action without treatment is refused",
	    "actions/recall.json", "[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Recalled: please keep aside\"}]",
	    "[]",
	    "\"treatments\"", "0 treatments" },
	{ "a treatment without headline is refused",
	    "actions/recall.json", ",\"headline\":\"Recalled: please keep aside\"",
	    "",
	    "{\"treatment\"", "\"headline\" is missing" },
	{ "a treatment in another language is refused",
	    "actions/recall.json", "\"language\":\"en\"",
	    "\"language\":\"fr\"",
	    "\"language\"", "is not in \"languages\"" },
	{ "a headline that is too long is refused",
	    "actions/help.json", "May I help with the scanning?",
	    "May I help you with the scanning of these items?x",
	    "\"headline\"", "does not fit" },
	{ "a body that is too long is refused",
	    "actions/recall.json", "\"headline\":\"Recalled: please keep aside\"",
	    "\"headline\":\"Recalled\",\"body\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
	    "\"headline\"", "does not fit" },
	{ "a forbidden word is refused",
	    "actions/coffee-off.json", "off any coffee today",
	    "off CHEAP coffee",
	    "\"headline\"", "the word \"cheap\" is forbidden" },
	{ "a forbidden word in a reason is refused",
	    "actions/coffee-off.json", "Usually buys coffee by now",
	    "Likes it cheap",
	    "\"Likes it cheap\"", "the word \"cheap\" is forbidden" },
	{ "an unknown feature in a text is refused",
	    "actions/coffee-off.json", "{{coffee_overdue|round|default:}}",
	    "{{coffee_overdo}}",
	    "\"body\"", "{{coffee_overdo}} is no feature" },
	{ "an unknown filter is refused",
	    "actions/coffee-off.json", "|round|",
	    "|floor|",
	    "\"body\"", "filter \"floor\" is unknown" },
	{ "two filters are refused",
	    "actions/coffee-off.json", "|round|",
	    "|round|money|",
	    "\"body\"", "after another" },
	{ "rounding a string is refused",
	    "actions/coffee-off.json", "{{coffee_overdue|round|default:}}",
	    "{{tier|round}}",
	    "\"body\"", "is not a number" },
	{ "braces that are not closed are refused",
	    "actions/coffee-off.json", "|default:}}",
	    "|default:}",
	    "\"body\"", "{{ is not closed" },
	{ "a depth without offer is refused",
	    "actions/help.json", "May I help with the scanning?",
	    "{{depth}} %",
	    "\"headline\"", "in an action without offer" },
	{ "four reasons are refused",
	    "actions/coffee-off.json", "[\"Usually buys coffee by now\"]",
	    "[\"a\",\"b\",\"c\",\"d\"]",
	    "\"why\"", "4 texts, expected at most 3" },
	{ "an image elsewhere is refused",
	    "actions/coffee-off.json", "\"image\":null",
	    "\"image\":\"javascript:alert(1)\"",
	    "\"image\"", "is not an image" },
	{ "a control character in a text is refused",
	    "actions/coffee-off.json", "Usually buys coffee by now",
	    "Usually \\u0007",
	    "\"Usually", "control character" },
	{ "a treatment that is there twice is refused",
	    "actions/milk.json", "\"language\":\"de\"",
	    "\"language\":\"en\"",
	    "{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"Milch", "is there twice" },
	{ "a mandatory action that reads a profile is refused",
	    "actions/recall.json", "{\">\":[{\"var\":\"basket_coffee\"},0]}",
	    "{\"==\":[{\"var\":\"tier\"},\"gold\"]}",
	    "\"applicable\"", "expected a mandatory action without consent" },
	{ "a mandatory action whose text is personal is refused",
	    "actions/recall.json", "Recalled: please keep aside",
	    "For {{tier}}",
	    "\"headline\"", "without consent" },
	{ "a mandatory offer is refused",
	    "actions/coffee-off.json", "\"mandatory\":false",
	    "\"mandatory\":true",
	    "\"offer\":{", "never scored" },
	{ "an unknown member of contact.json is refused",
	    "contact.json", "\"suppress\"",
	    "\"supress\"",
	    "\"supress\"", "unknown member \"supress\"" },
	{ "a suppression without an end is refused",
	    "contact.json", ",\"for\":\"30d\"",
	    "",
	    "{\"after\"", "has no end" },
	{ "a suppression with an end of nothing is refused",
	    "contact.json", "\"for\":\"30d\"",
	    "\"for\":\"0d\"",
	    "\"for\":\"0d\"", "\"for\" is 0d" },
	{ "a suppression after an unknown outcome is refused",
	    "contact.json", "\"overridden:insensitive\"",
	    "\"overriden:insensitive\"",
	    "\"outcome\":\"overriden", "is not an outcome" },
	{ "a suppression after no outcomes is refused",
	    "contact.json", "\"count\":2",
	    "\"count\":0",
	    "\"count\":0", "expected 1 to 1000" },
	{ "a scope that does not exist is refused",
	    "contact.json", "\"scope\":\"group\"",
	    "\"scope\":\"brand\"",
	    "\"scope\":\"brand\"", "is no scope" },
	{ "a clock that does not exist is refused",
	    "contact.json", "\"business-day\"",
	    "\"calendar\"",
	    "\"clock\"", "expected one of rolling" },
	{ "half a business day is refused",
	    "contact.json", "\"within\":\"1d\",\"clock\"",
	    "\"within\":\"12h\",\"clock\"",
	    "\"within\":\"12h\"", "expected whole ones" },
	{ "a cap by the own gap without gaps is refused",
	    "contact.json", "\"within\":\"1d\",\"clock\":\"business-day\"",
	    "\"clock\":\"own-gap\"",
	    "{\"per\"", "\"gaps\" is missing" },
	{ "an unknown unit is refused",
	    "experiments.json", "\"unit\":\"customer\"",
	    "\"unit\":\"household\"",
	    "\"unit\"", "expected one of customer" },
	{ "a share over one is refused",
	    "experiments.json", "\"share\":0.5",
	    "\"share\":1.5",
	    "\"share\"", "expected 0 to 1" },
	{ "an experiment without salt is refused",
	    "experiments.json", "\"salt\":\"0",
	    "\"salt\":\"",
	    "\"salt\"", "64 hex digits" },
	{ "a weight of zero is refused",
	    "experiments.json", "\"weight\":0.5",
	    "\"weight\":0",
	    "\"weight\":0,", "\"weight\" is 0" },
	{ "an experiment without arms is refused",
	    "experiments.json", "\"arms\"",
	    "\"arm\"",
	    "\"arm\"", "unknown member \"arm\"" },
	{ "a patch of an unknown action is refused",
	    "experiments.json", "\"coffee-off\":{\"margin\"",
	    "\"tea-off\":{\"margin\"",
	    "\"tea-off\"", "no action \"tea-off\" to patch" },
	{ "a patch of the salts is refused",
	    "experiments.json", "\"interrupt\":6",
	    "\"salts\":{\"id\":\"00\"}",
	    "\"salts\"", "expected it to be the same for all" },
	{ "a patch that does not compile is refused",
	    "experiments.json", "\"interrupt\":6",
	    "\"interrupt\":{\"var\":\"nowhere\"}",
	    "\"patch\"", "does not compile" },
	{ "a patch with an unknown member is refused",
	    "experiments.json", "\"coffee-off\":{\"margin\":150}",
	    "\"coffee-off\":{\"margins\":150}",
	    "\"patch\"", "unknown member \"margins\"" },
	{ "a patch that withholds as well is refused",
	    "experiments.json", "{\"weight\":1,\"patch\"",
	    "{\"weight\":1,\"withhold\":true,\"patch\"",
	    "\"patch\"", "expected one of the two" },
	{ "a zone whose rule is none is refused",
	    "zones.json", "CET-1CEST,M3.5.0,M10.5.0/3",
	    "Central",
	    "\"Europe/Berlin\"", "no rule that is understood" },
};
/* clang-format on */

/* "part:line:column: " of the first occurrence of at; of the part alone when at is NULL. */
static void
place_of(const struct mistake_row *row, const char *text, char *out, size_t size)
{
	const char *found = row->at != NULL ? strstr(text, row->at) : NULL;
	int line = 1, column = 1;

	if (row->at == NULL) {
		snprintf(out, size, "%s:", row->part);
		return;
	}
	assert_non_null(found);
	for (const char *p = text; p < found; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	snprintf(out, size, "%s:%d:%d: ", row->part, line, column);
}

/* Is there a line that begins with the place and has the text, and is no warning? */
static bool
has_line(const char *report, const char *place, const char *text)
{
	for (const char *line = report; *line != '\0'; line += strcspn(line, "\n") + 1) {
		char copy[2000];

		snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line, "\n"), line);
		if (strncmp(copy, place, strlen(place)) == 0 && strstr(copy, text) != NULL &&
		    strstr(copy, "warning:") == NULL)
			return true;
	}
	return false;
}

static void
is_refused_at_its_place(void **state)
{
	const struct mistake_row *row = *state;
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = {0};
	char place[300];

	fixture_init(&fixture);
	assert_int_equal(fixture_replace(&fixture, row->part, row->from, row->to), 0);
	place_of(row, fixture.changed, place, sizeof(place));
	if (strncmp(row->part, "models/churn.linear", 19) == 0)
		snprintf(
		    place, sizeof(place), "models/models.json:"); /* where the model is named */
	assert_int_not_equal(policy_compile(&fixture.parts, &policy, &report), 0);
	assert_null(policy);
	if (!has_line(report.data, place, row->text))
		fail_msg("expected %s … %s\ngot: %s", place, row->text, report.data);
	buf_done(&report);
	fixture_done(&fixture);
}

/* Without its mistake the same policy compiles: what was refused was the mistake. */
static void
the_policy_that_is_spoilt_is_good(void **state)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = {0};

	(void)state;
	fixture_init(&fixture);
	if (policy_compile(&fixture.parts, &policy, &report) != 0)
		fail_msg("%s", report.data);
	policy_free(policy);
	buf_done(&report);
}

static void
every_required_file_is_missed(void **state)
{
	static const char *const required[] = {"policy.json", "features.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(required); i++) {
		struct fixture fixture;
		struct policy *policy = NULL;
		struct buf report = {0};
		char place[64];

		fixture_init(&fixture);
		fixture_remove(&fixture, required[i]);
		snprintf(place, sizeof(place), "%s:1:1: ", required[i]);
		assert_int_not_equal(policy_compile(&fixture.parts, &policy, &report), 0);
		assert_true(has_line(report.data, place, "there is no such file"));
		buf_done(&report);
	}
}

static void
a_misspelt_contact_file_is_not_silently_no_caps(void **state)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = {0};

	(void)state;
	fixture_init(&fixture);
	fixture_set(&fixture, "contacts.json", "{}");
	assert_int_not_equal(policy_compile(&fixture.parts, &policy, &report), 0);
	assert_true(has_line(report.data, "contacts.json:1:1: ", "unknown file"));
	buf_done(&report);
}

static void
all_mistakes_are_reported_in_one_run(void **state)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = {0};

	(void)state;
	fixture_init(&fixture);
	fixture_set(&fixture, "features.json",
	    "{\"features\":[{\"name\":\"a\",\"type\":\"x\",\"from\":\"y\"}],\"z\":1}");
	fixture_set(&fixture, "contact.json", "{\"caps\":{}}");
	assert_int_not_equal(policy_compile(&fixture.parts, &policy, &report), 0);
	assert_true(has_line(report.data, "features.json:1:", "unknown member \"z\""));
	assert_true(has_line(report.data, "features.json:1:", "expected one of number"));
	assert_true(has_line(report.data, "contact.json:1:2: ", "expected a list"));
	assert_true(has_line(report.data, "actions/coffee-off.json:", "tier"));
	buf_done(&report);
}

static void
the_report_ends_after_a_hundred_mistakes(void **state)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = {0}, text = {0};
	size_t lines = 0;

	(void)state;
	fixture_init(&fixture);
	buf_adds(&text, "{\"caps\":[{\"max\":1}");
	for (int i = 0; i < 60; i++)
		buf_adds(&text, ",{\"per\":1,\"outcome\":2,\"x\":3}");
	buf_adds(&text, "]}");
	fixture_set(&fixture, "contact.json", text.data);
	assert_int_not_equal(policy_compile(&fixture.parts, &policy, &report), 0);
	for (const char *p = report.data; *p != '\0'; p++)
		lines += *p == '\n';
	assert_in_range(lines, 101, 102);
	assert_non_null(strstr(report.data, "more mistakes are not shown"));
	buf_done(&report);
	buf_done(&text);
}

int
main(void)
{
	static struct CMUnitTest tests[ARRAY_LEN(rows) + 5];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[count++] = (struct CMUnitTest){rows[i].claim, is_refused_at_its_place, NULL,
		    NULL, (void *)(uintptr_t)&rows[i]};
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(the_policy_that_is_spoilt_is_good);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_required_file_is_missed);
	tests[count++] =
	    (struct CMUnitTest)cmocka_unit_test(a_misspelt_contact_file_is_not_silently_no_caps);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(all_mistakes_are_reported_in_one_run);
	tests[count++] =
	    (struct CMUnitTest)cmocka_unit_test(the_report_ends_after_a_hundred_mistakes);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
