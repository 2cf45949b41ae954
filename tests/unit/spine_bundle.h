/* SPDX-License-Identifier: Apache-2.0
 *
 * spine_bundle.h - a story whose policy is in force from a bundle's file.
 */
#ifndef AISLE_TESTS_SPINE_BUNDLE_H
#define AISLE_TESTS_SPINE_BUNDLE_H

#include <sys/stat.h>

#include "spine_story.h"
#include "sync/bundle.h"

static const char *the_folder;

/* In force from a file: an arm's policy is made of it. */
FIXTURE void
in_force_from_a_file(void)
{
	char folder[] = "/tmp/aisle-bundle-XXXXXX";
	const char *path;
	struct bundle *bundle;
	struct policy *policy;
	struct buf report = { 0 };
	struct err err = { 0 };
	FILE *file;

	assert_non_null(mkdtemp(folder));
	assert_int_equal(mkdir(arena_printf(texts, "%s/models", folder), 0700), 0);
	assert_int_equal(mkdir(arena_printf(texts, "%s/actions", folder), 0700), 0);
	for (size_t i = 0; i < parts.count; i++) {
		if (strcmp(parts.part[i].name, "zones.json") == 0)
			continue; /* the build makes it */
		path = arena_printf(texts, "%s/%s", folder, parts.part[i].name);
		assert_non_null(file = fopen(path, "w"));
		fwrite(parts.part[i].bytes, 1, parts.part[i].len, file);
		fclose(file);
	}
	path = arena_printf(texts, "%s/bundle", folder);
	if (bundle_build(folder, path, &report, &err) != 0)
		fail_msg("%s%s", report.data, err.text);
	assert_int_equal(bundle_open(path, "policy", &bundle, &err), 0);
	assert_int_equal(bundle_policy(bundle, &policy, &report), 0);
	assert_int_equal(engine_set_bundle(engine, bundle, policy, false, &err), 0);
	the_folder = arena_strdup(texts, folder);
	buf_done(&report);
}

FIXTURE void
folder_gone(void)
{
	for (size_t i = 0; i < parts.count; i++)
		unlink(arena_printf(texts, "%s/%s", the_folder, parts.part[i].name));
	unlink(arena_printf(texts, "%s/bundle", the_folder));
	rmdir(arena_printf(texts, "%s/models", the_folder));
	rmdir(arena_printf(texts, "%s/actions", the_folder));
	assert_int_equal(rmdir(the_folder), 0);
}

#endif
