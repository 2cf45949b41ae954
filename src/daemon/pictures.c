/* SPDX-License-Identifier: Apache-2.0
 *
 * pictures.c - where an image is found: in the policy and the catalog in force, or in those that an open card is of.
 */
#include "daemon/daemon.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "nouns/catalog.h"
#include "nouns/picture.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"

/* In one of the bundles of a folder. name: of the image there; NULL: any. */
static int
find_in_folder(const char *folder, const char *name, const char *hash, struct buf *out)
{
	struct dirent *entry;
	char path[512 + 65];
	int rc = AISLE_E_NONE;
	DIR *dir = opendir(folder);

	while (dir != NULL && rc != 0 && (entry = readdir(dir)) != NULL) {
		if (strlen(entry->d_name) != 64)
			continue;
		snprintf(path, sizeof(path), "%s%.64s", folder, entry->d_name);
		rc = bundle_picture(path, name, hash, out);
	}
	if (dir != NULL)
		closedir(dir);
	return rc;
}

/* Of the policies that were replaced a few are kept (activate.c), of the catalogs one (loop_catalog.c). */
static int
find_in_former(struct daemon *daemon, const char *hash, const char *of_catalog, struct buf *out)
{
	char folder[512];
	int rc;

	daemon_bundle_path(daemon, "", "", folder);
	rc = find_in_folder(folder, NULL, hash, out);
	if (rc == 0)
		return 0;
	daemon_catalog_path(daemon, "", folder);
	return find_in_folder(folder, of_catalog, hash, out);
}

int
daemon_picture(void *ctx, const char *hash, struct buf *out)
{
	struct daemon *daemon = ctx;
	const struct policy *policy = engine_policy(daemon->engine);
	const char *name = policy != NULL ? policy_picture(policy, hash) : NULL;
	char path[512], of_catalog[7 + 64 + 1];

	snprintf(of_catalog, sizeof(of_catalog), "images/%.64s", hash);
	if (name != NULL) {
		daemon_bundle_path(daemon, policy->hash, "", path);
		return bundle_picture(path, name, hash, out);
	}
	if (engine_catalog(daemon->engine) != NULL &&
	    catalog_has_picture(engine_catalog(daemon->engine), hash)) {
		daemon_catalog_path(daemon, catalog_is(engine_catalog(daemon->engine))->hash, path);
		return bundle_picture(path, of_catalog, hash, out);
	}
	snprintf(path, sizeof(path), PICTURE_PATH "%s", hash);
	return query_is_shown(daemon->engine, path) ? find_in_former(daemon, hash, of_catalog, out)
						    : AISLE_E_NONE;
}
