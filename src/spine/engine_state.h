/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_state.h - what the engine holds in memory. Of the spine alone, and of its tests.
 */
#ifndef AISLE_SPINE_ENGINE_STATE_H
#define AISLE_SPINE_ENGINE_STATE_H

#include "learn/cells.h"
#include "learn/exploring.h"
#include "spine/engine.h"

struct engine_budget {
	char *action;
	int64_t day_ms; /* business day the day's figures are for */
	int64_t day_money_minor, day_units, all_money_minor, all_units;
	bool dirty; /* its rack is to be written: see hold.c */
};

struct subject_slot {
	struct subject *subject;
	struct subject_slot *next;
	bool used; /* in this turn */
};
#define SUBJECT_BUCKETS 1024
#define SUBJECTS_CACHED 256

struct policy_variant {
	char *key; /* "experiment=arm,experiment=arm" of those with patches */
	struct policy *policy;
};
#define VARIANTS_MAX 64

struct queue_reading {
	char station[NAME_SIZE];
	double value;
};
#define QUEUE_STATIONS_MAX 256

/* Goods that came back and whose sale has not been heard of. */
struct stray_item {
	char *item, *category;
	int64_t qty_milli, amount_minor; /* what is still to be found */
	enum mark mark;			 /* of the article itself */
};
struct stray {
	struct id id, ret;			    /* of its row; the return's number, hashed */
	char *number, *basket, *terminal, *station; /* basket, terminal NULL: not said */
	bool has_subject, noted;		    /* noted: as an incident of who bought it */
	struct id subject;
	int64_t at_ms, time_ms; /* arrival; as the till says */
	int64_t sold_ms;	/* of the sale; 0: not said */
	int64_t unsold_minor;	/* taken of a purchase whose sale is not kept */
	int64_t sent_minor;	/* what headquarters heard of it last */
	struct stray_item *items;
	size_t item_count;
};

struct receipt_row {
	const char *topic, *source, *id; /* turn's arena; topic: of who asked, "pos/7/receipt" */
	int64_t at_ms;
	const char *reason; /* NULL: on disk */
};

/* Figures of one action: of the hour (tally.c), of the business day (today.c). */
struct tally_action {
	char *action; /* of the hour, "": decisions, which are of no action */
	int64_t decisions, withheld, redeemed_minor, reversed_minor; /* reversed: of the hour */
	int64_t unanswered;					     /* of the day: see today.c */
	int64_t outcomes[OUTCOME_COUNT];
	int64_t reasons[ANSWER_REASONS]; /* of the day: of each no that had one */
};
/* Figures of the business day (today.c). */
#define TODAY_HOURS 25 /* one more than a day has, for a cut within an hour */
struct hour_figures {
	int64_t prompts, shown, accepted, redeemed, redeemed_minor;
};
struct tally {
	int64_t start_ms, decisions, withheld;
	/* of cards that were sent; DECIDED: the prompts themselves */
	int64_t outcomes[OUTCOME_COUNT];
	/* by the store's clock, from the hour that the day began in */
	struct hour_figures hours[TODAY_HOURS];
	size_t hour; /* the last one that anything was counted in */
	bool hours_dirty;
	struct tally_action *actions; /* in order of their first prompt; the last may be "" */
	uint64_t dirty_racks;	      /* see today.c */
	size_t action_count;
};

/* A business day that is over (days.c). */
#define PAST_DAYS 8
struct past_day {
	int64_t start_ms;
	struct hour_figures hours[TODAY_HOURS];
};

/* The latest time of any basket that is over at a station (engine_baskets.c). */
#define STATIONS_OVER_MAX 256
struct station_over {
	char station[NAME_SIZE];
	int64_t last_ms;
};

/* Who was heard of when (heard.c). */
#define HEARD_MAX 256
#define HEARD_DAYS 8
#define HEARD_NAME_SIZE (NAME_SIZE + 8) /* "pos/7", "loyalty/r7", "tablet/front" */
struct heard {
	char name[HEARD_NAME_SIZE];
	int64_t last_ms, day_ms; /* the business day of hours[0]; the days before are behind it */
	uint32_t hours[HEARD_DAYS]; /* a bit per hour in which it was heard of */
};

/* A card that was sent (recent.c). */
#define RECENT_MAX 24
struct recent {
	struct id prompt, decision;
	char *action, station[NAME_SIZE];
	int64_t sent_ms;
	enum outcome outcome; /* the last one; DECIDED: none yet */
};

/* What was promised and what tills took off, of the business day (promise.c). */
struct promise_row {
	char *terminal, *action; /* "": of those that have no row of their own */
	int64_t made, less, less_minor, more, more_minor;
};
struct promises {
	int64_t start_ms;
	struct promise_row *rows;
	size_t count;
	uint64_t dirty_racks;
};

/* The events of one millisecond: source and id, and with the sender. The newest of them. */
#define SEEN_NOW_MAX 256
#define HELD_SLOTS 256 /* of the sums of what the tills' open baskets hold */
struct seen_now {
	int64_t at_ms;
	size_t count;
	struct id names[SEEN_NOW_MAX], keys[SEEN_NOW_MAX];
};

/* Customers first seen in an arm: on the day, and ever (assigned.c). */
#define ASSIGNED_MAX 256
struct assigned_arm {
	char *experiment, *arm;
	int64_t fresh, total;
};

/* What a day's draws may cost (looking.c). */
#define LOOKING_SLOTS 8 /* of a placement; a bit for each of all fits visit.drew */
_Static_assert(PLACE_COUNT *LOOKING_SLOTS <= 63, "a bit for each place of a visit");
struct looking {
	char bundle[65];
	double b0;  /* what stands for this bundle's first draws, if it does not say so itself */
	double sum; /* of what the best cards were worth, on the bundle's days before this one */
	int64_t count;
	int64_t day_ms; /* the business day's start */
	double day_sum;
	int64_t day_count;
	struct exploring_day day;
	bool dirty;
};

/* What was expected of each action and what came, since the Monday (learning.c). */
#define LEARNING_BUNDLES 4
#define LEARNED_PEOPLE_MAX 100 /* what [privacy] group_min may be at most */
struct learned_cell {
	int64_t n, y, p; /* p: Q16 */
	uint64_t people[LEARNED_PEOPLE_MAX];
	int people_count; /* at most group_min: then there are enough */
};
struct learned_action {
	char *action;
	int bundle;
	bool dirty;
	struct learned_cell arms[2]; /* not shown, shown */
};
struct learning {
	char bundles[LEARNING_BUNDLES][65];
	size_t bundle_count;
	struct learned_action *actions;
	size_t count, capacity;
	int32_t week; /* its Monday, in days since 1970; 0: nothing was taught */
	bool dirty;   /* the week, its bundles, how many actions */
};

/* What the store learned of the chances of the bundle in force (learner.c). */
struct learner {
	char bundle[65];
	struct cells cells;
	int32_t week;	/* the Monday of the last turn, in days since 1970; 0: nothing was taught */
	int64_t day_ms; /* the business day of what was taught since; 0: nothing was */
	bool dirty, taught; /* the head; cells that were taught in this turn */
};

enum uplink_takes {
	UPLINK_NONE,   /* headquarters is not there, or must not hear */
	UPLINK_SUMS,   /* consent, and the sums of each hour */
	UPLINK_RECORDS /* consent, decisions and outcomes */
};

/* The ends of the queues of events that wait (waiting.c). */
struct waiting {
	struct waiting_queue *queues; /* ascending by key; none is empty */
	size_t count, capacity;
	int64_t bytes;
	int64_t turn; /* key of the queue that was taken from last */
};

/* A sender whose messages cannot be used for this reason (letters.c). */
#define LETTER_SENDERS 64
#define LETTER_TOPIC_SIZE 128
struct letter_sender {
	struct id key; /* digest of the topic */
	char topic[LETTER_TOPIC_SIZE], detail[200];
	enum reject reason;
	int64_t second, tokens; /* letters that may be told at once, as of then */
	int64_t left_out;
	struct buf payload; /* of the first that was left out */
};

#define STOCK_MAX 2048
/* Whether an article is there to be had (stock.c). */
struct stock_item {
	char *article;
	bool out;
	int64_t at_ms, until_ms; /* until_ms 0: until something else is said */
};

/* A lever that a manager moved (levers.c). */
#define LEVERS_MAX 64
struct lever_moved {
	char name[160];
	double value;
	int64_t until_ms;
};

/* What the recording was told last of what is in force (recording.c). known, in a replay: it begins with the state. */
struct recording_context {
	bool known, uncertain;
	char policy[65], catalog[65];
};

struct engine {
	struct engine_options options;
	const struct conf *conf;
	char topic_root[64]; /* "aisle/v1/STORE" */
	struct store *store;
	struct keys *keys;
	enum uplink_takes uplink;
	bool settles; /* what comes of a draw is followed, and learned from */
	struct sealer sealer;
	bool has_sealer;
	profile_get_fn profile_get;
	void *profile_ctx;
	uint32_t sources_on; /* bit per event type: engine_show_sources() */
	sources_fn on_sources;
	void *on_sources_ctx;
	struct witness witness;
	struct policy *other; /* see consider.c */
	draws_fn on_draws;
	void *on_draws_ctx;
	returned_fn on_returned;
	void *on_returned_ctx;

	struct bundle *bundle;
	struct policy *policy;	 /* NULL: none */
	struct catalog *catalog; /* NULL: none */
	struct policy_variant variants[VARIANTS_MAX];
	size_t variant_count;
	struct zone *zone;
	char zone_name[64]; /* "UTC" until a policy brings its zones */

	struct sessions *sessions;
	struct subject_slot *subjects[SUBJECT_BUCKETS];
	size_t subject_count;
	bool subjects_doubtful; /* the row of one could not be read */
	char **stopped;		/* ascending */
	struct stop *stops;	/* of each */
	size_t stopped_count;
	struct lever_moved levers[LEVERS_MAX];
	size_t lever_count;
	struct engine_budget *budgets;
	size_t budget_count;
	bool budgets_dirty;
	struct stock_item stock[STOCK_MAX]; /* ascending by article */
	size_t stock_count;
	bool stock_dirty;
	struct queue_reading queues[QUEUE_STATIONS_MAX];
	size_t queue_count;
	bool queues_dirty;
	struct station_over over[STATIONS_OVER_MAX];
	size_t over_count;
	struct stray **strays; /* in order of arrival */
	size_t stray_count;
	struct tally today;
	struct past_day past[PAST_DAYS]; /* ascending */
	size_t past_count;
	bool past_dirty;
	struct heard heard[HEARD_MAX];
	size_t heard_count;
	int64_t heard_saved_ms;
	bool heard_dirty;
	struct recent recent[RECENT_MAX]; /* oldest first */
	size_t recent_count;
	int64_t recent_saved_ms;
	bool recent_dirty;
	struct promises promises;
	struct assigned_arm assigned[ASSIGNED_MAX];
	size_t assigned_count;
	int64_t assigned_day_ms; /* that fresh is of; 0: nobody was new since the last one */
	bool assigned_dirty;
	struct looking looking;
	struct learning learning;
	struct learner learner;
	struct tally_action *hour;
	size_t hour_count;
	int64_t hour_ms; /* start of the hour; 0: nothing counted yet */
	bool today_dirty, hour_dirty;
	int64_t now_ms; /* of the newest input */
	bool time_uncertain;
	struct recording_context recording;
	const struct crash *poison; /* the input that the last run died of: set aside; NULL */
	struct rate *rates;
	struct waiting waiting; /* see waiting.c */
	/* see letters.c; behind the senders one for all others, of each reason */
	struct letter_sender letters[LETTER_SENDERS + REJECT_COUNT];

	/* this turn */
	struct arena *arena;
	/* Of one decision: of 2,000 candidates it needs half a MiB, a turn may hold 256. */
	struct arena *scratch;
	struct buf record; /* the last decision's */
	struct draw_cache *draws;
	struct output *outputs;
	size_t output_count, output_capacity;
	struct receipt_row *receipts;
	size_t receipt_count, receipt_capacity;
	struct seen_now seen_now;
	const char *source, *id; /* of the input being applied: what new ids derive from */
	unsigned commands;	 /* made by this input so far */
	struct id about;	 /* whose visit it concerns; zero: nobody's */
	struct visit **touched;
	size_t touched_count, touched_capacity;
	/* What open baskets hold: of all, and of the tills whose names fall into a slot. */
	size_t held_bytes, held_slots[HELD_SLOTS];
	bool live;  /* the input being applied is a message of now */
	bool aside; /* the input being applied could not be committed: see aside.c */
	int failed; /* first store error of this turn: it must not commit */
};

#endif
