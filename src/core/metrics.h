/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.h - counters and gauges, from one table; every label is one of a fixed few.
 */
#ifndef AISLE_CORE_METRICS_H
#define AISLE_CORE_METRICS_H

#include "aisle/event.h"
#include "aisle/refusal.h"
#include "core/buf.h"

/* Tables that have a maximum. X(constant, label) */
/* clang-format off */
#define METRIC_LIMITS(X) \
	X(VISITS, "visits") X(LINES, "lines") X(CARDS, "cards") X(CONTACTS, "contacts") \
	X(PURCHASES, "purchases") X(SUBJECTS, "subjects") X(TIMERS, "timers") X(OUTBOX, "outbox") \
	X(UPLINK, "uplink") X(STATE, "state") X(DEAD_LETTERS, "dead-letters") X(STREAMS, "streams") \
	X(STREAM_BYTES, "stream-bytes") X(CONNECTIONS, "connections") X(TABLETS, "tablets") \
	X(LISTINGS, "listings") X(LEARNED, "learned") X(PAIRING, "pairing") X(LINK, "link") X(CONTROL, "control") X(RETURNS, "returns") \
	X(WAITING, "waiting") X(OTHER, "other")
/* clang-format on */

/* Families: F(constant, name, kind, help). The name has no _total; OpenMetrics and 0.0.4 differ
 * there. */
/* clang-format off */
#define METRIC_FAMILIES(F) \
	F(EVENTS, "aisle_events", COUNTER, "Events taken in, by type and whether they were new.") \
	F(REJECTED, "aisle_events_rejected", COUNTER, "Messages put aside as dead letters, by reason.") \
	F(UNKNOWN_MEMBERS, "aisle_unknown_members", COUNTER, "JSON members that nobody reads.") \
	F(BAD_GTINS, "aisle_bad_gtins", COUNTER, "GTINs that do not check and became a sku.") \
	F(CATALOG, "aisle_catalog", COUNTER, "Lines and returned goods looked up in the catalog, by whether it has the article.") \
	F(PROFILES_UNREADABLE, "aisle_profiles_unreadable", COUNTER, "Rows of headquarters' profiles that did not open when they were asked for.") \
	F(BASKETS_AGAIN, "aisle_basket_numbers_again", COUNTER, "Baskets with the number of an earlier one at their terminal.") \
	F(STALE, "aisle_events_stale", COUNTER, "Events too old to decide anything by.") \
	F(OVER_THE_MOST, "aisle_amounts_over_the_most", COUNTER, "Amounts of a till beyond what the offer can save: booked at that.") \
	F(PROMISES, "aisle_promises", COUNTER, "Accepted offers of closed baskets, by what the till took off beside what was promised.") \
	F(ALIKE, "aisle_topics_alike", COUNTER, "Messages on topics that look like the store's and are not.") \
	F(BROKER_REFUSED, "aisle_broker_refused", COUNTER, "Times that the store's broker was let go for a packet that no broker may send.") \
	F(TURNS, "aisle_turns", COUNTER, "Turns committed.") \
	F(COMMITS_FAILED, "aisle_commits_failed", COUNTER, "Turns that could not be made durable.") \
	F(DECISIONS, "aisle_decisions", COUNTER, "Decisions made.") \
	F(PROMPTS, "aisle_prompts", COUNTER, "Prompts sent to tablets, or chosen and withheld.") \
	F(ANSWERS, "aisle_answers", COUNTER, "Answers of associates to prompts.") \
	F(WITHDRAWALS, "aisle_withdrawals", COUNTER, "Guidance taken back.") \
	F(TIMERS, "aisle_timers", COUNTER, "Timers that came due.") \
	F(RECEIPTS, "aisle_receipts", COUNTER, "Receipts sent to tills.") \
	F(STAFF, "aisle_staff_baskets", COUNTER, "Baskets that were not served for the card in them, by how it is known.") \
	F(SET_ASIDE, "aisle_inputs_set_aside", COUNTER, "Inputs that a crash mark named, or that no turn could hold.") \
	F(DAMAGED, "aisle_rows_damaged", COUNTER, "Rows that did not open and were put aside.") \
	F(LIMITS_HIT, "aisle_limits_hit", COUNTER, "Times that a bound was reached, by what is bounded.") \
	F(UPLINK_SENT, "aisle_uplink_batches", COUNTER, "Batches given to the link, repeats included.") \
	F(UPLINK_REFUSED, "aisle_uplink_acks_refused", COUNTER, "Acknowledgements of HQ that do not fit.") \
	F(BUNDLES, "aisle_bundles", COUNTER, "Bundles, by what became of them.") \
	F(REFUSED, "aisle_trust_refused", COUNTER, "What headquarters sent and the store did not take, by reason.") \
	F(WRITTEN, "aisle_disk_written_bytes", COUNTER, "Bytes that this process had the disk write, as the kernel counts.") \
	F(HTTP, "aisle_http", COUNTER, "What came to the tablets' and operators' port, by what became of it.") \
	F(WAITING, "aisle_events_waiting", GAUGE, "Events that came faster than they are taken.") \
	F(WAITING_BYTES, "aisle_events_waiting_bytes", GAUGE, "Their bytes.") \
	F(IN_FLIGHT, "aisle_mqtt_in_flight", GAUGE, "Messages that the broker has not acknowledged.") \
	F(UPLINK_QUEUED, "aisle_uplink_queued", GAUGE, "Records that HQ has not acknowledged.") \
	F(STREAMS, "aisle_streams_open", GAUGE, "Server-sent event streams.") \
	F(VISITS, "aisle_visits_open", GAUGE, "Baskets being served.") \
	F(MQTT_UP, "aisle_mqtt_connected", GAUGE, "1 while connected to the store's broker.") \
	F(HQ_UP, "aisle_hq_connected", GAUGE, "1 while the link is connected to HQ.") \
	F(STATE_BYTES, "aisle_state_bytes", GAUGE, "Size of the state on disk.") \
	F(DAYS_FIT, "aisle_state_days_fit", GAUGE, "Days of decisions that fit into the state at their pace; 0: not known yet.") \
	F(UPLINK_ACKED, "aisle_uplink_acked_timestamp_seconds", GAUGE, "When HQ last acknowledged.") \
	F(POLICY_ACTIVE, "aisle_policy_activated_timestamp_seconds", GAUGE, "When the policy was switched on.") \
	F(START, "process_start_time_seconds", GAUGE, "When the process started.")
/* clang-format on */

/* Series: S(constant, family, labels), grouped by family in the order above. */
/* clang-format off */
#define METRIC_SERIES_PLAIN(S) \
	S(UNKNOWN_MEMBERS, UNKNOWN_MEMBERS, "") \
	S(BAD_GTINS, BAD_GTINS, "") \
	S(CATALOG_FOUND, CATALOG, "article=\"found\"") \
	S(CATALOG_UNKNOWN, CATALOG, "article=\"unknown\"") \
	S(PROFILES_UNREADABLE, PROFILES_UNREADABLE, "") \
	S(BASKETS_AGAIN, BASKETS_AGAIN, "") \
	S(STALE, STALE, "") \
	S(OVER_THE_MOST, OVER_THE_MOST, "") \
	S(PROMISES_KEPT, PROMISES, "taken=\"as-promised\"") \
	S(PROMISES_LESS, PROMISES, "taken=\"less\"") \
	S(PROMISES_MORE, PROMISES, "taken=\"more\"") \
	S(ALIKE, ALIKE, "") \
	S(BROKER_REFUSED, BROKER_REFUSED, "") \
	S(TURNS, TURNS, "") \
	S(COMMITS_FAILED, COMMITS_FAILED, "") \
	S(DECISIONS, DECISIONS, "") \
	S(PROMPTS_SENT, PROMPTS, "result=\"sent\"") \
	S(PROMPTS_WITHHELD, PROMPTS, "result=\"withheld\"") \
	S(ANSWERS_ACCEPT, ANSWERS, "decision=\"accept\"") \
	S(ANSWERS_DISMISS, ANSWERS, "decision=\"dismiss\"") \
	S(ANSWERS_SNOOZE, ANSWERS, "decision=\"snooze\"") \
	S(ANSWERS_OVERRIDE, ANSWERS, "decision=\"override\"") \
	S(WITHDRAWALS, WITHDRAWALS, "") \
	S(TIMERS, TIMERS, "") \
	S(RECEIPTS, RECEIPTS, "") \
	S(STAFF_LISTED, STAFF, "card=\"listed\"") \
	S(STAFF_LENT, STAFF, "card=\"lent\"") \
	S(SET_ASIDE, SET_ASIDE, "") \
	S(DAMAGED, DAMAGED, "")
#define METRIC_SERIES_SENT(S) \
	S(UPLINK_SENT, UPLINK_SENT, "") \
	S(UPLINK_REFUSED, UPLINK_REFUSED, "") \
	S(BUNDLES_INSTALLED, BUNDLES, "result=\"installed\"") \
	S(BUNDLES_REFUSED, BUNDLES, "result=\"refused\"") \
	S(BUNDLES_ROLLED_BACK, BUNDLES, "result=\"rolled-back\"")
#define METRIC_SERIES_LAST(S) \
	S(WRITTEN, WRITTEN, "") \
	S(HTTP_REQUESTS, HTTP, "what=\"requests\"") \
	S(HTTP_REFUSED, HTTP, "what=\"refused\"") \
	S(HTTP_UNAUTHORIZED, HTTP, "what=\"unauthorized\"") \
	S(HTTP_MALFORMED, HTTP, "what=\"malformed\"") \
	S(HTTP_SLOW, HTTP, "what=\"slow\"") \
	S(HTTP_EVICTED, HTTP, "what=\"evicted\"") \
	S(HTTP_STREAMS_CUT, HTTP, "what=\"streams_cut\"") \
	S(HTTP_PAIR_FAILED, HTTP, "what=\"pair_failed\"") \
	S(WAITING, WAITING, "") \
	S(WAITING_BYTES, WAITING_BYTES, "") \
	S(IN_FLIGHT, IN_FLIGHT, "") \
	S(UPLINK_QUEUED, UPLINK_QUEUED, "") \
	S(STREAMS, STREAMS, "") \
	S(VISITS, VISITS, "") \
	S(MQTT_UP, MQTT_UP, "") \
	S(HQ_UP, HQ_UP, "") \
	S(STATE_BYTES, STATE_BYTES, "") \
	S(DAYS_FIT, DAYS_FIT, "") \
	S(UPLINK_ACKED, UPLINK_ACKED, "") \
	S(POLICY_ACTIVE, POLICY_ACTIVE, "") \
	S(START, START, "")
/* clang-format on */

enum metric {
#define X(constant, ...) METRIC_ACCEPTED_##constant, METRIC_DUPLICATE_##constant,
	EVENT_TYPES(X)
#undef X
#define X(constant, name) METRIC_REJECTED_##constant,
	    REJECT_REASONS(X)
#undef X
#define S(constant, family, labels) METRIC_##constant,
		METRIC_SERIES_PLAIN(S)
#define X(constant, name) METRIC_LIMIT_##constant,
		    METRIC_LIMITS(X)
#undef X
			METRIC_SERIES_SENT(S)
#define X(constant, name) METRIC_REFUSED_##constant,
			    REFUSALS(X)
#undef X
				METRIC_SERIES_LAST(S)
#undef S
				    METRIC_COUNT
};

void metrics_add(enum metric metric, int64_t n);     /* counters: n ≥ 0; gauges: any */
void metrics_set(enum metric metric, int64_t value); /* gauges, and counters kept elsewhere */
int64_t metrics_get(enum metric metric);
void metrics_event(enum event_type type, bool duplicate);
void metrics_rejected(enum reject reason);
void metrics_refused(enum refusal reason);
/* The histogram aisle_turn_duration_seconds: from the first input read to the commit. */
void metrics_observe(int64_t us);
/* Its bucket i: what took at most so long (INT64_MAX: any time) and more than the one before. false: there is none. */
bool metrics_bucket(size_t i, int64_t *ret_us, int64_t *ret_count);
void metrics_reset(void); /* for tests */
/* Everything, as Prometheus text 0.0.4 or OpenMetrics 1.0. */
void metrics_write(struct buf *out, bool openmetrics);
const char *metrics_content_type(bool openmetrics);

#endif
