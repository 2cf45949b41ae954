/* SPDX-License-Identifier: Apache-2.0
 *
 * flood.c - one sender that does not stop: events of a till, what is no event, or a tablet's hello.
 *
 *   flood --port P --what line|reading|bad|hello --from NAME --count N [--rate R] [--store S]
 *         [--tag TAG] [--step MS] [--pad BYTES] [--receipt]
 *
 * DESIGN
 *   Message i is due at start + i/R; without --rate it is sent as fast as the
 *   broker takes it. An event's time is now, or with --step that many ms after
 *   the one before, the last one now: what a till sends that was offline. QoS
 *   1, and the program ends when the broker has acknowledged all of them.
 */
#include <getopt.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WINDOW 1000 /* not acknowledged by the broker */
#define STATIONS 64 /* that a hello names */

static struct {
	int port, pad;
	const char *store, *what, *from, *tag;
	double rate;
	long count, step_ms;
	int receipt;
} want = { .port = 1883, .store = "0042", .what = "line", .from = "9", .tag = "f", .count = 1000 };

static long published;
static bool connected;

static void
fail(const char *what)
{
	fprintf(stderr, "flood: %s\n", what);
	exit(1);
}

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
time_text(long serial, char text[static 40])
{
	int64_t ms = clock_ns(CLOCK_REALTIME) / 1000000;
	struct tm tm;
	time_t s;
	size_t len;

	if (want.step_ms > 0)
		ms -= (want.count - serial) * want.step_ms;
	s = (time_t)(ms / 1000);
	gmtime_r(&s, &tm);
	len = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, 40 - len, ".%03dZ", (int)(ms % 1000));
}

static int
data_text(long serial, char *text, size_t size)
{
	if (strcmp(want.what, "reading") == 0)
		return snprintf(text, size, "{\"kind\":\"door\",\"value\":%ld,\"pad\":\"%*s\"}",
		    serial, want.pad, "");
	/* 40 lines a basket, as a till has them. */
	return snprintf(text, size,
	    "{\"basket\":\"%s-%ld\",\"line\":%ld,\"sku\":\"s%ld\",\"category\":\"grocery/coffee\","
	    "\"name\":\"%*s\",\"qty\":1,\"amount\":499,\"currency\":\"EUR\"}",
	    want.tag, serial / 40, serial % 40, serial % 1000, want.pad, "");
}

static int
message_text(long serial, char *text, size_t size)
{
	char at[40], data[4096];
	int len;

	if (strcmp(want.what, "bad") == 0)
		return snprintf(text, size, "this is no event, and there are many of it: %ld",
		    serial);
	if (strcmp(want.what, "hello") == 0) {
		len = snprintf(text, size, "{\"stations\":[\"%s\"", want.tag);
		for (int i = 1; i < STATIONS; i++)
			len += snprintf(text + len, size - (size_t)len, ",\"%s\"", want.tag);
		return len + snprintf(text + len, size - (size_t)len, "]}");
	}
	time_text(serial, at);
	data_text(serial, data, sizeof(data));
	return snprintf(text, size,
	    "{\"specversion\":\"1.0\",\"id\":\"%s-%ld\",\"source\":\"/store/%s/pos/%s\","
	    "\"type\":\"aisle.%s\",\"time\":\"%s\",%s\"datacontenttype\":\"application/"
	    "json\",\"data\":%s}",
	    want.tag, serial, want.store, want.from,
	    strcmp(want.what, "reading") == 0 ? "sensor.reading" : "basket.item-added", at,
	    want.receipt ? "\"receipt\":true," : "", data);
}

static void
on_publish(struct mosquitto *mosq, void *ctx, int mid)
{
	(void)mosq;
	(void)ctx;
	(void)mid;
	published++;
}

static void
on_connect(struct mosquitto *mosq, void *ctx, int rc)
{
	(void)mosq;
	(void)ctx;
	connected = rc == 0;
}

static void
serve(struct mosquitto *mosq, int wait_ms)
{
	struct pollfd fd = { .fd = mosquitto_socket(mosq),
		.events = (short)(POLLIN | (mosquitto_want_write(mosq) ? POLLOUT : 0)) };

	if (poll(&fd, 1, wait_ms) <= 0)
		return;
	if (fd.revents & POLLIN && mosquitto_loop_read(mosq, 1) != MOSQ_ERR_SUCCESS)
		fail("the broker is gone");
	if (fd.revents & POLLOUT)
		mosquitto_loop_write(mosq, 1);
}

static void
run(struct mosquitto *mosq)
{
	int64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	char topic[96], text[8192];
	long sent = 0;

	snprintf(topic, sizeof(topic), "aisle/v1/%s/%s/%s/%s", want.store,
	    strcmp(want.what, "hello") == 0 ? "tablet" : "pos", want.from,
	    strcmp(want.what, "hello") == 0 ? "hello" : "event");
	while (published < want.count) {
		int64_t due_ns =
		    want.rate > 0 ? start_ns + (int64_t)((double)sent / want.rate * 1e9) : 0;
		int64_t wait_ns = due_ns - clock_ns(CLOCK_MONOTONIC);

		if (sent == want.count || sent - published >= WINDOW || wait_ns > 0) {
			serve(mosq,
			    wait_ns > 0 && sent < want.count ? (int)(wait_ns / 1000000) : 10);
			continue;
		}
		if (mosquitto_publish(mosq, NULL, topic, message_text(sent, text, sizeof(text)),
			text, 1, false) != MOSQ_ERR_SUCCESS)
			fail("the broker is gone");
		sent++;
		serve(mosq, 0);
	}
	printf("{\"sent\":%ld,\"seconds\":%.3f}\n", sent,
	    (double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1e9);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, NULL, 'p' }, { "what", 1, NULL, 'w' },
		{ "from", 1, NULL, 'f' }, { "count", 1, NULL, 'n' }, { "rate", 1, NULL, 'r' },
		{ "store", 1, NULL, 's' }, { "tag", 1, NULL, 't' }, { "step", 1, NULL, 'm' },
		{ "pad", 1, NULL, 'b' }, { "receipt", 0, &want.receipt, 1 }, { NULL, 0, NULL, 0 } };
	struct mosquitto *mosq;
	char id[64];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p': want.port = atoi(optarg); break;
		case 'w': want.what = optarg; break;
		case 'f': want.from = optarg; break;
		case 'n': want.count = atol(optarg); break;
		case 'r': want.rate = atof(optarg); break;
		case 's': want.store = optarg; break;
		case 't': want.tag = optarg; break;
		case 'm': want.step_ms = atol(optarg); break;
		case 'b': want.pad = atoi(optarg); break;
		case 0: break;
		default: fail("see its head for what it takes");
		}
	}
	mosquitto_lib_init();
	snprintf(id, sizeof(id), "flood-%s-%d", want.from, (int)getpid());
	mosq = mosquitto_new(id, true, NULL);
	mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_max_inflight_messages_set(mosq, 0);
	mosquitto_connect_callback_set(mosq, on_connect);
	mosquitto_publish_callback_set(mosq, on_publish);
	if (mosquitto_connect(mosq, "127.0.0.1", want.port, 60) != MOSQ_ERR_SUCCESS)
		fail("no broker");
	while (!connected)
		serve(mosq, 10);
	run(mosq);
	mosquitto_disconnect(mosq);
	mosquitto_destroy(mosq);
	return 0;
}
