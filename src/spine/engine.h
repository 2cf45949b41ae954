/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h - the store's whole state in memory, a cache of what is on disk,
 * and the turn that changes it; what the edges may call. spine.h is the inside.
 *
 * DESIGN
 *   The engine reads no clock, no random source, no file and no socket while
 *   it applies an input; each input carries its own now. What it decides it
 *   appends to an output list; nothing leaves before the turn's commit. After
 *   a failed commit the memory is thrown away and read again from disk.
 *
 * INVARIANTS
 *   now_ms never runs back. Before an input at t all timers due ≤ t applied.
 *   A visit or subject that changed in a turn is written in that turn.
 */
#ifndef AISLE_SPINE_ENGINE_H
#define AISLE_SPINE_ENGINE_H

#include "aisle/decision.h"
#include "core/arena.h"
#include "core/conf.h"
#include "store/store.h"
#include "ingest/envelope.h"
#include "profile/keys.h"
#include "session/session.h"

struct bundle;
struct zone;
struct rate;
struct crash;

/* HQ's profile row of a subject as JSON: profiles-N.db in the daemon, a transport bundle in
 * replay. */
typedef int (*profile_get_fn)(void *ctx, const struct id *subject, struct buf *out);

#define IDLE_MS (12 * H_MS) /* a basket that nothing was heard of for so long is over */

struct engine_options {
	const struct conf *conf; /* borrowed */
	const char *state_dir;	 /* NULL: all in memory (replay) */
	const char *vfs;	 /* NULL: the default; a simulated disk otherwise */
	const uint8_t *pepper;	 /* 32 bytes; NULL: the one of keys.db */
	bool sealed;		 /* false: replay, bodies are stored as they are */
	bool dry;		 /* nothing is queued for receivers (replay) */
	/* Every decision record as it is made: one JSON object. NULL: none. */
	void (*on_decision)(void *ctx, const char *json, size_t len);
	void *on_decision_ctx;
	/* What deciding may look at, at each event of these types (bit per type) that concerns a
	 * visit, whether or not an action asks for it, and before anything is decided: training
	 * rows. NULL: none. */
	void (*on_sources)(void *ctx, const struct sources *sources);
	void *on_sources_ctx;
	uint32_t sources_on;
};

/* ---- inputs ---- */

enum input_kind {
	INPUT_MESSAGE,	 /* topic, payload, attributes: from the store's broker */
	INPUT_RECORDED,	 /* payload: one line of a recorded file */
	INPUT_ANSWER,	 /* from HTTP: tablet, guidance, prompt, answer */
	INPUT_DELIVERED, /* number: outbox id that its receiver acknowledged */
	INPUT_HQ_ACK,	 /* lane, number: HQ holds all up to this */
	INPUT_STOP,	 /* text: action id; flag: stop, else lift */
	INPUT_FORGET,	 /* subject */
	/* another policy is in force: open cards that it does not know go */
	INPUT_POLICY,
	INPUT_MAPPED,	/* origin = text; payload: a structured event that a mapping made */
	INPUT_CLOCK,	/* only lets timers due by now apply */
	INPUT_UNMAPPED, /* topic, payload; text: why a mapping could not read it */
};

/* What became of an answer, in HTTP's terms. body is a JSON object, detail the problem's. */
struct reply {
	int status;
	const char *body, *detail;
};
typedef void (*reply_fn)(void *ctx, const struct reply *reply);

struct input {
	enum input_kind kind;
	int64_t now_ms;
	const char *topic;
	const void *payload;
	size_t len;
	const struct binary_attributes *attributes;
	const char *text, *guidance, *prompt;
	char *pin;	       /* of an answer: its own copy, wiped with the queue; NULL */
	struct json_t *answer; /* owned by the queue that holds the input */
	bool is_shown;
	bool flag;
	int64_t number;
	enum lane lane;
	struct id subject;
	reply_fn reply; /* called after the commit */
	void *reply_ctx;
	struct reply result; /* filled by the turn; strings in the turn's arena */
};

/* ---- outputs ---- */

enum output_kind {
	OUTPUT_GUIDANCE,
	OUTPUT_WITHDRAW,
	OUTPUT_COMMAND,
	OUTPUT_RECEIPT,
	OUTPUT_DEAD_LETTER
};
struct output {
	enum output_kind kind;
	int64_t id;	     /* outbox id */
	const char *topic;   /* full */
	const char *station; /* guidance and withdraw */
	const char *payload;
	size_t len;
};

/* ---- the engine ---- */

struct engine_budget {
	char *action;
	int64_t day_ms; /* business day the day's figures are for */
	int64_t day_money_minor, day_units, all_money_minor, all_units;
	bool dirty; /* its shelf is to be written: see hold.c */
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

struct receipt_row {
	const char *terminal, *source, *id; /* turn's arena */
	int64_t at_ms;
	const char *reason; /* NULL: on disk */
};

/* Figures of one action: of the hour (tally.c), of the business day (today.c). */
struct tally_action {
	char *action; /* of the hour, "": decisions, which are of no action */
	int64_t decisions, withheld, redeemed_minor;
	int64_t unanswered; /* of the day: see today.c */
	int64_t outcomes[OUTCOME_COUNT];
};
/* Figures of the business day (today.c). */
#define TODAY_HOURS 25 /* one more than a day has, for a cut within an hour */
struct tally {
	int64_t start_ms, decisions, withheld;
	/* of cards that were sent; DECIDED: the prompts themselves */
	int64_t outcomes[OUTCOME_COUNT];
	/* by the store's clock, from the hour that the day began in */
	struct {
		int64_t shown, accepted;
	} hours[TODAY_HOURS];
	struct tally_action *actions; /* in order of their first prompt; the last may be "" */
	uint64_t dirty_shelves;	      /* see today.c */
	size_t action_count;
};

struct engine {
	struct engine_options options;
	const struct conf *conf;
	char topic_root[64]; /* "aisle/v1/STORE" */
	struct store *store;
	struct keys *keys;
	struct sealer sealer;
	bool has_sealer;
	profile_get_fn profile_get;
	void *profile_ctx;

	struct bundle *bundle;
	struct policy *policy; /* NULL: none */
	struct policy_variant variants[VARIANTS_MAX];
	size_t variant_count;
	struct zone *zone;
	char zone_name[64]; /* "UTC" until a policy brings its zones */

	struct sessions *sessions;
	struct subject_slot *subjects[SUBJECT_BUCKETS];
	size_t subject_count;
	char **stopped; /* ascending */
	size_t stopped_count;
	struct engine_budget *budgets;
	size_t budget_count;
	bool budgets_dirty;
	struct queue_reading queues[QUEUE_STATIONS_MAX];
	size_t queue_count;
	bool queues_dirty;
	struct tally today;
	struct tally_action *hour;
	size_t hour_count;
	int64_t hour_ms; /* start of the hour; 0: nothing counted yet */
	bool today_dirty, hour_dirty;
	int64_t now_ms; /* of the newest input */
	bool time_uncertain;
	const struct crash *poison; /* the input that the last run died of: set aside; NULL */
	struct rate *rates;

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
	const char *source, *id; /* of the input being applied: what new ids derive from */
	unsigned commands;	 /* made by this input so far */
	struct visit **touched;
	size_t touched_count, touched_capacity;
	int failed; /* first store error of this turn: it must not commit */
};

int engine_open(const struct engine_options *options, struct engine **ret_engine, struct err *err)
    AISLE_MUST_CHECK;
void engine_close(struct engine *engine);
/* Throws memory away and reads it again: after a failed commit. Reopens the store. */
int engine_reopen(struct engine *engine, struct err *err) AISLE_MUST_CHECK;
/* Takes over a bundle (ownership, also of its compiled policy) between two turns. bundle NULL: the
 * policy is from an image, and its bundle is in the state folder under its hash. persist: remember
 * it as current. */
int engine_set_bundle(struct engine *engine, struct bundle *bundle, struct policy *policy,
    bool persist, struct err *err) AISLE_MUST_CHECK;

/* turn.c: applies the inputs in order in one transaction. 0: committed, outputs and replies may go
 * out; < 0: nothing happened, engine_reopen is due. */
int turn_run(struct engine *engine, struct input *inputs, size_t count) AISLE_MUST_CHECK;

struct subject *engine_subject(struct engine *engine, const struct id *id); /* never NULL */
/* the cache; HQ's profiles changed under it */
void engine_drop_subjects(struct engine *engine);

/* managers (manager.c): in the table of tablets, by this flag; between two turns */
#define TABLET_FLAG_MANAGER 1
int manager_add(struct store *store, const char *id, const char *pin, int64_t now_ms)
    AISLE_MUST_CHECK;
int manager_remove(struct store *store, const char *id) AISLE_MUST_CHECK; /* AISLE_E_NONE */

/* room.c: between two turns, a few rows that are past their time go. How many went, or < 0. */
int room_make(struct engine *engine, int64_t now_ms) AISLE_MUST_CHECK;

/* read-only answers (query.c, report.c); 0 or AISLE_E_NONE */
int query_stations(struct engine *engine, struct buf *out);
int query_station(struct engine *engine, const char *station, struct buf *out);
int query_decision(struct engine *engine, const char *id, struct buf *out);
int query_report(struct engine *engine, int64_t now_ms, struct buf *out);
int query_customer(struct engine *engine, const struct id *subject, struct buf *out);
int query_guidance_station(struct engine *engine, const char *guidance,
    char ret_station[static NAME_SIZE]);
int query_dead_letters(struct engine *engine, int max_rows, struct buf *out);

#endif
