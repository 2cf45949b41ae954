/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_io.h - a subject from and to rows; consent; what events change in it. Pure.
 */
#ifndef AISLE_PROFILE_SUBJECT_IO_H
#define AISLE_PROFILE_SUBJECT_IO_H

#include "aisle/subject.h"
#include "aisle/visit.h"
#include "core/buf.h"
#include "nouns/marks.h"

struct subject *subject_new(const struct id *id);
void subject_free(struct subject *subject);

/* The header row: consent, cases, balance, wallet, incidents. */
void subject_encode(const struct subject *subject, struct buf *out);
int subject_decode(struct subject *subject, const void *bytes, size_t len) AISLE_MUST_CHECK;

/* The log rows (store_log kind). */
enum subject_log { SUBJECT_LOG_PURCHASE = 1, SUBJECT_LOG_CONTACT = 2 };
#define PURCHASE_NAME_BYTES \
	17 /* a purchase's row begins with whose it is: the same for the same visit */
void purchase_encode(const struct purchase *purchase, struct buf *out);
/* Adds a decoded row to the subject; a second row for the same visit replaces the first (late
 * lines). */
int subject_add_log(struct subject *subject, int kind, const void *bytes, size_t len)
    AISLE_MUST_CHECK;
/* The basket of a closed visit as a purchase (sensitive goods and what was voided or came back left out) into subject
 * (replacing one of the same visit) and its row into out. A training visit, and any visit of
 * a forgotten subject, writes nothing: out stays empty. A CANCELLED visit (post-void) and one of
 * which nothing is left are no purchase: an earlier row of the visit is taken back, and the
 * row into out says so. */
void subject_add_purchase(struct subject *subject, const struct visit *visit,
    const struct marks *marks, int64_t at_ms, struct buf *out);
/* It was no purchase of theirs; the row that says so into out. */
void subject_take_purchase(struct subject *subject, const struct id *visit, int64_t at_ms,
    struct buf *out);
/* Goods come back of a sale that only its purchase is left of: at most qty_milli of the item. How
 * much it was; its row, which takes the place of the one before, into out unless it was nothing. */
int64_t subject_take_goods(struct subject *subject, size_t index, const char *item,
    int64_t qty_milli, struct buf *out);
/* Purchases, contacts and incidents from before are forgotten. */
void subject_expire(struct subject *subject, int64_t before_ms);
/* The profile's word of a contact that the store heard of itself goes: it is one contact, and row is added in its place. */
void told_gives_way(struct subject *subject, const struct contact *row);
/* Of HQ's profile: contacts from before are not there. */
void subject_expire_told(struct subject *subject, int64_t before_ms);
void subject_add_incident(struct subject *subject, enum incident_kind kind, int64_t at_ms);

/* Is a purpose granted at now? Unknown and run-out are a no. */
bool consent_granted(const struct subject *subject, enum consent_purpose purpose, int64_t now_ms);

/* What an event says about the customer (consent.changed, care.*, loyalty.balance, wallet.changed,
 * enrolled, survey, return, contact.recorded) into subject. true: it changed. */
bool subject_apply(struct subject *subject, const struct event *event);
/* The contact row that contact.recorded stands for (subject_apply has added it): strings borrowed
 * from the event. The caller logs it as SUBJECT_LOG_CONTACT. false: another type. */
bool subject_contact_row(const struct event *event, struct contact *ret_row);
/* They are of an experiment, by its key. false: that is known, or SUBJECT_SEEN_MAX others are. */
bool subject_see(struct subject *subject, const struct id *key);
/* customer.merged: rows of from unite with into (any order, any repeat, same result). */
void subject_merge(struct subject *into, const struct subject *from);
/* false: the cards of both are more than SUBJECT_MERGED_MAX. */
bool subject_may_merge(const struct subject *into, const struct subject *from);
/* What HQ says of the card from, where it says nothing of into. */
void subject_merge_profile(struct subject *into, const struct subject *from);
/* It was merged into another card: all that is kept of it is which. */
void subject_forward(struct subject *from, const struct id *into);

/* HQ's profile row: JSON as in the profiles file. */
int subject_apply_profile(struct subject *subject, const void *json, size_t len) AISLE_MUST_CHECK;
/* Everything kept, for the customer (export, show): a JSON object. */
void subject_json(const struct subject *subject, struct buf *out);

#endif
