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
#include "aisle/reply.h"
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

#define IDLE_MS (12 * H_MS)	 /* a basket that nothing was heard of for so long is over */
#define SUSPENDED_MS (72 * H_MS) /* a sale that is not recalled for so long is cancelled */

struct engine_options {
	const struct conf *conf; /* borrowed */
	const char *state_dir;	 /* NULL: all in memory (replay) */
	const char *vfs;	 /* NULL: the default; a simulated disk otherwise */
	const uint8_t *pepper;	 /* 32 bytes, read while opening; NULL: the one of keys.db */
	bool sealed;		 /* false: replay, bodies are stored as they are */
	bool owned;		 /* the state of another gateway or store is refused */
	bool no_outlets;	 /* neither outbox nor uplink: nothing is queued (replay) */
	bool recorded;		 /* what it is told is from recordings: ingest/envelope.h */
	bool forget_decisions;	 /* on_decision has them: none is kept to be asked for */
	/* Every decision record as it is made: one JSON object. NULL: none. */
	void (*on_decision)(void *ctx, const char *json, size_t len);
	/* Every record that headquarters would be sent. NULL: they are queued, unless there are no outlets. */
	void (*on_record)(void *ctx, enum lane lane, const char *type, int64_t at_ms,
	    const char *json, size_t len);
	void *on_record_ctx;
	/* Those of the turn that is running never happened: it will not be committed. NULL: nobody asks. */
	void (*on_undone)(void *ctx);
	void *on_decision_ctx; /* of both */
};

/* ---- inputs ---- */

enum input_kind {
	INPUT_MESSAGE,	 /* topic, payload, attributes: from the store's broker */
	INPUT_RECORDED,	 /* payload: one line of a recorded file */
	INPUT_ANSWER,	 /* from HTTP: tablet, guidance, prompt, answer */
	INPUT_SIGN_IN,	 /* text: where it comes from; manager, pin */
	INPUT_DELIVERED, /* number: outbox id that its receiver acknowledged */
	INPUT_HEALTH,	 /* payload: a record's body, of how the store is */
	INPUT_HQ_ACK,	 /* lane, number: HQ holds all up to this */
	INPUT_STOP,	 /* text: action id; flag: stop, else lift; until_ms, manager */
	INPUT_LEVER,	 /* text: its name; value, until_ms, manager; 200, 400, 403, 404, 409 */
	INPUT_LEAVE,	 /* subject: is to be forgotten, and leaves the screens before */
	INPUT_FORGET,	 /* subject, whose key is destroyed */
	/* another policy is in force: open cards that it does not know go */
	INPUT_POLICY,
	INPUT_MAPPED, /* origin = text; payload: a structured event that a mapping made */
	INPUT_CLOCK,  /* only lets timers due by now apply; flag: and nothing is held back */
	INPUT_WAITED, /* one event of those that wait, if there is one: waiting.c */
	INPUT_UNMAPPED, /* topic, payload; text: why a mapping could not read it; flag: no rule does */
};

/* Whose order it is; those of headquarters are bits, each lifts its own. */
enum order_from {
	ORDER_HERE,
	ORDER_TO_STORE = 1,
	ORDER_TO_RING = 2,
	ORDER_TO_ALL = 4,
	ORDER_FROM_HQ = 7
};

struct input {
	enum input_kind kind;
	int64_t now_ms; /* of a recorded line filled by the turn: its own moment; 0: it says none */
	const char *topic;
	const void *payload;
	size_t len;
	const struct binary_attributes *attributes;
	const char *text, *guidance, *prompt;
	const char *manager; /* id of one who is signed in; NULL: it is of no manager */
	double value;
	int64_t until_ms; /* of a stop 0: until it is lifted; headquarters' have none */
	enum order_from from;
	char *
	    pin; /* of an answer, or of a manager who signs in: its own copy, wiped with the queue; NULL */
	struct json_t *answer; /* owned by the queue that holds the input */
	bool is_shown;
	bool flag;
	/* of a clock: so many timers at most, 0: all that are due; of a recorded line: its number */
	int64_t number;
	enum lane lane;
	struct id subject;
	/* of aside.c */
	/* what the limit said when it was first taken; counted once, however many turns it takes */
	enum { RATE_UNCOUNTED, RATE_WITHIN, RATE_OVER } rate;
	bool aside;	/* cannot be committed: it gets its dead letter and nothing else */
	reply_fn reply; /* called after the commit */
	void *reply_ctx;
	/* Filled by the turn; strings in the turn's arena. Of a recorded line that is not or not wholly
	 * taken: 400 or 200, detail says why. */
	struct reply result;
};

/* ---- outputs ---- */

enum output_kind {
	OUTPUT_GUIDANCE,
	OUTPUT_WITHDRAW,
	OUTPUT_COMMAND,
	OUTPUT_RECEIPT,
	OUTPUT_DEAD_LETTER,
	OUTPUT_HELLO /* topic: a tablet's name; it asks what station shows */
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

struct engine; /* engine_state.h, of the spine alone */

int engine_open(const struct engine_options *options, struct engine **ret_engine, struct err *err)
    AISLE_MUST_CHECK;
void engine_close(struct engine *engine);
/* Throws memory away and reads it again: after a failed commit. Reopens the store. */
int engine_reopen(struct engine *engine, struct err *err) AISLE_MUST_CHECK;
/* A damaged page of the state or of the keys was met: engine_reopen() mends what can be mended. */
bool engine_suspect(const struct engine *engine);
/* Takes over a bundle (ownership, also of its compiled policy) between two turns. bundle NULL: the
 * policy is from an image, and its bundle is in the state folder under its hash. persist: remember
 * it as current. */
int engine_set_bundle(struct engine *engine, struct bundle *bundle, struct policy *policy,
    bool persist, struct err *err) AISLE_MUST_CHECK;
/* The same, and what is remembered with it in the same transaction; note NULL: nothing is. */
#define SWITCH_ROWS_MAX 4
struct switch_note {
	const char *last_good; /* hash; NULL: the one that is in force now */
	struct {	       /* in the state's meta */
		const char *name;
		const void *value;
		size_t len;
	} rows[SWITCH_ROWS_MAX];
	size_t row_count;
};
int engine_switch(struct engine *engine, struct bundle *bundle, struct policy *policy,
    const struct switch_note *note, struct err *err) AISLE_MUST_CHECK;
/* The rows of a note alone, in one transaction: the policy stays. */
int engine_note(struct engine *engine, const struct switch_note *note) AISLE_MUST_CHECK;

/* engine_catalog.c: takes over what articles are, for lines that are taken from now on. NULL: none.
 * persist: remember it as current. */
struct catalog;
int engine_set_catalog(struct engine *engine, struct catalog *catalog, bool persist,
    struct err *err) AISLE_MUST_CHECK;
const struct catalog *engine_catalog(const struct engine *engine); /* NULL: none is in force */

/* heard.c: the page of this tablet is open */
void engine_heard_tablet(struct engine *engine, const char *tablet, int64_t now_ms);

/* engine_edges.c: what the edges see of it, and tell it between two turns */
/* Before a customer's key is destroyed: what they wrote over, a basket from before its card, is not to be there again if
 * the gateway dies before they are forgotten. Best effort: on a full disk only forgetting makes the room for it. */
void engine_before_key_goes(struct engine *engine);
struct store *engine_store(const struct engine *engine); /* another one after engine_reopen */
struct keys *engine_keys(const struct engine *engine);
const struct zone *engine_zone(const struct engine
	*engine); /* the store's, of the policy in force; NULL: none */
const struct policy *engine_policy(const struct engine *engine); /* NULL: none is in force */
const char *engine_topic_root(const struct engine *engine);	 /* "aisle/v1/STORE" */
int64_t waiting_count(const struct engine *engine); /* events that came too fast to be taken yet */
int64_t waiting_bytes(const struct engine *engine);
bool letters_wait(const struct engine *engine);	     /* dead letters that a turn of later tells */
int64_t engine_now(const struct engine *engine);     /* ms; of the newest input, 0: none yet */
int64_t engine_day_end(const struct engine *engine); /* of the business day of that time */
/* Actions that were listed and whose windows have not ended: decodes every visit that is kept. */
int64_t engine_unsettled(struct engine *engine);
size_t engine_visit_count(const struct engine *engine);
const char *const *engine_stopped(const struct engine *engine, size_t *ret_count); /* ascending */
/* One of them: who stopped it, and since when. */
struct stop {
	bool here;	  /* this store did */
	int64_t until_ms; /* the store's; 0: until it is lifted */
	int64_t since_ms;
	char by[SUBJECT_TEXT_SIZE]; /* the manager's keyed id; "": an operator */
	unsigned hq;		    /* bits of enum order_from; 0: headquarters did not */
	int64_t hq_since_ms;
};
const struct stop *engine_stop(const struct engine *engine, size_t i);
/* What the last turn made, in its order; until the next one. */
const struct output *engine_outputs(const struct engine *engine, size_t *ret_count);
void engine_set_profiles(struct engine *engine, profile_get_fn get, void *ctx);
void engine_set_terminal_rate(struct engine *engine, int per_second);
void engine_set_time_uncertain(struct engine *engine, bool uncertain);
/* The input that the last run died of (borrowed): when it comes again it is set aside. */
void engine_set_poison(struct engine *engine, const struct crash *poison);
/* Training rows: what deciding may look at, at each event of these types (bit per type) that
 * concerns a visit, whether or not an action asks for it, and before anything is decided. types 0:
 * no more. */
typedef void (*sources_fn)(void *ctx, const struct sources *sources);
void engine_show_sources(struct engine *engine, uint32_t types, sources_fn fn, void *ctx);
/* A closed sale of which goods came back, or all by its cancellation: what was learned of it is
 * other now. marks: of goods that nothing is learned from. fn NULL: no more. */
struct marks;
typedef void (*returned_fn)(void *ctx, const struct visit *visit, const struct marks *marks);
void engine_show_returns(struct engine *engine, returned_fn fn, void *ctx);
/* What another policy (borrowed) would have decided, with the past as it was, at each draw that
 * counts: the first of a visit in its place with a card on the shortlist. fn NULL: no more. */
struct decision;
typedef void (*draws_fn)(void *ctx, const struct decision *made, const struct decision *other);
void engine_show_draws(struct engine *engine, struct policy *other, draws_fn fn, void *ctx);
/* Each customer when they are recognised; each card when it was opened, and its guidance is known.
 * witness NULL: nobody looks on any more. */
struct card;
struct witness {
	void (*seen)(void *ctx, const struct visit *visit);
	void (*opened)(void *ctx, const struct visit *visit, const struct card *card,
	    const struct candidate *candidate);
	void *ctx;
};
void engine_show_cards(struct engine *engine, const struct witness *witness);

/* turn.c: applies the inputs in order in one transaction. 0: committed, outputs and replies may go
 * out; < 0: nothing happened, engine_reopen is due. */
int turn_run(struct engine *engine, struct input *inputs, size_t count) AISLE_MUST_CHECK;

/* aside.c. Is it no fault of the disk that the turn failed? Then turn_each() takes the same inputs, a
 * turn each, and sets those aside that no turn can hold. turned: after each commit; input NULL: of a
 * timer. Other than 0: as from turn_run(), after some of them. */
bool turn_own_fault(int rc);
typedef void (*turned_fn)(void *ctx, struct input *input);
int turn_each(struct engine *engine, struct input *inputs, size_t count, turned_fn turned,
    void *ctx) AISLE_MUST_CHECK;

struct subject *engine_subject(struct engine *engine, const struct id *id); /* never NULL */
/* Of a card that was merged, the one that it was merged into; never NULL. */
struct subject *engine_person(struct engine *engine, const struct id *id);
/* the cache; HQ's profiles changed under it */
void engine_drop_subjects(struct engine *engine);

/* native.c: a tablet that speaks over the broker is made known; between two turns. stations: separated
 * by commas, "" for all. */
int native_add(struct store *store, const char *name, const char *stations, int64_t now_ms)
    AISLE_MUST_CHECK;

/* managers (manager.c): in the table of tablets, by this flag; between two turns */
#define TABLET_FLAG_MANAGER 1
#define TABLET_FLAG_LOCK 2 /* where wrong PINs came from */
int manager_add(struct store *store, const char *id, const char *pin, int64_t now_ms)
    AISLE_MUST_CHECK;
int manager_remove(struct store *store, const char *id) AISLE_MUST_CHECK; /* AISLE_E_NONE */

/* room.c: between two turns, a few rows that are past their time go. How many went, or < 0. */
int room_make(struct engine *engine, int64_t now_ms) AISLE_MUST_CHECK;

/* read-only answers (query.c, report.c); 0 or AISLE_E_NONE */
int query_stations(struct engine *engine, struct buf *out);
int query_station(struct engine *engine, const char *station, struct buf *out);
/* What a station shows: a Guidance each. */
typedef void (*query_guidance_fn)(void *ctx, const char *json, size_t len);
void query_guidance(struct engine *engine, const char *station, query_guidance_fn fn, void *ctx);
int query_decision(struct engine *engine, const char *id, struct buf *out);
int query_report(struct engine *engine, int64_t now_ms, struct buf *out);
/* Of it, what the whole store did: {"currency","decisions",…,"redeemed_minor"}. */
void query_sums(struct engine *engine, int64_t now_ms, struct buf *out);
int query_customer(struct engine *engine, const struct id *subject, struct buf *out);
/* Every gate of an action that is closed for a customer, as {"action","closed":[{"gate","clause"?}],…}; AISLE_E_NONE:
 * no policy, or none of its actions. station: of a customer who has no open visit. Between two turns. */
int query_why_not(struct engine *engine, const struct id *subject, const char *station,
    const char *action, struct buf *out);
int query_guidance_station(struct engine *engine, const char *guidance,
    char ret_station[static NAME_SIZE]);
/* Does a card that is on a screen say this? */
bool query_is_shown(struct engine *engine, const char *text);
/* recording_lines.c: what the turns were told, a piece at a time, a line each: behind number last, which is moved, up to
 * number upto, of the times between. of: what is about this customer alone; NULL: all of it. */
struct recording_piece {
	int64_t last, inputs, holes;
	bool more, began; /* began: it has the begin of the state */
};
int query_recording(struct engine *engine, int64_t from_ms, int64_t to_ms, int64_t upto,
    const struct id *of, struct recording_piece *piece, struct buf *out);
/* The line behind them: until then, and up to that number, it is all that is kept. */
void query_recording_end(struct engine *engine, int64_t at_ms, int64_t n, struct buf *out);
int query_dead_letters(struct engine *engine, int max_rows, struct buf *out);

#endif
