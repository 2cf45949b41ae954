/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_rows.h - the bounded rows of a subject, for the subject*.c files alone.
 */
#ifndef AISLE_PROFILE_SUBJECT_ROWS_H
#define AISLE_PROFILE_SUBJECT_ROWS_H

#include <jansson.h>

#include "profile/subject_io.h"
#include "nouns/codec.h"

/* ---- purchases.c ---- */

/* The subject's own copy of a string, one per text, living as long as the subject. */
const char *purchases_intern(struct subject *subject, const char *bytes, size_t len);
/* Takes ownership of purchase->lines, whose strings are interned. Replaces the row of the
 * same visit; over a bound the oldest go. */
void purchases_put(struct subject *subject, const struct purchase *purchase);
void purchases_remove(struct subject *subject, const struct id *visit);
void purchases_done(struct subject *subject);
void purchases_expire(struct subject *subject, int64_t before_ms);
bool purchase_decode(struct subject *subject, const void *bytes, size_t len, struct purchase *ret);

/* ---- subject_rows.c ---- */

extern const struct field case_fields[], wallet_fields[], incident_fields[], subject_fields[];
extern const size_t case_field_count, wallet_field_count, incident_field_count, subject_field_count;

void subject_drop_profile(struct subject *subject); /* HQ's part */
/* Of it what subject_told.c reads: household, wallet, contacts of other channels, journeys. */
void subject_drop_told(struct subject *subject);
bool told_is_row(const json_t *row);
void told_take(struct subject *subject, const json_t *row);
void told_merge(struct subject *into, const struct subject *from);
struct care_case *subject_case(struct subject *subject, const char *id); /* NULL: none */
/* A zeroed one with this id; at SUBJECT_CASES_MAX the oldest closed one goes, else the oldest. */
struct care_case *subject_add_case(struct subject *subject, const char *id);
struct wallet_entry *subject_wallet(struct subject *subject, const char *offer);
/* At SUBJECT_WALLET_MAX the one that ends first goes. */
struct wallet_entry *subject_add_wallet(struct subject *subject, const char *offer);

/* ---- consent.c ---- */

/* consent.changed; true: it counted */
bool consent_change(struct subject *subject, const struct event *event);
/* profile_ms: when HQ wrote the row; 0: unknown. */
void consent_from_profile(struct subject *subject, enum consent_purpose purpose,
    enum consent_state state, int64_t profile_ms);
struct consent consent_merge(const struct consent *a, const struct consent *b);

#endif
