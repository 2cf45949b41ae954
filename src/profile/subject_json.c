/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_json.c - everything kept about a customer, for the customer.
 */
#include "profile/subject_io.h"

#include <string.h>

#include "aisle/policy.h"
#include "core/id.h"
#include "core/json_write.h"
#include "nouns/contact.h"

static const char *const purpose_names[CONSENT_COUNT] = { "personalise", "profile", "contact" };
static const char *const consent_names[] = { "unknown", "granted", "denied" };
static const char *const incident_names[] = { "return", "decline", "void", "complaint" };

static void
consent_json(const struct subject *subject, struct json_writer *w)
{
	json_add_object(w, "consent");
	for (int i = 0; i < CONSENT_COUNT; i++) {
		const struct consent *consent = &subject->consent[i];

		json_add_object(w, purpose_names[i]);
		json_add_str(w, "state", NAME_OF(consent_names, consent->state));
		json_opt_when(w, "at", consent->at_ms);
		json_opt_when(w, "until", consent->until_ms);
		json_end(w);
	}
	json_end(w);
}

static void
care_json(const struct subject *subject, struct json_writer *w)
{
	json_add_list(w, "cases");
	for (size_t i = 0; i < subject->case_count; i++) {
		const struct care_case *kase = &subject->cases[i];

		json_add_object(w, NULL);
		json_add_str(w, "case", kase->id);
		json_opt_str(w, "topic", kase->topic);
		json_add_int(w, "severity", kase->severity);
		json_opt_when(w, "opened", kase->opened_ms);
		json_opt_when(w, "closed", kase->closed_ms);
		json_end(w);
	}
	json_end(w);
	json_add_list(w, "incidents");
	for (size_t i = 0; i < subject->incident_count; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "kind", NAME_OF(incident_names, subject->incidents[i].kind));
		json_opt_when(w, "at", subject->incidents[i].at_ms);
		json_end(w);
	}
	json_end(w);
}

static void
wallet_json(const struct wallet_entry *entries, size_t count, struct json_writer *w)
{
	json_add_list(w, "wallet");
	for (size_t i = 0; i < count; i++) {
		const struct wallet_entry *entry = &entries[i];

		json_add_object(w, NULL);
		json_add_str(w, "offer", entry->offer);
		json_add_int(w, "worth", entry->worth_minor);
		json_opt_when(w, "until", entry->until_ms);
		json_opt_str(w, "state", entry->state);
		json_end(w);
	}
	json_end(w);
}

static void
journeys_json(const struct subject *subject, struct json_writer *w)
{
	json_add_list(w, "journeys");
	for (size_t i = 0; i < subject->journey_count; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "journey", subject->journeys[i].name);
		json_opt_when(w, "until", subject->journeys[i].until_ms);
		json_end(w);
	}
	json_end(w);
}

static void
purchase_json(const struct purchase *purchase, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_id(w, "visit", &purchase->visit);
	json_opt_when(w, "at", purchase->at_ms);
	json_add_int(w, "total", purchase->total_minor);
	json_add_list(w, "lines");
	for (size_t i = 0; i < purchase->line_count; i++) {
		const struct purchase_line *line = &purchase->lines[i];

		json_add_object(w, NULL);
		json_add_str(w, "item", line->item);
		json_opt_str(w, "category", line->category);
		json_opt_str(w, "brand", line->brand);
		json_add_double(w, "qty", (double)line->qty_milli / 1000.0);
		json_add_int(w, "amount", line->amount_minor);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void
contact_json(const struct contact *row, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_id(w, "prompt", &row->prompt);
	json_opt_id(w, "decision", &row->decision);
	json_opt_str(w, "outcome", outcome_name(row->outcome));
	json_opt_str(w, contact_outside(row) ? "channel" : "reason", row->reason);
	json_opt_when(w, "at", row->at_ms);
	json_opt_str(w, "action", row->action);
	json_opt_str(w, "group", row->group);
	json_opt_str(w, "issue", row->issue);
	json_opt_str(w, "placement", NAME_OF(placement_names, row->placement));
	if (row->withheld)
		json_add_bool(w, "withheld", true);
	json_end(w);
}

static void
profile_json(const struct subject *subject, struct json_writer *w)
{
	json_add_object(w, "profile");
	json_add_object(w, "attributes");
	for (size_t i = 0; i < subject->attribute_count; i++) {
		const struct attribute *attribute = &subject->attributes[i];

		if (attribute->tag == VALUE_STRING)
			json_add_str(w, attribute->name, attribute->str);
		else if (attribute->tag == VALUE_BOOL)
			json_add_bool(w, attribute->name, attribute->number != 0);
		else
			json_add_double(w, attribute->name, attribute->number);
	}
	json_end(w);
	json_opt_str(w, "language", subject->language);
	json_opt_str(w, "line", subject->line);
	json_opt_str(w, "household", subject->household);
	if (subject->offer_count > 0)
		wallet_json(subject->offers, subject->offer_count, w);
	if (subject->journey_count > 0)
		journeys_json(subject, w);
	json_end(w);
}

static void
rows_json(const struct subject *subject, struct json_writer *w)
{
	json_add_list(w, "purchases");
	for (size_t i = 0; i < subject->purchase_count; i++) {
		purchase_json(&subject->purchases[i], w);
	}
	json_end(w);
	json_add_list(w, "contacts");
	for (size_t i = 0; i < subject->contacts.count; i++) {
		contact_json(&subject->contacts.rows[i], w);
	}
	json_end(w);
}

void
subject_json(const struct subject *subject, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	char id[SUBJECT_TEXT_SIZE];

	subject_text(&subject->id, id);
	json_add_str(w, "subject", id);
	json_add_bool(w, "known", subject->known);
	if (subject->forgotten)
		json_add_bool(w, "forgotten", true);
	if (subject->mixed)
		json_add_bool(w, "merged", true);
	if (subject->staff)
		json_add_bool(w, "staff", true);
	if (subject->seen_count > 0)
		json_add_int(w, "experiments", (int64_t)subject->seen_count);
	consent_json(subject, w);
	json_opt_when(w, "enrolled", subject->enrolled_ms);
	json_opt_str(w, "enrolled_at", subject->enrolled_at);
	json_opt_when(w, "last_visit", subject->last_visit_ms);
	if (subject->has_points) {
		json_add_int(w, "points", subject->points);
		json_opt_when(w, "points_expire", subject->points_expire_ms);
	}
	json_opt_str(w, "tier", subject->tier);
	care_json(subject, w);
	wallet_json(subject->wallet, subject->wallet_count, w);
	rows_json(subject, w);
	if (subject->has_profile)
		profile_json(subject, w);
	json_end(w);
}
