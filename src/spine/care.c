/* SPDX-License-Identifier: Apache-2.0
 *
 * care.c - what headquarters hears of complaints and surveys: what says whether cards that earn annoy.
 *
 * DESIGN
 *   One record a complaint, when a case is heard of first or a survey is one,
 *   and one a survey: with the customer's arms, as a sale has them, for neither
 *   is of one visit. Topic, text and case number stay in the store. Like a sale
 *   it stands under no customer's key: erasing one takes the member "subject"
 *   off what still waits (sale_forget), and leaves the figure.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "decide/decide.h"
#include "profile/subject_io.h"
#include "profile/subject_rows.h"

static bool
is_complaint(struct engine *engine, const struct event *event)
{
	const struct care_case *kase;

	if (event->type == EV_SURVEY_ANSWERED)
		return strcmp(event->kind, "complaint") == 0;
	kase = subject_case(engine_subject(engine, &event->subject), event->kase);
	return kase == NULL || kase->opened_ms == 0;
}

static bool
is_by_customer(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->experiment_count; i++)
		if (strcmp(policy->experiments[i].name, name) == 0)
			return policy->experiments[i].unit == UNIT_CUSTOMER;
	return false;
}

/* Of experiments by customer: another unit's arm is not a customer's. */
static void
add_arms(struct engine *engine, const struct id *subject, struct json_writer *w)
{
	static const struct id no_visit;
	struct arm_choice *arms = NULL;
	size_t count = 0;
	bool withholds;

	arena_reset(engine->scratch);
	if (engine->policy != NULL && subject != NULL)
		count = experiments_assign(engine->scratch, engine->policy, subject, &no_visit, "",
		    engine->conf->store_id, 0, &arms, &withholds);
	json_add_object(w, "arms");
	for (size_t i = 0; i < count; i++)
		if (is_by_customer(engine->policy, arms[i].experiment))
			json_add_str(w, arms[i].experiment, arms[i].arm);
	json_end(w);
	json_add_bool(w, "control",
	    engine->policy != NULL && subject != NULL && control_group(engine->policy, subject));
}

static void
send(struct engine *engine, const struct event *event, const struct id *id, bool complaint)
{
	const struct subject *subject = engine_remembered(engine, id);
	char text[SUBJECT_TEXT_SIZE];
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	json_add_when(w, "at", engine->now_ms);
	if (subject != NULL) {
		subject_text(&subject->id, text);
		json_add_str(w, "subject", text);
	}
	json_add_str(w, "what", complaint ? "complaint" : "survey");
	if (event->type == EV_CARE_CASE_OPENED)
		json_add_int(w, "severity", event->severity);
	if (!complaint) {
		json_add_str(w, "kind", event->kind);
		json_add_double(w, "score", event->value);
	}
	add_arms(engine, id, w);
	json_end(w);
	engine_uplink(engine, LANE_MONEY, "care", NULL, &json);
	buf_done(&json);
}

void
care_event(struct engine *engine, const struct event *event)
{
	const struct id *id = event->has_subject ? &event->subject : NULL;
	bool complaint;

	if ((event->type != EV_CARE_CASE_OPENED && event->type != EV_SURVEY_ANSWERED) ||
	    engine->uplink != UPLINK_RECORDS)
		return;
	if (id != NULL && engine_subject(engine, id)->staff)
		return;
	complaint = is_complaint(engine, event);
	if (complaint || event->type == EV_SURVEY_ANSWERED)
		send(engine, event, id != NULL && !keys_forgotten(engine->keys, id) ? id : NULL,
		    complaint);
}
