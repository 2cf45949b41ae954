/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_json.c - everything kept about a customer, for the customer.
 */
#include "profile/subject_io.h"

#include <string.h>

#include "aisle/policy.h"
#include "core/id.h"
#include "core/when.h"
#include "session/session.h"

static const char *const purpose_names[CONSENT_COUNT] = { "personalise", "profile", "contact" };
static const char *const consent_names[] = { "unknown", "granted", "denied" };
static const char *const incident_names[] = { "return", "decline", "void", "complaint" };

static void
time_member(struct buf *out, const char *name, int64_t ms)
{
	char text[WHEN_TEXT_SIZE];

	if (ms == 0)
		return;
	when_text(ms, text);
	buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

static void
text_member(struct buf *out, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_addf(out, ",\"%s\":", name);
	buf_json_str(out, text);
}

static void
int_member(struct buf *out, const char *name, int64_t n)
{
	buf_addf(out, ",\"%s\":", name);
	buf_json_int(out, n);
}

static void
consent_json(const struct subject *subject, struct buf *out)
{
	buf_adds(out, ",\"consent\":{");
	for (int i = 0; i < CONSENT_COUNT; i++) {
		const struct consent *consent = &subject->consent[i];

		buf_addf(out, "%s\"%s\":{\"state\":\"%s\"", i == 0 ? "" : ",", purpose_names[i],
		    consent_names[consent->state]);
		time_member(out, "at", consent->at_ms);
		time_member(out, "until", consent->until_ms);
		buf_addc(out, '}');
	}
	buf_addc(out, '}');
}

static void
care_json(const struct subject *subject, struct buf *out)
{
	buf_adds(out, ",\"cases\":[");
	for (size_t i = 0; i < subject->case_count; i++) {
		const struct care_case *kase = &subject->cases[i];

		buf_adds(out, i == 0 ? "{\"case\":" : ",{\"case\":");
		buf_json_str(out, kase->id);
		text_member(out, "topic", kase->topic);
		int_member(out, "severity", kase->severity);
		time_member(out, "opened", kase->opened_ms);
		time_member(out, "closed", kase->closed_ms);
		buf_addc(out, '}');
	}
	buf_adds(out, "],\"incidents\":[");
	for (size_t i = 0; i < subject->incident_count; i++) {
		buf_addf(out, "%s{\"kind\":\"%s\"", i == 0 ? "" : ",",
		    incident_names[subject->incidents[i].kind]);
		time_member(out, "at", subject->incidents[i].at_ms);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void
wallet_json(const struct subject *subject, struct buf *out)
{
	buf_adds(out, ",\"wallet\":[");
	for (size_t i = 0; i < subject->wallet_count; i++) {
		const struct wallet_entry *entry = &subject->wallet[i];

		buf_adds(out, i == 0 ? "{\"offer\":" : ",{\"offer\":");
		buf_json_str(out, entry->offer);
		int_member(out, "worth", entry->worth_minor);
		time_member(out, "until", entry->until_ms);
		text_member(out, "state", entry->state);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void
purchase_json(const struct purchase *purchase, struct buf *out)
{
	char visit[ID_TEXT_SIZE];

	id_text(&purchase->visit, visit);
	buf_addf(out, "{\"visit\":\"%s\"", visit);
	time_member(out, "at", purchase->at_ms);
	int_member(out, "total", purchase->total_minor);
	buf_adds(out, ",\"lines\":[");
	for (size_t i = 0; i < purchase->line_count; i++) {
		const struct purchase_line *line = &purchase->lines[i];

		buf_adds(out, i == 0 ? "{\"item\":" : ",{\"item\":");
		buf_json_str(out, line->item);
		text_member(out, "category", line->category);
		text_member(out, "brand", line->brand);
		buf_adds(out, ",\"qty\":");
		buf_json_double(out, (double)line->qty_milli / 1000.0);
		int_member(out, "amount", line->amount_minor);
		buf_addc(out, '}');
	}
	buf_adds(out, "]}");
}

static void
contact_json(const struct contact *row, struct buf *out)
{
	char prompt[ID_TEXT_SIZE], decision[ID_TEXT_SIZE];

	id_text(&row->prompt, prompt);
	id_text(&row->decision, decision);
	buf_addf(out, "{\"prompt\":\"%s\"", prompt);
	if (!id_is_zero(&row->decision))
		text_member(out, "decision", decision);
	text_member(out, "outcome", outcome_name(row->outcome));
	text_member(out, "reason", row->reason);
	time_member(out, "at", row->at_ms);
	text_member(out, "action", row->action);
	text_member(out, "group", row->group);
	text_member(out, "issue", row->issue);
	text_member(out, "placement", placement_names[row->placement]);
	if (row->withheld)
		buf_adds(out, ",\"withheld\":true");
	buf_addc(out, '}');
}

static void
profile_json(const struct subject *subject, struct buf *out)
{
	buf_adds(out, ",\"profile\":{\"attributes\":{");
	for (size_t i = 0; i < subject->attribute_count; i++) {
		const struct attribute *attribute = &subject->attributes[i];

		if (i > 0)
			buf_addc(out, ',');
		buf_json_str(out, attribute->name);
		buf_addc(out, ':');
		if (attribute->tag == VALUE_STRING)
			buf_json_str(out, attribute->str);
		else if (attribute->tag == VALUE_BOOL)
			buf_adds(out, attribute->number != 0 ? "true" : "false");
		else
			buf_json_double(out, attribute->number);
	}
	buf_addc(out, '}');
	text_member(out, "language", subject->language);
	text_member(out, "line", subject->line);
	buf_addc(out, '}');
}

static void
rows_json(const struct subject *subject, struct buf *out)
{
	buf_adds(out, ",\"purchases\":[");
	for (size_t i = 0; i < subject->purchase_count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		purchase_json(&subject->purchases[i], out);
	}
	buf_adds(out, "],\"contacts\":[");
	for (size_t i = 0; i < subject->contacts.count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		contact_json(&subject->contacts.rows[i], out);
	}
	buf_addc(out, ']');
}

void
subject_json(const struct subject *subject, struct buf *out)
{
	char id[SUBJECT_TEXT_SIZE];

	subject_text(&subject->id, id);
	buf_addf(out, "{\"subject\":\"%s\",\"known\":%s", id, subject->known ? "true" : "false");
	if (subject->forgotten)
		buf_adds(out, ",\"forgotten\":true");
	if (subject->mixed)
		buf_adds(out, ",\"merged\":true");
	consent_json(subject, out);
	time_member(out, "enrolled", subject->enrolled_ms);
	time_member(out, "last_visit", subject->last_visit_ms);
	if (subject->has_points) {
		int_member(out, "points", subject->points);
		time_member(out, "points_expire", subject->points_expire_ms);
	}
	text_member(out, "tier", subject->tier);
	care_json(subject, out);
	wallet_json(subject, out);
	rows_json(subject, out);
	if (subject->has_profile)
		profile_json(subject, out);
	buf_addc(out, '}');
}
