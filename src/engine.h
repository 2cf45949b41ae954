/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h - the store's whole state in memory, a cache of what is on disk,
 * and the turn that changes it.
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
#ifndef AISLE_ENGINE_H
#define AISLE_ENGINE_H

#include "aisle/decision.h"
#include "core/arena.h"
#include "core/conf.h"
#include "core/store.h"
#include "ingest/envelope.h"
#include "profile/keys.h"
#include "session/session.h"

struct bundle;
struct zone;
struct rate;
struct crash;

/* HQ's profile row of a subject as JSON: profiles-N.db in the daemon, a transport bundle in replay. */
typedef int (*profile_get_fn)(void *ctx, const struct id *subject, struct buf *out);

#define IDLE_MS (12 * H_MS)	/* a basket that nothing was heard of for so long is over */

struct engine_options {
	const struct conf *conf;	/* borrowed */
	const char *state_dir;		/* NULL: all in memory (replay) */
	const char *vfs;		/* NULL: the default; a simulated disk otherwise */
	const uint8_t *pepper;		/* 32 bytes; NULL: the one of keys.db */
	bool sealed;			/* false: replay, bodies are stored as they are */
	bool dry;			/* nothing is queued for receivers (replay) */
	/* Every decision record as it is made: one JSON object. NULL: none. */
	void (*on_decision)(void *ctx, const char *json, size_t len);
	void *on_decision_ctx;
};

/* ---- inputs ---- */

enum input_kind {
	INPUT_MESSAGE,		/* topic, payload, attributes: from the store's broker */
	INPUT_RECORDED,		/* payload: one line of a recorded file */
	INPUT_ANSWER,		/* from HTTP: tablet, guidance, prompt, answer */
	INPUT_DELIVERED,	/* number: outbox id that its receiver acknowledged */
	INPUT_HQ_ACK,		/* lane, number: HQ holds all up to this */
	INPUT_STOP,		/* text: action id; flag: stop, else lift */
	INPUT_FORGET,		/* subject */
	INPUT_POLICY,		/* another policy is in force: open cards that it does not know go */
	INPUT_MAPPED,		/* origin = text; payload: a structured event that a mapping made */
	INPUT_CLOCK,		/* only lets timers due by now apply */
	INPUT_UNMAPPED,		/* topic, payload; text: why a mapping could not read it */
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
	char *pin;			/* of an answer: its own copy, wiped with the queue; NULL */
	struct json_t *answer;		/* owned by the queue that holds the input */
	bool is_shown;
	bool flag;
	int64_t number;
	enum lane lane;
	struct id subject;
	reply_fn reply;			/* called after the commit */
	void *reply_ctx;
	struct reply result;		/* filled by the turn; strings in the turn's arena */
};

/* ---- outputs ---- */

enum output_kind { OUTPUT_GUIDANCE, OUTPUT_WITHDRAW, OUTPUT_COMMAND, OUTPUT_RECEIPT, OUTPUT_DEAD_LETTER };
struct output {
	enum output_kind kind;
	int64_t id;			/* outbox id */
	const char *topic;		/* full */
	const char *station;		/* guidance and withdraw */
	const char *payload;
	size_t len;
};

/* ---- the engine ---- */

struct engine_budget {
	char *action;
	int64_t day_ms;			/* business day the day's figures are for */
	int64_t day_money_minor, day_units, all_money_minor, all_units;
};

struct subject_slot {
	struct subject *subject;
	struct subject_slot *next;
	bool used;			/* in this turn */
};
#define SUBJECT_BUCKETS 1024
#define SUBJECTS_CACHED 256

struct policy_variant {
	char *key;			/* "experiment=arm,experiment=arm" of those with patches */
	struct policy *policy;
};
#define VARIANTS_MAX 64

struct queue_reading {
	char station[NAME_SIZE];
	double value;
};
#define QUEUE_STATIONS_MAX 256

struct receipt_row {
	const char *terminal, *source, *id;	/* turn's arena */
	int64_t at_ms;
	const char *reason;			/* NULL: on disk */
};

/* Figures of the business day, and of the hour by action (tally.c). */
struct tally {
	int64_t start_ms, decisions, withheld;
	int64_t outcomes[OUTCOME_COUNT];	/* of cards that were sent; DECIDED: the prompts themselves */
};
struct tally_action {
	char *action;				/* "": decisions, which are of no action */
	int64_t decisions, withheld, redeemed_minor;
	int64_t outcomes[OUTCOME_COUNT];
};

struct engine {
	struct engine_options options;
	const struct conf *conf;
	char topic_root[64];		/* "aisle/v1/STORE" */
	struct store *store;
	struct keys *keys;
	struct sealer sealer;
	bool has_sealer;
	profile_get_fn profile_get;
	void *profile_ctx;

	struct bundle *bundle;
	struct policy *policy;		/* NULL: none */
	struct policy_variant variants[VARIANTS_MAX];
	size_t variant_count;
	struct zone *zone;
	char zone_name[64];		/* "UTC" until a policy brings its zones */

	struct sessions *sessions;
	struct subject_slot *subjects[SUBJECT_BUCKETS];
	size_t subject_count;
	char **stopped;			/* ascending */
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
	int64_t hour_ms;		/* start of the hour; 0: nothing counted yet */
	bool today_dirty, hour_dirty;
	int64_t now_ms;			/* of the newest input */
	bool time_uncertain;
	const struct crash *poison;	/* the input that the last run died of: set aside; NULL */
	struct rate *rates;

	/* this turn */
	struct arena *arena;
	struct arena *scratch;		/* of one decision: of 2,000 candidates it needs half a MiB, a turn may hold 256 */
	struct buf record;		/* the last decision's */
	struct draw_cache *draws;
	struct output *outputs;
	size_t output_count, output_capacity;
	struct receipt_row *receipts;
	size_t receipt_count, receipt_capacity;
	const char *source, *id;	/* of the input being applied: what new ids derive from */
	unsigned commands;		/* made by this input so far */
	struct visit **touched;
	size_t touched_count, touched_capacity;
	int failed;			/* first store error of this turn: it must not commit */
};

int engine_open(const struct engine_options *options, struct engine **ret_engine, struct err *err) AISLE_MUST_CHECK;
void engine_close(struct engine *engine);
/* Throws memory away and reads it again: after a failed commit. Reopens the store. */
int engine_reopen(struct engine *engine, struct err *err) AISLE_MUST_CHECK;
/* Takes over a bundle (ownership, also of its compiled policy) between two turns. persist: remember it as current. */
int engine_set_bundle(struct engine *engine, struct bundle *bundle, struct policy *policy, bool persist, struct err *err) AISLE_MUST_CHECK;

/* turn.c: applies the inputs in order in one transaction. 0: committed, outputs and replies may go out;
 * < 0: nothing happened, engine_reopen is due. */
int turn_run(struct engine *engine, struct input *inputs, size_t count) AISLE_MUST_CHECK;

/* ---- inside the engine ---- */
/* Remembers a store error; the turn will not commit. */
void engine_check(struct engine *engine, int rc);
struct visit *engine_visit(struct engine *engine, const struct id *id);		/* memory, else disk; NULL */
struct visit *engine_visit_by_basket(struct engine *engine, const char *basket);
struct visit *engine_visit_by_ref(struct engine *engine, const char *kind, const char *name);
void engine_ref(struct engine *engine, const char *kind, const char *name, const struct visit *visit);
struct subject *engine_subject(struct engine *engine, const struct id *id);	/* never NULL; may be forgotten */
/* This turn changed it: it will be written. */
void engine_touch(struct engine *engine, struct visit *visit);
void engine_remove_visit(struct engine *engine, struct visit *visit);	/* a WAITING one that came to nothing */
void engine_drop_subjects(struct engine *engine);	/* the cache; HQ's profiles changed under it */
void engine_save(struct engine *engine);					/* all that is dirty */
struct id engine_id(const struct engine *engine, const char *purpose);
struct engine_budget *engine_budget(struct engine *engine, const char *action, int64_t day_start_ms);
const struct policy *engine_policy_for(struct engine *engine, const struct arm_choice *arms, size_t count);
bool engine_is_stopped(const struct engine *engine, const char *action);
int64_t engine_day_start(const struct engine *engine, int64_t ms);
void engine_timer(struct engine *engine, const char *kind, const struct id *object, int64_t due_ms);
void engine_timer_cancel(struct engine *engine, const char *kind, const struct id *object, int64_t due_ms);
int64_t engine_output(struct engine *engine, enum output_kind kind, const char *station, const char *topic_tail,
    const struct id *subject, const char *payload, size_t len);

/* decide (choose.c) */
void choose(struct engine *engine, struct visit *visit, const struct event *event);

/* cards (card.c) */
void card_open(struct engine *engine, struct visit *visit, const struct decision *decision, struct slot *slot,
    const struct id *prompt);
enum withdraw_reason { WITHDRAW_TENDER, WITHDRAW_CLOSED, WITHDRAW_CANCELLED, WITHDRAW_EXPIRED, WITHDRAW_GATE, WITHDRAW_REPLACED,
	WITHDRAW_CUSTOMER, WITHDRAW_CONSENT, WITHDRAW_STOPPED };
const char *withdraw_name(enum withdraw_reason reason);
void card_withdraw(struct engine *engine, struct visit *visit, struct card *card, enum withdraw_reason reason);
void card_gone(struct engine *engine, struct card *card);
void card_release(struct engine *engine, struct card *card);			/* its budget hold */
/* All open cards, and what the tablet shows of the visit. */
void visit_withdraw(struct engine *engine, struct visit *visit, enum withdraw_reason reason);
/* Sends what the tablet should show now: a Guidance, or a withdrawal when there is nothing left. */
void visit_guide(struct engine *engine, struct visit *visit, const struct id *decision, enum withdraw_reason if_empty);
bool visit_has_open(const struct visit *visit);
void card_command(struct engine *engine, struct visit *visit, struct card *card, int type, const char *text);
void card_hold(struct engine *engine, struct card *card);			/* against its action's budget */

/* what a person or a till says (answer.c) */
void answer_shown(struct engine *engine, const struct event *event, struct reply *reply);
void answer_decided(struct engine *engine, const struct event *event, struct reply *reply);
void answer_offer(struct engine *engine, const struct event *event, struct rejected *rejected);

/* What a person chose instead (instead.c). */
void accept_offer(struct engine *engine, struct visit *visit, struct card *card);	/* answer.c: token, till command */
bool instead_needs_manager(const struct engine *engine, const struct event *event);
/* Records the override of card with what was chosen, and asks the till for it where it is an offer that can be had.
 * Pointers to cards are stale after it. */
void instead_apply(struct engine *engine, struct visit *visit, struct card *card, const struct event *event);

/* managers (manager.c): in the table of tablets, by this flag */
#define TABLET_FLAG_MANAGER 1
enum manager_verdict { MANAGER_OK, MANAGER_NO, MANAGER_LOCKED };
enum manager_verdict manager_check(struct engine *engine, const char *id, const char *pin);	/* in a turn */
int manager_add(struct store *store, const char *id, const char *pin, int64_t now_ms) AISLE_MUST_CHECK;	/* between turns */
int manager_remove(struct store *store, const char *id) AISLE_MUST_CHECK;	/* AISLE_E_NONE */

/* figures (tally.c) */
void tally_decision(struct engine *engine);
void tally_outcome(struct engine *engine, const struct card *card, enum outcome outcome, int64_t amount_minor);
void tally_hour_over(struct engine *engine);
void tally_save(struct engine *engine, struct buf *buf);
void tally_load(struct engine *engine);
void tally_drop(struct engine *engine);

/* outcomes (outcome.c) */
void outcome_record(struct engine *engine, struct visit *visit, struct card *card, enum outcome outcome, const char *reason,
    bool has_amount, int64_t amount_minor);
/* members: more of the outcome object, ",\"name\":value"; NULL: none. */
void outcome_record_with(struct engine *engine, struct visit *visit, struct card *card, enum outcome outcome,
    const char *reason, const char *members);
void outcome_close(struct engine *engine, struct visit *visit);		/* the basket closed: bought, lapsed */
void outcome_case_closed(struct engine *engine, const struct subject *subject);
void outcome_window(struct engine *engine, const char *prompt);		/* a window's timer */

/* timers (timer.c) */
void timer_apply(struct engine *engine, const char *id);

/* read-only answers (query.c); 0 or AISLE_E_NONE */
int query_stations(struct engine *engine, struct buf *out);
int query_station(struct engine *engine, const char *station, struct buf *out);
int query_decision(struct engine *engine, const char *id, struct buf *out);
int query_report(struct engine *engine, int64_t now_ms, struct buf *out);
int query_customer(struct engine *engine, const struct id *subject, struct buf *out);
int query_guidance_station(struct engine *engine, const char *guidance, char ret_station[static NAME_SIZE]);
int query_dead_letters(struct engine *engine, int max_rows, struct buf *out);

#endif
