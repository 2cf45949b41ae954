/* SPDX-License-Identifier: Apache-2.0
 *
 * turn.c - the spine: inputs, one transaction, outputs.
 *
 * DESIGN
 *   Every input that is ready is applied in order; what must leave is written
 *   to the outbox in the same transaction; only after the commit may anything
 *   leave the process or be acknowledged. The stages (ingest, session,
 *   profile, decide, deliver, learn) are called from here and from nowhere
 *   else, and never call each other.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crash.h"
#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "decide/decide.h"
#include "decide/policy_load.h"
#include "deliver/guidance.h"
#include "ingest/rate.h"
#include "profile/sealer.h"
#include "profile/subject_io.h"

/* ---- what cannot be used ---- */

static void
dead_letter(struct engine *engine, const char *topic, const struct rejected *rejected, const void *payload, size_t len,
    bool keep)
{
	struct buf buf = { 0 };
	uint8_t digest[16];
	char hex[33], at[WHEN_TEXT_SIZE];

	metrics_rejected(rejected->reason);
	hash_bytes(digest, sizeof(digest), payload, len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	when_text(engine->now_ms, at);
	engine_check(engine, store_dead_add(engine->store, engine->now_ms, topic, reject_name(rejected->reason),
	    rejected->detail, payload, keep ? len : 0));
	buf_addf(&buf, "{\"at\":\"%s\",\"topic\":", at);
	buf_json_str(&buf, topic);
	buf_addf(&buf, ",\"reason\":\"%s\",\"detail\":", reject_name(rejected->reason));
	buf_json_str(&buf, rejected->detail);
	buf_addf(&buf, ",\"size\":%zu,\"digest\":\"%s\"}", len, hex);
	engine_output(engine, OUTPUT_DEAD_LETTER, NULL, "dead-letter", NULL, buf.data, buf.len);
	buf_done(&buf);
	log_notice("input set aside reason=%s topic=%s detail=\"%s\"", reject_name(rejected->reason), topic,
	    rejected->detail);
}

/* A PIN is never stored: a message that carries one leaves its reason, size and digest, not its text. */
static void
dead_letter_of(struct engine *engine, enum channel channel, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len)
{
	static const char secret[] = "\"pin\"";
	bool keep = channel != CHANNEL_TABLET || memmem(payload, len, secret, sizeof(secret) - 1) == NULL;

	dead_letter(engine, topic, rejected, payload, len, keep);
}

/* ---- receipts ---- */

static void
receipt(struct engine *engine, const char *terminal, const char *source, const char *id, int64_t at_ms, const char *reason)
{
	if (engine->receipt_count == engine->receipt_capacity) {
		engine->receipt_capacity = engine->receipt_capacity == 0 ? 64 : 2 * engine->receipt_capacity;
		engine->receipts = mem_realloc(engine->receipts,
		    engine->receipt_capacity * sizeof(*engine->receipts));
	}
	engine->receipts[engine->receipt_count++] = (struct receipt_row){
		.terminal = arena_strdup(engine->arena, terminal), .source = arena_strdup(engine->arena, source),
		.id = arena_strdup(engine->arena, id), .at_ms = at_ms, .reason = reason,
	};
}

static void
receipt_pair(struct buf *buf, const struct receipt_row *row, bool *first)
{
	buf_adds(buf, *first ? "[" : ",[");
	buf_json_str(buf, row->source);
	buf_addc(buf, ',');
	buf_json_str(buf, row->id);
	*first = false;
}

/* One receipt message a terminal and turn. */
static void
receipts_send_to(struct engine *engine, const char *terminal)
{
	struct buf ids = { 0 }, at = { 0 }, refused = { 0 };
	bool first_id = true, first_refused = true;
	char text[WHEN_TEXT_SIZE];

	for (size_t i = 0; i < engine->receipt_count; i++) {
		struct receipt_row *row = &engine->receipts[i];

		if (row->terminal == NULL || strcmp(row->terminal, terminal) != 0)
			continue;
		if (row->reason != NULL) {
			receipt_pair(&refused, row, &first_refused);
			buf_addf(&refused, ",\"%s\"]", row->reason);
		} else {
			when_text(row->at_ms, text);
			buf_addf(&at, "%s\"%s\"", first_id ? "" : ",", text);
			receipt_pair(&ids, row, &first_id);
			buf_addc(&ids, ']');
		}
		if (row->terminal != terminal)
			row->terminal = NULL;
	}
	if (!first_id || !first_refused) {
		char *topic = arena_printf(engine->arena, "pos/%s/receipt", terminal);
		char *json = arena_printf(engine->arena, "{\"ids\":[%s],\"at\":[%s]%s%s%s}", first_id ? "" : ids.data,
		    first_id ? "" : at.data, first_refused ? "" : ",\"refused\":[", first_refused ? "" : refused.data,
		    first_refused ? "" : "]");

		metrics_add(METRIC_RECEIPTS, 1);
		engine_output(engine, OUTPUT_RECEIPT, NULL, topic, NULL, json, strlen(json));
	}
	buf_done(&ids);
	buf_done(&at);
	buf_done(&refused);
}

static void
receipts_send(struct engine *engine)
{
	for (size_t i = 0; i < engine->receipt_count; i++) {
		if (engine->receipts[i].terminal != NULL)
			receipts_send_to(engine, engine->receipts[i].terminal);
	}
	engine->receipt_count = 0;
}

/* ---- profile: what an event says about the customer ---- */

static void
uplink_consent(struct engine *engine, const struct event *event)
{
	json_t *body;
	struct buf buf = { 0 };
	char text[SUBJECT_TEXT_SIZE];

	if (engine->options.dry || engine->conf->hq_host == NULL)
		return;
	body = json_copy(event->data);
	subject_text(&event->subject, text);
	json_object_del(body, "card");
	json_object_set_new(body, "subject", json_string(text));
	json_write(body, &buf);
	engine_check(engine, store_uplink_add(engine->store, LANE_CONSENT, "consent", engine->now_ms, NULL, buf.data,
	    buf.len));
	json_decref(body);
	buf_done(&buf);
}

struct consent_withdrawal {
	struct engine *engine;
	const struct id *subject;
	struct visit *visits[64];
	size_t count;
};

static void
collect_visits_of(void *ctx, struct visit *visit)
{
	struct consent_withdrawal *w = ctx;

	if (visit->has_subject && id_equal(&visit->subject, w->subject) && w->count < ARRAY_LEN(w->visits))
		w->visits[w->count++] = visit;
}

static void
withdraw_from(struct engine *engine, const struct id *subject, enum withdraw_reason reason)
{
	struct consent_withdrawal w = { .engine = engine, .subject = subject };

	sessions_each(engine->sessions, collect_visits_of, &w);
	for (size_t i = 0; i < w.count; i++) {
		visit_withdraw(engine, w.visits[i], reason);
		engine_touch(engine, w.visits[i]);
	}
}

/* customer.merged: every row of the one becomes a row of the other. */
static void
merge_subjects(struct engine *engine, const struct event *event)
{
	struct subject *from = engine_subject(engine, &event->subject), *into = engine_subject(engine, &event->into);
	struct consent_withdrawal w = { .engine = engine, .subject = &event->subject };
	struct buf buf = { 0 };

	if (from == into || from->forgotten || into->forgotten)
		return;
	for (size_t i = 0; i < from->purchase_count; i++) {
		buf_clear(&buf);
		purchase_encode(&from->purchases[i], &buf);
		engine_check(engine, store_log_add(engine->store, STORE_LOG_SUBJECT, &into->id, &into->id,
		    SUBJECT_LOG_PURCHASE, from->purchases[i].at_ms, buf.data, buf.len));
	}
	for (size_t i = 0; i < from->contacts.count; i++) {
		buf_clear(&buf);
		contact_encode(&from->contacts.rows[i], &buf);
		engine_check(engine, store_log_add(engine->store, STORE_LOG_SUBJECT, &into->id, &into->id,
		    SUBJECT_LOG_CONTACT, from->contacts.rows[i].at_ms, buf.data, buf.len));
	}
	subject_merge(into, from);
	into->dirty = true;
	sessions_each(engine->sessions, collect_visits_of, &w);
	for (size_t i = 0; i < w.count; i++) {
		w.visits[i]->subject = event->into;
		engine_touch(engine, w.visits[i]);
	}
	buf_done(&buf);
}

/* Contacts of other channels count like the store's own. */
static void
record_contact(struct engine *engine, struct subject *subject, const struct event *event)
{
	const struct action *action = engine->policy != NULL && event->contact_action != NULL
	    ? policy_action(engine->policy, event->contact_action) : NULL;
	struct contact row;
	struct buf buf = { 0 };

	if (!subject_contact_row(event, &row))
		return;
	/* Of an action of ours it counts for the group and issue too. contacts_add copies them. */
	if (action != NULL) {
		row.group = (char *)(uintptr_t)action->group;
		row.issue = (char *)(uintptr_t)action->issue;
	}
	contacts_add(&subject->contacts, &row);
	contact_encode(&row, &buf);
	engine_check(engine, store_log_add(engine->store, STORE_LOG_SUBJECT, &subject->id, &subject->id,
	    SUBJECT_LOG_CONTACT, row.at_ms, buf.data, buf.len));
	buf_done(&buf);
}

static void
profile_event(struct engine *engine, const struct event *event)
{
	struct subject *subject = engine_subject(engine, &event->subject);

	if (subject->forgotten)
		return;
	if (event->type == EV_CUSTOMER_MERGED) {
		merge_subjects(engine, event);
		return;
	}
	if (event->type == EV_CONTACT_RECORDED)
		record_contact(engine, subject, event);
	else if (event->type == EV_RETURN_COMPLETED) {
		/* A return is part of what the store knows: only with consent to keep a profile. */
		if (consent_granted(subject, CONSENT_PROFILE, engine->now_ms)) {
			subject_add_incident(subject, INCIDENT_RETURN, engine->now_ms);
			subject->dirty = true;
		}
	} else if (subject_apply(subject, event)) {
		subject->dirty = true;
	}
	if (event->type == EV_CONSENT_CHANGED) {
		uplink_consent(engine, event);
		if (!event->granted && event->purpose == CONSENT_PERSONALISE)
			withdraw_from(engine, &event->subject, WITHDRAW_CONSENT);
	}
	if (event->type == EV_CARE_CASE_CLOSED)
		outcome_case_closed(engine, subject);
}

/* ---- session effects ---- */

static void
disown(struct visit *visit)
{
	visit->has_subject = false;
	memset(&visit->subject, 0, sizeof(visit->subject));
	free(visit->language);
	visit->language = NULL;
	visit->identified_ms = 0;
}

/* false: the customer wants to be forgotten; the visit is nobody's. */
static bool
join_subject(struct engine *engine, struct visit *visit)
{
	struct subject *subject = engine_subject(engine, &visit->subject);
	struct buf buf = { 0 };

	free(visit->language);
	visit->language = NULL;
	if (subject->forgotten) {
		disown(visit);
		return false;
	}
	if (consent_granted(subject, CONSENT_PERSONALISE, engine->now_ms) && subject->language != NULL)
		visit->language = mem_strdup(subject->language);
	/* What was said to the stranger was said to this customer. */
	for (size_t i = 0; i < visit->contacts.count; i++) {
		contacts_add(&subject->contacts, &visit->contacts.rows[i]);
		buf_clear(&buf);
		contact_encode(&visit->contacts.rows[i], &buf);
		engine_check(engine, store_log_add(engine->store, STORE_LOG_SUBJECT, &subject->id, &subject->id,
		    SUBJECT_LOG_CONTACT, visit->contacts.rows[i].at_ms, buf.data, buf.len));
	}
	contacts_done(&visit->contacts);
	buf_done(&buf);
	return true;
}

static void
write_purchase(struct engine *engine, struct visit *visit)
{
	struct subject *subject;
	struct buf buf = { 0 };
	int64_t at_ms = visit->closed_ms != 0 ? visit->closed_ms : engine->now_ms;

	if (!visit->has_subject || visit->training)
		return;
	subject = engine_subject(engine, &visit->subject);
	if (subject->forgotten || !consent_granted(subject, CONSENT_PROFILE, engine->now_ms))
		return;
	subject_add_purchase(subject, visit, at_ms, &buf);
	engine_check(engine, store_log_add(engine->store, STORE_LOG_SUBJECT, &subject->id, &subject->id,
	    SUBJECT_LOG_PURCHASE, at_ms, buf.data, buf.len));
	visit->in_history = true;
	subject->dirty = true;
	buf_done(&buf);
}

static void
note_incident(struct engine *engine, const struct visit *visit, enum incident_kind kind)
{
	struct subject *subject;

	if (!visit->has_subject || visit->training)
		return;
	subject = engine_subject(engine, &visit->subject);
	if (subject->forgotten || !consent_granted(subject, CONSENT_PROFILE, engine->now_ms))
		return;
	subject_add_incident(subject, kind, engine->now_ms);
	subject->dirty = true;
}

/* The guidance on the screen of the station that the basket left. */
static void
leave_station(struct engine *engine, struct visit *visit, const char *old_station)
{
	char station[NAME_SIZE];

	snprintf(station, sizeof(station), "%s", visit->station);
	snprintf(visit->station, sizeof(visit->station), "%s", old_station);
	visit_withdraw(engine, visit, WITHDRAW_REPLACED);
	snprintf(visit->station, sizeof(visit->station), "%s", station);
}

/* false: the card of a forgotten customer waits for nothing; the visit is gone. */
static bool
identified(struct engine *engine, struct session_result *result)
{
	struct visit *visit = result->visit;
	bool known = join_subject(engine, visit);

	if (visit->state != VISIT_WAITING)
		return true;
	if (known) {
		engine_timer(engine, "wait", &visit->id, visit->identified_ms + CARD_WAIT_MS);
		return true;
	}
	engine_remove_visit(engine, visit);
	result->visit = NULL;
	return false;
}

static void
session_effects(struct engine *engine, const struct event *event, struct session_result *result, const struct id *former)
{
	struct visit *visit = result->visit;
	unsigned effects = result->effects;

	if (result->gone != NULL) {
		visit_withdraw(engine, result->gone, WITHDRAW_CUSTOMER);
		if (result->gone != visit)
			engine_remove_visit(engine, result->gone);
		result->gone = NULL;
	}
	if (visit == NULL)
		return;
	engine_touch(engine, visit);
	if (effects & EFFECT_OPENED && visit->basket != NULL) {
		engine_ref(engine, "basket", visit->basket, visit);
		engine_timer(engine, "idle", &visit->id, engine->now_ms + IDLE_MS);
	}
	if (effects & EFFECT_MOVED)
		leave_station(engine, visit, result->old_station);
	if (effects & EFFECT_REPLACED) {
		struct id subject = visit->subject;

		visit->subject = *former;
		visit_withdraw(engine, visit, WITHDRAW_CUSTOMER);
		visit->subject = subject;
	}
	if (effects & EFFECT_IDENTIFIED && !identified(engine, result))
		return;
	if (effects & EFFECT_DECLINED)
		note_incident(engine, visit, INCIDENT_DECLINE);
	if (event->type == EV_BASKET_ITEM_VOIDED && effects & EFFECT_LINES)
		note_incident(engine, visit, INCIDENT_VOID);
	if (effects & EFFECT_SUSPENDED)
		visit_withdraw(engine, visit, WITHDRAW_GATE);
	if (effects & EFFECT_TENDER && engine->policy != NULL && engine->policy->quiet_tender)
		visit_withdraw(engine, visit, WITHDRAW_TENDER);
	if (effects & EFFECT_CLOSED) {
		outcome_close(engine, visit);
		visit_withdraw(engine, visit, WITHDRAW_CLOSED);
		write_purchase(engine, visit);
	}
	if (effects & EFFECT_LATE_LINES)
		write_purchase(engine, visit);
	if (effects & EFFECT_CANCELLED) {
		visit_withdraw(engine, visit, WITHDRAW_CANCELLED);
		/* Cancelled after it was closed: the row takes the purchase back. */
		if (visit->in_history)
			write_purchase(engine, visit);
	}
}

/* ---- one event ---- */

static const char *
event_station(const struct engine *engine, const struct event *event)
{
	return event->station != NULL ? event->station : conf_station(engine->conf, event->origin);
}

static void
note_queue(struct engine *engine, const char *station, double value)
{
	struct queue_reading *reading = NULL;

	for (size_t i = 0; i < engine->queue_count && reading == NULL; i++) {
		if (strcmp(engine->queues[i].station, station) == 0)
			reading = &engine->queues[i];
	}
	if (reading == NULL) {
		if (engine->queue_count == QUEUE_STATIONS_MAX)
			return;
		reading = &engine->queues[engine->queue_count++];
		snprintf(reading->station, sizeof(reading->station), "%s", station);
	}
	reading->value = value;
	engine->queues_dirty = true;
}

/* An event about a customer who is at no till: a service desk's return, a card at a kiosk. */
static struct visit *
visit_for_subject(struct engine *engine, const struct event *event, const char *station)
{
	struct consent_withdrawal w = { .engine = engine, .subject = &event->subject };
	struct id id;
	struct visit *visit;

	sessions_each(engine->sessions, collect_visits_of, &w);
	if (w.count > 0)
		return w.visits[w.count - 1];
	if (event->channel == CHANNEL_CARE)
		return NULL;
	id = engine_id(engine, "visit");
	visit = visit_new(&id);
	visit->state = VISIT_WAITING;
	snprintf(visit->station, sizeof(visit->station), "%s", station);
	if (event->channel == CHANNEL_POS)
		snprintf(visit->terminal, sizeof(visit->terminal), "%s", event->origin);
	visit->has_subject = true;
	visit->subject = event->subject;
	visit->opened_ms = visit->last_ms = visit->identified_ms = engine->now_ms;
	sessions_add(engine->sessions, visit);
	engine_touch(engine, visit);
	if (!join_subject(engine, visit)) {
		engine_remove_visit(engine, visit);
		return NULL;
	}
	engine_timer(engine, "wait", &visit->id, engine->now_ms + CARD_WAIT_MS);
	return visit;
}

static bool
triggers(const struct engine *engine, const struct event *event)
{
	return engine->policy != NULL && (engine->policy->triggers & (1u << event->type)) != 0;
}

/* Where a decision for this event would be shown; NULL: nowhere. */
static struct visit *
visit_to_decide(struct engine *engine, const struct event *event, const struct session_result *result, const char *station)
{
	struct visit *visit = result->visit;

	if (visit == NULL && event->basket != NULL)
		visit = engine_visit_by_basket(engine, event->basket);
	if (visit == NULL && event->has_subject && triggers(engine, event))
		visit = visit_for_subject(engine, event, station);
	if (visit == NULL && !event->has_subject && event->channel != CHANNEL_CARE)
		visit = sessions_at_station(engine->sessions, station);
	if (visit == NULL || visit->training || result->effects & (EFFECT_LATE_LINES | EFFECT_LEFT | EFFECT_IGNORED))
		return NULL;
	if (visit->state == VISIT_CANCELLED || (visit->state == VISIT_CLOSED && !(result->effects & EFFECT_CLOSED)))
		return NULL;
	return visit;
}

static void
apply_to_session(struct engine *engine, const struct event *event, struct session_result *result, struct rejected *rejected)
{
	const char *station = event_station(engine, event);
	struct id visit_id = engine_id(engine, "visit"), former = { 0 };
	struct visit *before = NULL;

	memset(result, 0, sizeof(*result));
	if (event->basket != NULL)
		before = engine_visit_by_basket(engine, event->basket);
	if (before == NULL && event->type == EV_CUSTOMER_IDENTIFIED)
		before = sessions_at_station(engine->sessions, station);
	if (before != NULL)
		former = before->subject;
	session_apply(engine->sessions, event, station, &visit_id, result);
	if (result->reject != REJECT_NONE) {
		rejected->reason = result->reject;
		snprintf(rejected->detail, sizeof(rejected->detail), "%s", result->detail);
		return;
	}
	session_effects(engine, event, result, &former);
}

/* The stages in their order. */
static void
turn_event(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	struct session_result result;
	struct reply reply = { 0 };
	struct visit *visit;

	if (event->type == EV_GUIDANCE_SHOWN || event->type == EV_GUIDANCE_DECIDED) {
		if (event->type == EV_GUIDANCE_SHOWN)
			answer_shown(engine, event, &reply);
		else
			answer_decided(engine, event, &reply);
		if (reply.status >= 400 && reply.status != 410) {
			rejected->reason = REJECT_BAD_VALUE;
			snprintf(rejected->detail, sizeof(rejected->detail), "%s", reply.detail);
		}
		return;
	}
	if (event->type == EV_OFFER_APPLIED || event->type == EV_OFFER_REFUSED || event->type == EV_OFFER_REDEEMED ||
	    event->type == EV_OFFER_REVERSED) {
		answer_offer(engine, event, rejected);
		return;
	}
	apply_to_session(engine, event, &result, rejected);
	if (rejected->reason != REJECT_NONE)
		return;
	if (event->type == EV_SENSOR_READING && strcmp(event->kind, "queue") == 0)
		note_queue(engine, event_station(engine, event), event->value);
	if (event->has_subject && event->type != EV_CUSTOMER_IDENTIFIED)
		profile_event(engine, event);
	if (event->type == EV_RETURN_COMPLETED && result.visit == NULL && !event->has_subject)
		result.visit = sessions_at_terminal(engine->sessions, event->origin);
	visit = visit_to_decide(engine, event, &result, event_station(engine, event));
	if (visit != NULL && engine->policy != NULL)
		choose(engine, visit, event);
}

/* ---- idempotence ---- */

/* true: it was here before (or is a forgery of one that was): done with it. Only what was accepted counts as
 * seen: an event that was refused is refused again, for the same reason if that still holds. */
static bool
seen_before(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	const char *parts[] = { event->source, event->id };
	struct id name = hash_parts(parts, 2), digest;
	int64_t first_ms;
	int rc = store_seen_get(engine->store, &name, &digest, &first_ms);

	engine_check(engine, rc);
	if (rc == AISLE_E_NONE)
		return false;
	if (rc != 0)
		return true;
	if (!id_equal(&digest, &event->digest)) {
		rejected->reason = REJECT_BAD_VALUE;
		snprintf(rejected->detail, sizeof(rejected->detail),
		    "source and id were used before for another event; expected a new id");
		log_warning("one id, two bodies source=%s id=%s", event->source, event->id);
		return true;
	}
	metrics_event(event->type, true);
	if (event->receipt && event->channel == CHANNEL_POS)
		receipt(engine, event->origin, event->source, event->id, first_ms, NULL);
	return true;
}

static void
accepted(struct engine *engine, const struct event *event)
{
	const char *parts[] = { event->source, event->id };
	struct id name = hash_parts(parts, 2);

	engine_check(engine, store_seen_put(engine->store, &name, &event->digest, engine->now_ms));
	metrics_event(event->type, false);
	if (event->receipt && event->channel == CHANNEL_POS)
		receipt(engine, event->origin, event->source, event->id, engine->now_ms, NULL);
}

static void
apply_event(struct engine *engine, struct event *event, struct rejected *rejected)
{
	engine->source = event->source;
	engine->id = event->id;
	crash_input(event->source, event->id);
	event->now_ms = engine->now_ms;
	if (engine->poison != NULL && crash_is(engine->poison, event->source, event->id)) {
		rejected->reason = REJECT_BAD_VALUE;
		snprintf(rejected->detail, sizeof(rejected->detail),
		    "this event stopped the daemon before and is set aside; please report it");
		metrics_add(METRIC_SET_ASIDE, 1);
	} else if (!seen_before(engine, event, rejected)) {
		turn_event(engine, event, rejected);
		if (rejected->reason == REJECT_NONE)
			accepted(engine, event);
	}
	if (rejected->reason != REJECT_NONE) {
		snprintf(rejected->source, sizeof(rejected->source), "%s", event->source);
		snprintf(rejected->id, sizeof(rejected->id), "%s", event->id);
		rejected->receipt = event->receipt;
	}
	crash_input(NULL, NULL);
}

/* ---- inputs ---- */

static void
clock_to(struct engine *engine, int64_t now_ms)
{
	char id[128];
	int64_t due_ms;
	int rc;

	if (now_ms < engine->now_ms)
		now_ms = engine->now_ms;
	while ((rc = store_timer_first(engine->store, &due_ms, id)) == 0 && due_ms <= now_ms && engine->failed == 0) {
		if (due_ms > engine->now_ms)
			engine->now_ms = due_ms;
		engine->source = "timer";
		engine->id = id;
		engine->commands = 0;
		engine_check(engine, store_timer_delete(engine->store, due_ms, id));
		metrics_add(METRIC_TIMERS, 1);
		if (engine->poison != NULL && crash_is(engine->poison, "timer", id)) {
			metrics_add(METRIC_SET_ASIDE, 1);
			continue;
		}
		crash_input("timer", id);
		timer_apply(engine, id);
		crash_input(NULL, NULL);
	}
	engine_check(engine, rc);
	engine->now_ms = now_ms;
}

static struct envelope_rules
rules_of(const struct engine *engine)
{
	return (struct envelope_rules){
		.pepper = keys_pepper(engine->keys), .currency = engine->conf->currency,
		.clock_past_ms = engine->conf->clock_past_ms, .clock_ahead_ms = engine->conf->clock_ahead_ms,
		.clock_off = engine->time_uncertain,
	};
}

static void
refuse(struct engine *engine, const struct route *route, const char *topic, const struct rejected *rejected,
    const void *payload, size_t len)
{
	dead_letter_of(engine, route->channel, topic, rejected, payload, len);
	if (rejected->receipt && rejected->source[0] != '\0' && route->channel == CHANNEL_POS)
		receipt(engine, route->origin, rejected->source, rejected->id, engine->now_ms,
		    reject_name(rejected->reason));
}

#define HELLO_STATIONS_MAX 64
#define HELLO_VISITS_MAX 64

struct hello_walk {
	const char *station;
	struct visit *visits[HELLO_VISITS_MAX];
	size_t count;
};

static void
hello_collect(void *ctx, struct visit *visit)
{
	struct hello_walk *walk = ctx;

	if (!id_is_zero(&visit->guidance) && strcmp(visit->station, walk->station) == 0 &&
	    walk->count < HELLO_VISITS_MAX)
		walk->visits[walk->count++] = visit;
}

static void
hello_station(struct engine *engine, const char *station)
{
	struct hello_walk walk = { .station = station };

	sessions_each(engine->sessions, hello_collect, &walk);
	for (size_t i = 0; i < walk.count; i++)
		visit_guide(engine, walk.visits[i], NULL, WITHDRAW_REPLACED);
}

static void
hello(struct engine *engine, const struct input *input)
{
	struct rejected rejected = { 0 };
	struct err err = { 0 };
	json_t *json = json_read(input->payload, input->len, "hello", &err), *station;
	size_t i;

	if (!json_is_array(json_object_get(json, "stations"))) {
		rejected.reason = json == NULL ? REJECT_NOT_JSON : REJECT_BAD_SHAPE;
		snprintf(rejected.detail, sizeof(rejected.detail), "/stations: expected an array of stations");
		dead_letter(engine, input->topic, &rejected, input->payload, input->len, true);
	}
	json_array_foreach(json_object_get(json, "stations"), i, station) {
		if (json_is_string(station) && i < HELLO_STATIONS_MAX)
			hello_station(engine, json_string_value(station));
	}
	json_decref(json);
}

static void
input_message(struct engine *engine, struct input *input, const struct route *route, struct event *event,
    struct rejected *rejected, unsigned unknown)
{
	if (unknown > 0)
		metrics_add(METRIC_UNKNOWN_MEMBERS, unknown);
	if (rejected->bad_gtins > 0)
		metrics_add(METRIC_BAD_GTINS, rejected->bad_gtins);
	if (event != NULL)
		apply_event(engine, event, rejected);
	if (rejected->reason != REJECT_NONE)
		refuse(engine, route, input->topic, rejected, input->payload, input->len);
	if (event != NULL)
		event_done(event);
}

static void
apply_message(struct engine *engine, struct input *input)
{
	struct envelope_rules rules = rules_of(engine);
	struct rejected rejected = { 0 };
	struct event *event = NULL;
	struct route route = { 0 };
	unsigned unknown = 0;

	if (input->kind == INPUT_MAPPED) {
		route.channel = CHANNEL_POS;
		snprintf(route.origin, sizeof(route.origin), "%s", input->text);
	} else if (route_parse(input->topic, engine->conf->store_id, &route) != 0) {
		return;
	}
	if (route.hello) {
		hello(engine, input);
		return;
	}
	if (!rate_allow(engine->rates, route.channel, route.origin, engine->now_ms)) {
		rejected.reason = REJECT_RATE;
		snprintf(rejected.detail, sizeof(rejected.detail), "more than %d messages a second from %s",
		    engine->conf->terminal_rate, route.origin);
	} else if (envelope_parse(engine->arena, &rules, &route, input->attributes, input->payload, input->len,
	    engine->now_ms, &event, &rejected, &unknown) != 0) {
		event = NULL;
	}
	input_message(engine, input, &route, event, &rejected, unknown);
}

static void
apply_recorded(struct engine *engine, struct input *input)
{
	struct envelope_rules rules = rules_of(engine);
	struct rejected rejected = { 0 };
	struct event *event = NULL;
	struct route route = { 0 };
	unsigned unknown = 0;
	int64_t now_ms = engine->now_ms;

	if (envelope_parse_recorded(engine->arena, &rules, input->payload, input->len, &route, &now_ms, &event,
	    &rejected, &unknown) != 0)
		event = NULL;
	clock_to(engine, now_ms);
	input->topic = "recorded";
	input_message(engine, input, &route, event, &rejected, unknown);
}

static void
apply_stop(struct engine *engine, const struct input *input)
{
	struct buf list = { 0 };
	size_t at = 0;

	while (at < engine->stopped_count && strcmp(engine->stopped[at], input->text) < 0)
		at++;
	if (input->flag && !engine_is_stopped(engine, input->text)) {
		engine->stopped = mem_realloc(engine->stopped, (engine->stopped_count + 1) * sizeof(char *));
		memmove(engine->stopped + at + 1, engine->stopped + at, (engine->stopped_count - at) * sizeof(char *));
		engine->stopped[at] = mem_strdup(input->text);
		engine->stopped_count++;
	} else if (!input->flag && engine_is_stopped(engine, input->text)) {
		free(engine->stopped[at]);
		memmove(engine->stopped + at, engine->stopped + at + 1,
		    (engine->stopped_count - at - 1) * sizeof(char *));
		engine->stopped_count--;
	}
	for (size_t i = 0; i < engine->stopped_count; i++)
		buf_addf(&list, "%s\n", engine->stopped[i]);
	engine_check(engine, store_meta_set(engine->store, "stopped", list.len > 0 ? list.data : "", list.len));
	buf_done(&list);
}

struct sweep {
	struct engine *engine;
	struct visit *visits[4096];
	size_t count;
};

/* Must this card leave? Its action was stopped, or the policy in force does not know it. */
static bool
is_swept(struct engine *engine, const struct card *card, enum withdraw_reason reason)
{
	if (card->state == CARD_GONE || card->redeemed)
		return false;
	if (reason == WITHDRAW_STOPPED)
		return engine_is_stopped(engine, card->action);
	return card->state == CARD_OPEN && (engine->policy == NULL || policy_action(engine->policy, card->action) == NULL);
}

static void
sweep_collect(void *ctx, struct visit *visit)
{
	struct sweep *sweep = ctx;

	if (visit->card_count > 0 && sweep->count < ARRAY_LEN(sweep->visits))
		sweep->visits[sweep->count++] = visit;
}

/* A stop withdraws open cards and unredeemed tokens at once. */
static void
sweep_cards(struct engine *engine, enum withdraw_reason reason)
{
	struct sweep *sweep = arena_alloc(engine->arena, sizeof(*sweep));

	sweep->engine = engine;
	sessions_each(engine->sessions, sweep_collect, sweep);
	for (size_t i = 0; i < sweep->count; i++) {
		struct visit *visit = sweep->visits[i];
		bool changed = false;

		for (size_t c = 0; c < visit->card_count; c++) {
			if (!is_swept(engine, &visit->cards[c], reason))
				continue;
			card_withdraw(engine, visit, &visit->cards[c], reason);
			changed = true;
		}
		if (changed) {
			engine_touch(engine, visit);
			visit_guide(engine, visit, NULL, reason);
		}
	}
}

/* Their open visits go on without them: what is written from now on is about nobody. */
static void
apply_forget(struct engine *engine, const struct input *input)
{
	struct subject *subject = engine_subject(engine, &input->subject);
	struct consent_withdrawal w = { .engine = engine, .subject = &input->subject };

	subject->forgotten = true;
	subject->dirty = false;
	withdraw_from(engine, &input->subject, WITHDRAW_CUSTOMER);
	engine_check(engine, store_forget(engine->store, &input->subject));
	buf_wipe(&engine->record);	/* it may be theirs */
	sessions_each(engine->sessions, collect_visits_of, &w);
	for (size_t i = 0; i < w.count; i++) {
		if (w.visits[i]->state == VISIT_WAITING) {
			engine_remove_visit(engine, w.visits[i]);
			continue;
		}
		disown(w.visits[i]);
		engine_touch(engine, w.visits[i]);
	}
}

static void
apply_answer(struct engine *engine, struct input *input)
{
	struct event *event = arena_alloc(engine->arena, sizeof(*event));
	const char *slash = input->is_shown ? "shown" : "decision";

	event->type = input->is_shown ? EV_GUIDANCE_SHOWN : EV_GUIDANCE_DECIDED;
	event->channel = CHANNEL_TABLET;
	event->origin = event->tablet = input->text;
	event->source = arena_printf(engine->arena, "tablet/%s", input->text);
	event->id = arena_printf(engine->arena, "%s/%s", input->prompt, slash);
	event->guidance = input->guidance;
	event->prompt = input->prompt;
	event->now_ms = event->time_ms = engine->now_ms;
	event->data = input->answer;
	engine->source = event->source;
	engine->id = event->id;
	if (input->is_shown) {
		const json_t *shown = json_object_get(input->answer, "shown");

		event->shown = shown == NULL || json_is_true(shown);
		answer_shown(engine, event, &input->result);
		return;
	}
	event->decision = json_string_value(json_object_get(input->answer, "decision"));
	event->reason = json_string_value(json_object_get(input->answer, "reason"));
	event->note = json_string_value(json_object_get(input->answer, "note"));
	event->manager = json_string_value(json_object_get(input->answer, "manager"));
	event->pin = input->pin;
	event->instead_action = json_string_value(json_object_get(json_object_get(input->answer, "instead"), "action"));
	(void)json_int(json_object_get(json_object_get(input->answer, "instead"), "depth"), &event->instead_depth);
	if (json_is_string(json_object_get(input->answer, "until")))
		(void)when_parse(json_string_value(json_object_get(input->answer, "until")), &event->until_ms);
	answer_decided(engine, event, &input->result);
}

static void
apply_unmapped(struct engine *engine, const struct input *input)
{
	struct rejected rejected = { .reason = REJECT_BAD_SHAPE };

	snprintf(rejected.detail, sizeof(rejected.detail), "%s", input->text);
	dead_letter(engine, input->topic, &rejected, input->payload, input->len, true);
}

static void
turn_input(struct engine *engine, struct input *input)
{
	engine->source = engine->id = "";
	engine->commands = 0;
	if (input->kind != INPUT_RECORDED)
		clock_to(engine, input->now_ms);
	engine->commands = 0;
	switch (input->kind) {
	case INPUT_MESSAGE:
	case INPUT_MAPPED:
		apply_message(engine, input);
		break;
	case INPUT_RECORDED:
		apply_recorded(engine, input);
		break;
	case INPUT_ANSWER:
		apply_answer(engine, input);
		break;
	case INPUT_DELIVERED:
		engine_check(engine, store_outbox_delete(engine->store, input->number));
		break;
	case INPUT_HQ_ACK:
		engine_check(engine, store_uplink_ack(engine->store, input->lane, input->number));
		break;
	case INPUT_STOP:
		apply_stop(engine, input);
		sweep_cards(engine, WITHDRAW_STOPPED);
		break;
	case INPUT_FORGET:
		apply_forget(engine, input);
		break;
	case INPUT_POLICY:
		sweep_cards(engine, WITHDRAW_REPLACED);
		break;
	case INPUT_UNMAPPED:
		apply_unmapped(engine, input);
		break;
	case INPUT_CLOCK:
		break;
	}
}

/* ---- the turn ---- */

int
turn_run(struct engine *engine, struct input *inputs, size_t count)
{
	int rc;

	arena_reset(engine->arena);
	engine->output_count = engine->receipt_count = 0;
	engine->failed = 0;
	rc = store_begin(engine->store);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < count && engine->failed == 0; i++)
		turn_input(engine, &inputs[i]);
	receipts_send(engine);
	/* From here on it is the disk's work: a bug there is no input's fault. */
	crash_input(NULL, NULL);
	engine_save(engine);
	rc = engine->failed;
	if (rc == 0)
		rc = store_commit(engine->store);
	if (rc != 0) {
		store_rollback(engine->store);
		metrics_add(METRIC_COMMITS_FAILED, 1);
		return rc;
	}
	metrics_add(METRIC_TURNS, 1);
	return 0;
}
