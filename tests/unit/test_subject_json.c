/* SPDX-License-Identifier: Apache-2.0
 *
 * test_subject_json.c - everything kept about a customer, for the customer: to the letter.
 */
#include "aisle/policy.h"
#include "core/when.h"
#include "nouns/contact.h"
#include "profile/subject_io.h"
#include "profile/subject_rows.h"
#include "session_fixture.h"

static const struct marks no_marks = { .off = UINT32_MAX };

#define T INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */

static void
assert_json(const struct subject *subject, const char *expected)
{
	struct buf out = { 0 };

	subject_json(subject, &out);
	buf_addc(&out, '\0');
	assert_string_equal(out.data, expected);
	buf_done(&out);
}

static void
of_somebody_of_whom_nothing_is_known_there_is_nothing_to_tell(void **state)
{
	struct id id = { { 1 } };
	struct subject *subject = subject_new(&id);

	(void)state;
	assert_json(subject,
	    "{\"subject\":\"01000000000000000000000000000000\",\"known\":false,\"consent\":{"
	    "\"personalise\":{\"state\":\"unknown\"},\"profile\":{\"state\":\"unknown\"},"
	    "\"contact\":{\"state\":\"unknown\"}},"
	    "\"cases\":[],\"incidents\":[],\"wallet\":[],\"purchases\":[],\"contacts\":[]}");
	subject->forgotten = true;
	subject->mixed = true;
	assert_json(subject,
	    "{\"subject\":\"01000000000000000000000000000000\",\"known\":false,\"forgotten\":true,"
	    "\"merged\":true,\"consent\":{"
	    "\"personalise\":{\"state\":\"unknown\"},\"profile\":{\"state\":\"unknown\"},"
	    "\"contact\":{\"state\":\"unknown\"}},"
	    "\"cases\":[],\"incidents\":[],\"wallet\":[],\"purchases\":[],\"contacts\":[]}");
	subject->forgotten = subject->mixed = false;
	subject->staff = true;
	assert_json(subject,
	    "{\"subject\":\"01000000000000000000000000000000\",\"known\":false,\"staff\":true,"
	    "\"consent\":{"
	    "\"personalise\":{\"state\":\"unknown\"},\"profile\":{\"state\":\"unknown\"},"
	    "\"contact\":{\"state\":\"unknown\"}},"
	    "\"cases\":[],\"incidents\":[],\"wallet\":[],\"purchases\":[],\"contacts\":[]}");
	subject_free(subject);
}

static void
all_that_is_kept_is_told(void **state)
{
	static const char profile[] =
	    "{\"language\":\"de\",\"line\":\"likes "
	    "tea\",\"attributes\":{\"age\":42,\"club\":true,\"none\":false,\"tier\":\"gold\"}}";
	struct id id = { { 1 } }, visit_id = { { 2 } };
	struct subject *subject = subject_new(&id);
	struct event kase = { .type = EV_CARE_CASE_OPENED,
		.kase = "k",
		.topic = "late",
		.severity = 2,
		.now_ms = T,
		.time_ms = T };
	struct contact row = { .prompt = { { 3 } },
		.decision = { { 4 } },
		.outcome = OUTCOME_DISMISSED,
		.at_ms = T + 3,
		.withheld = true,
		.placement = PLACE_TABLET,
		.action = (char *)(uintptr_t) "a",
		.group = (char *)(uintptr_t) "g",
		.issue = (char *)(uintptr_t) "i",
		.reason = (char *)(uintptr_t) "busy" };
	struct contact outside = {
		.outcome = OUTCOME_SHOWN, .at_ms = T + 2, .placement = PLACE_LATER
	};
	struct visit *visit = visit_new(&visit_id);
	struct wallet_entry *entry;
	struct line *line;
	struct buf purchase = { 0 };

	(void)state;
	assert_int_equal(subject_apply_profile(subject, profile, strlen(profile)), 0);
	subject->known = true;
	subject->consent[CONSENT_PROFILE] =
	    (struct consent){ .state = CONSENT_GRANTED, .at_ms = T, .until_ms = T + D_MS };
	subject->consent[CONSENT_CONTACT] =
	    (struct consent){ .state = CONSENT_DENIED, .at_ms = T + 1 };
	subject->enrolled_ms = T;
	subject->last_visit_ms = T + 4;
	subject->has_points = true;
	subject->points = 120;
	subject->points_expire_ms = T + D_MS;
	assert_true(subject_apply(subject, &kase));
	kase.kase = "l";
	assert_true(subject_apply(subject, &kase));
	kase.type = EV_CARE_CASE_CLOSED;
	kase.now_ms = kase.time_ms = T + 5;
	assert_true(subject_apply(subject, &kase));
	subject_add_incident(subject, INCIDENT_RETURN, T);
	subject_add_incident(subject, INCIDENT_VOID, T + 6);
	entry = subject_add_wallet(subject, "w");
	entry->worth_minor = 50;
	entry->until_ms = T + D_MS;
	(void)subject_add_wallet(subject, "v");
	for (int i = 0; i < 2; i++) {
		line = visit_add_line(visit, i + 1);
		line->qty_milli = i == 0 ? 1500 : 1000;
		line->amount_minor = 499 + i;
		free(line->category);
		line->category = strdup("c");
		line->brand = i == 0 ? strdup("moo") : NULL;
		snprintf(line->item, sizeof(line->item), "04006381333931");
	}
	visit->total_minor = 999;
	subject_add_purchase(subject, visit, &no_marks, T, &purchase);
	visit->id.b[0] = 5;
	visit->line_count = 0;
	subject_add_purchase(subject, visit, &no_marks, T + 7, &purchase);
	contacts_add(&subject->contacts, &outside);
	contacts_add(&subject->contacts, &row);
	assert_json(subject,
	    "{\"subject\":\"01000000000000000000000000000000\",\"known\":true"
	    ",\"consent\":{\"personalise\":{\"state\":\"unknown\"}"
	    ",\"profile\":{\"state\":\"granted\",\"at\":\"2026-11-21T10:00:00.000Z\",\"until\":"
	    "\"2026-11-22T10:00:00.000Z\"}"
	    ",\"contact\":{\"state\":\"denied\",\"at\":\"2026-11-21T10:00:00.001Z\"}}"
	    ",\"enrolled\":\"2026-11-21T10:00:00.000Z\",\"last_visit\":\"2026-11-21T10:00:00.007Z\""
	    ",\"points\":120,\"points_expire\":\"2026-11-22T10:00:00.000Z\""
	    ",\"cases\":[{\"case\":\"k\",\"topic\":\"late\",\"severity\":2,\"opened\":\"2026-11-"
	    "21T10:00:00.000Z\"},"
	    "{\"case\":\"l\",\"topic\":\"late\",\"severity\":2,\"opened\":\"2026-11-21T10:00:00."
	    "000Z\",\"closed\":\"2026-11-21T10:00:00.005Z\"}]"
	    ",\"incidents\":[{\"kind\":\"complaint\",\"at\":\"2026-11-21T10:00:00.000Z\"},"
	    "{\"kind\":\"complaint\",\"at\":\"2026-11-21T10:00:00.000Z\"},"
	    "{\"kind\":\"return\",\"at\":\"2026-11-21T10:00:00.000Z\"},"
	    "{\"kind\":\"void\",\"at\":\"2026-11-21T10:00:00.006Z\"}]"
	    ",\"wallet\":[{\"offer\":\"w\",\"worth\":50,\"until\":\"2026-11-22T10:00:00.000Z\"},{"
	    "\"offer\":\"v\",\"worth\":0}]"
	    ",\"purchases\":[{\"visit\":\"02000000000000000000000000\",\"at\":\"2026-11-21T10:00:"
	    "00.000Z\",\"total\":999"
	    ",\"lines\":[{\"item\":\"04006381333931\",\"category\":\"c\",\"brand\":\"moo\",\"qty\":"
	    "1.5,\"amount\":499},"
	    "{\"item\":\"04006381333931\",\"category\":\"c\",\"qty\":1,\"amount\":500}]},"
	    "{\"visit\":\"05000000000000000000000000\",\"at\":\"2026-11-21T10:00:00.007Z\","
	    "\"total\":999,\"lines\":[]}]"
	    ",\"contacts\":[{\"prompt\":\"00000000000000000000000000\",\"outcome\":\"shown\","
	    "\"at\":\"2026-11-21T10:00:00.002Z\",\"placement\":\"later\"},"
	    "{\"prompt\":\"03000000000000000000000000\",\"decision\":"
	    "\"04000000000000000000000000\",\"outcome\":\"dismissed\",\"reason\":\"busy\",\"at\":"
	    "\"2026-11-21T10:00:00.003Z\",\"action\":\"a\",\"group\":\"g\",\"issue\":\"i\","
	    "\"placement\":\"tablet\",\"withheld\":true}]"
	    ",\"profile\":{\"attributes\":{\"age\":42,\"club\":true,\"none\":false,\"tier\":"
	    "\"gold\"},\"language\":\"de\""
	    ",\"line\":\"likes tea\"}}");
	buf_done(&purchase);
	visit->line_count = 2;
	visit_free(visit);
	subject_free(subject);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_somebody_of_whom_nothing_is_known_there_is_nothing_to_tell),
		cmocka_unit_test(all_that_is_kept_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
