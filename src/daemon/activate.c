/* SPDX-License-Identifier: Apache-2.0
 *
 * activate.c - a bundle becomes the one in force: after it was staged, and at each start; the one
 * before it is retired.
 *
 * DESIGN
 *   A bundle is hashed, compiled and examined by a child process, which leaves an image of the
 *   policy beside it (sync/bundle_image.h). What the loop does itself is to read the image, at
 *   the end of its staging and at each start. Where no image can be kept (a full disk, a build
 *   without identity) it compiles here, and turns wait.
 */
#include "daemon/daemon.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"
#include "sync/bundle_image.h"

#define RETIRED_MAX 16 /* of bundles that decisions on record may still name */

void
daemon_bundle_path(const struct daemon *daemon, const char *hash, const char *tail,
    char out[static 512])
{
	snprintf(out, 512, "%s/bundles/%s%s", daemon->conf.state_dir, hash, tail);
}

static const struct switch_note plain = { 0 };

/* path names the file that was activated once: it ends in its hash. note NULL: nothing is remembered. */
static int
activate_policy(struct daemon *daemon, const char *path, struct bundle *bundle,
    struct policy *policy, const struct switch_note *note, struct err *err)
{
	int rc = strcmp(strrchr(path, '/') + 1, policy->hash) == 0
	    ? engine_switch(daemon->engine, bundle, policy, note, err)
	    : err_set(err, AISLE_E_DAMAGED, "%s: not the bundle that was activated", path);

	if (rc != 0) {
		policy_free(policy);
		bundle_close(bundle);
	}
	return rc;
}

/* Without an image. */
static int
activate_compiled(struct daemon *daemon, const char *path, const struct switch_note *note,
    struct err *err)
{
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	int rc = bundle_open(path, "policy", &bundle, err);

	if (rc == 0 && (rc = bundle_policy(bundle, &policy, &report)) != 0)
		err_set(err, AISLE_E_REFUSED, "%.300s", report.data);
	if (rc == 0)
		rc = bundle_examine_policy(bundle, policy, &report, err);
	buf_done(&report);
	if (rc == 0)
		rc = activate_policy(daemon, path, bundle, policy, note, err);
	else {
		policy_free(policy);
		bundle_close(bundle);
	}
	/* Compiling needs several times the room of what is kept; a small gateway wants it back. */
	malloc_trim(0);
	return rc;
}

/* AISLE_E_NONE: there is no image. */
static int
activate_image(struct daemon *daemon, const char *path, const struct switch_note *note,
    struct err *err)
{
	struct policy *policy;
	int rc = bundle_image_open(path, keys_data(engine_keys(daemon->engine)), &policy, err);

	return rc != 0 ? rc : activate_policy(daemon, path, NULL, policy, note, err);
}

/* ---- what is kept ---- */

int
daemon_named_hash(const struct daemon *daemon, const char *meta, char ret_hash[static 65])
{
	struct buf hash = { 0 };
	int rc = store_meta_get(engine_store(daemon->engine), meta, &hash);

	ret_hash[0] = '\0';
	if (rc == 0 && hash.len == 64) {
		memcpy(ret_hash, hash.data, 64);
		ret_hash[64] = '\0';
	}
	buf_done(&hash);
	return rc == AISLE_E_NONE ? 0 : rc;
}

static bool
is_kept(const char *name, char kept[static 3][65])
{
	for (int i = 0; i < 3; i++) {
		if (strncmp(name, kept[i], 64) == 0)
			return true;
	}
	return false;
}

/* Goes through the bundles that none of these hashes names: those that were retired before
 * before_ms are removed, and all their images. How many stay, and the oldest of them. */
static int
sweep(DIR *dir, char kept[static 3][65], int64_t before_ms, char ret_oldest[static 65])
{
	struct dirent *entry;
	int64_t oldest_ms = INT64_MAX;
	int left = 0;

	rewinddir(dir);
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;
		int64_t at_ms;

		if (strspn(entry->d_name, "0123456789abcdef") != 64 ||
		    is_kept(entry->d_name, kept) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		at_ms = (int64_t)st.st_mtim.tv_sec * S_MS;
		if (entry->d_name[64] != '\0' || at_ms < before_ms) {
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
			continue;
		}
		left++;
		if (at_ms < oldest_ms) {
			oldest_ms = at_ms;
			memcpy(ret_oldest, entry->d_name, 65);
		}
	}
	return left;
}

/* The bundle that the state names stays, the last good one, and the one in force. One that was
 * retired stays as long as decisions of it are on record in full, but no more than a few do. */
static void
remove_retired(struct daemon *daemon)
{
	const struct policy *policy = engine_policy(daemon->engine);
	/* By what is on record, not by a clock that may have jumped ahead. */
	int64_t before_ms =
	    engine_now(daemon->engine) - ((int64_t)daemon->conf.decision_days + 1) * D_MS;
	char kept[3][65] = { "", "", "" }, path[512], oldest[65];
	DIR *dir;

	if (daemon_named_hash(daemon, "bundle", kept[0]) != 0 ||
	    daemon_named_hash(daemon, "bundle_last_good", kept[1]) != 0)
		return;
	if (policy != NULL)
		memcpy(kept[2], policy->hash, sizeof(kept[2]));
	daemon_bundle_path(daemon, "", "", path);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while (sweep(dir, kept, before_ms, oldest) > RETIRED_MAX &&
	    unlinkat(dirfd(dir), oldest, 0) == 0)
		;
	closedir(dir);
}

/* Its age begins now; should it be needed again, its image is made again. What is in force is not retired: a
 * catalog alone, and a release that goes back, have it for their way back too. */
void
daemon_retire(struct daemon *daemon, const char *hash)
{
	const struct policy *policy = engine_policy(daemon->engine);
	int64_t now_s = daemon_now_ms(daemon) / S_MS;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = (time_t)now_s } };
	char path[512];

	if (hash[0] != '\0' && (policy == NULL || strcmp(policy->hash, hash) != 0)) {
		daemon_bundle_path(daemon, hash, BUNDLE_IMAGE_TAIL, path);
		unlink(path);
		daemon_bundle_path(daemon, hash, "", path);
		(void)utimensat(AT_FDCWD, path, times, 0);
	}
	remove_retired(daemon);
}

/* ---- the start ---- */

/* AISLE_E_NONE: a good bundle, but no image of it. */
static int
make_image(struct daemon *daemon, const char *path, struct err *err)
{
	struct beside job;
	enum refusal why;
	char hash[65];
	int rc = bundle_job_start(path, keys_data(engine_keys(daemon->engine)),
	    daemon->conf.exam_ms, &job, err);

	return rc != 0 ? rc : bundle_job_finish(&job, hash, &why, err);
}

static int
activate_file(struct daemon *daemon, const char *path, struct err *err)
{
	struct err none = { 0 }, made = { 0 };
	int rc = activate_image(daemon, path, NULL, &none);

	if (rc == 0)
		return 0;
	if (rc == AISLE_E_NONE && (rc = make_image(daemon, path, &made)) == 0)
		rc = activate_image(daemon, path, NULL, &made);
	if (rc != AISLE_E_NONE) {
		*err = made.code != 0 ? made : none;
		return rc;
	}
	log_warning("no image of the policy is kept, each start compiles it: %s", made.text);
	return activate_compiled(daemon, path, NULL, err);
}

static int
activate_named(struct daemon *daemon, const char *meta, struct err *err)
{
	char hash[65], path[512];
	int rc = daemon_named_hash(daemon, meta, hash);

	if (rc != 0)
		return err_set(err, rc, "the state does not say which");
	if (hash[0] == '\0')
		return AISLE_E_NONE;
	daemon_bundle_path(daemon, hash, "", path);
	rc = activate_file(daemon, path, err);
	/* To the caller that is a state which names no bundle. */
	return rc == AISLE_E_NONE ? AISLE_E_IO : rc;
}

/* The newest bundle with an image: those that were replaced have none any more. "": there is none. */
static void
find_newest(struct daemon *daemon, char ret_hash[static 65])
{
	struct dirent *entry;
	int64_t newest_s = INT64_MIN;
	char path[512];
	DIR *dir;

	ret_hash[0] = '\0';
	daemon_bundle_path(daemon, "", "", path);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (strspn(entry->d_name, "0123456789abcdef") != 64 ||
		    strcmp(entry->d_name + 64, BUNDLE_IMAGE_TAIL) != 0 ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    st.st_mtim.tv_sec < newest_s)
			continue;
		newest_s = st.st_mtim.tv_sec;
		memcpy(ret_hash, entry->d_name, 64);
		ret_hash[64] = '\0';
	}
	if (dir != NULL)
		closedir(dir);
}

static int
activate_newest(struct daemon *daemon, struct err *err)
{
	char hash[65], path[512];
	int rc;

	find_newest(daemon, hash);
	if (hash[0] == '\0')
		return AISLE_E_NONE;
	log_error("the damaged state names no bundle: taking the newest hash=%s", hash);
	daemon_bundle_path(daemon, hash, "", path);
	rc = activate_image(daemon, path, &plain, err);
	return rc == AISLE_E_NONE ? activate_compiled(daemon, path, &plain, err) : rc;
}

/* The file came to its place when it was switched on. */
static void
tell_since(struct daemon *daemon)
{
	const struct policy *policy = engine_policy(daemon->engine);
	char path[512];
	struct stat st;

	if (policy == NULL)
		return;
	daemon_bundle_path(daemon, policy->hash, "", path);
	if (stat(path, &st) == 0)
		metrics_set(METRIC_POLICY_ACTIVE, st.st_mtim.tv_sec);
}

int
daemon_activate_named(struct daemon *daemon, struct err *err)
{
	struct err why = { 0 };
	int rc = activate_named(daemon, "bundle", &why);

	(void)err;
	/* Damage can take both names; it cannot take which of them was in force. */
	if (rc == AISLE_E_NONE && store_damaged(engine_store(daemon->engine)) > 0)
		rc = activate_newest(daemon, &why);
	if (rc == 0) {
		remove_retired(daemon);
		tell_since(daemon);
	}
	if (rc == 0 || rc == AISLE_E_NONE)
		return 0;
	log_error("the current bundle cannot be used, going back to the last good one: %s",
	    why.text);
	metrics_add(METRIC_BUNDLES_ROLLED_BACK, 1);
	memset(&why, 0, sizeof(why));
	if (activate_named(daemon, "bundle_last_good", &why) == 0)
		metrics_set(METRIC_POLICY_ACTIVE, daemon_now_ms(daemon) / 1000);
	else
		log_error("no bundle can be used; the store keeps baskets and decides nothing: %s",
		    why.text);
	return 0;
}

/* ---- after the start ---- */

int
daemon_switch(struct daemon *daemon, const char *path, const struct err *no_image,
    const struct switch_note *note, struct err *err)
{
	struct err why = { 0 };
	int rc = AISLE_E_NONE;

	if (no_image == NULL)
		rc = activate_image(daemon, path, note, &why);
	else
		why = *no_image;
	if (rc == AISLE_E_NONE) {
		log_warning("no image of the policy is kept, each start compiles it: %s", why.text);
		rc = activate_compiled(daemon, path, note, err);
	} else if (rc != 0) {
		*err = why;
	}
	return rc;
}

int
daemon_activate(struct daemon *daemon, const char *path, const struct err *no_image,
    struct err *err)
{
	const struct policy *policy = engine_policy(daemon->engine);
	char retired[65] = "";
	int rc;

	if (policy != NULL && strcmp(policy->hash, strrchr(path, '/') + 1) != 0)
		memcpy(retired, policy->hash, sizeof(retired));
	rc = daemon_switch(daemon, path, no_image, &plain, err);
	if (rc == 0)
		daemon_retire(daemon, retired);
	return rc;
}
