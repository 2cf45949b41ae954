/* SPDX-License-Identifier: Apache-2.0
 *
 * fetcher.c - a whole store, which also fetches the artifacts that it is told to, without a release that names them.
 *
 * fetcher --config FILE [HASH:BYTES:CHUNK:shared|own:FROM_MIN:TO_MIN:JITTER_S:RATE_KIB_S]…
 *   What has come it moves to STATE/HASH.done, and prints "whole HASH PATH"; else "refused HASH REASON". Leaves on SIGTERM.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "sync/link.h"
#include "trust/refusal.h"

static struct daemon *daemon_of_all;

struct wanted {
	struct artifact artifact;
	struct fetch_terms terms;
};

static void
on_done(void *ctx, const char *path, enum refusal refusal, const struct err *err)
{
	const struct wanted *wanted = ctx;
	char to[512];

	(void)err;
	snprintf(to, sizeof(to), "%s/%s.done", daemon_of_all->conf.state_dir,
	    wanted->artifact.hash);
	if (path != NULL && rename(path, to) == 0) {
		printf("whole %s %s\n", wanted->artifact.hash, to);
		daemon_fetch_stop(daemon_of_all, wanted->artifact.hash);
	} else
		printf("refused %s %s\n", wanted->artifact.hash, refusal_name(refusal));
	fflush(stdout);
}

static bool
read_wanted(const char *text, struct wanted *wanted)
{
	char way[8];
	long long bytes, jitter_s, rate;

	if (sscanf(text, "%64[^:]:%lld:%d:%7[^:]:%d:%d:%lld:%lld", wanted->artifact.hash, &bytes,
		&wanted->artifact.chunk, way, &wanted->terms.from_min, &wanted->terms.to_min,
		&jitter_s, &rate) != 8)
		return false;
	wanted->artifact.bytes = bytes;
	wanted->artifact.own = strcmp(way, "own") == 0;
	wanted->terms.jitter_s = jitter_s;
	wanted->terms.rate_kib_s = rate;
	return true;
}

static int
run_link(const char *conf_path, const char *fd)
{
	struct conf *conf = mem_zero(sizeof(*conf));
	struct buf report = { 0 };
	int rc = conf_load(conf, conf_path, &report);

	rc = rc != 0 ? 78 : link_main(conf, (int)strtol(fd, NULL, 10));
	buf_done(&report);
	conf_done(conf);
	free(conf);
	return rc;
}

static int
run(const char *conf_path, struct wanted *wanted, int count)
{
	struct daemon *daemon = daemon_of_all = mem_zero(sizeof(*daemon));
	struct buf report = { 0 };

	daemon->conf_path = conf_path;
	daemon->link_pid = -1;
	if (conf_load(&daemon->conf, conf_path, &report) != 0 || daemon_start(daemon) != 0) {
		fputs(report.len > 0 ? report.data : "", stderr);
		return 1;
	}
	mqtt_start(daemon->mqtt);
	for (int i = 0; i < count; i++)
		daemon_fetch(daemon, &wanted[i].artifact, &wanted[i].terms, on_done, &wanted[i]);
	event_base_dispatch(daemon->base);
	daemon_stop(daemon);
	conf_done(&daemon->conf);
	free(daemon);
	buf_done(&report);
	return 0;
}

int
main(int argc, char **argv)
{
	struct wanted *wanted = mem_calloc((size_t)argc, sizeof(*wanted));
	int rc, count = argc - 3;

	/* As the daemon starts it: --link FD --config FILE. */
	if (argc == 5 && strcmp(argv[1], "--link") == 0)
		return run_link(argv[4], argv[2]);
	if (argc < 3 || strcmp(argv[1], "--config") != 0)
		return 64;
	for (int i = 0; i < count; i++)
		if (!read_wanted(argv[3 + i], &wanted[i]))
			return 64;
	rc = run(argv[2], wanted, count);
	free(wanted);
	return rc;
}
