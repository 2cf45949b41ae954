/* SPDX-License-Identifier: Apache-2.0
 *
 * policy.h - a compiled policy: what a bundle's JSON became, ready to decide with.
 *
 * DESIGN
 *   Read-only after policy_compile(). Every clause (JsonLogic) is compiled once
 *   into policy->clauses; equal clauses share an index, so a decision evaluates
 *   each at most once. Experiment arms are patches to the source JSON: a
 *   patched policy is a second struct policy compiled from the patched source.
 *
 * OWNERSHIP
 *   Everything is owned by the policy; strings live as long as it does. All of
 *   it but the models, their contexts, the tables and the source is in policy->memory and points nowhere
 *   else, not at a string literal either: an image (policy/policy_image.h) is
 *   that memory in a file.
 */
#ifndef AISLE_POLICY_H
#define AISLE_POLICY_H

#include "aisle/base.h"
#include "aisle/contact.h"
#include "aisle/event.h"
#include "aisle/placement.h"
#include "aisle/shrink.h"
#include "aisle/value.h"

struct json_t;
struct logic;	      /* logic/logic.h: a compiled JsonLogic program */
struct model;	      /* score/model.h */
struct model_context; /* score/model.h */
struct calibration;   /* score/model.h */
struct policy_table;  /* policy/policy_tables.h */

#define POLICY_ACTIONS_MAX 4096
#define POLICY_FEATURES_MAX 1024
#define POLICY_MODELS_MAX 64
#define POLICY_LANGUAGES_MAX 16
#define LADDER_MAX 16
#define TIERS_MAX 16
#define WHY_MAX 3 /* lines of "why" on a card */

enum kind {
	KIND_OFFER,
	KIND_RECOMMEND,
	KIND_SERVICE,
	KIND_RETAIN,
	KIND_REMIND,
	KIND_COACH,
	KIND_INFORM,
	KIND_ALERT,
	KIND_COUNT
};
enum gate { GATE_NONE, GATE_ASSOCIATE, GATE_MANAGER, GATE_CUSTOMER, GATE_AUTO, GATE_COUNT };
extern const char *const kind_names[KIND_COUNT];
extern const char *const gate_names[GATE_COUNT];

/* ---- features ---- */

enum feature_source {
	FEATURE_PROFILE,   /* profile.NAME */
	FEATURE_LOCAL,	   /* local.FN(...) */
	FEATURE_INCIDENTS, /* local.incidents(kind=, within=) */
	FEATURE_BASKET,	   /* basket.FN(...) */
	FEATURE_HISTORY,   /* history.FN(...) */
	FEATURE_VISIT,
	FEATURE_STORE,
	FEATURE_TIME,
	FEATURE_EVENT,
	FEATURE_ACTION,
	FEATURE_MODEL,
	FEATURE_WALLET,	  /* wallet.FIELD */
	FEATURE_CONTACTS, /* contacts.count([channel=,] within=): of other channels */
	FEATURE_JOURNEYS, /* journeys.count */
};
enum feature_fn {
	FN_SUM,
	FN_QTY,
	FN_COUNT,
	FN_VISITS,
	FN_RECENCY,
	FN_GAP,
	FN_OVERDUE,
	FN_HAS,
	FN_TOTAL,
	FN_LINES,
	/* basket.* only: what the codes of its goods say */
	FN_BATCH,
	FN_MARGIN,
	FN_BEST_BEFORE_DAYS
};
enum feature_key { KEY_NONE, KEY_CATEGORY, KEY_BRAND, KEY_ITEM };
enum contact_scope {
	SCOPE_ALL,
	SCOPE_SELF,
	SCOPE_ACTION,
	SCOPE_GROUP,
	SCOPE_ISSUE,
	SCOPE_PLACEMENT
};
enum visit_field {
	VISIT_KNOWN,
	VISIT_AGE_S,
	VISIT_VOIDS,
	VISIT_DECLINES,
	VISIT_RETURNS,
	VISIT_WAIT,
	VISIT_PROMPTS,
	VISIT_CARD, /* one was read, whoever's it is and whatever he agreed to */
	VISIT_OWED
};
enum wallet_field { WALLET_COUNT, WALLET_WORTH, WALLET_DAYS_LEFT };
enum store_field { STORE_ID, STORE_QUEUE };
enum time_field { TIME_HOUR, TIME_WEEKDAY, TIME_MINUTE, TIME_DAY_OF_YEAR, TIME_DAYS_TO };
enum action_field {
	ACTION_DEPTH,
	ACTION_WORTH,
	ACTION_MARGIN,
	ACTION_LINE_MARGIN,
	ACTION_GROUP,
	ACTION_ISSUE,
	ACTION_ITEM,  /* of a family: what it names */
	ACTION_CHANCE /* and how likely that is */
};

struct feature {
	const char *name;
	enum value_tag type; /* VALUE_NUMBER, VALUE_STRING, VALUE_BOOL */
	struct value dflt;   /* VALUE_MISSING: none */
	enum feature_source source;
	enum feature_fn fn;
	enum feature_key key;
	const char *key_value;		 /* "grocery/coffee"; of contacts the channel, NULL: any */
	int64_t half_life_ms, within_ms; /* 0: none */
	int incident;			 /* enum incident_kind, -1: any */
	enum contact_scope scope;
	const char *scope_value; /* action id, group or issue */
	enum outcome outcome;
	const char *outcome_reason; /* NULL: any */
	int field; /* enum visit_field, store_field, time_field, action_field, wallet_field */
	const char *field_name; /* profile.NAME, event.NAME */
	int32_t days_to;	/* days since 1970-01-01 of time.days_to(DATE) */
	unsigned model;		/* index into policy->models */
	/* its value depends on the candidate (action.*, history self, models over them) */
	bool per_action;
	/* reads profile.*, local.*, history.*, wallet.*, contacts.* or journeys.*, also through a model */
	bool personal;
	bool compliance; /* basket.*: of marked goods, too; for mandatory actions alone */
	/* one a language of the policy, count 0: none; NULL: it has no reason */
	struct template *reasons;
};

/* ---- marks ---- */

struct marked {
	const char *category; /* with all below it */
	enum mark mark;
};

/* ---- expressions ---- */

/* EXPR_CHANCE: of the item that a family names, as its table has it */
enum expr_kind { EXPR_CONST, EXPR_CLAUSE, EXPR_MODEL, EXPR_CHANCE };
struct expr {
	enum expr_kind kind;
	unsigned index; /* clause or model */
	double constant;
};
#define CLAUSE_TRUE UINT32_MAX /* a clause that was absent or literally true */

#define CLAUSE_BYTES_MAX 200 /* of one in a record: the policy has the rest */
struct clause {
	struct logic *program;
	const char *source; /* canonical JSON */
	/* what a record says of it: source, or its first CLAUSE_BYTES_MAX bytes, length and hash */
	const char *brief;
	bool per_action;
};

/* ---- offers ---- */

enum offer_type { OFFER_PERCENT, OFFER_AMOUNT, OFFER_FIXED_PRICE, OFFER_POINTS, OFFER_FREE_ITEM };
enum offer_apply { APPLY_TILL_CODE, APPLY_LINES, APPLY_BARCODE };
extern const char
    *const offer_type_names[5]; /* "percent", "amount", "fixed-price", "points", "free-item" */
extern const char *const offer_apply_names[3]; /* "till-code", "lines", "barcode" */

/* Goods that a policy names: an offer's include or exclude, an outcome's item. Of one object every
 * member that is given must hold; of a list of them any, in order by next. */
struct match {
	bool set;
	const char *category, *brand, *item;
	const struct match *next;
};

struct tier {
	int64_t from_minor, depth;
};

struct offer {
	enum offer_type type;
	enum offer_apply apply;
	uint64_t aim,
	    aim_mask; /* how the category of a line begins that can qualify; mask 0: not told (policy_settle) */
	size_t ladder_count, tier_count;
	int64_t typical_minor;
	int64_t max_minor; /* -1: none */
	double funded;	   /* supplier's share, 0..1 */
	const char *funder;
	struct match include, exclude;
	uint32_t
	    match; /* equal ones, include and exclude, have the same: below match_count (policy_settle) */
	int64_t min_basket_minor;
	int64_t min_worth_minor;    /* less than this is not worth saying */
	const char *stack;	    /* stacking group; NULL: none */
	int64_t margin_floor_minor; /* INT64_MIN: none */
	int64_t until_ms;	    /* 0: by the basket's close */
	const char *code;	    /* barcode text for APPLY_BARCODE; NULL */
	int64_t *ladder; /* depths: percent, minor units or points; one entry without a ladder */
	struct tier *tiers;
};

/* ---- caps, budgets, suppression ---- */

enum cap_clock { CLOCK_ROLLING, CLOCK_BUSINESS_DAY, CLOCK_OWN_GAP };
struct cap {
	enum contact_scope scope; /* of the counted rows */
	const char *
	    scope_value; /* for SCOPE_ACTION/GROUP/ISSUE/PLACEMENT of a fixed one; NULL: the candidate's own */
	enum outcome outcome;
	const char *outcome_reason;
	int max;
	int64_t within_ms; /* 0 with CLOCK_OWN_GAP: gap_times × own purchase gap */
	double gap_times;
	enum cap_clock clock;
};
struct suppression {
	enum outcome outcome;
	const char *outcome_reason;
	int count;
	int64_t within_ms, for_ms;
	enum contact_scope scope;
};
enum budget_per { BUDGET_NONE, BUDGET_STORE_DAY, BUDGET_CAMPAIGN };
struct budget {
	enum budget_per per;
	int64_t money_minor; /* -1: none */
	int64_t units;	     /* -1: none */
};

/* What one action that stands for many takes its goods from: a table of the policy's own. */
enum family { FAMILY_NONE, FAMILY_BASKET, FAMILY_OWN, FAMILY_SUBSTITUTE, FAMILY_COUNT };
extern const char *const family_names[FAMILY_COUNT];

/* ---- actions ---- */

/* A template cut at its {{…}}: text, then for each part the value to put after it. */
enum filter { FILTER_NONE, FILTER_ROUND, FILTER_MONEY };
enum template_var { TEMPLATE_FEATURE, TEMPLATE_DEPTH, TEMPLATE_WORTH, TEMPLATE_ITEM };
struct template_part {
	const char *text; /* literal before the value */
	const char *dflt; /* NULL: a missing value makes the treatment unfit */
	uint32_t feature;
	uint8_t var, filter; /* enum template_var, enum filter */
	bool has_value;
};
struct template
{
	struct template_part *parts; /* NULL with count 0: absent */
	uint32_t count;
	uint32_t chars; /* of all literal texts, in characters */
};

/* A number that is no larger than this is at most so long in a text: 16 digits, a point, a sign, and as money a space and
 * a currency. */
#define NUMBER_MAX 9e15
#define NUMBER_CHARS_MAX 24
#define JSON_BYTES_OF_BYTE 6 /* of a control character */

/* Of all texts of a card together, as JSON: what a station shows fits into one message of the broker's. */
#define CARD_TEXT_BYTES_MAX 4096

struct treatment {
	const char *name, *language;
	struct template headline, say, body;
	struct template *why, *steps;
	size_t why_count, step_count;
	const char *image, *disclosure; /* image: the path that the card names; NULL: none */
	const char *image_of;		/* the article whose image it names; NULL: none */
	bool image_of_item;		/* that which its family names */
	int placement;			/* -1: any of the action's */
	bool plain;			/* no text of it has a value to fill in (policy_settle) */
	uint32_t text_bytes; /* of what is no value in its texts, and the disclosure, as JSON */
};

enum outcome_goal { GOAL_NONE, GOAL_REDEEMED, GOAL_BOUGHT, GOAL_CASE_CLOSED, GOAL_GOAL };

/* What the first gates read comes first, the offer last: a decision reads a little of thousands. */
/* What a past contact can have in common with an action. */
enum contact_by { BY_ACTION, BY_GROUP, BY_ISSUE, BY_COUNT };

struct action {
	const char *id, *group, *issue;
	uint32_t on; /* bit per enum event_type */
	bool on_timer;
	bool mandatory, personal;
	bool always;	    /* valid at any time, in any store (policy_settle) */
	bool lever_settled; /* levers holds (policy_settle) */
	bool has_uplift, has_offer, has_shrink;
	bool shrink_default;
	bool wallet;	    /* reminds of what is in the wallet */
	bool barred;	    /* about goods that nothing touches here (policy_bar) */
	uint8_t family;	    /* enum family: its goal is what a table names */
	uint8_t placements; /* bit per enum placement */
	/* of those where some treatment fits whatever depth and worth are, and none reads a feature (policy_settle) */
	uint8_t fits;
	enum kind kind;
	uint32_t eligible, applicable, suitable; /* clause index or CLAUSE_TRUE */
	struct cap *caps;
	size_t cap_count;
	struct treatment *treatments;
	size_t treatment_count;
	uint64_t keys[BY_COUNT]; /* how id, group and issue begin (policy_settle.c) */
	struct expr propensity;	 /* p1 */
	double incremental;	 /* p0 = (1 - incremental) * p1 */
	struct shrink shrink;	 /* of both, where has_shrink */
	struct expr context, margin, lever_expr;
	bool
	    margin_lines; /* margin is of the lines that qualify; the expression where they state none */
	/* Bit per per_action model that the margin may ask, and the factors that know the margin (policy_settle) */
	uint64_t margin_asks, factors_ask;
	double levers; /* the action's own lever times those of the policy that name it */
	unsigned uplift_treated, uplift_control; /* models */
	struct budget budget;
	enum gate gate;
	int64_t valid_from_ms, valid_until_ms;	   /* 0, INT64_MAX: none */
	uint8_t valid_days;			   /* bit 0 = Monday; 0x7f: all */
	int valid_minute_from, valid_minute_until; /* store's local minutes; 0, 1440 */
	const char **stores;			   /* NULL: all */
	size_t store_count;
	enum outcome_goal goal;
	int64_t goal_within_ms; /* 0: by the basket's close */
	struct match goal_item;
	int64_t expires_ms;
	struct offer offer;
};

struct placement_rules {
	bool present;
	int slots;			     /* 1..8 */
	int headline_max, body_max, say_max; /* characters; 0: no limit */
};

struct arm {
	const char *name;
	double weight;
	bool withhold;
	const char *patch; /* JSON; NULL: none */
};
enum unit { UNIT_CUSTOMER, UNIT_VISIT, UNIT_STATION_DAY, UNIT_STORE };
/* What the report holds it against; the store does nothing with it. */
struct experiment_plan {
	int64_t start_ms;
	int weeks;     /* 0: there is no plan */
	double effect; /* in minor units per customer and week */
};
struct experiment {
	const char *name;
	enum unit unit;
	uint8_t salt[32];
	double share;
	struct arm *arms; /* in order of arm name */
	size_t arm_count;
	struct experiment_plan plan;
};

struct policy_model {
	const char *name;
	struct model *model;
	uint16_t *inputs; /* for each model input, the feature slot */
	size_t input_count;
	struct calibration *calibration; /* as the model has it; NULL: none */
	bool per_action, personal;
	uint64_t
	    reads; /* bit per per_action model that its score asks, itself among them; 0: it is none */
	struct model_context *context; /* for the candidates of a decision; NULL: not per_action */
};

/* What people call an item or a category: a text for each language of the policy; NULL: none. */
struct item_words {
	const char *item;
	const char **texts;
};

/* A file below images/, and where the store serves it. */
struct policy_picture {
	const char *name, *path; /* "images/coffee.png", "/v1/images/HASH" */
};

struct zone_rule {
	const char *name, *rule; /* "Europe/Berlin", its POSIX TZ */
};

/* A factor on the priority of what it names. */
struct lever {
	const char *target; /* "issue:retain", "action:ID", "group:G" */
	double value;
	double own, min, max; /* the policy's value; where a manager may move it to */
	bool bounded;	      /* false: no manager moves it */
};

/* ---- columns ---- */

enum bar_kind { BAR_NONE, BAR_LESS, BAR_LESS_EQUAL, BAR_MORE, BAR_MORE_EQUAL };
/* A clause, and which members of its gate ask it: up to the next bar's first. Of another kind than BAR_NONE it
 * is a feature that is compared with a number, in order of feature and number. No padding: see policy_image.c. */
struct bar {
	double number;
	uint32_t kind, slot, clause, first;
};
struct gate_column {
	struct bar *bars; /* one more than count */
	size_t count;
	uint16_t *members; /* actions */
};
enum asks { ASKS_ELIGIBLE, ASKS_APPLICABLE, ASKS_SUITABLE, ASKS_COUNT };

/* Names that actions share, and whose they are. */
struct name_column {
	const char **names; /* ascending */
	uint32_t *first;    /* of members; one more than count */
	size_t count;
	uint16_t *members;
};

/* What gates ask, and who asks it: policy_columns.c. Sets have a bit for each action. */
struct columns {
	size_t words; /* of a set */
	/* who may be gated with all others together: plain; whom a gate may close at all: the rest */
	uint64_t *plain, *personal, *dated, *guarded, *least, *stacked, *budgeted, *offers;
	uint64_t *barred; /* policy_bar */
	uint64_t *worded; /* what fits hangs on values, at some of their places */
	uint64_t *capped[BY_COUNT], *place[PLACE_COUNT];
	size_t reminders; /* actions that remind of the wallet */
	int64_t reach_ms; /* of their own limits, the longest window */
	struct gate_column gates[ASKS_COUNT];
	struct name_column groups, issues;
};

struct policy {
	const char *name;
	int64_t version;
	char hash[65]; /* BLAKE2b-256 of the bundle file, hex; "" when not from a file */
	const char *currency;
	int currency_digits; /* ISO 4217 minor digits */
	const char *languages[POLICY_LANGUAGES_MAX];
	size_t language_count;
	uint8_t salt_id[32], salt_control[32], salt_explore[32];
	struct placement_rules places[PLACE_COUNT];
	bool greedy;
	double explore_unit, cost_max, gamma; /* minor units; gamma < 0: derived */
	/* of what the best card is worth beyond the interruption, instead of a cost_max; 0: none */
	double explore_share;
	double explore_worth; /* that worth, until a store knows; < 0: not stated */
	int shortlist;
	struct expr interrupt;
	double control_share;
	struct experiment_plan control_plan;
	bool quiet_tender;
	double quiet_queue_over;    /* < 0: none */
	bool care_journeys;	    /* a running journey is a reason */
	int care_severity;	    /* 0: none */
	double care_likely_to_call; /* < 0: none */
	int care_feature;	    /* slot of likely_to_call; -1 */
	uint8_t care_only;	    /* bit per enum kind that passes */
	struct lever *levers;
	size_t lever_count;

	struct marked *marks; /* of sensitive and no_promotion */
	size_t mark_count;
	struct feature *features;
	size_t feature_count;
	struct clause *clauses;
	size_t clause_count;
	struct policy_model *models;
	size_t model_count;
	struct action *actions; /* ascending by id */
	size_t action_count;
	size_t match_count; /* of offers */
	struct columns columns;
	struct cap *caps; /* contact.json */
	size_t cap_count;
	struct suppression *suppressions;
	size_t suppression_count;
	struct experiment *experiments; /* ascending by name */
	size_t experiment_count;
	struct zone_rule *zones; /* ascending by name */
	size_t zone_count;
	struct policy_picture *pictures; /* ascending by name */
	size_t picture_count;
	struct policy_table *tables[FAMILY_COUNT]; /* NULL: none */
	struct item_words *words;		   /* ascending by item */
	size_t word_count;
	uint32_t triggers; /* union of actions' on */
	/* Actions that each type of event names, the timer's last; ascending (policy_settle) */
	struct {
		uint16_t *actions;
		size_t count;
	} named[EV_COUNT + 1];

	struct json_t *
	    source; /* merged tree: {"policy","features","actions":{id:…},"models","contact","experiments","zones"};
					 * NULL: from an image */
	void *memory; /* arena that owns all of the above but the models and tables */
};

#endif
