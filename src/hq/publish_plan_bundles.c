/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan_bundles.c - the bundles that releases name, and what is left of those that none names any more.
 */
#include "hq/publish_plan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct artifact_file *
file_of(const struct planning *p, const struct release_bundle *bundle)
{
	return (struct artifact_file *)(uintptr_t)goods_artifact(p->goods, bundle->hash);
}

static int
check_file(const struct release *release, enum bundle_kind kind, struct artifact_file *file,
    struct err *why)
{
	const struct release_bundle *bundle = &release->bundles[kind];
	const char *path = file->path;

	if (file->bytes != bundle->bytes)
		return err_set(why, AISLE_E_REFUSED,
		    "%s: %" PRId64 " bytes, but the release says %" PRId64, path, file->bytes,
		    bundle->bytes);
	if (strcmp(file->kind, bundle_kind_name(kind)) != 0)
		return err_set(why, AISLE_E_REFUSED, "%s: is of kind %s, but the release says %s",
		    path, file->kind, bundle_kind_name(kind));
	if (file->version[0] != '\0' && strcmp(file->version, bundle->version) != 0)
		return err_set(why, AISLE_E_REFUSED, "%s: is version %s, but the release says %s",
		    path, file->version, bundle->version);
	return release_is_own(release) ? 0 : artifact_pack(file, why);
}

static bool
is_on_broker(const struct planning *p, const char *hash)
{
	char first[PUBLISH_TOPIC_SIZE];

	topic_chunk(first, hash, 0);
	return kept_get(p->kept, first) != NULL;
}

static int
check_bundle(struct planning *p, const struct release *release, enum bundle_kind kind,
    struct err *why)
{
	const struct release_bundle *bundle = &release->bundles[kind];
	struct artifact_file *file = file_of(p, bundle);

	if (!release_is_own(release) && bundle->bytes > PUBLISH_RETAINED_MAX)
		return err_set(why, AISLE_E_REFUSED,
		    "%s: %" PRId64 " bytes, expected at most %" PRId64
		    " MiB for what all stores share",
		    bundle->name, bundle->bytes, PUBLISH_RETAINED_MAX >> 20);
	if (file != NULL)
		return check_file(release, kind, file, why);
	/* Of named files the round looks at every chunk, before anything is sent. */
	if (p->goods->folder && !release_is_own(release) && !is_on_broker(p, bundle->hash))
		return err_set(why, AISLE_E_REFUSED,
		    "bundle %.16s… of a release is neither given nor on the broker: put its file "
		    "there, too",
		    bundle->hash);
	return 0;
}

int
plan_check_bundles(struct planning *p, const struct release *release, struct err *why)
{
	int rc = 0;

	for (int kind = 0; rc == 0 && kind < BUNDLE_KINDS; kind++)
		if (release->bundles[kind].named)
			rc = check_bundle(p, release, (enum bundle_kind)kind, why);
	return rc;
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
static void
put_artifact(struct planning *p, const struct release_bundle *bundle, struct artifact_file *file)
{
	struct step *step;

	if (is_planned(p, bundle->hash))
		return;
	p->plan->retained += file != NULL ? file->packed : bundle->bytes;
	step = plan_step(p, file != NULL ? STEP_ARTIFACT : STEP_CHECK);
	snprintf(step->hash, sizeof(step->hash), "%s", bundle->hash);
	step->bytes = bundle->bytes;
	step->artifact = file;
}

static void
take_bundle(struct planning *p, const struct in_force *one, enum bundle_kind kind)
{
	const struct release_bundle *bundle = &one->release.bundles[kind];
	struct artifact_file *file = file_of(p, bundle);
	bool own = release_is_own(&one->release);
	struct err why = { 0 };

	/* One that was given was looked at; one of the broker's stays as it is. */
	if (file != NULL && one->given == NULL && check_bundle(p, &one->release, kind, &why) != 0) {
		plan_note(p, one->topic, why.text);
		file = NULL;
	}
	if (file != NULL)
		add_grant(p, own ? one->release.stores[0] : "", file);
	if (own && file == NULL && one->given != NULL)
		plan_note(p, one->given->file.path,
		    "its bundle was not given: whoever serves must have it");
	/* What is on the broker, and was not given, is looked at only where it is to be sent now. */
	if (!own && (file != NULL || one->given != NULL))
		put_artifact(p, bundle, file);
}

void
plan_bundles(struct planning *p)
{
	for (size_t i = 0; i < p->count; i++)
		for (int kind = 0; kind < BUNDLE_KINDS; kind++)
			if (p->in_force[i].release.bundles[kind].named)
				take_bundle(p, &p->in_force[i], (enum bundle_kind)kind);
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
