/* SPDX-License-Identifier: Apache-2.0
 *
 * pictures.c - where an image is found: in the bundle in force, or in the one that an open card is of.
 */
#include "daemon/daemon.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "nouns/catalog.h"
#include "nouns/picture.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"

/* Of the bundles that were replaced a few are kept (activate.c). */
static int
find_in_former(struct daemon *daemon, const char *hash, struct buf *out)
{
	struct dirent *entry;
	char path[512];
	int rc = AISLE_E_NONE;
	DIR *dir;

	daemon_bundle_path(daemon, "", "", path);
	dir = opendir(path);
	while (dir != NULL && rc != 0 && (entry = readdir(dir)) != NULL) {
		if (strlen(entry->d_name) != 64)
			continue;
		daemon_bundle_path(daemon, entry->d_name, "", path);
		rc = bundle_picture(path, NULL, hash, out);
	}
	if (dir != NULL)
		closedir(dir);
	return rc;
}

int
daemon_picture(void *ctx, const char *hash, struct buf *out)
{
	struct daemon *daemon = ctx;
	const struct policy *policy = engine_policy(daemon->engine);
	const char *name = policy != NULL ? policy_picture(policy, hash) : NULL;
	char path[512];

	if (name != NULL) {
		daemon_bundle_path(daemon, policy->hash, "", path);
		return bundle_picture(path, name, hash, out);
	}
	if (engine_catalog(daemon->engine) != NULL &&
	    catalog_has_picture(engine_catalog(daemon->engine), hash)) {
		char part[7 + 64 + 1];

		daemon_catalog_path(daemon, catalog_is(engine_catalog(daemon->engine))->hash, path);
		snprintf(part, sizeof(part), "images/%.64s", hash);
		return bundle_picture(path, part, hash, out);
	}
	snprintf(path, sizeof(path), PICTURE_PATH "%s", hash);
	return query_is_shown(daemon->engine, path) ? find_in_former(daemon, hash, out)
						    : AISLE_E_NONE;
}
