/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan_bundles.c - the bundles that releases name, and what is left of those that none names any more.
 */
#include "hq/publish_plan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
check_file(struct planning *p, const struct in_force *one, const struct release_bundle *bundle,
    enum bundle_kind kind, const struct artifact_file *file)
{
	const char *path = file->path;

	if (file->bytes != bundle->bytes)
		return err_set(p->err, AISLE_E_REFUSED,
		    "%s: %" PRId64 " bytes, but the release says %" PRId64, path, file->bytes,
		    bundle->bytes);
	if (strcmp(file->kind, bundle_kind_name(kind)) != 0)
		return err_set(p->err, AISLE_E_REFUSED,
		    "%s: is of kind %s, but the release says %s", path, file->kind,
		    bundle_kind_name(kind));
	if (one->given != NULL && file->version[0] != '\0' &&
	    strcmp(file->version, bundle->version) != 0)
		return err_set(p->err, AISLE_E_REFUSED,
		    "%s: is version %s, but the release says %s", path, file->version,
		    bundle->version);
	return 0;
}

static void
add_grant(struct planning *p, const char *store, const struct artifact_file *artifact)
{
	struct plan *plan = p->plan;
	struct grant *grant;

	plan->grants =
	    mem_grow(plan->grants, plan->grant_count, &plan->grant_room, sizeof(*plan->grants));
	grant = &plan->grants[plan->grant_count++];
	*grant = (struct grant){ .artifact = artifact };
	snprintf(grant->store, sizeof(grant->store), "%s", store);
}

static bool
is_planned(const struct planning *p, const char *hash)
{
	for (size_t i = 0; i < p->plan->count; i++)
		if (p->plan->steps[i].kind != STEP_TEXT &&
		    strcmp(p->plan->steps[i].hash, hash) == 0)
			return true;
	return false;
}

/* Its chunks, retained: for all stores of a channel. */
static int
put_artifact(struct planning *p, const struct release_bundle *bundle, struct artifact_file *file)
{
	struct step *step;

	if (is_planned(p, bundle->hash))
		return 0;
	if (bundle->bytes > PUBLISH_RETAINED_MAX)
		return err_set(p->err, AISLE_E_REFUSED,
		    "%s: %" PRId64 " bytes, expected at most %" PRId64
		    " MiB for what all stores share",
		    bundle->name, bundle->bytes, PUBLISH_RETAINED_MAX >> 20);
	if (file != NULL && artifact_pack(file, p->err) != 0)
		return AISLE_E_IO;
	p->plan->retained += file != NULL ? file->packed : bundle->bytes;
	step = plan_step(p, file != NULL ? STEP_ARTIFACT : STEP_CHECK);
	snprintf(step->hash, sizeof(step->hash), "%s", bundle->hash);
	step->bytes = bundle->bytes;
	step->artifact = file;
	return 0;
}

static int
take_bundle(struct planning *p, const struct in_force *one, enum bundle_kind kind)
{
	const struct release_bundle *bundle = &one->release.bundles[kind];
	struct artifact_file *file =
	    (struct artifact_file *)(uintptr_t)goods_artifact(p->goods, bundle->hash);
	bool own = release_is_own(&one->release);
	int rc = file != NULL ? check_file(p, one, bundle, kind, file) : 0;

	if (rc != 0)
		return rc;
	if (file != NULL)
		add_grant(p, own ? one->release.stores[0] : "", file);
	if (own) {
		if (file == NULL && one->given != NULL)
			plan_note(p, one->given->file.path,
			    "its bundle was not given: whoever serves must have it");
		return 0;
	}
	/* What is on the broker, and was not given, is looked at only where it is to be sent now. */
	return file != NULL || one->given != NULL ? put_artifact(p, bundle, file) : 0;
}

int
plan_bundles(struct planning *p)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->count; i++)
		for (int kind = 0; rc == 0 && kind < BUNDLE_KINDS; kind++)
			if (p->in_force[i].release.bundles[kind].named)
				rc = take_bundle(p, &p->in_force[i], (enum bundle_kind)kind);
	return rc;
}

static bool
is_named(const struct planning *p, const char *hash)
{
	for (size_t i = 0; i < p->count; i++)
		for (int kind = 0; kind < BUNDLE_KINDS; kind++)
			if (p->in_force[i].release.bundles[kind].named &&
			    strcmp(p->in_force[i].release.bundles[kind].hash, hash) == 0 &&
			    !release_is_own(&p->in_force[i].release))
				return true;
	return false;
}

/* The first chunk is the last to go, so it says what may be left of one. */
void
plan_forget(struct planning *p)
{
	static const char start[] = TOPIC_HQ "artifact/";

	for (size_t i = 0; i < p->kept->count; i++) {
		const char *topic = p->kept->texts[i].topic;
		char hash[65];

		if (strncmp(topic, start, sizeof(start) - 1) != 0 ||
		    strlen(topic) != sizeof(start) - 1 + 64 + 2 ||
		    strcmp(topic + sizeof(start) - 1 + 64, "/0") != 0)
			continue;
		snprintf(hash, sizeof(hash), "%.64s", topic + sizeof(start) - 1);
		if (!is_named(p, hash)) {
			struct step *step = plan_step(p, STEP_FORGET);

			snprintf(step->hash, sizeof(step->hash), "%s", hash);
			step->bytes = PUBLISH_RETAINED_MAX;
		}
	}
}
