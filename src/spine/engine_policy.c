/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_policy.c - the policy in force, and what an experiment's arms make of it.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/when.h"
#include "decide/decide.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"

static char *
variant_key(struct engine *engine, const struct arm_choice *arms, size_t count,
    const char **patches, size_t *ret_patches)
{
	char *key = arena_strdup(engine->arena, "");

	*ret_patches = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t e = 0; e < engine->policy->experiment_count; e++) {
			const struct experiment *x = &engine->policy->experiments[e];

			if (strcmp(x->name, arms[i].experiment) != 0)
				continue;
			for (size_t a = 0; a < x->arm_count; a++) {
				if (x->arms[a].patch == NULL ||
				    strcmp(x->arms[a].name, arms[i].arm) != 0)
					continue;
				patches[(*ret_patches)++] = x->arms[a].patch;
				key = arena_printf(engine->arena, "%s%s=%s,", key, x->name,
				    x->arms[a].name);
			}
		}
	}
	return key;
}

static int
record_names(struct engine *engine, const struct policy *policy, const char *last_good)
{
	const struct policy *was = engine->policy;
	int rc = 0;

	/* The one in force was good: the state may name one that could not be used, and
	 * what is installed a second time is no way back from itself. */
	if (last_good != NULL)
		rc = store_meta_set(engine->store, "bundle_last_good", last_good, 64);
	else if (was != NULL && strcmp(was->hash, policy->hash) != 0)
		rc = store_meta_set(engine->store, "bundle_last_good", was->hash, 64);
	return rc == 0 ? store_meta_set(engine->store, "bundle", policy->hash, 64) : rc;
}

/* policy NULL: none is switched. */
static int
record_switch(struct engine *engine, const struct policy *policy, const struct switch_note *note)
{
	int rc = store_begin(engine->store);

	if (rc == 0 && policy != NULL)
		rc = record_names(engine, policy, note->last_good);
	for (size_t i = 0; rc == 0 && i < note->row_count; i++)
		rc = store_meta_set(engine->store, note->rows[i].name, note->rows[i].value,
		    note->rows[i].len);
	if (rc == 0)
		rc = store_commit(engine->store);
	if (rc != 0)
		store_rollback(engine->store);
	return rc;
}

int
engine_note(struct engine *engine, const struct switch_note *note)
{
	return record_switch(engine, NULL, note);
}

int
engine_set_bundle(struct engine *engine, struct bundle *bundle, struct policy *policy, bool persist,
    struct err *err)
{
	static const struct switch_note plain = { 0 };

	return engine_switch(engine, bundle, policy, persist ? &plain : NULL, err);
}

int
engine_switch(struct engine *engine, struct bundle *bundle, struct policy *policy,
    const struct switch_note *note, struct err *err)
{
	const char *posix = policy_zone(policy, engine->conf->zone);
	struct zone *zone;
	int rc = 0;

	if (posix == NULL || (zone = zone_new(posix)) == NULL)
		return err_set(err, AISLE_E_REFUSED,
		    "the bundle has no rules for the store's zone %s", engine->conf->zone);
	if (strcmp(policy->currency, engine->conf->currency) != 0) {
		zone_free(zone);
		return err_set(err, AISLE_E_REFUSED,
		    "the bundle's currency is %s, the store's is %s", policy->currency,
		    engine->conf->currency);
	}
	if (note != NULL)
		rc = record_switch(engine, policy, note);
	if (rc != 0) {
		zone_free(zone);
		return err_set(err, rc, "the new bundle could not be recorded in the state");
	}
	engine_drop_policy(engine);
	engine->bundle = bundle;
	engine->policy = policy;
	/* Whose contacts of other channels count for a group that another policy names. */
	engine_drop_subjects(engine);
	levers_apply(engine, policy);
	engine_bar(engine);
	engine->zone = zone;
	snprintf(engine->zone_name, sizeof(engine->zone_name), "%s", engine->conf->zone);
	engine_tell_words(engine);
	return 0;
}

void
engine_tell_words(struct engine *engine)
{
	struct buf words = { 0 };

	if (engine->policy == NULL || !engine->has_sealer)
		return;
	record_words(engine->policy, &words);
	store_words(engine->store, engine->now_ms, words.data, words.len);
	buf_done(&words);
}

static void
bar(const struct engine *engine, struct policy *policy)
{
	policy_bar(policy, marks_off_in(engine->conf->country), engine->catalog);
}

void
engine_bar(struct engine *engine)
{
	if (engine->policy != NULL)
		bar(engine, engine->policy);
	for (size_t i = 0; i < engine->variant_count; i++)
		bar(engine, engine->variants[i].policy);
}

void
engine_drop_policy(struct engine *engine)
{
	draw_cache_empty(engine->draws);
	for (size_t i = 0; i < engine->variant_count; i++) {
		free(engine->variants[i].key);
		policy_free(engine->variants[i].policy);
	}
	engine->variant_count = 0;
	policy_free(engine->policy);
	engine->policy = NULL;
	bundle_close(engine->bundle);
	engine->bundle = NULL;
	zone_free(engine->zone);
	engine->zone = NULL;
}

/* A policy from an image came without its bundle. */
static int
patch(struct engine *engine, const char **patches, size_t patch_count, struct policy **ret_policy,
    struct err *err)
{
	struct bundle *bundle = NULL;
	char path[4096];
	int rc = 0;

	if (engine->bundle == NULL) {
		snprintf(path, sizeof(path), "%s/bundles/%s", engine->options.state_dir,
		    engine->policy->hash);
		rc = bundle_open(path, "policy", &bundle, err);
	}
	if (rc == 0)
		rc = policy_patched(engine->policy,
		    bundle_parts(bundle != NULL ? bundle : engine->bundle), patches, patch_count,
		    ret_policy, err);
	bundle_close(bundle);
	return rc;
}

/* NULL: it does not compile. */
static const struct policy *
add_variant(struct engine *engine, const char *key, const char **patches, size_t patch_count)
{
	struct policy_variant *variant;
	struct err err = { 0 };

	if (engine->variant_count == VARIANTS_MAX) {
		/* The oldest goes: a variant is only a cache of what the bundle says. */
		draw_cache_empty(engine->draws);
		free(engine->variants[0].key);
		policy_free(engine->variants[0].policy);
		memmove(engine->variants, engine->variants + 1,
		    (VARIANTS_MAX - 1) * sizeof(*variant));
		engine->variant_count--;
	}
	variant = &engine->variants[engine->variant_count];
	if (patch(engine, patches, patch_count, &variant->policy, &err) != 0) {
		log_error("an arm's patch does not compile, the plain policy is used "
			  "arms=%s why=%s",
		    LOG_VALUE(key), LOG_VALUE(err.text));
		return NULL;
	}
	levers_apply(engine, variant->policy);
	bar(engine, variant->policy);
	variant->key = mem_strdup(key);
	engine->variant_count++;
	return variant->policy;
}

const struct policy *
engine_policy_for(struct engine *engine, const struct arm_choice *arms, size_t count)
{
	const char *patches[32];
	const struct policy *made;
	size_t patch_count;
	char *key;

	if (count == 0)
		return engine->policy;
	if (count > ARRAY_LEN(patches))
		count = ARRAY_LEN(patches);
	key = variant_key(engine, arms, count, patches, &patch_count);
	if (patch_count == 0)
		return engine->policy;
	for (size_t i = 0; i < engine->variant_count; i++) {
		if (strcmp(engine->variants[i].key, key) == 0)
			return engine->variants[i].policy;
	}
	made = add_variant(engine, key, patches, patch_count);
	return made != NULL ? made : engine->policy;
}
