/* SPDX-License-Identifier: Apache-2.0
 *
 * spine.h - what the files of the spine call of each other. turn.c is where to start.
 */
#ifndef AISLE_SPINE_SPINE_H
#define AISLE_SPINE_SPINE_H

#include "core/json_write.h"
#include "decide/decide.h"
#include "ingest/rate.h"
#include "nouns/card_item.h"
#include "nouns/contact.h"
#include "nouns/marks.h"
#include "spine/engine_state.h"

/* event.c: an event through the stages */
void event_apply(struct engine *engine, const struct event *event, struct rejected *rejected);
/* The input being applied concerns this visit; NULL: none. */
void event_about(struct engine *engine, const struct visit *visit);

/* intake.c: an input, after the timers that were due before it */
void intake(struct engine *engine, struct input *input);
struct envelope_rules intake_rules(const struct engine *engine);
/* Named before it is looked at. true: the last run died of it, or its turns failed: aside.c. */
bool intake_is_poison(struct engine *engine, const char *source, const char *id);

/* answered.c: an answer over HTTP, now or in a recording */
void answer_input(struct engine *engine, struct input *input);
void answer_recorded(struct engine *engine, struct event *event, bool by_manager);

/* seen.c */
bool seen_before(struct engine *engine, const struct event *event, struct rejected *rejected);
void seen_accept(struct engine *engine, const struct event *event);
/* What ids derive from beside the event's id: its source, but for a second sender of the same. */
const char *seen_source(struct engine *engine, const struct event *event);

/* receipt.c */
/* Its detail without card numbers and PINs; in the turn's arena. */
const char *rejected_says(struct engine *engine, const struct rejected *rejected);
void dead_letter(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len);
/* One letter for count of them; what dead_letter() does but for the bound. */
void dead_letter_write(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len, int64_t count);
/* Its dead letter, and the receipt that it asked for. */
void refuse_message(struct engine *engine, const struct route *route, const char *topic,
    const struct rejected *rejected, const void *payload, size_t len);
/* For whoever sent it, but a tablet. */
void receipt_add(struct engine *engine, enum channel channel, const char *origin,
    const char *source, const char *id, int64_t at_ms, const char *reason);
void receipts_send(struct engine *engine);

/* letters.c: floods of bad messages */
/* true: counted with others, no letter is due now */
bool letter_left_out(struct engine *engine, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len);
void letters_tell(struct engine *engine, bool all); /* those whose second is over */
void letters_drop(struct engine *engine);

/* waiting.c: events beyond the rate */
void waiting_name(const struct engine *engine, const struct route *route,
    char out[static RATE_NAME_SIZE]);
bool waiting_has(const struct engine *engine, const char *name);
/* false: there is no room for it */
bool waiting_add(struct engine *engine, const struct route *route, const char *name,
    const struct event *event);
/* The next event's text, which leaves the room with this turn, to out. false: none waits. */
bool waiting_take(struct engine *engine, struct buf *out);
void waiting_lost(struct engine *engine, const struct route *route, const char *topic,
    struct rejected *rejected, const void *payload, size_t len);
/* The digest that the event had when it came. */
bool waiting_digest(const json_t *root, struct id *ret_digest);
void waiting_save(struct engine *engine);
int waiting_load(struct engine *engine) AISLE_MUST_CHECK;
void waiting_drop(struct engine *engine);

/* native.c: is it a tablet's name, and is that one of its stations? station NULL: any. */
bool native_may(struct engine *engine, const char *name, const char *station);
/* The same of many stations, read once. */
struct native {
	bool known, all;
	struct buf stations; /* separated by commas */
};
void native_read(struct engine *engine, const char *name, struct native *ret);
bool native_covers(const struct native *native, const char *station);
void native_done(struct native *native);

/* hello.c */
void hello(struct engine *engine, const struct route *route, const struct input *input);

/* engine.c */
/* Remembers a store error; the turn will not commit. */
void engine_check(struct engine *engine, int rc);
struct id engine_id(const struct engine *engine, const char *purpose);
/* What no offer, sum or history touches in this store, by the policy in force. */
struct marks engine_marks(const struct engine *engine);
/* Is any of a return's goods not sensitive? That such goods came back is nobody's to know. */
bool engine_may_tell(const struct engine *engine, const struct event *event);
int64_t engine_day_start(const struct engine *engine, int64_t ms);

/* outlet.c */
void outlet_init(struct engine *engine);
/* Into the outbox, and listed with the turn. The outbox id, 0: there is no outbox. */
int64_t engine_output(struct engine *engine, enum output_kind kind, const char *station,
    const char *topic_tail, const struct id *subject, const char *payload, size_t len);
/* A tablet wants to be told what a station shows: listed with the turn, in no outbox. */
void engine_ask(struct engine *engine, const char *tablet, const char *station);
/* For headquarters, now; whether it takes such records is in engine->uplink. */
void engine_uplink(struct engine *engine, enum lane lane, const char *type,
    const struct id *subject, const struct buf *json);

/* engine_open.c */
void engine_save(struct engine *engine); /* all that is dirty */
/* Memory is read again from the store, whose last transaction was rolled back. */
int engine_reload(struct engine *engine) AISLE_MUST_CHECK;

/* engine_visits.c */
/* memory, else disk; NULL */
struct visit *engine_visit(struct engine *engine, const struct id *id);
struct visit *engine_visit_by_ref(struct engine *engine, const char *kind, const char *name);
void engine_ref(struct engine *engine, const char *kind, const char *name,
    const struct visit *visit);
/* A name that is no visit's: was it noted? The id that it is noted under. */
bool engine_ref_known(struct engine *engine, const char *kind, const char *name);
struct id engine_ref_note(struct engine *engine, const char *kind, const char *name);
/* This turn changed it: it will be written. */
void engine_touch(struct engine *engine, struct visit *visit);
/* a WAITING one that came to nothing */
void engine_remove_visit(struct engine *engine, struct visit *visit);
int engine_load_visits(struct engine *engine) AISLE_MUST_CHECK;
void engine_save_visits(struct engine *engine, struct buf *buf);

/* weights.c */
/* What a visit holds, into the sums: of one that was loaded, and at the end of a turn that changed it;
 * out of them before it leaves memory by another way. */
void weights_take(struct engine *engine, struct visit *visit);
void weights_drop(struct engine *engine, struct visit *visit);
bool weights_has(const struct visit *visit); /* is it an open basket? */
/* No less than the open baskets of a till hold, as of the last turn. */
size_t weights_at(const struct engine *engine, const char *terminal);

/* engine_baskets.c: memory, else disk; NULL */
/* As sessions_basket() has it. */
struct visit *engine_basket(struct engine *engine, const char *terminal, const char *number,
    int64_t at_ms);
/* The newest of a number at a terminal, open or not; and those before it there. */
struct visit *engine_basket_newest(struct engine *engine, const char *terminal, const char *number);
struct visit *engine_basket_before(struct engine *engine, const struct visit *visit,
    const char *terminal);
/* The same wherever they are, in the order they were heard of: so many at most are asked for. */
#define ENGINE_BASKETS_MAX 64
struct visit *engine_number_newest(struct engine *engine, const char *number);
struct visit *engine_number_before(struct engine *engine, const struct visit *visit);
struct visit *engine_basket_at_station(struct engine *engine, const char *station,
    const char *number);
/* What the session may need for this event. */
void engine_baskets_load(struct engine *engine, const struct event *event, const char *station);
/* It is written with this turn, and may leave memory. */
void engine_baskets_saved(struct engine *engine, const struct visit *visit);
/* It has a basket, or another terminal: its number is found by it. */
void engine_ref_basket(struct engine *engine, struct visit *visit);
void engine_ref_number(struct engine *engine, struct visit *visit); /* once: it has begun */
/* It became part of into: those of its number before it are found without it. */
void engine_unref_number(struct engine *engine, const struct visit *gone, const struct visit *into);
/* A token of home is paid with in basket. */
void engine_ref_paid(struct engine *engine, struct visit *basket, const struct visit *home);
/* Of the n-th such token, from 1; NULL: it is not kept. */
struct visit *engine_paid_home(struct engine *engine, const struct id *basket, int n);
/* The tokens of from that were paid with in a basket are of another visit from now on. */
void engine_paid_moves(struct engine *engine, const struct id *basket, const struct visit *from,
    const struct visit *to);
/* Its card waits: it is found when its wait is over, too. */
void engine_ref_card(struct engine *engine, struct visit *visit);

struct subject_visits {
	const struct id *subject;
	struct visit **visits; /* theirs, of those in memory, oldest first; in the turn's arena */
	size_t count;
};
void subject_visits_find(struct engine *engine, struct subject_visits *visits);

/* card.c: why a card is taken away */
enum withdraw_reason {
	WITHDRAW_TENDER,
	WITHDRAW_CLOSED,
	WITHDRAW_CANCELLED,
	WITHDRAW_EXPIRED,
	WITHDRAW_GATE,
	WITHDRAW_REPLACED,
	WITHDRAW_CUSTOMER,
	WITHDRAW_CONSENT,
	WITHDRAW_STOPPED,
	/* within the store only: what a tablet hears is another's name */
	WITHDRAW_LEFT,	  /* customer; what they accepted stays with the basket */
	WITHDRAW_TRAINING /* gate; it takes what was accepted along */
};

/* engine_subjects.c */
/* A row of the log takes the place of the one of the same visit. */
void subject_replace_purchase(struct engine *engine, struct subject *subject, int64_t at_ms,
    const struct buf *row);
void engine_save_subjects(struct engine *engine, struct buf *buf);
/* NULL: a stranger (id NULL), or one who does not want to be remembered. */
const struct subject *engine_remembered(struct engine *engine, const struct id *id);
/* Out of memory; a tombstone stands in their place. */
void engine_forget_subject(struct engine *engine, const struct id *id);

/* engine_policy.c */
const struct policy *engine_policy_for(struct engine *engine, const struct arm_choice *arms,
    size_t count);
void engine_drop_policy(struct engine *engine);
/* What is written down of its decisions is told in its words (record_words.c). */
void engine_tell_words(struct engine *engine);
void engine_bar(struct engine
	*engine); /* another catalog: which actions are about marked goods alone? */

/* engine_catalog.c: what the catalog in force knows of its goods, and the sender did not say */
void goods_look_up(struct engine *engine, struct event *event);

/* customer.c */
/* Their consents that end: what hangs on them leaves the visit then. */
void consent_timers(struct engine *engine, const struct visit *visit);
void consent_due(struct engine *engine, struct visit *visit);
void customer_event(struct engine *engine, const struct event *event);
/* false: this sender may not say it; rejected says why. */
bool customer_may_say(struct engine *engine, const struct event *event, struct rejected *rejected);
/* false: one person can have only so many cards. */
bool customer_may_merge(struct engine *engine, const struct event *event,
    struct rejected *rejected);
/* A card that was merged is the other one, for good. */
void customer_resolve(struct engine *engine, struct event *event);

/* effects.c */
/* Nobody will hear of its basket again. */
void visit_give_up(struct engine *engine, struct visit *visit);
/* As if its till had said so. */
void visit_cancel(struct engine *engine, struct visit *visit);
/* A card has found no basket, or another was read after it: it stays on record for its cards'
 * outcomes, and for a basket that is late. */
void visit_missed(struct engine *engine, struct visit *visit);
/* bounds.c: beyond them the stalest goes; after this one was opened, grew, began to wait */
void visit_bound_baskets(struct engine *engine, const struct visit *opened);
void visit_bound_lines(struct engine *engine, const struct event *event, const struct visit *visit);
/* before: how many prompts it had. */
void visit_bound_prompts(struct engine *engine, const struct visit *visit, size_t before);
void visit_bound_waiting(struct engine *engine, const struct visit *visit);
void visit_disown(struct visit *visit);
bool visit_join_subject(struct engine *engine, struct visit *visit);
/* Of the customer who is known to stand, or to have stood there. */
void visit_note_incident(struct engine *engine, const struct visit *visit, enum incident_kind kind);
/* What a closed sale is now, into its customer's history. */
void visit_write_purchase(struct engine *engine, struct visit *visit);
void visit_effects(struct engine *engine, const struct event *event, struct session_result *result);

/* united.c. What part had is of the sale; cards that it has no room for stay. */
void united_take(struct engine *engine, struct visit *sale, struct visit *part);
/* former turns out to be two, of which rest is the second. */
void united_part(struct engine *engine, struct visit *rest, struct visit *former);

/* returns.c: goods that come back */
/* Is it the first time that this number is heard of? */
bool returns_is_new(struct engine *engine, const struct event *event);
void returns_take(struct engine *engine, const struct event *event, const char *station);
/* A sale was closed or changed: is it what a return waits for? */
void returns_ask(struct engine *engine, struct visit *visit);
/* What one card bought is another's now, and so is what it brought back. */
void returns_merged(struct engine *engine, const struct id *from, const struct id *into);
void returns_due(struct engine *engine, const char *text); /* a stray's timer */

/* sale.c: what headquarters hears of every sale */
void sale_changed(struct engine *engine, struct visit *visit);	 /* closed, or changed since */
void sale_of_return(struct engine *engine, struct stray *stray); /* whose sale is not known */
/* So much was taken off with a card of visit, in the basket that it was paid in; less than 0: and came back. */
void sale_redeemed(struct engine *engine, struct visit *visit, const struct card *card,
    int64_t amount_minor);
void sale_forget(struct engine *engine, const struct id *subject);
/* A complaint or a survey, before the customer's own row has it. */
void care_event(struct engine *engine, const struct event *event);
/* Sensitive, or no promotion may touch them. */
bool stray_item_marked(const struct engine *engine, const struct stray_item *item);

/* listing.c: what a decision has drawn from, into the visit */
void listing_note(struct engine *engine, struct visit *visit, const struct decision *decision);

/* came.c: what came of an action that was listed */
struct came_look {
	struct engine *engine;
	struct visit *visit;
	const struct subject *subject; /* NULL: a stranger */
	struct net_line *net;
};
struct came {
	bool shown, other, bought;
	int64_t amount_minor;
};
void came_begin(struct engine *engine, struct visit *visit, struct came_look *ret);
struct came came_of(const struct came_look *look, const struct shortlist *list,
    const struct listing *listing, const struct action *action);
void came_done(struct came_look *look);
int64_t came_over_ms(const struct visit *visit); /* when it was over, by arrival */
/* Do the till's lines say it? */
bool came_is_told(const struct action *action);

/* settle.c: and is told to headquarters */
void settle_changed(struct engine *engine, struct visit *visit); /* over, or changed since */
void settle_due(struct engine *engine, const char *text);	 /* a visit's timer */
/* Of goods of this one some came back: earlier visits of its customer may have been credited. */
void settle_earlier(struct engine *engine, struct visit *visit);

/* assigned.c: how many customers are in each arm. The visit's one is recognised, or its sale is paid. */
void assigned_note(struct engine *engine, const struct visit *visit);
void assigned_day_over(struct engine *engine);
void assigned_restore(struct engine *engine);
void assigned_save(struct engine *engine, struct buf *buf);
void assigned_load(struct engine *engine);
void assigned_drop(struct engine *engine);

/* witness.c */
void witness_seen(struct engine *engine, const struct visit *visit);
void witness_opened(struct engine *engine, const struct visit *visit,
    const struct decision *decision, const struct id *prompts);

/* consider.c: before anything follows from the decision */
void consider(struct engine *engine, const struct visit *visit, const struct decision *decision);

/* looking.c: what exploring may cost a slot now; 0: nothing, or the policy says no share */
double looking_cost_max(const struct engine *engine, const struct policy *policy);
void looking_note(struct engine *engine, struct visit *visit, const struct decision *decision);
void looking_save(struct engine *engine, struct buf *buf);
void looking_load(struct engine *engine);
void looking_drop(struct engine *engine);

/* learning.c: what was expected of each action and what came. A row that has settled, at its first word: */
void learning_note(struct engine *engine, const struct visit *visit, const struct listing *listing,
    const struct action *action);
void learning_forget(struct engine *engine, const struct id *subject);
void learning_week_over(struct engine *engine);
void learning_restore(struct engine *engine);
void learning_save(struct engine *engine, struct buf *buf);
void learning_load(struct engine *engine);
void learning_drop(struct engine *engine);

/* learner.c: and what the store makes of it. y: did the outcome come? q16: of what was expected. */
void learner_teach(struct engine *engine, const struct action *action, bool treated, bool y,
    int64_t q16);
const struct cells *learner_in_force(const struct engine *engine); /* NULL: headquarters alone */
void learner_day_over(struct engine *engine);
void learner_restore(struct engine *engine);
void learner_save(struct engine *engine, struct buf *buf);
void learner_load(struct engine *engine);
void learner_drop(struct engine *engine);

/* strays.c: those whose sale has not been heard of */
#define STRAY_WAIT_MS (72 * H_MS)
struct stray *stray_new(const struct engine *engine, const struct event *event, const char *station,
    const struct id *ret);
void stray_free(struct stray *stray);
bool stray_is_home(const struct stray *stray); /* all of it has found its sale */
/* Takes ownership: in memory, on disk, with its timer. */
void stray_keep(struct engine *engine, struct stray *stray);
void stray_save(struct engine *engine, const struct stray *stray);
void stray_drop(struct engine *engine, struct stray *stray);		    /* frees it */
struct stray *stray_find(const struct engine *engine, const struct id *id); /* NULL */
/* They wait for another card's sales from now on; true: some do. */
bool strays_merged(struct engine *engine, const struct id *from, const struct id *into);
void strays_forget(struct engine *engine, const struct id *subject);
int strays_load(struct engine *engine) AISLE_MUST_CHECK;
void strays_drop(struct engine *engine); /* memory alone */

/* returned.c: what came back of a sale (before: its lines until now, nouns/net.h) takes the
 * outcomes along that it earned. */
struct net_line;
void returned_of_sale(struct engine *engine, struct visit *visit, const struct net_line *before);

/* staff.c */
/* Its card is of who works here: not served, not learned from. */
bool staff_visit(struct engine *engine, const struct visit *visit);
/* The basket is one of those that its card is in today; once. */
void staff_count(struct engine *engine, struct visit *visit);

/* stops.c */
void order_stop(struct engine *engine, const struct input *input);
bool order_is_stopped(const struct engine *engine, const char *action);
/* On record: what was ordered ("stop", "lift", "lever", "ended"), and by whom. */
void order_record(struct engine *engine, const char *order, const char *name, const double *value,
    int64_t until_ms, const struct input *of);
void stops_due(struct engine *engine);	   /* those whose time is over are lifted */
void stops_restore(struct engine *engine); /* the timers, should they be lost */
void stops_load(struct engine *engine);
void stops_drop(struct engine *engine);

/* levers.c */
void lever_move(struct engine *engine, struct input *input);
int64_t lever_until(const struct engine *engine, const char *name); /* 0: nobody moved it */
void levers_apply(struct engine *engine, struct policy *policy); /* to one that comes into force */
void levers_due(struct engine *engine);
void levers_restore(struct engine *engine);
void levers_load(struct engine *engine);

/* order.c */
void order_leave(struct engine *engine, const struct input *input);
void order_forget(struct engine *engine, const struct input *input);
/* Withdraws cards whose action is stopped (WITHDRAW_STOPPED), or that the policy in force does not
 * know. */
void order_sweep(struct engine *engine, enum withdraw_reason reason);

/* sensor.c: queues */
void stock_event(struct engine *engine, const struct event *event);
/* An associate has looked: the article of this card, if it names one, is not there. */
void stock_missed(struct engine *engine, const struct card *card);
void stock_fill(struct engine *engine, struct decide_input *input); /* what is out now */
void stock_load(struct engine *engine);
void stock_save(struct engine *engine, struct buf *buf);
void stock_done(struct engine *engine);
void sensor_note(struct engine *engine, const char *station, double value);
/* false: nothing was heard */
bool sensor_read(struct engine *engine, const char *station, double *ret_value);
void sensor_load(struct engine *engine);
void sensor_save(struct engine *engine, struct buf *buf);

/* choose.c */
/* What a decision may look at here and now; in engine->scratch. event NULL: none brought it. */
void choose_input(struct engine *engine, struct visit *visit, const struct event *event,
    struct decide_input *ret);
/* The customer is known by now: what they may not see goes. */
void choose_conceal(struct engine *engine, struct visit *visit, const struct event *event);
void choose(struct engine *engine, struct visit *visit, const struct event *event);
/* A snoozed card's time has come. */
void choose_back(struct engine *engine, struct visit *visit, const struct card *card);
/* What is on the screen is gated again, and nothing new chosen. */
void choose_again(struct engine *engine, struct visit *visit, const struct event *event);
/* The open cards alone: gated once more, their worth worked out anew; nothing is drawn. true: the
 * tablet has to be told. */
bool choose_open(struct engine *engine, struct visit *visit, const struct event *event);
/* The till has said what became of an offer: what a policy has for that, and choose_open(). What
 * was said stays on the screen until the next event. */
void choose_on_word(struct engine *engine, struct visit *visit, const struct event *event);
/* What a card's offer saves on the basket of this moment. */
int64_t choose_worth(struct engine *engine, struct visit *visit, const struct card *card);

/* follow.c: what is said of the offers on the screen, as the decision has worked it out. true: the
 * tablet has to be told. */
bool cards_follow(struct engine *engine, struct visit *visit, const struct decision *decision);

/* places.c: cards that mean nothing any more leave the visit, if it holds many. Pointers to cards
 * are stale after it. */
void places_clear(struct engine *engine, struct visit *visit);

/* card.c */
/* a till that is silent for longer has not applied the offer */
#define ASK_MS (5 * S_MS)
void card_open(struct engine *engine, struct visit *visit, const struct decision *decision,
    struct slot *slot, const struct id *prompt);
const char *withdraw_name(enum withdraw_reason reason);
void card_withdraw(struct engine *engine, struct visit *visit, struct card *card,
    enum withdraw_reason reason);
struct person;
/* Because of what somebody answered. */
void card_withdraw_by(struct engine *engine, struct visit *visit, struct card *card,
    enum withdraw_reason reason, const struct person *person);
void card_gone(struct engine *engine, struct card *card);
/* An open card whose customer may not see it: it goes from the screen and frees its budget, and goes on in the records
 * as if it had been withheld, so that caps are alike in both groups. */
void card_conceal(struct engine *engine, struct visit *visit, struct card *card);
/* The most that it may take off, at its depth and with the goods that are there. */
void card_limit(struct engine *engine, const struct decision *decision, const struct action *action,
    struct card *card);
/* An offer that was accepted, and neither refused nor withdrawn since. */
bool card_taken(const struct card *card);
/* The till has said nothing of it in time: its hold is free, and the till is told to leave it. What it says later
 * counts all the same. */
void card_silent(struct engine *engine, struct visit *visit, struct card *card);
/* Its token is good beyond its basket. */
bool card_lives_on(const struct engine *engine, const struct card *card);
/* Where the till shows its words they are replaced; what is printed is printed. */
void card_say_again(struct engine *engine, struct visit *visit, struct card *card);
void card_unword(struct card *card); /* what it says is overwritten */
/* All open cards, and what the tablet shows of the visit. */
void visit_withdraw(struct engine *engine, struct visit *visit, enum withdraw_reason reason);
/* The customer pays: what would stop them leaves. */
void visit_hush(struct engine *engine, struct visit *visit);
/* The same on the screen of another station, or of the customer that it had before. subject: NULL
 * for nobody. */
void visit_withdraw_of(struct engine *engine, struct visit *visit, const char *station,
    const struct id *subject, enum withdraw_reason reason);
/* NULL: nobody that is known */
const struct id *visit_subject(const struct visit *visit);
/* Whom its Guidance may name; NULL: a stranger, or as good as one. */
const struct subject *visit_known_subject(struct engine *engine, const struct visit *visit);
/* Sends what the tablet should show now: a Guidance, or a withdrawal when there is nothing left. */
void visit_guide(struct engine *engine, struct visit *visit, const struct id *decision,
    enum withdraw_reason if_empty);
/* token, till command */
void card_accept_offer(struct engine *engine, struct visit *visit, struct card *card);
bool visit_has_open(const struct visit *visit);
void card_command(struct engine *engine, struct visit *visit, struct card *card, int type,
    const char *text);

/* hold.c: an action's budget */
/* the figures as of that day */
struct budget_use budget_on(const struct engine_budget *budget, int64_t day_ms);
struct budget_use hold_today(const struct engine *engine, const char *action);
void hold_take(struct engine *engine, struct card *card);
/* What an open card holds has changed. */
void hold_change(struct engine *engine, struct card *card, int64_t hold_minor);
/* Lapsed, refused or all of it reversed: what was counted is free again, of the day that it was
 * counted in. Once. */
void hold_release(struct engine *engine, struct card *card);
/* Given up before, and the till applied it after all: held again, as far as it was released. */
void hold_again(struct engine *engine, struct card *card, int64_t amount_minor);
/* Held until now, spent from now on: what the till took off, less the supplier's part. */
void hold_spend(struct engine *engine, struct card *card, int64_t amount_minor);
/* The till took so much of it back; at most redeemed_minor. */
void hold_return(struct engine *engine, struct card *card, int64_t amount_minor);
int hold_load(struct engine *engine);
void hold_drop(struct engine *engine);
void hold_save(struct engine *engine, struct buf *buf);

/* answer.c: what a person or a till says */
void answer_shown(struct engine *engine, const struct event *event, struct reply *reply);
void answer_decided(struct engine *engine, const struct event *event, struct reply *reply);

/* till.c: what the till says of an offer */
#define LATE_WORD_MS (5 * MIN_MS) /* after its basket's close, by the till's times */
/* The basket that it is about; NULL: rejected. */
struct visit *till_offer(struct engine *engine, const struct event *event,
    struct rejected *rejected);
/* The sale was cancelled: what its offers took off comes back, whether or not the till says so. */
void till_void(struct engine *engine, struct visit *visit);
/* It was another sale that was cancelled: what came back was paid after all. */
void till_unvoid(struct engine *engine, struct visit *visit);
/* The basket is closed: of what it was asked for in the lines, or as a coupon, the till has said nothing. */
void till_silent(struct engine *engine, struct visit *visit);
/* The visit is over: offers that do not live on and were not redeemed have lapsed. */
void till_lapse(struct engine *engine, struct visit *visit);
void till_lapse_card(struct engine *engine, struct visit *visit, struct card *card);

/* promise.c: is what was promised honoured? */
void promise_made(struct card *card); /* its offer was accepted, at what it is worth now */
/* What was promised in this visit, and tills say that they did not take off. */
int64_t promise_owed(struct engine *engine, const struct visit *visit);
void promise_wait(struct engine *engine, const struct visit *visit); /* its basket is closed */
void promise_due(struct engine *engine, const char *visit);	     /* counted now */
struct json_writer;
void promise_report(const struct engine *engine, int64_t day_ms, struct json_writer *w);
void promise_save(struct engine *engine, struct buf *buf);
void promise_load(struct engine *engine);
void promise_drop(struct engine *engine);

/* What a person did instead; depth 0: none, prompt NULL: it became no card. */
struct instead {
	const char *action;
	int64_t depth;
	const struct id *prompt;
};
/* Who answered. */
struct person {
	const char *tablet, *associate, *manager, *note; /* NULL: not known, none */
	unsigned over;		       /* gates that the manager passed over: a bit per enum fate */
	const struct instead *instead; /* NULL: nothing */
};

/* instead.c: what a person chose instead; in engine->scratch until it is applied */
struct choice {
	struct decide_input input;
	struct door door; /* action NULL: it is none of the policy */
	struct decision decision;
	bool listed; /* among the alternatives of the card */
};
/* Fills choice and says whether a manager has to agree to it. */
bool instead_look(struct engine *engine, struct visit *visit, const struct card *card,
    const struct event *event, struct choice *choice);
/* false: a gate is closed to it, which reply names. */
bool instead_try(struct engine *engine, struct choice *choice, struct reply *reply);
/* Records the override of card with what was chosen, and asks the till for it where it is an offer.
 * Pointers to cards are stale after it. */
void instead_apply(struct engine *engine, struct visit *visit, struct card *card,
    const struct event *event, struct person *person, const struct choice *choice);

/* manager.c */
enum manager_verdict { MANAGER_OK, MANAGER_NO, MANAGER_LOCKED };
/* source: the tablet that it came from, which is what wrong ones lock. */
enum manager_verdict manager_check(struct engine *engine, const char *source, const char *id,
    const char *pin);
/* May they? 200, 401, 423. */
void manager_sign_in(struct engine *engine, struct input *input);
/* Who of the managers on the list has this key of person_key(). The caller's; NULL: nobody. */
char *manager_by_key(struct engine *engine, const char *hex);

/* tally.c */
void tally_decision(struct engine *engine);
void tally_outcome(struct engine *engine, const struct card *card, enum outcome outcome,
    const char *reason, int64_t amount_minor);
void tally_hour_over(struct engine *engine);
void tally_restore(struct engine *engine); /* the hour's timer, should it be lost */
void tally_save(struct engine *engine, struct buf *buf);
void tally_load(struct engine *engine);
void tally_drop(struct engine *engine);

/* days.c: the days before */
void days_end(struct engine *engine, const struct tally *day); /* it is over */
/* Which hour of the business day it is by the clock on the wall: a bar of the chart is from nine to ten,
 * also where the day is cut at half past four. The hour that autumn has twice is one. */
size_t day_hour(const struct engine *engine, int64_t start_ms, int64_t ms);
void hour_write(struct hour_figures hour, struct buf *buf);
void hour_read(struct rd *rd, struct hour_figures *hour);
void hours_write(const struct hour_figures *hours, struct buf *buf); /* TODAY_HOURS of them */
void hours_read(struct rd *rd, struct hour_figures *hours);
/* Yesterday, and the same day last week: whole, and up to this hour. */
void days_report(const struct engine *engine, int64_t day_ms, int64_t now_ms,
    struct json_writer *w);
void days_save(struct engine *engine, struct buf *buf);
void days_load(struct engine *engine);
void days_drop(struct engine *engine);

/* heard.c */
void heard_of(struct engine *engine, enum channel channel, const char *origin, int64_t now_ms);
void heard_report(const struct engine *engine, int64_t day_ms, int64_t now_ms,
    struct json_writer *w);
void heard_save(struct engine *engine, struct buf *buf);
void heard_load(struct engine *engine);
void heard_drop(struct engine *engine);

/* recent.c */
void recent_note(struct engine *engine, const struct visit *visit, const struct card *card,
    enum outcome outcome);
void recent_report(const struct engine *engine, struct json_writer *w);
void recent_save(struct engine *engine, struct buf *buf);
void recent_load(struct engine *engine);
void recent_drop(struct engine *engine);

/* headline.c: "headline":{"en":"10 % off any coffee","de":"10 % auf Kaffee"}; nothing of what is not of the
 * policy in force */
void headline_add(const struct engine *engine, const char *action, struct json_writer *w);

/* approvals.c: the cards that wait for a manager */
void approvals_report(struct engine *engine, struct json_writer *w);

/* today.c: what the manager sees of it */
#define TODAY_ACTIONS_MAX 256
void today_decision(struct engine *engine);
void today_outcome(struct engine *engine, const struct card *card, enum outcome outcome,
    const char *reason, int64_t amount_minor);
void today_save(struct engine *engine, struct buf *buf);
void today_load(struct engine *engine);
void today_drop(struct engine *engine);

/* outcome.c */
void outcome_record(struct engine *engine, struct visit *visit, struct card *card,
    enum outcome outcome, const char *reason, bool has_amount, int64_t amount_minor);
/* of somebody else than who stands there now */
void outcome_record_of(struct engine *engine, struct visit *visit, const struct id *subject,
    struct card *card, enum outcome outcome, const char *reason, const struct person *person);
void outcome_record_by(struct engine *engine, struct visit *visit, struct card *card,
    enum outcome outcome, const char *reason, const struct person *person);
/* "manager" or "associate": what their id is outside of this store, 32 hex digits. */
void person_key(const struct engine *engine, const char *role, const char *id,
    char ret_hex[static SUBJECT_TEXT_SIZE]);
/* Goods that it was bought or redeemed for came back; whole: all of them. */
void outcome_record_returned(struct engine *engine, struct visit *visit, struct card *card,
    int64_t amount_minor, bool whole);
/* Was, and is, bought what the card is about? */
bool outcome_goal_met(struct engine *engine, const struct visit *visit, const struct card *card);
/* What was taken can be used no more, and was not. */
void outcome_unused(struct engine *engine, struct visit *visit, const struct card *card);
/* the basket closed: bought, lapsed */
void outcome_close(struct engine *engine, struct visit *visit);
void outcome_case_closed(struct engine *engine, const struct subject *subject);
void outcome_window(struct engine *engine, const char *prompt); /* a window's timer */
/* The tablet said that it did not show it: nobody followed its advice. */
bool card_not_shown(const struct card *card);
/* What it is about is in the basket, and it is the last card shown for it. */
bool outcome_earned(struct engine *engine, const struct visit *visit, const struct card *card);

/* snooze.c. Nobody to show it to yet: the sale is suspended, or the customer pays. */
bool snooze_must_wait(const struct engine *engine, const struct visit *visit);
/* Somebody may be spoken to: what came due while nobody was is due now. */
void snooze_open(struct engine *engine, const struct visit *visit);

/* due.c */
void due_apply(struct engine *engine, const char *id);
void due_snooze(struct engine *engine, const struct card *card); /* comes back by its own timer */
/* The timers of a visit that was read from disk, should they be lost. */
void due_restore(struct engine *engine, const struct visit *visit);

/* timer.c: rows "KIND/OBJECT-ID/DUE-MS" */
void timer_add(struct engine *engine, const char *kind, const struct id *object, int64_t due_ms);
void timer_cancel(struct engine *engine, const char *kind, const struct id *object, int64_t due_ms);

/* contributions.c: of the models that chose the record's cards, as the member "contributions";
 * nothing where there are none. */
void contributions_json(struct engine *engine, const char *record, size_t len,
    struct json_writer *w);

#endif
