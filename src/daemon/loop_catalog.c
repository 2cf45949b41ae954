/* SPDX-License-Identifier: Apache-2.0
 *
 * loop_catalog.c - a catalog becomes the one in force: checked in a child process, put in its place,
 * taken over between two turns; and the one that the state names, at each start.
 */
#include "daemon/daemon.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/metrics.h"
#include "nouns/catalog.h"
#include "sync/catalog.h"

struct catalog_taking {
	struct catalog_job job;
	struct event *done_event;
	char path[512];
	catalog_fn done;
	void *ctx;
};

void
daemon_catalog_path(const struct daemon *daemon, const char *hash, char out[static 512])
{
	snprintf(out, 512, "%s/catalogs/%s", daemon->conf.state_dir, hash);
}

static void
tell_active(const struct catalog *catalog)
{
	const struct catalog_is *is;

	if (catalog == NULL) {
		log_notice("no catalog is in force");
		return;
	}
	is = catalog_is(catalog);
	log_notice("catalog active name=%s version=%lld articles=%zu hash=%s", LOG_VALUE(is->name),
	    (long long)is->version, catalog_count(catalog), is->hash);
}

/* ---- what is kept ---- */

/* The one in force stays, and the last good one. */
static void
remove_others(struct daemon *daemon)
{
	char kept[2][65], path[512];
	struct dirent *entry;
	DIR *dir;

	if (daemon_named_hash(daemon, "catalog", kept[0]) != 0 ||
	    daemon_named_hash(daemon, "catalog_last_good", kept[1]) != 0)
		return;
	daemon_catalog_path(daemon, "", path);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, kept[0]) != 0 &&
		    strcmp(entry->d_name, kept[1]) != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
}

/* ---- the start ---- */

static int
open_hash(struct daemon *daemon, const char *hash, bool persist, struct err *err)
{
	struct catalog *catalog = NULL;
	struct catalog_job job;
	char path[512];
	int rc;

	daemon_catalog_path(daemon, hash, path);
	rc = catalog_job_start(path, daemon->conf.exam_ms, &job, err);
	if (rc == 0)
		rc = catalog_job_finish(&job, daemon->conf.country, &catalog, err);
	if (rc == 0 && strcmp(catalog_is(catalog)->hash, hash) != 0)
		rc = err_set(err, AISLE_E_DAMAGED, "%s: not the catalog that was taken", path);
	if (rc == 0)
		rc = engine_set_catalog(daemon->engine, catalog, persist, err);
	if (rc != 0)
		catalog_free(catalog);
	return rc;
}

/* "": there is none. */
static void
find_newest(struct daemon *daemon, char ret_hash[static 65])
{
	struct dirent *entry;
	int64_t newest_s = INT64_MIN;
	char path[512];
	DIR *dir;

	ret_hash[0] = '\0';
	daemon_catalog_path(daemon, "", path);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (strlen(entry->d_name) != 64 ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    st.st_mtim.tv_sec < newest_s)
			continue;
		newest_s = st.st_mtim.tv_sec;
		memcpy(ret_hash, entry->d_name, 65);
	}
	if (dir != NULL)
		closedir(dir);
}

/* A store without one serves: it is never a reason not to start. */
int
daemon_catalog_start(struct daemon *daemon, struct err *err)
{
	struct err why = { 0 };
	char hash[65];
	bool lost;

	(void)err;
	lost = daemon_named_hash(daemon, "catalog", hash) == 0 && hash[0] == '\0' &&
	    store_damaged(engine_store(daemon->engine)) > 0;
	if (lost)
		find_newest(daemon, hash);
	if (hash[0] == '\0')
		return 0;
	if (open_hash(daemon, hash, lost, &why) == 0) {
		remove_others(daemon);
		return 0;
	}
	snprintf(daemon->catalog_trouble, sizeof(daemon->catalog_trouble), "%.190s", why.text);
	log_error("the catalog cannot be used, going back to the last good one: %s", why.text);
	metrics_add(METRIC_BUNDLES_ROLLED_BACK, 1);
	why = (struct err){ 0 };
	if (daemon_named_hash(daemon, "catalog_last_good", hash) != 0 || hash[0] == '\0' ||
	    open_hash(daemon, hash, false, &why) != 0)
		log_error("no catalog can be used; lines are taken as the tills send them: %s",
		    why.text);
	return 0;
}

/* ---- after the start ---- */

int
daemon_catalog_move_in(struct daemon *daemon, const char *from, const char *hash,
    char path[static 512], struct err *err)
{
	daemon_catalog_path(daemon, hash, path);
	return file_move(from, path, err);
}

void
daemon_catalog_switched(struct daemon *daemon)
{
	daemon->catalog_trouble[0] = '\0';
	tell_active(engine_catalog(daemon->engine));
	remove_others(daemon);
}

static void
take_over(struct daemon *daemon, struct catalog_taking *taking, struct err *err)
{
	struct catalog *catalog = NULL;
	char path[512];
	int rc = catalog_job_finish(&taking->job, daemon->conf.country, &catalog, err);

	if (rc == 0)
		rc = daemon_catalog_move_in(daemon, taking->path, catalog_is(catalog)->hash, path,
		    err);
	if (rc == 0)
		rc = engine_set_catalog(daemon->engine, catalog, true, err);
	if (rc != 0) {
		catalog_free(catalog);
		metrics_add(METRIC_BUNDLES_REFUSED, 1);
		log_error("a catalog was refused: %s", err->text);
		return;
	}
	metrics_add(METRIC_BUNDLES_INSTALLED, 1);
	daemon_catalog_switched(daemon);
}

static void
forget(struct daemon *daemon)
{
	event_free(daemon->catalog_taking->done_event);
	free(daemon->catalog_taking);
	daemon->catalog_taking = NULL;
}

static void
on_checked(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *daemon = ctx;
	struct err err = { 0 };
	catalog_fn done;
	void *done_ctx;

	(void)fd;
	(void)what;
	CHECK(daemon->catalog_taking != NULL);
	take_over(daemon, daemon->catalog_taking, &err);
	done = daemon->catalog_taking->done;
	done_ctx = daemon->catalog_taking->ctx;
	forget(daemon);
	done(done_ctx, &err);
}

int
daemon_catalog_take(struct daemon *daemon, const char *path, catalog_fn done, void *ctx,
    struct err *err)
{
	struct catalog_taking *taking;

	if (daemon->catalog_taking != NULL)
		return err_set(err, AISLE_E_FULL, "another catalog is being installed");
	taking = mem_zero(sizeof(*taking));
	snprintf(taking->path, sizeof(taking->path), "%s", path);
	if (catalog_job_start(path, daemon->conf.exam_ms, &taking->job, err) != 0) {
		free(taking);
		return err->code;
	}
	taking->done = done;
	taking->ctx = ctx;
	taking->done_event =
	    event_new(daemon->base, taking->job.beside.fd, EV_READ, on_checked, daemon);
	event_add(taking->done_event,
	    &(struct timeval){ .tv_sec = (time_t)(daemon->conf.exam_ms / S_MS) + 1 });
	daemon->catalog_taking = taking;
	return 0;
}

void
daemon_catalog_stop(struct daemon *daemon)
{
	if (daemon->catalog_taking == NULL)
		return;
	catalog_job_stop(&daemon->catalog_taking->job);
	forget(daemon);
}

/* ---- asked over the control socket ---- */

void
daemon_catalog_json(const struct daemon *daemon, struct json_writer *w)
{
	const struct catalog *catalog = engine_catalog(daemon->engine);

	if (catalog == NULL) {
		json_add_null(w, "catalog");
		return;
	}
	json_add_object(w, "catalog");
	json_add_str(w, "name", catalog_is(catalog)->name);
	json_add_int(w, "version", catalog_is(catalog)->version);
	json_add_str(w, "hash", catalog_is(catalog)->hash);
	json_add_int(w, "articles", (int64_t)catalog_count(catalog));
	json_end(w);
}

struct asked {
	struct daemon *daemon;
	struct control_request *request;
};

static void
answer(void *ctx, const struct err *err)
{
	struct asked *asked = ctx;
	struct buf json = { 0 };
	struct json_writer *w;

	if (err->code != 0) {
		control_fail(asked->request, err->code == AISLE_E_IO ? EX_IOERR : EX_NOPERM,
		    err->text);
	} else {
		w = JSON_OBJECT(&json);
		daemon_catalog_json(asked->daemon, w);
		json_end(w);
		control_reply(asked->request, json.data);
		buf_done(&json);
	}
	free(asked);
}

void
daemon_install_catalog(struct daemon *daemon, struct control_request *request)
{
	const char *body_path = control_body(request);
	struct asked *asked;
	struct err err = { 0 };

	if (body_path == NULL) {
		control_fail(request, EX_USAGE, "no catalog was sent");
		return;
	}
	asked = mem_zero(sizeof(*asked));
	*asked = (struct asked){ daemon, request };
	if (daemon_catalog_take(daemon, body_path, answer, asked, &err) == 0)
		return;
	free(asked);
	control_fail(request, err.code == AISLE_E_FULL ? EX_UNAVAILABLE : EX_OSERR, err.text);
}
