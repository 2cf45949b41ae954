/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_simulate.c - aislectl simulate: several policies over the same recorded days.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/conf_table.h"
#include "core/file.h"
#include "core/id.h"
#include "core/log.h"
#include "ctl/ctl.h"
#include "ctl/ctl_sign.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"
#include "tools/simulate.h"

#define POLICIES_MAX 16
#define STORES_MAX 1000
#define JOBS_MAX 64

struct run {
	struct conf conf;
	struct simulation simulation;
	struct arena *memory;
	const char *bundles[POLICIES_MAX];
	const char *stores[STORES_MAX], *events[STORES_MAX], *profiles[STORES_MAX];
	const char *catalog;
	uint8_t salt[32], pepper[32];
	bool has_pepper;
	int at_once;
};

/* ---- what is asked for ---- */

/* Separated by commas. */
static int
split_policies(struct run *run, const char *text)
{
	char *copy = arena_strdup(run->memory, text), *rest = NULL;

	for (char *one = strtok_r(copy, ",", &rest); one != NULL;
	     one = strtok_r(NULL, ",", &rest)) {
		if (run->simulation.policy_count == POLICIES_MAX)
			return ctl_fail(EX_USAGE, "--policies: expected at most %d", POLICIES_MAX);
		run->bundles[run->simulation.policy_count++] = one;
	}
	if (run->simulation.policy_count == 0)
		return ctl_fail(EX_USAGE, "--policies: expected bundles, with commas between");
	return EX_OK;
}

/* A store is called like its file. */
static int
name_store(struct run *run, const char *path, const char *profiles)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	char *store = arena_strndup(run->memory, name, strcspn(name, "."));
	char *own;
	size_t i = run->simulation.store_count;

	if (!conf_is_id(store))
		return ctl_fail(EX_USAGE,
		    "%s: expected a file that is called like its store, such as 0042.jsonl", path);
	for (size_t s = 0; s < i; s++)
		if (strcmp(run->stores[s], store) == 0)
			return ctl_fail(EX_USAGE, "%s: store %s is there twice", path, store);
	own = arena_printf(run->memory, "%s/%s.profiles", profiles != NULL ? profiles : "", store);
	run->stores[i] = store;
	run->events[i] = path;
	run->profiles[i] = profiles != NULL && access(own, R_OK) == 0 ? own : NULL;
	run->simulation.store_count++;
	return access(path, R_OK) == 0 ? EX_OK : ctl_fail(EX_NOINPUT, "%s: cannot be read", path);
}

static int
read_numbers(struct run *run, const char *seed, const char *jobs)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t at_once = cores < 1 ? 1 : cores > JOBS_MAX ? JOBS_MAX : cores;
	char text[32];
	const char *parts[1] = { text };
	struct id half;
	int rc = EX_OK;

	run->simulation.seed = 1;
	if (seed != NULL)
		rc = ctl_number("--seed", seed, 0, INT64_C(1) << 53, &run->simulation.seed);
	if (rc == EX_OK && jobs != NULL)
		rc = ctl_number("--jobs", jobs, 1, JOBS_MAX, &at_once);
	run->at_once = (int)at_once;
	snprintf(text, sizeof(text), "%lld", (long long)run->simulation.seed);
	half = hash_parts(parts, 1);
	memcpy(run->salt, half.b, 16);
	memcpy(run->salt + 16, half.b, 16);
	return rc;
}

/* Its name, and that it compiles: before any store begins. */
static int
look_at(struct run *run, size_t p)
{
	struct simulated *simulated = &run->simulation.policies[p];
	struct lift_money *money = &run->simulation.money;
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	if (bundle_open(run->bundles[p], "policy", &bundle, &err) != 0) {
		rc = ctl_fail_err(&err);
	} else if (bundle_policy(bundle, &policy, &report) != 0) {
		rc = ctl_fail(EX_DATAERR, "%s: its policy has mistakes\n%s", run->bundles[p],
		    report.len > 0 ? report.data : "");
	} else {
		snprintf(simulated->name, sizeof(simulated->name), "%s", policy->name);
		snprintf(simulated->hash, sizeof(simulated->hash), "%s", policy->hash);
		simulated->version = policy->version;
		if (money->currency[0] != '\0' && strcmp(money->currency, policy->currency) != 0)
			rc = ctl_fail(EX_DATAERR, "%s: its currency is %s, the first one's %s",
			    run->bundles[p], policy->currency, money->currency);
		snprintf(money->currency, sizeof(money->currency), "%s", policy->currency);
		money->digits = policy->currency_digits;
	}
	policy_free(policy);
	bundle_close(bundle);
	buf_done(&report);
	return rc;
}

static int
read_options(struct ctl *ctl, struct run *run)
{
	const char *policies = ctl_option(ctl, "--policies"), *model = ctl_option(ctl, "--model"),
		   *seed = ctl_option(ctl, "--seed"), *jobs = ctl_option(ctl, "--jobs"),
		   *profiles = ctl_option(ctl, "--profiles"), *pepper = ctl_option(ctl, "--pepper");
	struct err err = { 0 };
	int rc;

	run->catalog = ctl_option(ctl, "--catalog");
	rc = ctl_words(ctl, 1, STORES_MAX);
	if (rc == EX_OK && policies == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK)
		rc = split_policies(run, policies);
	for (int i = 0; rc == EX_OK && i < ctl->argc; i++)
		rc = name_store(run, ctl->argv[i], profiles);
	if (rc == EX_OK)
		rc = read_numbers(run, seed, jobs);
	if (rc == EX_OK)
		rc = ctl_conf(ctl, false, &run->conf);
	if (rc == EX_OK)
		rc = ctl_pepper(ctl, pepper != NULL ? pepper : run->conf.pepper_file, run->pepper,
		    &run->has_pepper);
	if (rc == EX_OK && simulate_model_read(model, &run->simulation.model, &err) != 0)
		rc = ctl_fail_err(&err);
	run->simulation.policies =
	    mem_calloc(run->simulation.policy_count + 1, sizeof(*run->simulation.policies));
	for (size_t p = 0; rc == EX_OK && p < run->simulation.policy_count; p++)
		rc = look_at(run, p);
	return rc;
}

/* ---- running ---- */

static time_t began;

static void
show_progress(size_t done, size_t count)
{
	time_t gone = time(NULL) - began;

	if (isatty(STDERR_FILENO) && done < count)
		fprintf(stderr, "\r%zu of %zu runs, about %lld s to go   ", done, count,
		    (long long)gone * (long long)(count - done) / (long long)done);
	else if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* Store by store, each under every policy. */
static int
simulate(struct run *run, bool policy_currency)
{
	struct simulation *simulation = &run->simulation;
	size_t count = simulation->policy_count * simulation->store_count;
	struct simulate_job *jobs = mem_calloc(count, sizeof(*jobs));
	struct simulate_outcome *outcomes = mem_calloc(count, sizeof(*outcomes));
	struct err err = { 0 };
	int rc = EX_OK;

	for (size_t i = 0; i < count; i++) {
		size_t store = i / simulation->policy_count;

		jobs[i] = (struct simulate_job){ .conf = &run->conf,
			.model = &simulation->model,
			.bundle = run->bundles[i % simulation->policy_count],
			.events = run->events[store],
			.store = run->stores[store],
			.catalog = run->catalog,
			.profiles = run->profiles[store],
			.salt = run->salt,
			.pepper = run->has_pepper ? run->pepper : NULL,
			.policy_currency = policy_currency,
			.says = i % simulation->policy_count == 0 };
	}
	began = time(NULL);
	if (simulate_jobs(jobs, count, run->at_once, outcomes, show_progress, &err) != 0)
		rc = ctl_fail_err(&err);
	for (size_t i = 0; i < count; i++) {
		if (rc == EX_OK)
			simulate_outcome_add(&simulation->policies[i % simulation->policy_count]
						  .outcome,
			    &outcomes[i]);
		simulate_outcome_done(&outcomes[i]);
	}
	free(outcomes);
	free(jobs);
	return rc;
}

static int
tell(struct ctl *ctl, const struct simulation *simulation, const char *page)
{
	struct buf text = { 0 }, html = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	if (ctl->json)
		simulation_json(simulation, &text);
	else
		simulation_text(simulation, &text);
	fputs(text.data, stdout);
	if (page != NULL) {
		simulation_page(simulation, &html);
		if (file_write(page, html.data, html.len, 0644, false, &err) != 0)
			rc = ctl_fail_err(&err);
	}
	buf_done(&text);
	buf_done(&html);
	return rc;
}

int
ctl_simulate(struct ctl *ctl)
{
	const char *page = ctl_option(ctl, "-o");
	struct run *run = mem_zero(sizeof(*run));
	int rc;

	/* A store's own log is of no simulated day's interest. */
	log_set_level(LOG_ERROR);
	run->memory = arena_new();
	rc = read_options(ctl, run);
	if (rc == EX_OK)
		rc = simulate(run, !ctl->conf_given);
	if (rc == EX_OK) {
		simulate_conclude(&run->simulation);
		rc = tell(ctl, &run->simulation, page);
	}
	simulation_done(&run->simulation);
	conf_done(&run->conf);
	arena_free(run->memory);
	explicit_bzero(run->pepper, sizeof(run->pepper));
	free(run);
	return rc;
}
