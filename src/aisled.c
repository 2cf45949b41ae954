/* SPDX-License-Identifier: Apache-2.0
 *
 * aisled.c - the program: arguments, then the daemon or the link.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/buf.h"
#include "core/conf.h"
#include "daemon/daemon.h"
#include "sync/link.h"
#include "sync/link_socket.h"

static const char usage[] =
    "usage: aisled --config FILE [--check]\n"
    "\n"
    "The next-best-action daemon of one store.\n"
    "  --config FILE  aisled.conf (default /etc/aisle/aisled.conf)\n"
    "  --check        read the configuration, say all that is wrong with it, and leave\n"
    "  --keys         list every configuration key\n"
    "  --version      print the version\n"
    "\n"
    "Exit codes are those of sysexits.h: 64 usage, 74 I/O, 78 configuration.\n";

/* The call first: one that nobody takes would start the unit again and again. */
static int
run_link(const char *conf_path, int fd)
{
	struct conf *conf;
	struct buf report = { 0 };
	int rc = EX_CONFIG;

	fd = link_answer(fd);
	if (fd < 0)
		return EX_UNAVAILABLE;
	conf = mem_alloc(sizeof(*conf));
	if (conf_load_link(conf, conf_path, &report) == 0)
		rc = link_main(conf, fd);
	else
		fputs(report.data, stderr);
	conf_done(conf);
	free(conf);
	buf_done(&report);
	return rc;
}

static int
check(const char *conf_path)
{
	struct buf report = { 0 };
	int rc = daemon_check(conf_path, &report);

	if (report.len > 0)
		fputs(report.data, stderr);
	buf_done(&report);
	return rc == 0 ? EX_OK : EX_CONFIG;
}

int
main(int argc, char **argv)
{
	const char *conf_path = "/etc/aisle/aisled.conf";
	bool only_check = false;
	int link_fd = -1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			conf_path = argv[++i];
		} else if (strcmp(argv[i], "--check") == 0) {
			only_check = true;
		} else if (strcmp(argv[i], "--link") == 0 && i + 1 < argc) {
			link_fd = atoi(argv[++i]);
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("aisled " AISLE_VERSION);
			return EX_OK;
		} else if (strcmp(argv[i], "--keys") == 0) {
			struct buf out = { 0 };

			conf_describe(&out);
			fputs(out.data, stdout);
			buf_done(&out);
			return EX_OK;
		} else {
			bool help = strcmp(argv[i], "--help") == 0;

			fputs(usage, help ? stdout : stderr);
			return help ? EX_OK : EX_USAGE;
		}
	}
	if (only_check)
		return check(conf_path);
	return link_fd >= 0 ? run_link(conf_path, link_fd) : daemon_run(conf_path);
}
