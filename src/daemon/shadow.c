/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow.c - what a shadow replay is told is read between two turns, a few rows at a time; then a
 * child process tells it to both policies.
 */
#include "daemon/shadow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/beside.h"
#include "core/id.h"
#include "core/log.h"

#define SLICE_VISITS 10
#define SLICE_CUSTOMERS 5

struct shadow {
	struct daemon *daemon;
	shadow_fn done;
	void *ctx;
	struct event *event; /* the next slice; the child's end */
	int64_t cursor, oldest_ms;
	size_t visits, customers_read;
	bool all_visits; /* no more are asked for */
	struct shadow_input input;
	size_t customer_capacity;
	struct beside job;
};

/* ---- sales ---- */

static bool
is_told(const struct visit *visit)
{
	return visit->state == VISIT_CLOSED && !visit->training && visit->basket != NULL &&
	    visit->opened_ms > 0 && visit->closed_ms >= visit->opened_ms && visit->line_count > 0;
}

static void
note_customer(struct shadow *shadow, const struct id *id)
{
	struct shadow_input *input = &shadow->input;

	for (size_t i = 0; i < input->customer_count; i++)
		if (id_equal(&input->customers[i].id, id))
			return;
	input->customers = mem_grow(input->customers, input->customer_count,
	    &shadow->customer_capacity, sizeof(*input->customers));
	input->customers[input->customer_count++] = (struct shadow_customer){ .id = *id };
}

static int
take_visit(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	struct shadow *shadow = ctx;
	struct shadow_input *input = &shadow->input;
	struct visit *visit;

	(void)key;
	(void)subject;
	if (at_ms < shadow->oldest_ms || shadow->visits == SHADOW_VISITS_MAX ||
	    input->story.count + VISIT_LINES_MAX + 4 > SHADOW_EVENTS_MAX) {
		shadow->all_visits = true;
		return 1;
	}
	if (visit_decode(body, len, &visit) != 0)
		return 0;
	if (is_told(visit)) {
		shadow_story_add(&input->story, visit, shadow->visits++,
		    shadow->daemon->conf.store_id, shadow->daemon->conf.currency);
		if (input->begin_ms == 0 || visit->opened_ms < input->begin_ms)
			input->begin_ms = visit->opened_ms;
		if (visit->has_subject)
			note_customer(shadow, &visit->subject);
	}
	visit_free(visit);
	return 0;
}

/* ---- customers ---- */

static void
take_row(struct shadow *shadow, struct shadow_customer *customer, int kind, int64_t at_ms,
    const void *body, size_t len)
{
	struct shadow_input *input = &shadow->input;

	if (input->bytes.len + len > SHADOW_BYTES_MAX)
		return;
	customer->rows = mem_grow(customer->rows, customer->row_count, &customer->row_capacity,
	    sizeof(*customer->rows));
	customer->rows[customer->row_count++] =
	    (struct shadow_row){ kind, at_ms, input->bytes.len, len };
	buf_add(&input->bytes, body, len);
}

struct log_reader {
	struct shadow *shadow;
	struct shadow_customer *customer;
};

static int
take_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	struct log_reader *reader = ctx;

	(void)n;
	take_row(reader->shadow, reader->customer, kind, at_ms, body, len);
	return 0;
}

static void
take_customer(struct shadow *shadow, struct shadow_customer *customer)
{
	struct store *store = engine_store(shadow->daemon->engine);
	struct log_reader reader = { shadow, customer };
	struct buf body = { 0 };

	if (keys_forgotten(engine_keys(shadow->daemon->engine), &customer->id))
		return;
	if (store_get(store, STORE_SUBJECT, &customer->id, &body, NULL) == 0)
		take_row(shadow, customer, 0, shadow->input.begin_ms, body.data, body.len);
	if (store_log_each(store, STORE_LOG_SUBJECT, &customer->id, take_log, &reader) != 0)
		log_warning("a customer's history cannot be read for the shadow replay");
	buf_clear(&body);
	if (profiles_get(shadow->daemon->profiles, &customer->id, &body) == 0)
		take_row(shadow, customer, -1, 0, body.data, body.len);
	buf_wipe(&body);
	buf_done(&body);
}

/* ---- the child ---- */

static int
by_id(const void *a, const void *b)
{
	return id_compare(&((const struct shadow_customer *)a)->id,
	    &((const struct shadow_customer *)b)->id);
}

static void
finish(struct shadow *shadow, const struct shadow_report *report, const struct err *err)
{
	shadow_fn done = shadow->done;
	void *ctx = shadow->ctx;

	shadow_stop(shadow);
	done(ctx, report, err);
}

static void
on_done(evutil_socket_t fd, short what, void *ctx)
{
	struct shadow *shadow = ctx;
	struct shadow_answer answer = { 0 };
	struct err err = { 0 };
	int rc = beside_finish(&shadow->job, &answer, sizeof(answer), "the shadow replay", &err);

	(void)fd;
	(void)what;
	if (rc == 0 && answer.err.code != 0) {
		err = answer.err;
		rc = err.code;
	}
	if (rc != 0)
		err.code = *shadow->input.candidate ? AISLE_E_REFUSED : AISLE_E_IO;
	answer.report.visits = (int64_t)shadow->visits;
	finish(shadow, rc == 0 ? &answer.report : NULL, &err);
}

static void
start_child(struct shadow *shadow)
{
	int64_t max_ms = shadow->daemon->conf.exam_ms;
	struct err err = { 0 };

	if (shadow->input.customer_count > 0)
		qsort(shadow->input.customers, shadow->input.customer_count,
		    sizeof(*shadow->input.customers), by_id);
	shadow_story_sort(&shadow->input.story);
	if (beside_start(shadow_run, &shadow->input, sizeof(struct shadow_answer), max_ms,
		&shadow->job, &err) != 0) {
		finish(shadow, NULL, &err);
		return;
	}
	event_free(shadow->event);
	shadow->event = event_new(shadow->daemon->base, shadow->job.fd, EV_READ, on_done, shadow);
	event_add(shadow->event, &(struct timeval){ .tv_sec = (time_t)(max_ms / S_MS) + 1 });
}

static bool
read_slice(struct shadow *shadow)
{
	struct shadow_input *input = &shadow->input;

	if (!shadow->all_visits) {
		int rc = store_back(engine_store(shadow->daemon->engine), STORE_VISIT,
		    &shadow->cursor, SLICE_VISITS, take_visit, shadow);

		shadow->all_visits = shadow->all_visits || rc <= 0;
		return true;
	}
	for (int i = 0; i < SLICE_CUSTOMERS && shadow->customers_read < input->customer_count; i++)
		take_customer(shadow, &input->customers[shadow->customers_read++]);
	return shadow->customers_read < input->customer_count;
}

static void
on_slice(evutil_socket_t fd, short what, void *ctx)
{
	struct shadow *shadow = ctx;

	(void)fd;
	(void)what;
	if (read_slice(shadow))
		event_add(shadow->event, &(struct timeval){ 0 });
	else
		start_child(shadow);
}

struct shadow *
shadow_start(struct daemon *daemon, const char *path, shadow_fn done, void *ctx)
{
	struct shadow *shadow = mem_zero(sizeof(*shadow));
	const struct policy *policy = engine_policy(daemon->engine);

	CHECK(policy != NULL);
	shadow->daemon = daemon;
	shadow->done = done;
	shadow->ctx = ctx;
	shadow->cursor = INT64_MAX;
	shadow->oldest_ms = engine_now(daemon->engine) - SHADOW_DAYS * D_MS;
	shadow->job = (struct beside){ .pid = -1, .fd = -1 };
	shadow->input.conf = &daemon->conf;
	shadow->input.key = keys_data(engine_keys(daemon->engine));
	daemon_bundle_path(daemon, policy->hash, "", shadow->input.now);
	/* To be read also of a child that died. */
	shadow->input.candidate =
	    mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shadow->input.candidate != MAP_FAILED);
	snprintf(shadow->input.next, sizeof(shadow->input.next), "%s", path);
	shadow->event = evtimer_new(daemon->base, on_slice, shadow);
	event_add(shadow->event, &(struct timeval){ 0 });
	return shadow;
}

void
shadow_stop(struct shadow *shadow)
{
	if (shadow == NULL)
		return;
	if (shadow->job.pid > 0)
		beside_stop(&shadow->job);
	event_free(shadow->event);
	munmap(shadow->input.candidate, sizeof(bool));
	for (size_t i = 0; i < shadow->input.customer_count; i++)
		free(shadow->input.customers[i].rows);
	free(shadow->input.customers);
	shadow_story_done(&shadow->input.story);
	buf_wipe(&shadow->input.bytes);
	buf_done(&shadow->input.bytes);
	free(shadow);
}
