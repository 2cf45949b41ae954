/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_codec.c - a subject's header row to bytes and back, and its log rows read.
 *
 * Header row: u8 version; the fields of subject_rows.c; for each purpose u8 state, until, at, last denial;
 * then number and fields of cases, wallet entries, incidents, cards merged into it and experiments it was seen in. What HQ's profile says is
 * not in it: neither attributes, nor consent that no event has confirmed.
 */
#include "profile/subject_io.h"

#include <stdlib.h>
#include <string.h>

#include "profile/subject_rows.h"
#include "nouns/contact.h"

#define SUBJECT_VERSION 4
#define SUBJECT_VERSION_UNSEEN 3 /* without the experiments: still read */

static const struct field merged_fields[] = { { FIELD_ID, 0, 0 } }; /* and seen */

static void
consent_encode(const struct consent *consent, struct buf *out)
{
	struct consent none = { .state = CONSENT_UNKNOWN };

	if (consent->at_ms == 0)
		consent = &none;
	buf_u8(out, (uint8_t)consent->state);
	buf_i64(out, consent->until_ms);
	buf_i64(out, consent->at_ms);
	buf_i64(out, consent->denied_ms);
}

static bool
consent_decode(struct rd *rd, struct consent *consent)
{
	uint8_t state = rd_u8(rd);

	consent->state = (enum consent_state)state;
	consent->until_ms = rd_i64(rd);
	consent->at_ms = rd_i64(rd);
	consent->denied_ms = rd_i64(rd);
	return rd->ok && state <= CONSENT_DENIED;
}

static void
rows_encode(const struct field *fields, size_t field_count, const void *rows, size_t count,
    size_t size, struct buf *out)
{
	buf_i64(out, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		codec_write(fields, field_count, (const char *)rows + i * size, out);
}

static bool
rows_decode(const struct field *fields, size_t field_count, void *rows, size_t *ret_count,
    size_t size, size_t max, struct rd *rd)
{
	int64_t count = rd_i64(rd);

	if (!rd->ok || count < 0 || (uint64_t)count > max)
		return false;
	memset(rows, 0, max * size);
	for (int64_t i = 0; i < count; i++) {
		if (!codec_read(fields, field_count, (char *)rows + (size_t)i * size, rd))
			return false;
	}
	*ret_count = (size_t)count;
	return true;
}

void
subject_encode(const struct subject *subject, struct buf *out)
{
	buf_u8(out, SUBJECT_VERSION);
	codec_write(subject_fields, subject_field_count, subject, out);
	for (int i = 0; i < CONSENT_COUNT; i++)
		consent_encode(&subject->consent[i], out);
	rows_encode(case_fields, case_field_count, subject->cases, subject->case_count,
	    sizeof(subject->cases[0]), out);
	rows_encode(wallet_fields, wallet_field_count, subject->wallet, subject->wallet_count,
	    sizeof(subject->wallet[0]), out);
	rows_encode(incident_fields, incident_field_count, subject->incidents,
	    subject->incident_count, sizeof(subject->incidents[0]), out);
	rows_encode(merged_fields, ARRAY_LEN(merged_fields), subject->merged, subject->merged_count,
	    sizeof(subject->merged[0]), out);
	rows_encode(merged_fields, ARRAY_LEN(merged_fields), subject->seen, subject->seen_count,
	    sizeof(subject->seen[0]), out);
}

static bool
decode(struct subject *subject, struct rd *rd)
{
	uint8_t version = rd_u8(rd);

	subject->seen_count = 0;
	if ((version != SUBJECT_VERSION && version != SUBJECT_VERSION_UNSEEN) ||
	    !codec_read(subject_fields, subject_field_count, subject, rd))
		return false;
	for (int i = 0; i < CONSENT_COUNT; i++) {
		if (!consent_decode(rd, &subject->consent[i]))
			return false;
	}
	return rows_decode(case_fields, case_field_count, subject->cases, &subject->case_count,
		   sizeof(subject->cases[0]), SUBJECT_CASES_MAX, rd) &&
	    rows_decode(wallet_fields, wallet_field_count, subject->wallet, &subject->wallet_count,
		sizeof(subject->wallet[0]), SUBJECT_WALLET_MAX, rd) &&
	    rows_decode(incident_fields, incident_field_count, subject->incidents,
		&subject->incident_count, sizeof(subject->incidents[0]), SUBJECT_INCIDENTS_MAX,
		rd) &&
	    rows_decode(merged_fields, ARRAY_LEN(merged_fields), subject->merged,
		&subject->merged_count, sizeof(subject->merged[0]), SUBJECT_MERGED_MAX, rd) &&
	    (version == SUBJECT_VERSION_UNSEEN ||
		rows_decode(merged_fields, ARRAY_LEN(merged_fields), subject->seen,
		    &subject->seen_count, sizeof(subject->seen[0]), SUBJECT_SEEN_MAX, rd)) &&
	    rd_done(rd);
}

/* Into a copy first: a damaged row leaves the subject as it was. */
int
subject_decode(struct subject *subject, const void *bytes, size_t len)
{
	struct rd rd = rd_init(bytes, len);
	struct subject *copy = mem_alloc(sizeof(*copy));
	bool ok;

	*copy = *subject;
	ok = decode(copy, &rd);
	if (ok)
		*subject = *copy;
	free(copy);
	return ok ? 0 : AISLE_E_DAMAGED;
}

static int
add_purchase(struct subject *subject, const void *bytes, size_t len)
{
	struct purchase purchase;

	if (!purchase_decode(subject, bytes, len, &purchase))
		return AISLE_E_DAMAGED;
	if (!purchase.taken_back) {
		purchases_put(subject, &purchase);
		return 0;
	}
	free(purchase.lines);
	purchases_remove(subject, &purchase.visit);
	return 0;
}

static int
add_contact(struct subject *subject, const void *bytes, size_t len)
{
	struct rd rd = rd_init(bytes, len);
	struct contact row;
	bool whole;

	if (!contact_decode(&rd, &row))
		return AISLE_E_DAMAGED;
	whole = rd_done(&rd);
	if (whole) {
		/* The profile may tell of what was an event, too. */
		told_gives_way(subject, &row);
		contacts_add(&subject->contacts, &row);
	}
	contact_done(&row);
	return whole ? 0 : AISLE_E_DAMAGED;
}

int
subject_add_log(struct subject *subject, int kind, const void *bytes, size_t len)
{
	switch (kind) {
	case SUBJECT_LOG_PURCHASE: return add_purchase(subject, bytes, len);
	case SUBJECT_LOG_CONTACT: return add_contact(subject, bytes, len);
	default: return AISLE_E_DAMAGED;
	}
}
