/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate.c - what policies came to: margin, what it cost, and whom they spoke to how often.
 *
 * DESIGN
 *   The unit is the customer, a stranger's visit being one: intervals are of customers like these, and
 *   a difference is of the same ones under both policies. Attention is of known customers only, those
 *   among them who were never spoken to.
 */
#include "tools/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "learn/distribution.h"

#define ALPHA 0.05

static int
by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of ascending numbers: 0, all have the same; near 1, one has all. */
static double
gini_of(const double *numbers, size_t count)
{
	double sum = 0, ranked = 0, n = (double)count;

	for (size_t i = 0; i < count; i++) {
		sum += numbers[i];
		ranked += (double)(i + 1) * numbers[i];
	}
	return sum > 0 ? 2 * ranked / (n * sum) - (n + 1) / n : 0;
}

static void
attend(struct simulated *policy)
{
	const struct simulate_outcome *outcome = &policy->outcome;
	double *cards = mem_calloc(outcome->person_count + 1, sizeof(*cards)), sum = 0;
	size_t none = 0;

	policy->known = 0;
	for (size_t i = 0; i < outcome->person_count; i++) {
		const struct simulate_person *person = &outcome->people[i];

		policy->cards += person->shown;
		if (!person->known)
			continue;
		cards[policy->known++] = person->shown;
		sum += person->shown;
		none += !(person->shown > 0);
	}
	if (policy->known > 1)
		qsort(cards, policy->known, sizeof(*cards), by_number);
	policy->gini = gini_of(cards, policy->known);
	if (policy->known > 0) {
		policy->per_customer = sum / (double)policy->known;
		policy->unserved = (double)none / (double)policy->known;
	}
	free(cards);
}

/* Everybody whom any policy met, under each of them: who is missed got nothing. */
static void
meet_all(struct simulation *simulation)
{
	struct simulate_outcome all = { 0 };

	for (size_t p = 0; p < simulation->policy_count; p++) {
		struct simulate_outcome copy = simulation->policies[p].outcome;
		size_t bytes = copy.person_count * sizeof(*copy.people);

		all.actions = all.actions != NULL ? all.actions : mem_zero(sizeof(*all.actions));
		copy.action_count = 0;
		copy.actions = NULL;
		copy.people = mem_alloc(bytes + 1);
		if (bytes > 0)
			memcpy(copy.people, simulation->policies[p].outcome.people, bytes);
		simulate_outcome_add(&all, &copy);
	}
	for (size_t i = 0; i < all.person_count; i++)
		all.people[i] = (struct simulate_person){ .key = all.people[i].key,
			.known = all.people[i].known };
	for (size_t p = 0; p < simulation->policy_count; p++) {
		struct simulate_outcome blank = { .person_count = all.person_count };
		size_t bytes = all.person_count * sizeof(*all.people);

		blank.first_ms = simulation->policies[p].outcome.first_ms;
		blank.last_ms = simulation->policies[p].outcome.last_ms;
		blank.people = mem_alloc(bytes + 1);
		blank.actions = mem_calloc(simulation->policies[p].outcome.action_count + 1,
		    sizeof(*blank.actions));
		blank.action_count = simulation->policies[p].outcome.action_count;
		if (bytes > 0)
			memcpy(blank.people, all.people, bytes);
		simulate_outcome_add(&simulation->policies[p].outcome, &blank);
	}
	simulate_outcome_done(&all);
}

static struct clustered
mean_of(const struct simulate_outcome *outcome, const struct simulate_outcome *less, size_t member)
{
	size_t count = outcome->person_count;
	double *rows = mem_calloc(count + 1, 2 * sizeof(*rows));
	struct clustered mean;

	for (size_t i = 0; i < count; i++) {
		double value, other = 0;

		memcpy(&value, (const char *)&outcome->people[i] + member, sizeof(value));
		if (less != NULL)
			memcpy(&other, (const char *)&less->people[i] + member, sizeof(other));
		rows[2 * i] = value - other;
		rows[2 * i + 1] = 1;
	}
	mean = clustered(rows, rows + 1, count, 2);
	free(rows);
	return mean;
}

void
simulate_conclude(struct simulation *simulation)
{
	const struct simulate_outcome *first = &simulation->policies[0].outcome;

	meet_all(simulation);
	simulation->days = ceil((double)(first->last_ms - first->first_ms) / (double)D_MS);
	for (size_t p = 0; p < simulation->policy_count; p++) {
		struct simulated *policy = &simulation->policies[p];
		const struct simulate_outcome *outcome = &policy->outcome;

		attend(policy);
		policy->customers = outcome->person_count;
		policy->margin = mean_of(outcome, NULL, offsetof(struct simulate_person, earned));
		policy->expected =
		    mean_of(outcome, NULL, offsetof(struct simulate_person, expected));
		policy->promised =
		    mean_of(outcome, NULL, offsetof(struct simulate_person, promised));
		policy->difference =
		    mean_of(outcome, first, offsetof(struct simulate_person, earned));
		for (size_t i = 0; i < outcome->person_count; i++) {
			policy->total += outcome->people[i].earned;
			policy->discount += outcome->people[i].discount;
		}
		for (size_t i = 0; i < outcome->action_count; i++)
			policy->silent += !(outcome->actions[i].shown > 0);
	}
}

void
simulation_done(struct simulation *simulation)
{
	for (size_t p = 0; p < simulation->policy_count; p++)
		simulate_outcome_done(&simulation->policies[p].outcome);
	free(simulation->policies);
	simulate_model_done(&simulation->model);
	*simulation = (struct simulation){ 0 };
}

/* ---- text ---- */

static double
half_of(const struct clustered *value)
{
	return value->df > 0 ? student_quantile(ALPHA, value->df) * value->se : 0;
}

static double
major(const struct simulation *simulation, double minor)
{
	for (int i = 0; i < simulation->money.digits; i++)
		minor /= 10;
	return minor;
}

void
simulation_text(const struct simulation *simulation, struct buf *out)
{
	const struct simulated *first = &simulation->policies[0];

	buf_addf(out, "%zu stores, %.0f days, %.0f visits, %zu known customers; %s, seed %lld\n\n",
	    simulation->store_count, simulation->days, first->outcome.visits, first->known,
	    simulation->money.currency, (long long)simulation->seed);
	buf_addf(out, "%-24s %12s %10s %12s %10s %11s %9s %9s %6s %9s %7s\n", "policy", "margin",
	    "+-", "less first", "+-", "discounts", "cards", "a person", "Gini", "unserved",
	    "silent");
	for (size_t p = 0; p < simulation->policy_count; p++) {
		const struct simulated *policy = &simulation->policies[p];
		double n = (double)policy->customers;
		char name[160];

		snprintf(name, sizeof(name), "%s %lld", policy->name, (long long)policy->version);
		buf_addf(out,
		    "%-24s %12.2f %10.2f %12.2f %10.2f %11.2f %9.0f %9.2f %6.2f %8.1f%% %7zu\n",
		    name, major(simulation, policy->total),
		    major(simulation, n * half_of(&policy->margin)),
		    major(simulation, n * policy->difference.value),
		    major(simulation, n * half_of(&policy->difference)),
		    major(simulation, policy->discount), policy->cards, policy->per_customer,
		    policy->gini, 100 * policy->unserved, policy->silent);
	}
	buf_adds(out,
	    "\nmargin: after discounts, more than without any card; silent: actions that "
	    "never speak\n");
}

/* ---- JSON ---- */

static void
add_sum(struct json_writer *w, const char *name, const struct clustered *mean, double n)
{
	json_add_object(w, name);
	json_add_double(w, "is", n * mean->value);
	json_add_double(w, "low", n * (mean->value - half_of(mean)));
	json_add_double(w, "high", n * (mean->value + half_of(mean)));
	json_end(w);
}

static void
add_actions(struct json_writer *w, const struct simulate_outcome *outcome)
{
	json_add_list(w, "never_speak");
	for (size_t i = 0; i < outcome->action_count; i++)
		if (!(outcome->actions[i].shown > 0))
			json_add_str(w, NULL, outcome->actions[i].name);
	json_end(w);
	json_add_list(w, "actions");
	for (size_t i = 0; i < outcome->action_count; i++) {
		const struct simulate_spoken *action = &outcome->actions[i];

		if (!(action->shown > 0))
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "action", action->name);
		json_add_double(w, "cards", action->shown);
		json_add_double(w, "came", action->came);
		json_add_double(w, "margin", action->earned);
		json_add_double(w, "discounts", action->discount);
		json_end(w);
	}
	json_end(w);
}

static void
add_model(struct json_writer *w, const struct simulate_model *model)
{
	json_add_object(w, "customers");
	json_add_object(w, "actions");
	for (size_t i = 0; i < model->action_count; i++) {
		const struct simulate_action *action = &model->actions[i];

		json_add_object(w, action->name);
		json_add_double(w, "p1", action->p1);
		json_add_double(w, "p0", action->p0);
		if (action->margin >= 0)
			json_add_double(w, "margin", action->margin);
		json_end(w);
	}
	json_end(w);
	json_add_double(w, "lambda", model->lambda);
	json_add_double(w, "spread", model->spread);
	json_add_double(w, "weariness", model->weariness);
	json_add_double(w, "half_life_days", model->half_life_ms / (double)D_MS);
	json_add_double(w, "dismiss", model->dismiss);
	json_end(w);
}

void
simulation_json(const struct simulation *simulation, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	const struct simulated *first = &simulation->policies[0];

	json_add_int(w, "seed", simulation->seed);
	json_add_int(w, "stores", (int64_t)simulation->store_count);
	json_add_double(w, "days", simulation->days);
	json_add_double(w, "visits", first->outcome.visits);
	json_add_int(w, "known_customers", (int64_t)first->known);
	json_add_str(w, "currency", simulation->money.currency);
	add_model(w, &simulation->model);
	json_add_list(w, "policies");
	for (size_t p = 0; p < simulation->policy_count; p++) {
		const struct simulated *policy = &simulation->policies[p];
		double n = (double)policy->customers;

		json_add_object(w, NULL);
		json_add_str(w, "name", policy->name);
		json_add_int(w, "version", policy->version);
		json_add_str(w, "hash", policy->hash);
		add_sum(w, "margin", &policy->margin, n);
		add_sum(w, "less_first", &policy->difference, n);
		json_add_double(w, "expected", n * policy->expected.value);
		json_add_double(w, "promised", n * policy->promised.value);
		json_add_double(w, "discounts", policy->discount);
		json_add_double(w, "cards", policy->cards);
		json_add_double(w, "cards_a_customer", policy->per_customer);
		json_add_double(w, "gini", policy->gini);
		json_add_double(w, "unserved", policy->unserved);
		add_actions(w, &policy->outcome);
		json_end(w);
	}
	json_end_all(w);
	buf_addc(out, '\n');
}
