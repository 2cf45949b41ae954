/* SPDX-License-Identifier: Apache-2.0
 *
 * features_decl.c - the text after "from" to a struct feature.
 *
 *	profile.NAME   event.NAME   model.NAME
 *	local.FN([KEY=VALUE][, half_life=D | within=D])
 *	local.incidents([kind=KIND][, within=D])
 *	basket.FN([KEY=VALUE])
 *	history.FN(action=ID|self | group=G | issue=I | all, outcome=O[, within=D])
 *	visit.FIELD   store.FIELD   action.FIELD   time.FIELD   time.days_to(DATE)
 *	wallet.FIELD   contacts.count([channel=C,] within=D)   journeys.count
 *
 * Arguments may come in any order, each once. What could have no effect is
 * refused: a half-life on what is not a sum, a sum over contacts.
 */
#include "score/features_decl.h"

#include <string.h>

#include "core/unicode.h"
#include "core/when.h"
#include "nouns/match.h"
#include "score/features_args.h"
#include "score/features_parts.h"

/* clang-format off */
static const char *const fn_names[] = {
	[FN_SUM] = "sum", [FN_QTY] = "qty", [FN_COUNT] = "count", [FN_VISITS] = "visits",
	[FN_RECENCY] = "recency", [FN_GAP] = "gap", [FN_OVERDUE] = "overdue", [FN_HAS] = "has",
	[FN_TOTAL] = "total", [FN_LINES] = "lines", [FN_BATCH] = "batch", [FN_MARGIN] = "margin",
	[FN_BEST_BEFORE_DAYS] = "best_before_days",
};
/* clang-format on */
static const char *const key_names[] = { NULL, "category", "brand", "item" };
static const char *const incident_names[] = { "return", "decline", "void", "complaint" };
static const char *const visit_names[] = {
	"known",
	"age_s",
	"voids",
	"declines",
	"returns",
	"waiting",
	"prompts",
	"card",
	"owed",
};
static const char *const wallet_names[] = { "count", "worth", "days_left" };
static const char *const journey_names[] = { "count" };
static const char *const store_names[] = { "id", "queue" };
static const char *const time_names[] = { "hour", "weekday", "minute", "day_of_year", "days_to" };
static const char *const action_names[] = { "depth", "worth", "margin", "line_margin", "group",
	"issue", "item", "chance" };

static int
index_of(const char *word, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (names[i] != NULL && strcmp(names[i], word) == 0)
			return (int)i;
	}
	return -1;
}

/* ---- keys ---- */

static bool
is_path(const char *text)
{
	size_t len = strlen(text);

	return text[0] != '/' && text[len - 1] != '/' && strstr(text, "//") == NULL;
}

static int
take_key(struct scan *scan, struct feature *feature)
{
	struct arg *arg;

	for (int key = KEY_CATEGORY; key <= KEY_ITEM; key++) {
		arg = args_take(scan, key_names[key]);
		if (arg == NULL)
			continue;
		if (feature->key != KEY_NONE)
			return args_fail(scan, arg->column, "a second key",
			    "one of category, brand, item");
		if (arg->value == NULL)
			return args_fail(scan, arg->column, "a value is missing", "KEY=VALUE");
		if (key == KEY_CATEGORY && !is_path(arg->value))
			return args_fail(scan, arg->value_column, "not a category",
			    "a path as grocery/coffee");
		feature->key = (enum feature_key)key;
		/* As lines carry it. */
		feature->key_value = key == KEY_ITEM ? item_name(scan->arena, arg->value)
		    : key == KEY_BRAND		     ? unicode_key(scan->arena, arg->value)
						     : unicode_path_key(scan->arena, arg->value);
	}
	return 0;
}

/* ---- one source each ---- */

static bool
is_sum(enum feature_fn fn)
{
	return fn == FN_SUM || fn == FN_QTY || fn == FN_COUNT || fn == FN_VISITS ||
	    fn == FN_TOTAL || fn == FN_LINES;
}

static int
read_fn(struct scan *scan, struct feature *feature)
{
	int column = args_here(scan), fn;
	char *word = args_word(scan, "(");

	fn = word == NULL ? -1 : index_of(word, fn_names, ARRAY_LEN(fn_names));
	if (fn < 0 || (fn >= FN_BATCH && feature->source != FEATURE_BASKET))
		return args_fail(scan, column, "unknown function",
		    "sum, qty, count, visits, recency, gap, overdue, has, total or lines; of "
		    "basket also margin, batch or best_before_days");
	feature->fn = (enum feature_fn)fn;
	return args_read(scan);
}

static int
parse_incidents(struct scan *scan, struct feature *feature)
{
	struct arg *kind;
	int rc = args_read(scan);

	feature->source = FEATURE_INCIDENTS;
	feature->fn = FN_COUNT;
	feature->incident = -1;
	if (rc != 0 || (rc = args_duration(scan, "within", &feature->within_ms)) != 0)
		return rc;
	kind = args_take(scan, "kind");
	if (kind != NULL) {
		feature->incident = kind->value == NULL
		    ? -1
		    : index_of(kind->value, incident_names, ARRAY_LEN(incident_names));
		if (feature->incident < 0)
			return args_fail(scan,
			    kind->value == NULL ? kind->column : kind->value_column, "unknown kind",
			    "return, decline, void or complaint");
	}
	return args_no_more(scan, "kind or within");
}

static int
parse_local(struct scan *scan, struct feature *feature)
{
	struct arg *half_life;
	int rc;

	feature->personal = true;
	if (strncmp(scan->text + scan->at, "incidents(", 10) == 0) {
		scan->at += 9;
		return parse_incidents(scan, feature);
	}
	if ((rc = read_fn(scan, feature)) != 0 || (rc = take_key(scan, feature)) != 0 ||
	    (rc = args_duration(scan, "within", &feature->within_ms)) != 0 ||
	    (rc = args_duration(scan, "half_life", &feature->half_life_ms)) != 0)
		return rc;
	half_life = args_take(scan, "half_life");
	if (half_life != NULL && feature->within_ms > 0)
		return args_fail(scan, half_life->column, "both half_life and within",
		    "one of them");
	if (half_life != NULL && !is_sum(feature->fn))
		return args_fail(scan, half_life->column, "only sums decay",
		    "half_life with sum, qty, count, visits, total or lines");
	return args_no_more(scan, "category, brand, item, half_life or within");
}

static int
parse_basket(struct scan *scan, struct feature *feature)
{
	int rc;

	if ((rc = read_fn(scan, feature)) != 0 || (rc = take_key(scan, feature)) != 0)
		return rc;
	if (feature->fn == FN_BATCH && feature->key != KEY_ITEM)
		return args_fail(scan, args_here(scan), "a batch of no item", "batch(item=GTIN)");
	return args_no_more(scan, "category, brand or item");
}

static int
take_scope(struct scan *scan, struct feature *feature)
{
	static const struct {
		const char *name;
		enum contact_scope scope;
	} scopes[] = {
		{ "all", SCOPE_ALL },
		{ "action", SCOPE_ACTION },
		{ "group", SCOPE_GROUP },
		{ "issue", SCOPE_ISSUE },
	};
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
		struct arg *arg = args_take(scan, scopes[i].name);

		if (arg == NULL)
			continue;
		if (found)
			return args_fail(scan, arg->column, "a second scope",
			    "one of action, group, issue, all");
		if ((arg->value == NULL) != (scopes[i].scope == SCOPE_ALL))
			return args_fail(scan, arg->column, "wrong form of the scope",
			    "action=ID, action=self, group=G, issue=I or all");
		found = true;
		feature->scope = scopes[i].scope;
		feature->scope_value = arg->value;
	}
	if (!found)
		return args_fail(scan, args_here(scan) - 1, "no scope",
		    "action=, group=, issue= or all");
	if (feature->scope == SCOPE_ACTION && strcmp(feature->scope_value, "self") == 0) {
		feature->scope = SCOPE_SELF;
		feature->scope_value = NULL;
		feature->per_action = true;
	}
	return 0;
}

static int
parse_history(struct scan *scan, struct feature *feature)
{
	int column = args_here(scan), rc;
	struct arg *outcome;

	feature->personal = true;
	if ((rc = read_fn(scan, feature)) != 0)
		return rc;
	if (is_sum(feature->fn) && feature->fn != FN_COUNT)
		return args_fail(scan, column, "contacts have no amounts",
		    "history with count, recency, gap, overdue or has");
	if ((rc = take_scope(scan, feature)) != 0 ||
	    (rc = args_duration(scan, "within", &feature->within_ms)) != 0)
		return rc;
	outcome = args_take(scan, "outcome");
	if (outcome == NULL || outcome->value == NULL)
		return args_fail(scan, outcome == NULL ? args_here(scan) - 1 : outcome->column,
		    "no outcome", "outcome=shown, dismissed, redeemed …");
	feature->outcome = outcome_by_name(outcome->value, &feature->outcome_reason);
	if (feature->outcome == OUTCOME_COUNT)
		return args_fail(scan, outcome->value_column, "unknown outcome",
		    "shown, accepted, dismissed, overridden:REASON, redeemed …");
	return args_no_more(scan, "action, group, issue, all, outcome or within");
}

static int
parse_field(struct scan *scan, struct feature *feature, const char *const *names, size_t count,
    const char *expected)
{
	int column = args_here(scan);
	char *word = args_word(scan, "");

	feature->field = word == NULL ? -1 : index_of(word, names, count);
	return feature->field < 0 ? args_fail(scan, column, "unknown field", expected) : 0;
}

static int
parse_visit(struct scan *scan, struct feature *feature)
{
	return parse_field(scan, feature, visit_names, ARRAY_LEN(visit_names),
	    "known, age_s, voids, declines, returns, waiting, prompts, card or owed");
}

static int
parse_store(struct scan *scan, struct feature *feature)
{
	return parse_field(scan, feature, store_names, ARRAY_LEN(store_names), "id or queue");
}

static int
parse_wallet(struct scan *scan, struct feature *feature)
{
	feature->personal = true;
	return parse_field(scan, feature, wallet_names, ARRAY_LEN(wallet_names),
	    "count, worth or days_left");
}

static int
parse_journeys(struct scan *scan, struct feature *feature)
{
	feature->personal = true;
	return parse_field(scan, feature, journey_names, ARRAY_LEN(journey_names), "count");
}

static int
parse_contacts(struct scan *scan, struct feature *feature)
{
	int column = args_here(scan), rc;
	char *word = args_word(scan, "(");
	struct arg *channel;

	feature->personal = true;
	feature->fn = FN_COUNT;
	if (word == NULL || strcmp(word, "count") != 0)
		return args_fail(scan, column, "unknown function", "count");
	if ((rc = args_read(scan)) != 0 ||
	    (rc = args_duration(scan, "within", &feature->within_ms)) != 0)
		return rc;
	if (feature->within_ms == 0)
		return args_fail(scan, args_here(scan) - 1, "no window", "within=D");
	channel = args_take(scan, "channel");
	if (channel != NULL && channel->value == NULL)
		return args_fail(scan, channel->column, "a channel is missing", "channel=NAME");
	if (channel != NULL)
		feature->key_value = channel->value;
	return args_no_more(scan, "channel or within");
}

static int
parse_action(struct scan *scan, struct feature *feature)
{
	feature->per_action = true;
	return parse_field(scan, feature, action_names, ARRAY_LEN(action_names),
	    "depth, worth, margin, line_margin, group or issue");
}

static int
parse_time(struct scan *scan, struct feature *feature)
{
	struct arg *date;
	int rc;

	if (strncmp(scan->text + scan->at, "days_to(", 8) != 0)
		return parse_field(scan, feature, time_names, TIME_DAYS_TO,
		    "hour, weekday, minute, day_of_year or days_to(YYYY-MM-DD)");
	feature->field = TIME_DAYS_TO;
	scan->at += 7;
	if ((rc = args_read(scan)) != 0)
		return rc;
	date = &scan->args[0];
	if (scan->arg_count != 1 || date->value != NULL ||
	    !when_date(date->name, &feature->days_to))
		return args_fail(scan, scan->arg_count == 0 ? args_here(scan) - 1 : date->column,
		    "not a date", "days_to(YYYY-MM-DD)");
	return 0;
}

/* profile.NAME, event.NAME, model.NAME: a name without spaces, commas and the like. */
static int
parse_name(struct scan *scan, struct feature *feature)
{
	const char *name = scan->text + scan->at;
	size_t len = strlen(name), good = strcspn(name, " \t(),=\"'{}[]\\");

	if (len == 0 || len > WORD_MAX || good != len)
		return args_fail(scan, args_here(scan) + (int)(good != len ? good : 0),
		    "not a name", "letters, digits, _, - and .");
	feature->field_name = arena_strdup(scan->arena, name);
	feature->personal = feature->source == FEATURE_PROFILE;
	return 0;
}

static const struct {
	const char *name;
	enum feature_source source;
	int (*parse)(struct scan *, struct feature *);
} sources[] = {
	{ "profile", FEATURE_PROFILE, parse_name },
	{ "local", FEATURE_LOCAL, parse_local },
	{ "basket", FEATURE_BASKET, parse_basket },
	{ "history", FEATURE_HISTORY, parse_history },
	{ "visit", FEATURE_VISIT, parse_visit },
	{ "store", FEATURE_STORE, parse_store },
	{ "time", FEATURE_TIME, parse_time },
	{ "event", FEATURE_EVENT, parse_name },
	{ "action", FEATURE_ACTION, parse_action },
	{ "model", FEATURE_MODEL, parse_name },
	{ "wallet", FEATURE_WALLET, parse_wallet },
	{ "contacts", FEATURE_CONTACTS, parse_contacts },
	{ "journeys", FEATURE_JOURNEYS, parse_journeys },
};

/* Into a copy: on an error the caller's feature is as it was. */
int
feature_parse_from(struct arena *arena, const char *from, struct feature *feature, struct err *err)
{
	struct scan scan = { .arena = arena, .text = from, .err = err };
	struct feature parsed = {
		.name = feature->name, .type = feature->type, .dflt = feature->dflt, .incident = -1
	};
	size_t len = strcspn(from, ".");
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		if (strlen(sources[i].name) != len || strncmp(from, sources[i].name, len) != 0 ||
		    from[len] != '.')
			continue;
		parsed.source = sources[i].source;
		scan.at = len + 1;
		rc = sources[i].parse(&scan, &parsed);
		if (rc == 0)
			*feature = parsed;
		return rc;
	}
	return args_fail(&scan, 1, "unknown source",
	    "profile., local., basket., history., wallet., contacts., journeys., visit., store., "
	    "time., event., action. or model.");
}

enum value_tag
feature_natural_type(const struct feature *feature)
{
	switch (feature->source) {
	case FEATURE_PROFILE:
	case FEATURE_EVENT: return VALUE_MISSING;
	case FEATURE_LOCAL:
	case FEATURE_BASKET:
	case FEATURE_HISTORY:
		return feature->fn == FN_HAS  ? VALUE_BOOL
		    : feature->fn == FN_BATCH ? VALUE_STRING
					      : VALUE_NUMBER;
	case FEATURE_VISIT:
		return feature->field == VISIT_KNOWN || feature->field == VISIT_WAIT ||
			feature->field == VISIT_CARD
		    ? VALUE_BOOL
		    : VALUE_NUMBER;
	case FEATURE_STORE: return feature->field == STORE_ID ? VALUE_STRING : VALUE_NUMBER;
	case FEATURE_ACTION:
		return feature->field == ACTION_GROUP || feature->field == ACTION_ISSUE ||
			feature->field == ACTION_ITEM
		    ? VALUE_STRING
		    : VALUE_NUMBER;
	case FEATURE_INCIDENTS:
	case FEATURE_TIME:
	case FEATURE_WALLET:
	case FEATURE_CONTACTS:
	case FEATURE_JOURNEYS:
	case FEATURE_MODEL: return VALUE_NUMBER;
	}
	return VALUE_MISSING;
}
