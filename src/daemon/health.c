/* SPDX-License-Identifier: Apache-2.0
 *
 * health.c - how the store is, for headquarters: a record at the start, each hour, and when something
 * that stands has changed; one in ten seconds at most.
 */
#include "daemon/daemon.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "core/metrics.h"

#define HEALTH_EACH_MS H_MS
#define HEALTH_LEAST_MS (10 * S_MS)

int64_t
daemon_bytes_written(void)
{
	FILE *file = fopen("/proc/self/io", "re");
	char line[80];
	long long bytes = -1;

	while (file != NULL && bytes < 0 && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "write_bytes: %lld", &bytes) != 1)
			bytes = -1;
	if (file != NULL)
		fclose(file);
	return bytes;
}

int64_t
daemon_bytes_free(const struct daemon *daemon)
{
	struct statvfs fs;

	return statvfs(daemon->conf.state_dir, &fs) == 0
	    ? (int64_t)fs.f_bavail * (int64_t)fs.f_frsize
	    : -1;
}

/* ---- what stands until something happens ---- */

static void
add_profiles(struct daemon *daemon, struct json_writer *w)
{
	json_add_object(w, "profiles");
	json_add_int(w, "version", profiles_version(daemon->profiles));
	json_add_int(w, "rows", profiles_count(daemon->profiles));
	if (daemon_wants_snapshot(daemon) || profiles_gap(daemon->profiles) ||
	    profiles_trouble(daemon->profiles)[0] != '\0')
		json_add_str(w, "wants", "snapshot");
	json_end(w);
}

static void
add_standing(struct daemon *daemon, struct json_writer *w)
{
	daemon_policy_json(daemon, w);
	daemon_release_report(daemon, w);
	daemon_catalog_json(daemon, w);
	json_add_str(w, "store_time", daemon->steady.uncertain ? "uncertain" : "certain");
	if (daemon_root(daemon) != NULL)
		json_add_int(w, "root", daemon_root(daemon)->version);
	else
		json_add_null(w, "root");
	if (daemon->conf.hq_ring != NULL)
		json_add_str(w, "ring", daemon->conf.hq_ring);
	daemon_orders_json(daemon, w);
	add_profiles(daemon, w);
	refusal_write(w, "refused");
	json_add_int(w, "damaged", store_damaged(engine_store(daemon->engine)));
}

/* ---- what is other each time ---- */

static void
add_passing(struct daemon *daemon, struct json_writer *w)
{
	int64_t written = daemon_bytes_written(), there = daemon_bytes_free(daemon);

	json_add_when(w, "at", daemon_now_ms(daemon));
	json_add_str(w, "version", AISLE_VERSION);
	json_add_int(w, "uptime_s", (daemon->steady.mono_ms - daemon->begun_mono_ms) / S_MS);
	json_add_int(w, "queued", store_uplink_count(engine_store(daemon->engine)));
	daemon_fetch_json(daemon, w);
	json_add_object(w, "disk");
	json_add_int(w, "state_bytes", daemon_state_bytes(daemon));
	json_add_int(w, "max_bytes", (int64_t)daemon->conf.state_max_mib << 20);
	if (there >= 0)
		json_add_int(w, "free_bytes", there);
	if (written >= 0)
		json_add_int(w, "written_bytes", written);
	json_end(w);
}

/* ---- when ---- */

static bool
is_due(const struct daemon *daemon, const struct buf *standing)
{
	int64_t since_ms = daemon_mono_ms() - daemon->health.told_ms;
	bool changed = standing->len != daemon->health.told.len ||
	    memcmp(standing->data, daemon->health.told.data, standing->len) != 0;

	return daemon->health.told.len == 0 || since_ms >= HEALTH_EACH_MS ||
	    (changed && since_ms >= HEALTH_LEAST_MS);
}

void
daemon_health(struct daemon *daemon)
{
	struct buf standing = { 0 }, record = { 0 };
	struct json_writer *w;

	if (daemon->uplink == NULL || daemon->stopping)
		return;
	w = JSON_OBJECT(&standing);
	add_standing(daemon, w);
	json_end(w);
	if (is_due(daemon, &standing)) {
		w = JSON_OBJECT(&record);
		add_passing(daemon, w);
		json_add_members(w, standing.data, standing.len);
		json_end(w);
		daemon_queue(daemon,
		    &(struct input){ .kind = INPUT_HEALTH,
			.now_ms = daemon_now_ms(daemon),
			.payload = record.data,
			.len = record.len });
		daemon_soon(daemon);
		buf_done(&daemon->health.told);
		daemon->health.told = standing;
		standing = (struct buf){ 0 };
		daemon->health.told_ms = daemon_mono_ms();
	}
	buf_done(&standing);
	buf_done(&record);
}
