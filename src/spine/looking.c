/* SPDX-License-Identifier: Apache-2.0
 *
 * looking.c - what a day's draws may cost, where the policy says a share of what its cards are worth.
 *
 * DESIGN
 *   A visit's first draw in a place with a card on its shortlist counts: what its best card is worth
 *   beyond the interruption, and what drawing costs on average. The price of a slot is a share of the
 *   mean of the days before, so it is the same all day. What a store knows stands for 200 draws of the
 *   next bundle, unless that says a worth itself. Rejected: the mean over all decisions; a basket of 40
 *   lines would count 40 times.
 *
 *   A slot's cost is below its price by construction, but the price is the mean of other days. So the
 *   day has an account, and beyond twice its share the store takes the best until tomorrow.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/json_write.h"
#include "core/log.h"
#include "core/when.h"
#include "decide/decide.h"

/* ---- what is known ---- */

static double
known_worth(const struct looking *looking)
{
	return exploring_worth(looking->b0, looking->sum + looking->day_sum,
	    looking->count + looking->day_count);
}

static bool
is_today(const struct engine *engine, const struct looking *looking)
{
	return engine_day_start(engine, engine->now_ms) <= looking->day_ms;
}

double
looking_cost_max(const struct engine *engine, const struct policy *policy)
{
	const struct looking *looking = &engine->looking;
	bool same = strcmp(looking->bundle, engine->policy->hash) == 0, today;
	double b0 = policy->explore_worth;

	if (!(policy->explore_share > 0))
		return 0;
	today = is_today(engine, looking);
	if (today && exploring_exhausted(&looking->day))
		return 0;
	if (!same)
		return exploring_cost_max(policy->explore_share, b0 < 0 ? known_worth(looking) : b0,
		    0, 0);
	if (b0 < 0)
		b0 = looking->b0;
	return exploring_cost_max(policy->explore_share, b0,
	    looking->sum + (today ? 0 : looking->day_sum),
	    looking->count + (today ? 0 : looking->day_count));
}

/* ---- the day ---- */

static void
tell(struct engine *engine, const struct looking *looking)
{
	struct local_time day = zone_local(engine->zone, looking->day_ms);
	struct buf json = { 0 };
	struct json_writer *w = JSON_OBJECT(&json);

	json_addf(w, "day", "%04d-%02d-%02d", day.year, day.month, day.day);
	json_add_str(w, "bundle", looking->bundle);
	json_add_int(w, "slots", looking->day.slots);
	json_add_double(w, "cost", looking->day.spent);
	json_add_double(w, "worth", looking->day.worth);
	json_add_bool(w, "bound", exploring_exhausted(&looking->day));
	json_end(w);
	engine_uplink(engine, LANE_TELEMETRY, "explored", NULL, &json);
	buf_done(&json);
}

static void
begin_day(struct engine *engine, struct looking *looking)
{
	if (looking->day.slots > 0)
		tell(engine, looking);
	looking->sum += looking->day_sum;
	looking->count += looking->day_count;
	looking->day_sum = 0;
	looking->day_count = 0;
	looking->day = (struct exploring_day){ 0 };
	looking->day_ms = engine_day_start(engine, engine->now_ms);
}

static void
begin_bundle(const struct engine *engine, struct looking *looking)
{
	double stated = engine->policy->explore_worth;

	looking->b0 = stated < 0 ? known_worth(looking) : stated;
	looking->sum = looking->day_sum = 0;
	looking->count = looking->day_count = 0;
	memcpy(looking->bundle, engine->policy->hash, sizeof(looking->bundle));
}

/* ---- a draw ---- */

/* What its best card is worth beyond the interruption; false: there was none. */
static bool
worth_of(const struct slot *slot, double *ret_worth)
{
	const struct shortlisted *card = NULL, *nothing = NULL;

	for (size_t i = 0; i < slot->shortlist_count; i++) {
		const struct shortlisted *one = &slot->shortlist[i];

		if (one->candidate < 0)
			nothing = one;
		else if (card == NULL)
			card = one;
	}
	if (card == NULL || nothing == NULL)
		return false;
	*ret_worth = card->priority > nothing->priority ? card->priority - nothing->priority : 0;
	return true;
}

static double
cost_of(const struct slot *slot)
{
	double cost = 0;

	for (size_t i = 1; i < slot->shortlist_count; i++)
		cost += slot->shortlist[i].p *
		    (slot->shortlist[0].priority - slot->shortlist[i].priority);
	return cost;
}

static void
note_slot(struct engine *engine, const struct policy *policy, const struct slot *slot, double worth)
{
	struct looking *looking = &engine->looking;
	bool before = exploring_exhausted(&looking->day);

	looking->day_sum += worth;
	looking->day_count++;
	exploring_count(&looking->day, policy->explore_share, cost_of(slot), worth);
	looking->dirty = true;
	if (before || !exploring_exhausted(&looking->day))
		return;
	log_warning("exploring cost more than twice its share of today: the best card is taken "
		    "until "
		    "tomorrow cost=%.6g worth=%.6g slots=%lld",
	    looking->day.spent, looking->day.worth, (long long)looking->day.slots);
}

void
looking_note(struct engine *engine, struct visit *visit, const struct decision *decision)
{
	const struct policy *policy = decision->input->sources.policy;
	struct looking *looking = &engine->looking;

	if (!(policy->explore_share > 0))
		return;
	if (!is_today(engine, looking))
		begin_day(engine, looking);
	if (strcmp(looking->bundle, engine->policy->hash) != 0)
		begin_bundle(engine, looking);
	for (size_t i = 0; i < decision->slot_count; i++) {
		const struct slot *slot = &decision->slots[i];
		int64_t bit;
		double worth;

		if (slot->slot < 1 || slot->slot > LOOKING_SLOTS || !worth_of(slot, &worth))
			continue;
		bit = INT64_C(1) << ((int)slot->placement * LOOKING_SLOTS + slot->slot - 1);
		if ((visit->drew & bit) != 0)
			continue;
		visit->drew |= bit;
		engine_touch(engine, visit);
		note_slot(engine, policy, slot, worth);
	}
}

/* ---- on disk ---- */

void
looking_save(struct engine *engine, struct buf *buf)
{
	struct looking *looking = &engine->looking;

	if (!looking->dirty)
		return;
	buf_clear(buf);
	buf_str(buf, looking->bundle);
	buf_f64(buf, looking->b0);
	buf_f64(buf, looking->sum);
	buf_i64(buf, looking->count);
	buf_i64(buf, looking->day_ms);
	buf_f64(buf, looking->day_sum);
	buf_i64(buf, looking->day_count);
	buf_f64(buf, looking->day.spent);
	buf_f64(buf, looking->day.worth);
	buf_f64(buf, looking->day.may);
	buf_i64(buf, looking->day.slots);
	buf_u8(buf, looking->day.over);
	engine_check(engine, store_meta_set(engine->store, "looking", buf->data, buf->len));
	looking->dirty = false;
}

static bool
is_sound(const struct looking *looking)
{
	const double sums[] = { looking->b0, looking->sum, looking->day_sum, looking->day.spent,
		looking->day.worth, looking->day.may };

	for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
		if (!(sums[i] >= 0 && sums[i] <= 1e300))
			return false;
	}
	return looking->count >= 0 && looking->day_count >= 0 && looking->day.slots >= 0;
}

void
looking_load(struct engine *engine)
{
	struct looking read = { 0 };
	struct buf buf = { 0 };
	bool there = store_meta_get(engine->store, "looking", &buf) == 0;
	struct rd rd = rd_init(buf.data, buf.len);
	char *bundle = there ? rd_str(&rd) : NULL;

	read.b0 = rd_f64(&rd);
	read.sum = rd_f64(&rd);
	read.count = rd_i64(&rd);
	read.day_ms = rd_i64(&rd);
	read.day_sum = rd_f64(&rd);
	read.day_count = rd_i64(&rd);
	read.day.spent = rd_f64(&rd);
	read.day.worth = rd_f64(&rd);
	read.day.may = rd_f64(&rd);
	read.day.slots = rd_i64(&rd);
	read.day.over = rd_u8(&rd) == 1;
	looking_drop(engine);
	if (bundle != NULL && rd_done(&rd) && strlen(bundle) < sizeof(read.bundle) &&
	    is_sound(&read)) {
		memcpy(read.bundle, bundle, strlen(bundle));
		engine->looking = read;
	}
	free(bundle);
	buf_done(&buf);
}

void
looking_drop(struct engine *engine)
{
	engine->looking = (struct looking){ 0 };
}
