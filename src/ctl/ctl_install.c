/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_install.c - files that somebody carries to the running store.
 *
 * A store with [hq] root takes a bundle only with the signed release that names it, FILE.release, and
 * with the next roots where it needs them, root-N.json in the same folder.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "sync/catalog.h"

/* own: of this store alone, which profiles are. */
static int
send_file(struct ctl *ctl, const char *command, bool own, const char *path, json_t **ret_reply)
{
	json_t *request = json_pack("{s:s,s:b}", "command", command, "own", own);
	int rc = ctl_ask(ctl, request, path, ret_reply);

	json_decref(request);
	return rc;
}

/* What the store needs to know of nothing more than that it was taken. */
static int
offer(struct ctl *ctl, const char *command, bool own, const char *path)
{
	json_t *reply = NULL;
	int rc = send_file(ctl, command, own, path, &reply);

	json_decref(reply);
	return rc;
}

/* < 0: a store that trusts nobody. */
static int
root_of_store(struct ctl *ctl, int64_t *ret_root)
{
	json_t *reply = NULL, *root;
	int rc = send_file(ctl, "status", false, NULL, &reply);

	root = json_object_get(reply, "root");
	*ret_root = json_is_integer(root) ? json_integer_value(root) : -1;
	json_decref(reply);
	return rc;
}

static int
offer_roots(struct ctl *ctl, const char *beside, int64_t root)
{
	const char *slash = strrchr(beside, '/');
	int folder = slash != NULL ? (int)(slash + 1 - beside) : 0, rc = EX_OK;
	char path[PATH_MAX];

	while (rc == EX_OK) {
		snprintf(path, sizeof(path), "%.*sroot-%lld.json", folder, beside,
		    (long long)++root);
		if (access(path, R_OK) != 0)
			return EX_OK;
		rc = offer(ctl, "root-offer", false, path);
	}
	return rc;
}

static int
offer_release(struct ctl *ctl, const char *bundle, bool own)
{
	char path[PATH_MAX];
	int64_t root;
	int rc = root_of_store(ctl, &root);

	if (rc != EX_OK || root < 0)
		return rc;
	snprintf(path, sizeof(path), "%s.release", bundle);
	if (access(path, R_OK) != 0)
		return EX_OK; /* it may have come over the air */
	rc = offer_roots(ctl, bundle, root);
	return rc == EX_OK ? offer(ctl, "release-offer", own, path) : rc;
}

static int
install(struct ctl *ctl, const char *command)
{
	json_t *reply = NULL;
	int rc = send_file(ctl, command, false, ctl->argv[0], &reply);

	if (rc == EX_OK)
		ctl_print_json(reply);
	json_decref(reply);
	return rc;
}

int
ctl_bundle_install(struct ctl *ctl)
{
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK)
		rc = offer_release(ctl, ctl->argv[0], false);
	if (rc == EX_OK)
		rc = install(ctl,
		    catalog_is_in(ctl->argv[0]) ? "catalog-install" : "bundle-install");
	return rc;
}

int
ctl_profiles_install(struct ctl *ctl)
{
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK)
		rc = offer_release(ctl, ctl->argv[0], true);
	return rc == EX_OK ? install(ctl, "profiles-install") : rc;
}
