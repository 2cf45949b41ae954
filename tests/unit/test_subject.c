/* SPDX-License-Identifier: Apache-2.0
 *
 * test_subject.c - what events say about a customer, what they bought, and their rows.
 */
#include "core/json.h"
#include "nouns/contact.h"
#include "profile/subject_io.h"
#include "profile/subject_rows.h"
#include "random_fixture.h"
#include "session_fixture.h"

static const struct marks no_marks = { .off = UINT32_MAX };

static struct subject *
somebody(void)
{
	struct id id = person('s');

	return subject_new(&id);
}

static bool
consent(struct subject *subject, enum consent_purpose purpose, bool granted, int64_t at_ms,
    int64_t until_ms)
{
	struct event event = { .type = EV_CONSENT_CHANGED,
		.purpose = purpose,
		.granted = granted,
		.time_ms = at_ms,
		.now_ms = at_ms,
		.until_ms = until_ms };

	return subject_apply(subject, &event);
}

static int
profile(struct subject *subject, const char *json)
{
	return subject_apply_profile(subject, json, strlen(json));
}

/* ---- consent ---- */

static void
no_record_is_a_no(void **state)
{
	struct subject *subject = somebody();

	(void)state;
	for (int i = 0; i < CONSENT_COUNT; i++)
		assert_false(consent_granted(subject, (enum consent_purpose)i, T0));
	subject_free(subject);
}

static void
a_grant_holds_until_its_end(void **state)
{
	struct subject *subject = somebody();

	(void)state;
	subject->known = false;
	assert_true(consent(subject, CONSENT_PERSONALISE, true, T0, T0 + 1000));
	assert_true(subject->known);
	assert_true(consent_granted(subject, CONSENT_PERSONALISE, T0 + 999));
	assert_false(consent_granted(subject, CONSENT_PERSONALISE, T0 + 1000));
	assert_false(consent_granted(subject, CONSENT_PROFILE, T0));
	assert_true(subject->dirty);
	assert_true(subject->known);
	subject_free(subject);
}

static void
a_denial_counts_whenever_it_comes_and_an_older_grant_does_not(void **state)
{
	struct subject *subject = somebody();

	(void)state;
	consent(subject, CONSENT_PERSONALISE, true, T0 + 10, 0);
	assert_true(consent(subject, CONSENT_PERSONALISE, false, T0 + 5, 0));
	assert_false(consent_granted(subject, CONSENT_PERSONALISE, T0 + 20));
	assert_false(consent(subject, CONSENT_PERSONALISE, true, T0 + 4, 0));
	assert_false(consent_granted(subject, CONSENT_PERSONALISE, T0 + 20));
	assert_true(consent(subject, CONSENT_PERSONALISE, true, T0 + 5, 0));
	assert_true(consent_granted(subject, CONSENT_PERSONALISE, T0 + 20));
	subject_free(subject);
}

static void
the_profile_says_what_no_event_has_said(void **state)
{
	struct subject *subject = somebody();
	struct buf row = { 0 };
	struct subject *back = somebody();

	(void)state;
	assert_int_equal(profile(subject,
			     "{\"consent\":{\"personalise\":\"granted\",\"contact\":\"granted\"}}"),
	    0);
	assert_true(consent_granted(subject, CONSENT_PERSONALISE, T0));
	assert_false(consent_granted(subject, CONSENT_PROFILE, T0));
	consent(subject, CONSENT_PERSONALISE, false, T0, 0);
	profile(subject, "{\"consent\":{\"personalise\":\"granted\"}}");
	assert_false(consent_granted(subject, CONSENT_PERSONALISE, T0));
	/* A row that is newer than the event says so. */
	profile(subject,
	    "{\"at\":\"2030-01-01T00:00:00Z\",\"consent\":{\"personalise\":\"granted\"}}");
	assert_true(consent_granted(subject, CONSENT_PERSONALISE, T0));
	/* What only the profile says is not saved. */
	subject_encode(subject, &row);
	assert_int_equal(subject_decode(back, row.data, row.len), 0);
	assert_int_equal(back->consent[CONSENT_CONTACT].state, CONSENT_UNKNOWN);
	buf_done(&row);
	subject_free(back);
	subject_free(subject);
}

/* ---- profile ---- */

static void
a_profile_replaces_the_former_one(void **state)
{
	struct subject *subject = somebody();

	(void)state;
	assert_int_equal(profile(subject,
			     "{\"language\":\"de\",\"line\":\"Gold\",\"attributes\":"
			     "{\"tier\":\"gold\",\"age\":44,\"vegan\":true,\"x\":1.5}}"),
	    0);
	assert_true(subject->has_profile);
	assert_string_equal(subject->language, "de");
	assert_string_equal(subject->line, "Gold");
	assert_int_equal(subject->attribute_count, 4);
	assert_int_equal(profile(subject, "{\"card\":\"x\",\"unknown\":[]}"), 0);
	assert_null(subject->language);
	assert_int_equal(subject->attribute_count, 0);
	subject_free(subject);
}

static void
a_bad_profile_changes_nothing(void **state)
{
	static const char *const bad[] = { "", "[]", "{", "{\"language\":1}", "{\"line\":[]}",
		"{\"consent\":\"granted\"}", "{\"consent\":{\"profile\":\"yes\"}}",
		"{\"attributes\":[]}", "{\"attributes\":{\"a\":null}}",
		"{\"attributes\":{\"a\":{}}}", "{\"at\":\"yesterday\"}", "{\"a\":1,\"a\":2}" };
	struct subject *subject = somebody();

	(void)state;
	profile(subject, "{\"language\":\"de\"}");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(profile(subject, bad[i]), AISLE_E_INVALID);
	assert_string_equal(subject->language, "de");
	subject_free(subject);
}

/* ---- events ---- */

static struct event
kase(enum event_type type, const char *id, int64_t now_ms)
{
	return (struct event){ .type = type,
		.kase = id,
		.topic = "delivery",
		.severity = 2,
		.now_ms = now_ms,
		.time_ms = now_ms };
}

static void
a_case_is_open_until_it_is_closed_in_either_order(void **state)
{
	struct subject *subject = somebody();
	struct event event = kase(EV_CARE_CASE_OPENED, "c1", T0);

	(void)state;
	assert_true(subject_apply(subject, &event));
	assert_int_equal(subject->case_count, 1);
	assert_int_equal(subject->cases[0].closed_ms, 0);
	assert_int_equal(subject->cases[0].severity, 2);
	assert_int_equal(subject->incidents[0].kind, INCIDENT_COMPLAINT);
	event = kase(EV_CARE_CASE_CLOSED, "c1", T0 + 5);
	assert_true(subject_apply(subject, &event));
	assert_int_equal(subject->cases[0].closed_ms, T0 + 5);
	assert_false(subject_apply(subject, &event));

	event = kase(EV_CARE_CASE_CLOSED, "c2", T0 + 6);
	subject_apply(subject, &event);
	/* Its opening happened before, and comes after. */
	event = kase(EV_CARE_CASE_OPENED, "c2", T0 + 5);
	subject_apply(subject, &event);
	assert_int_equal(subject->cases[1].closed_ms, T0 + 6);
	assert_int_equal(subject->cases[1].severity, 2);
	/* Opened once more: it is open again, and an older close changes nothing. */
	event = kase(EV_CARE_CASE_OPENED, "c2", T0 + 8);
	subject_apply(subject, &event);
	assert_int_equal(subject->cases[1].closed_ms, 0);
	event = kase(EV_CARE_CASE_CLOSED, "c2", T0 + 7);
	assert_false(subject_apply(subject, &event));
	assert_int_equal(subject->cases[1].closed_ms, 0);
	subject_free(subject);
}

static void
of_too_many_cases_a_closed_one_goes_first(void **state)
{
	struct subject *subject = somebody();
	struct event event;
	char id[16];

	(void)state;
	for (int i = 0; i < SUBJECT_CASES_MAX; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		event = kase(EV_CARE_CASE_OPENED, id, T0 + i);
		subject_apply(subject, &event);
	}
	event = kase(EV_CARE_CASE_CLOSED, "c20", T0 + 50);
	subject_apply(subject, &event);
	event = kase(EV_CARE_CASE_OPENED, "new", T0 + 60);
	subject_apply(subject, &event);
	assert_int_equal(subject->case_count, SUBJECT_CASES_MAX);
	for (int i = 0; i < SUBJECT_CASES_MAX; i++)
		assert_string_not_equal(subject->cases[i].id, "c20");
	assert_string_equal(subject->cases[0].id, "c0");
	assert_string_equal(subject->cases[SUBJECT_CASES_MAX - 1].id, "new");
	subject_free(subject);
}

static void
of_too_many_open_cases_the_oldest_goes_first_and_of_closed_ones_too(void **state)
{
	struct subject *subject = somebody();
	struct event event;
	char id[16];

	(void)state;
	for (int i = 0; i < SUBJECT_CASES_MAX + 2; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		event = kase(EV_CARE_CASE_OPENED, id, T0 + i);
		subject_apply(subject, &event);
	}
	assert_int_equal(subject->case_count, SUBJECT_CASES_MAX);
	assert_null(subject_case(subject, "c0"));
	assert_null(subject_case(subject, "c1"));
	assert_non_null(subject_case(subject, "c2"));
	for (int i = 9; i > 6; i--) {
		snprintf(id, sizeof(id), "c%d", i);
		event = kase(EV_CARE_CASE_CLOSED, id, T0 + 100 - i);
		subject_apply(subject, &event);
	}
	event = kase(EV_CARE_CASE_OPENED, "new", T0 + 200);
	subject_apply(subject, &event);
	assert_null(subject_case(subject, "c7"));
	assert_non_null(subject_case(subject, "c8"));
	assert_non_null(subject_case(subject, "c2"));
	subject_free(subject);
}

static void
balance_wallet_enrolment_return_and_survey_are_noted(void **state)
{
	struct subject *subject = somebody();
	struct event event = { .type = EV_LOYALTY_BALANCE,
		.points = 990,
		.tier = "gold",
		.until_ms = T0 + 9,
		.now_ms = T0 };

	(void)state;
	assert_true(subject_apply(subject, &event));
	assert_true(subject->has_points);
	assert_int_equal(subject->points, 990);
	assert_int_equal(subject->points_expire_ms, T0 + 9);
	assert_string_equal(subject->tier, "gold");

	event = (struct event){ .type = EV_WALLET_CHANGED,
		.offer = "o1",
		.worth_minor = 50,
		.until_ms = T0,
		.state = "open" };
	assert_true(subject_apply(subject, &event));
	event.state = "used";
	assert_true(subject_apply(subject, &event));
	assert_int_equal(subject->wallet_count, 1);
	assert_string_equal(subject->wallet[0].state, "used");

	event = (struct event){ .type = EV_CUSTOMER_ENROLLED, .now_ms = T0 + 1 };
	assert_true(subject_apply(subject, &event));
	event.now_ms = T0 + 2;
	assert_false(subject_apply(subject, &event));
	assert_int_equal(subject->enrolled_ms, T0 + 1);

	event = (struct event){ .type = EV_RETURN_COMPLETED, .now_ms = T0 + 3 };
	assert_true(subject_apply(subject, &event));
	event = (struct event){ .type = EV_SURVEY_ANSWERED, .kind = "nps", .now_ms = T0 + 4 };
	assert_false(subject_apply(subject, &event));
	event.kind = "complaint";
	assert_true(subject_apply(subject, &event));
	assert_int_equal(subject->incident_count, 2);
	assert_int_equal(subject->incidents[0].kind, INCIDENT_RETURN);
	assert_int_equal(subject->incidents[1].kind, INCIDENT_COMPLAINT);
	event = (struct event){ .type = EV_STOCK_CHANGED };
	assert_false(subject_apply(subject, &event));
	subject_free(subject);
}

static void
of_a_full_wallet_the_offer_that_ends_first_goes(void **state)
{
	struct subject *subject = somebody();
	struct event event = { .type = EV_WALLET_CHANGED, .state = "open" };
	char name[16];

	(void)state;
	event.offer = name;
	for (int i = 0; i <= SUBJECT_WALLET_MAX; i++) {
		snprintf(name, sizeof(name), "o%d", i);
		event.until_ms = i == 0 ? 0 : i == 1 ? T0 : T0 + S_MS - i;
		assert_true(subject_apply(subject, &event));
	}
	assert_int_equal(subject->wallet_count, SUBJECT_WALLET_MAX);
	assert_string_equal(subject->wallet[0].offer, "o0"); /* it never ends */
	assert_string_equal(subject->wallet[1].offer, "o2");
	assert_string_equal(subject->wallet[SUBJECT_WALLET_MAX - 1].offer, name);
	subject_free(subject);
}

static void
a_contact_of_hq_counts_once_however_often_it_comes(void **state)
{
	struct subject *subject = somebody();
	struct contact row;
	struct event event = { .type = EV_CONTACT_RECORDED,
		.origin = "hq",
		.source = "/hq",
		.id = "1",
		.contact_channel = "mail",
		.contact_action = "coffee-off",
		.at_ms = T0 - 5,
		.now_ms = T0 };

	(void)state;
	assert_true(subject_apply(subject, &event));
	assert_false(subject_apply(subject, &event));
	event.id = "2";
	assert_true(subject_apply(subject, &event));
	assert_int_equal(subject->contacts.count, 2);
	assert_int_equal(subject->contacts.rows[0].at_ms, T0 - 5);
	assert_true(contact_outside(&subject->contacts.rows[0]));
	assert_true(subject_contact_row(&event, &row));
	event.type = EV_WALLET_CHANGED;
	assert_false(subject_contact_row(&event, &row));
	subject_free(subject);
}

static void
nothing_is_noted_of_someone_forgotten(void **state)
{
	struct subject *subject = somebody();
	struct lane *l = *state;
	struct visit *visit = scan(l, "7", "B1", 1, 499);
	struct buf row = { 0 };

	pay(l, "7", "B1", 499);
	subject->forgotten = true;
	assert_false(consent(subject, CONSENT_PERSONALISE, true, T0, 0));
	subject_add_purchase(subject, visit, &no_marks, l->now_ms, &row);
	subject_add_incident(subject, INCIDENT_VOID, T0);
	assert_int_equal(row.len, 0);
	assert_int_equal(subject->purchase_count, 0);
	assert_int_equal(subject->incident_count, 0);
	assert_int_equal(profile(subject,
			     "{\"language\":\"de\",\"consent\":{\"personalise\":\"granted\"}}"),
	    0);
	assert_null(subject->language);
	assert_false(consent_granted(subject, CONSENT_PERSONALISE, T0));
	subject_free(subject);
}

/* ---- purchases ---- */

static void
a_closed_basket_becomes_a_purchase_without_its_voided_lines(void **state)
{
	struct lane *l = *state;
	struct subject *subject = somebody();
	struct visit *visit;
	struct buf row = { 0 };

	scan(l, "7", "B1", 1, 499);
	scan(l, "7", "B1", 2, 100);
	unscan(l, "7", "B1", 1);
	visit = pay(l, "7", "B1", 90);
	subject_add_purchase(subject, visit, &no_marks, l->now_ms, &row);
	assert_int_equal(subject->purchase_count, 1);
	assert_int_equal(subject->purchases[0].line_count, 1);
	assert_int_equal(subject->purchases[0].total_minor, 90);
	assert_int_equal(subject->purchases[0].lines[0].amount_minor, 100);
	assert_string_equal(subject->purchases[0].lines[0].item, "05012345678900");
	assert_int_equal(subject->last_visit_ms, l->now_ms);
	assert_true(row.len > 0);

	/* A late line: the same visit again replaces. */
	scan(l, "7", "B1", 3, 7);
	buf_clear(&row);
	subject_add_purchase(subject, visit, &no_marks, visit->closed_ms, &row);
	assert_int_equal(subject->purchase_count, 1);
	assert_int_equal(subject->purchases[0].line_count, 2);
	assert_ptr_equal(subject->purchases[0].lines[0].category,
	    subject->purchases[0].lines[1].category);

	/* Voided as a whole after all. */
	till(l, "7", EV_BASKET_CANCELLED, "B1");
	buf_clear(&row);
	subject_add_purchase(subject, visit, &no_marks, visit->closed_ms, &row);
	assert_int_equal(subject->purchase_count, 0);
	assert_true(row.len > 0);
	buf_done(&row);
	subject_free(subject);
}

static void
training_cancelled_and_voided_sales_are_never_purchases(void **state)
{
	struct lane *l = *state;
	struct subject *subject = somebody();
	struct visit *visit = scan(l, "7", "B1", 1, 499);
	struct buf row = { 0 };

	visit->training = true;
	pay(l, "7", "B1", 499);
	subject_add_purchase(subject, visit, &no_marks, l->now_ms, &row);
	assert_int_equal(row.len, 0);
	scan(l, "7", "B2", 1, 499);
	visit = till(l, "7", EV_BASKET_CANCELLED, "B2");
	subject_add_purchase(subject, visit, &no_marks, l->now_ms, &row);
	scan(l, "7", "B3", 1, 499);
	unscan(l, "7", "B3", 1);
	visit = pay(l, "7", "B3", 0);
	subject_add_purchase(subject, visit, &no_marks, l->now_ms, &row);
	assert_int_equal(subject->purchase_count, 0);
	assert_false(subject->known);
	/* The row of the last says that it was none. */
	assert_int_equal(subject_add_log(subject, SUBJECT_LOG_PURCHASE, row.data, row.len),
	    AISLE_E_DAMAGED); /* two rows in one */
	buf_clear(&row);
	subject_add_purchase(subject, visit, &no_marks, l->now_ms, &row);
	assert_int_equal(subject_add_log(subject, SUBJECT_LOG_PURCHASE, row.data, row.len), 0);
	assert_int_equal(subject->purchase_count, 0);
	buf_done(&row);
	subject_free(subject);
}

static void
log_rows_bring_the_same_purchases_back(void **state)
{
	struct lane *l = *state;
	struct subject *subject = somebody(), *back = somebody();
	struct visit *visit;
	struct buf row = { 0 };
	char basket[16];

	for (int i = 0; i < 50; i++) {
		snprintf(basket, sizeof(basket), "B%d", i);
		scan(l, "7", basket, 1, i);
		visit = pay(l, "7", basket, i + 1);
		buf_clear(&row);
		subject_add_purchase(subject, visit, &no_marks, T0 + (i * 37) % 50, &row);
		assert_int_equal(subject_add_log(back, SUBJECT_LOG_PURCHASE, row.data, row.len), 0);
		if (i % 10 == 0) {
			till(l, "7", EV_BASKET_CANCELLED, basket);
			buf_clear(&row);
			subject_add_purchase(subject, visit, &no_marks, T0, &row);
			assert_int_equal(subject_add_log(back, SUBJECT_LOG_PURCHASE, row.data,
					     row.len),
			    0);
		}
	}
	assert_int_equal(subject->purchase_count, 45);
	assert_int_equal(back->purchase_count, 45);
	for (size_t i = 0; i < 45; i++) {
		struct buf a = { 0 }, b = { 0 };

		if (i > 0)
			assert_true(back->purchases[i].at_ms >= back->purchases[i - 1].at_ms);
		purchase_encode(&subject->purchases[i], &a);
		purchase_encode(&back->purchases[i], &b);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		buf_done(&a);
		buf_done(&b);
	}
	buf_done(&row);
	subject_free(back);
	subject_free(subject);
}

static void
a_damaged_log_row_is_refused_at_every_length(void **state)
{
	struct lane *l = *state;
	struct subject *subject = somebody();
	struct visit *visit;
	struct buf row = { 0 };

	scan(l, "7", "B1", 1, 499);
	scan(l, "7", "B1", 2, 100);
	visit = pay(l, "7", "B1", 599);
	subject_add_purchase(subject, visit, &no_marks, T0, &row);
	for (size_t len = 0; len < row.len; len++) {
		char *exact = malloc(len + 1);

		memcpy(exact, row.data, len);
		assert_int_equal(subject_add_log(subject, SUBJECT_LOG_PURCHASE, exact, len),
		    AISLE_E_DAMAGED);
		assert_int_equal(subject_add_log(subject, SUBJECT_LOG_CONTACT, exact, len),
		    AISLE_E_DAMAGED);
		free(exact);
	}
	assert_int_equal(subject_add_log(subject, 77, row.data, row.len), AISLE_E_DAMAGED);
	assert_int_equal(subject->purchase_count, 1);
	buf_done(&row);
	subject_free(subject);
}

static void
the_newest_baskets_are_kept(void **state)
{
	struct lane *l = *state;
	struct subject *subject = somebody();
	struct visit *visit = scan(l, "7", "B1", 1, 1);
	struct buf row = { 0 };

	pay(l, "7", "B1", 1);
	for (unsigned i = 0; i <= HISTORY_BASKETS_MAX; i++) {
		visit->id.b[8] = (uint8_t)(i >> 8);
		visit->id.b[9] = (uint8_t)i;
		buf_clear(&row);
		subject_add_purchase(subject, visit, &no_marks, T0 + i, &row);
	}
	assert_int_equal(subject->purchase_count, HISTORY_BASKETS_MAX);
	assert_int_equal(subject->purchases[0].at_ms, T0 + 1);
	visit->id = id_of(1);
	buf_done(&row);
	subject_free(subject);
}

/* ---- header row and export ---- */

static void
the_header_row_comes_back_or_changes_nothing(void **state)
{
	struct subject *subject = somebody(), *back = somebody();
	struct event event = kase(EV_CARE_CASE_OPENED, "c1", T0);
	struct buf row = { 0 }, again = { 0 };

	(void)state;
	subject_apply(subject, &event);
	consent(subject, CONSENT_PROFILE, true, T0, T0 + D_MS);
	event = (struct event){ .type = EV_LOYALTY_BALANCE, .points = -5, .tier = "gold" };
	subject_apply(subject, &event);
	event = (struct event){ .type = EV_WALLET_CHANGED,
		.offer = "o",
		.worth_minor = 5,
		.state = "open",
		.until_ms = T0 };
	subject_apply(subject, &event);
	subject->mixed = true;
	subject->last_visit_ms = T0 + 4;
	subject_encode(subject, &row);
	for (size_t len = 0; len < row.len; len++) {
		char *exact = malloc(len + 1);

		memcpy(exact, row.data, len);
		assert_int_equal(subject_decode(back, exact, len), AISLE_E_DAMAGED);
		free(exact);
	}
	assert_false(back->known);
	assert_int_equal(back->case_count, 0);
	assert_int_equal(subject_decode(back, row.data, row.len), 0);
	assert_int_equal(back->points, -5);
	assert_true(back->mixed);
	assert_int_equal(back->last_visit_ms, T0 + 4);
	assert_string_equal(back->cases[0].topic, "delivery");
	assert_string_equal(back->wallet[0].offer, "o");
	assert_int_equal(back->incident_count, 1);
	assert_true(consent_granted(back, CONSENT_PROFILE, T0));
	assert_false(consent_granted(back, CONSENT_PROFILE, T0 + D_MS));
	subject_encode(back, &again);
	assert_int_equal(row.len, again.len);
	assert_memory_equal(row.data, again.data, row.len);
	buf_done(&row);
	buf_done(&again);
	subject_free(subject);
	subject_free(back);
}

static void
the_export_is_json_with_everything_in_it(void **state)
{
	struct lane *l = *state;
	struct subject *subject = somebody();
	struct visit *visit = scan(l, "7", "B1", 1, 499);
	struct event event = kase(EV_CARE_CASE_OPENED, "c\"1", T0);
	struct event contact = { .type = EV_CONTACT_RECORDED,
		.origin = "hq",
		.source = "/hq",
		.id = "1",
		.contact_action = "coffee-off",
		.at_ms = T0 };
	struct buf row = { 0 }, text = { 0 };
	struct err err = { 0 };
	json_t *json;

	pay(l, "7", "B1", 499);
	subject_add_purchase(subject, visit, &no_marks, l->now_ms, &row);
	subject_apply(subject, &event);
	subject_apply(subject, &contact);
	profile(subject,
	    "{\"language\":\"de\",\"attributes\":{\"tier\":\"gold\",\"n\":1,\"b\":false}}");
	subject_json(subject, &text);
	json = json_read(text.data, text.len, "export", &err);
	assert_non_null(json);
	assert_int_equal(json_array_size(json_object_get(json, "purchases")), 1);
	assert_int_equal(json_array_size(json_object_get(json, "contacts")), 1);
	assert_int_equal(json_array_size(json_object_get(json, "cases")), 1);
	assert_string_equal(json_string_value(json_object_get(json, "subject")),
	    "73737373737373737373737373737373");
	assert_int_equal(json_object_size(json_object_get(json_object_get(json, "profile"),
			     "attributes")),
	    3);
	json_decref(json);
	buf_done(&row);
	buf_done(&text);
	subject_free(subject);
}

#define T(f) cmocka_unit_test_setup_teardown(f, lane_init, lane_done)

/* ---- what happened last wins ---- */

#define SAYINGS 8

static void
say_one(struct subject *subject, int which)
{
	/* times are in the order of the list */
	static const struct event sayings[SAYINGS] = {
		{ .type = EV_LOYALTY_BALANCE, .points = 10, .tier = "silver" },
		{ .type = EV_WALLET_CHANGED, .offer = "o", .worth_minor = 100, .state = "open" },
		{ .type = EV_CARE_CASE_OPENED, .kase = "c", .topic = "t", .severity = 1 },
		{ .type = EV_LOYALTY_BALANCE, .points = 30, .tier = "gold" },
		{ .type = EV_CARE_CASE_CLOSED, .kase = "c" },
		{ .type = EV_LOYALTY_BALANCE, .points = 20 },
		{ .type = EV_WALLET_CHANGED, .offer = "o", .worth_minor = 50, .state = "used" },
		{ .type = EV_CARE_CASE_OPENED, .kase = "c", .topic = "t", .severity = 3 },
	};
	struct event event = sayings[which];

	event.time_ms = T0 + which;
	event.now_ms = T0 + 100;
	subject_apply(subject, &event);
}

static void
every_order_of_what_was_said_of_a_customer_ends_alike(void **state)
{
	struct dice dice = { 3 };

	(void)state;
	for (int n = 0; n < 5000; n++) {
		struct subject *subject = somebody();
		int order[SAYINGS];

		for (int i = 0; i < SAYINGS; i++) {
			int k = (int)dice_below(&dice, (uint64_t)i + 1);

			order[i] = order[k];
			order[k] = i;
		}
		for (int i = 0; i < SAYINGS; i++)
			say_one(subject, order[i]);
		assert_int_equal(subject->points, 20);
		assert_string_equal(subject->tier, "gold");
		assert_int_equal(subject->wallet_count, 1);
		assert_int_equal(subject->wallet[0].worth_minor, 50);
		assert_string_equal(subject->wallet[0].state, "used");
		assert_int_equal(subject->case_count, 1);
		assert_int_equal(subject->cases[0].closed_ms, 0);
		assert_int_equal(subject->cases[0].severity, 3);
		subject_free(subject);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_order_of_what_was_said_of_a_customer_ends_alike),
		T(no_record_is_a_no),
		T(a_grant_holds_until_its_end),
		T(a_denial_counts_whenever_it_comes_and_an_older_grant_does_not),
		T(the_profile_says_what_no_event_has_said),
		T(a_profile_replaces_the_former_one),
		T(a_bad_profile_changes_nothing),
		T(a_case_is_open_until_it_is_closed_in_either_order),
		T(of_too_many_cases_a_closed_one_goes_first),
		T(of_too_many_open_cases_the_oldest_goes_first_and_of_closed_ones_too),
		T(balance_wallet_enrolment_return_and_survey_are_noted),
		T(of_a_full_wallet_the_offer_that_ends_first_goes),
		T(a_contact_of_hq_counts_once_however_often_it_comes),
		T(nothing_is_noted_of_someone_forgotten),
		T(a_closed_basket_becomes_a_purchase_without_its_voided_lines),
		T(training_cancelled_and_voided_sales_are_never_purchases),
		T(log_rows_bring_the_same_purchases_back),
		T(a_damaged_log_row_is_refused_at_every_length),
		T(the_newest_baskets_are_kept),
		T(the_header_row_comes_back_or_changes_nothing),
		T(the_export_is_json_with_everything_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
