/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet.c - fleet STORES RECORDS BYTES REPEAT-S SECONDS ROOT.json FOLDER PASSWORD HOST:PORT… - many stores in one
 * process, each of them one session: a batch up, a release down, a stop heard.
 *
 * One line a second, and one at each milestone: "all acked", "all released", "all stopped" with the time in ms since
 * 1970. Leaves with 0 once all three are reached, with 1 after SECONDS.
 */
#include "fleet.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/random.h"

#define EVENTS 256

int64_t
fleet_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
fleet_wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint32_t
fleet_random(uint32_t below)
{
	return (uint32_t)random() % below;
}

static int
read_options(struct fleet_options *options, char **argv, int argc)
{
	if (argc < 10 || argc > 9 + FLEET_BROKERS_MAX)
		return -1;
	options->stores = atoi(argv[1]);
	options->records = atoi(argv[2]);
	options->bytes = atoi(argv[3]);
	options->first_repeat_s = atoi(argv[4]);
	options->ends_ms = fleet_now_ms() + atoi(argv[5]) * S_MS;
	options->folder = argv[7];
	options->password = argv[8];
	for (int i = 9; i < argc; i++) {
		const char *colon = strchr(argv[i], ':');
		if (colon == NULL || colon - argv[i] >= 64)
			return -1;
		memcpy(options->hosts[options->broker_count], argv[i], (size_t)(colon - argv[i]));
		options->ports[options->broker_count++] = atoi(colon + 1);
	}
	return options->stores >= 1 && options->records >= 1 && options->first_repeat_s >= 1 ? 0
											     : -1;
}

static void
milestone(const char *what, int count, int of, bool *said)
{
	if (count < of || *said)
		return;
	*said = true;
	printf("all %s %lld\n", what, (long long)fleet_wall_ms());
}

static void
second(struct fleet *fleet)
{
	int64_t now = fleet_now_ms();
	for (int i = 0; i < fleet->options.stores; i++)
		fleet_store_second(fleet, &fleet->stores[i], now);
}

static int
run(struct fleet *fleet)
{
	static struct epoll_event events[EVENTS];
	bool acked = false, released = false, stopped = false;
	int64_t tick = 0, told = 0;
	int all = fleet->options.stores;
	while (fleet_now_ms() < fleet->options.ends_ms && !(acked && released && stopped)) {
		int count = epoll_wait(fleet->poll, events, EVENTS, 50);
		for (int i = 0; i < count; i++)
			fleet_store_ready(fleet, events[i].data.ptr,
			    (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0);
		milestone("acked", fleet->acked, all, &acked);
		milestone("released", fleet->released, all, &released);
		milestone("stopped", fleet->stopped, all, &stopped);
		int64_t now = fleet_now_ms();
		if (now - tick >= 100) {
			tick = now;
			second(fleet);
		}
		if (now - told >= 1000) {
			told = now;
			printf("connections=%d lost=%d acked=%d released=%d stopped=%d repeats=%d "
			       "refused=%d\n",
			    fleet->connections, fleet->lost, fleet->acked, fleet->released,
			    fleet->stopped, fleet->repeats, fleet->refused);
		}
	}
	for (int i = 0; i < all; i++) {
		const struct fleet_store *store = &fleet->stores[i];
		if (!store->released || !store->acked)
			fprintf(stderr,
			    "%s: connected=%d broker=%d acked=%d fetching=%d chunk=%d\n", store->id,
			    store->connected, store->broker, store->acked, store->fetching,
			    store->transfer != NULL ? transfer_missing(store->transfer, 0) : -1);
	}
	return acked && released && stopped && fleet->refused == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static struct fleet fleet;
	struct err err = { 0 };
	struct rlimit files = { 65536, 65536 };
	if (read_options(&fleet.options, argv, argc) != 0) {
		fprintf(stderr,
		    "usage: fleet STORES RECORDS BYTES REPEAT-S SECONDS ROOT.json FOLDER PASSWORD "
		    "HOST:PORT…\n");
		return 64;
	}
	if (random_begin(&err) != 0 || root_open_file(argv[6], &fleet.root, NULL, &err) != 0) {
		fprintf(stderr, "fleet: %s\n", err.text);
		return 66;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_NOFILE, &files);
	mkdir(fleet.options.folder, 0700);
	mosquitto_lib_init();
	srandom(1);
	fleet.poll = epoll_create1(EPOLL_CLOEXEC);
	fleet.stores = mem_calloc((size_t)fleet.options.stores, sizeof(*fleet.stores));
	for (int i = 0; i < fleet.options.stores; i++)
		fleet_store_init(&fleet, &fleet.stores[i], i + 1);
	int rc = run(&fleet);
	for (int i = 0; i < fleet.options.stores; i++)
		fleet_store_free(&fleet.stores[i]);
	free(fleet.stores);
	close(fleet.poll);
	mosquitto_lib_cleanup();
	return rc;
}
