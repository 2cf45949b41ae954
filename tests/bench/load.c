/* SPDX-License-Identifier: Apache-2.0
 *
 * load.c - tills and tablets in one process: item events out, guidance in, one clock.
 *
 *   load --port P [--store S] [--run TAG] [--tills N] [--seconds T] [--skip T]
 *        [--rate R [--burst B]] | [--window W]
 *
 * DESIGN
 *   With --rate the loop is open: event i is due at start + i/R whatever came
 *   of the ones before, and its latency counts from when it was due, not from
 *   when it was sent. A receiver that stalls is charged for every event that
 *   should have been sent meanwhile (no coordinated omission). Without it the
 *   loop is closed: W events are on their way at any time.
 *
 *   Each till scans ITEMS lines into a basket and closes it. A line has a name
 *   "No. SERIAL", which the guidance's headline repeats; a close is answered by
 *   a withdrawal. Answers of one station come in order, so the oldest event
 *   that waits at the station is the one that is answered, and the serial
 *   proves it. What is not proven is an error, not a figure.
 *
 * LIMITS
 *   Latencies are kept for EVENTS_MAX events; one connection sends for all
 *   tills and one listens for all tablets, both without Nagle's algorithm.
 */
#include <getopt.h>
#include <inttypes.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define ITEMS 10
#define TILLS_MAX 256
#define WAITING_MAX 65536 /* events of one till that are on their way */
#define EVENTS_MAX 4000000
#define DRAIN_NS INT64_C(30000000000) /* a disk that others use can stand still for seconds */
#define S_NS INT64_C(1000000000)

struct waiting {
	int64_t due_ns, serial; /* serial 0: a close */
};

struct till {
	struct waiting *ring;
	uint64_t head, tail;
	int line, basket;
};

static struct {
	int port, tills, burst, window;
	const char *store, *tag;
	double rate, seconds, skip;
} want = { .port = 1883,
	.tills = 20,
	.burst = 1,
	.window = 512,
	.store = "0042",
	.tag = "load",
	.seconds = 5 };

static struct till tills[TILLS_MAX];
static struct mosquitto *out, *in;
static bool subscribed;
static int64_t sent, items, answered, wrong, serial, counted_from_ns, last_answer_ns;
static uint32_t *latencies; /* microseconds / 10 */
static size_t latency_count;

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * S_NS + t.tv_nsec;
}

static void
fail(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

/* ---- tablets ---- */

static int64_t
serial_of(const char *payload, size_t len)
{
	const char *at = memmem(payload, len, "\"No. ", 5);

	return at != NULL ? strtoll(at + 5, NULL, 10) : 0;
}

static void
on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message)
{
	const char *station = strrchr(message->topic, '/') + 1;
	int n = atoi(station);
	struct till *till;
	struct waiting *first;

	(void)mosq;
	(void)ctx;
	if (n < 1 || n > want.tills)
		return;
	till = &tills[n - 1];
	if (till->head == till->tail) {
		wrong++;
		return;
	}
	first = &till->ring[till->head++ % WAITING_MAX];
	last_answer_ns = now_ns();
	if (first->serial != serial_of(message->payload, (size_t)message->payloadlen)) {
		wrong++;
		return;
	}
	answered++;
	if (first->serial == 0 || first->due_ns < counted_from_ns || latency_count == EVENTS_MAX)
		return;
	latencies[latency_count++] = (uint32_t)((last_answer_ns - first->due_ns) / 100);
}

static void
on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int count, const int *granted)
{
	(void)mosq;
	(void)ctx;
	(void)mid;
	(void)count;
	(void)granted;
	subscribed = true;
}

static void
on_tablet_connect(struct mosquitto *mosq, void *ctx, int rc)
{
	char topic[96];

	(void)ctx;
	if (rc != 0)
		fail("the broker refused the connection");
	snprintf(topic, sizeof(topic), "aisle/v1/%s/guidance/+", want.store);
	mosquitto_subscribe(mosq, NULL, topic, 1);
}

/* ---- tills ---- */

static void
wall_clock(char text[static 32])
{
	struct timespec t;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	len = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, 32 - len, ".%03dZ", (int)(t.tv_nsec / 1000000));
}

static int
event_text(const struct till *till, int number, bool closes, char *text, size_t size)
{
	char at[32], basket[64];

	wall_clock(at);
	snprintf(basket, sizeof(basket), "%s-%d-%d", want.tag, number, till->basket);
	if (closes)
		return snprintf(text, size,
		    "{\"specversion\":\"1.0\",\"id\":\"%s-%" PRId64
		    "\",\"source\":\"/store/%s/pos/%d\","
		    "\"type\":\"aisle.basket.closed\",\"time\":\"%s\",\"datacontenttype\":"
		    "\"application/json\",\"data\":"
		    "{\"basket\":\"%s\",\"total\":4990,\"currency\":\"EUR\"}}",
		    want.tag, sent, want.store, number, at, basket);
	return snprintf(text, size,
	    "{\"specversion\":\"1.0\",\"id\":\"%s-%" PRId64 "\",\"source\":\"/store/%s/pos/%d\","
	    "\"type\":\"aisle.basket.item-added\",\"time\":\"%s\",\"datacontenttype\":"
	    "\"application/json\",\"data\":"
	    "{\"basket\":\"%s\",\"line\":%d,\"gtin\":\"05012345678900\",\"category\":\"grocery/"
	    "coffee\",\"brand\":\"acme\","
	    "\"name\":\"No. %" PRId64
	    "\",\"qty\":1,\"amount\":499,\"currency\":\"EUR\",\"margin\":120}}",
	    want.tag, sent, want.store, number, at, basket, till->line, serial);
}

static void
scan(int64_t due_ns)
{
	int number = (int)(sent % want.tills);
	struct till *till = &tills[number++];
	bool closes = till->line == ITEMS;
	char topic[96], text[1024];
	int len;

	if (till->tail - till->head == WAITING_MAX)
		fail("the receiver is hopelessly behind");
	if (!closes) {
		serial++;
		items++;
		till->line++;
	}
	len = event_text(till, number, closes, text, sizeof(text));
	snprintf(topic, sizeof(topic), "aisle/v1/%s/pos/%d/event", want.store, number);
	till->ring[till->tail++ % WAITING_MAX] = (struct waiting){ due_ns, closes ? 0 : serial };
	if (closes) {
		till->line = 0;
		till->basket++;
	}
	sent++;
	if (mosquitto_publish(out, NULL, topic, len, text, 1, false) != MOSQ_ERR_SUCCESS)
		fail("the broker is gone");
}

/* ---- the loop ---- */

static int64_t
due_at(int64_t start_ns, int64_t event)
{
	return start_ns + (int64_t)((double)(event / want.burst * want.burst) / want.rate * 1e9);
}

/* Sends what is due; returns when the next one is, or INT64_MAX: when an answer comes. */
static int64_t
send_due(int64_t start_ns, int64_t end_ns)
{
	int64_t now = now_ns();

	if (now >= end_ns)
		return INT64_MAX;
	if (want.rate <= 0) {
		while (sent - answered - wrong < want.window)
			scan(now_ns());
		return end_ns;
	}
	while (due_at(start_ns, sent) <= now)
		scan(due_at(start_ns, sent));
	return due_at(start_ns, sent);
}

static void
wait_and_read(int64_t until_ns)
{
	struct mosquitto *both[] = { in, out };
	struct pollfd fds[2];
	int64_t wait = until_ns - now_ns();
	struct timespec timeout = { 0 };

	if (wait > S_NS / 10)
		wait = S_NS / 10;
	if (wait > 0)
		timeout.tv_nsec = wait;
	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = mosquitto_socket(both[i]),
			.events = (short)(POLLIN | (mosquitto_want_write(both[i]) ? POLLOUT : 0)) };
	if (ppoll(fds, 2, &timeout, NULL) <= 0)
		return;
	for (int i = 0; i < 2; i++) {
		if (fds[i].revents & POLLIN && mosquitto_loop_read(both[i], 1) != MOSQ_ERR_SUCCESS)
			fail("the broker is gone");
		if (fds[i].revents & POLLOUT)
			mosquitto_loop_write(both[i], 1);
	}
}

static struct mosquitto *
connect_client(void (*on_connect)(struct mosquitto *, void *, int))
{
	struct mosquitto *mosq;
	char id[64];

	/* The shipped broker wants a name. */
	snprintf(id, sizeof(id), "load-%d-%s", (int)getpid(), on_connect != NULL ? "in" : "out");
	mosq = mosquitto_new(id, true, NULL);

	mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_max_inflight_messages_set(mosq, 0);
	if (on_connect != NULL)
		mosquitto_connect_callback_set(mosq, on_connect);
	if (mosquitto_connect(mosq, "127.0.0.1", want.port, 60) != MOSQ_ERR_SUCCESS)
		fail("no broker");
	return mosq;
}

static double
run(void)
{
	int64_t start_ns = now_ns(), end_ns = start_ns + (int64_t)(want.seconds * 1e9), next;

	counted_from_ns = start_ns + (int64_t)(want.skip * 1e9);
	while ((next = send_due(start_ns, end_ns)) != INT64_MAX || answered + wrong < sent) {
		int64_t now = now_ns();

		if (now > end_ns + DRAIN_NS)
			break;
		wait_and_read(next == INT64_MAX ? now + S_NS / 10 : next);
	}
	return (double)(last_answer_ns - start_ns) / 1e9;
}

/* ---- figures ---- */

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
percentile_us(double p)
{
	return latency_count == 0 ? 0 : latencies[(size_t)((double)(latency_count - 1) * p)] / 10.0;
}

static void
report(double took_s)
{
	qsort(latencies, latency_count, sizeof(*latencies), compare);
	printf("{\"sent\":%" PRId64 ",\"items\":%" PRId64 ",\"answered\":%" PRId64
	       ",\"wrong\":%" PRId64 ",\"seconds\":%.3f,\"per_s\":%.1f,\"p50\":%.1f,\"p90\":%.1f,"
	       "\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}\n",
	    sent, items, answered, wrong, took_s, took_s > 0 ? (double)answered / took_s : 0,
	    percentile_us(0.5), percentile_us(0.9), percentile_us(0.99), percentile_us(0.999),
	    percentile_us(1));
}

static void
read_options(int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, NULL, 'p' },
		{ "store", 1, NULL, 's' }, { "run", 1, NULL, 'r' }, { "tills", 1, NULL, 't' },
		{ "seconds", 1, NULL, 'T' }, { "skip", 1, NULL, 'k' }, { "rate", 1, NULL, 'R' },
		{ "burst", 1, NULL, 'b' }, { "window", 1, NULL, 'w' }, { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p': want.port = atoi(optarg); break;
		case 's': want.store = optarg; break;
		case 'r': want.tag = optarg; break;
		case 't': want.tills = atoi(optarg); break;
		case 'T': want.seconds = atof(optarg); break;
		case 'k': want.skip = atof(optarg); break;
		case 'R': want.rate = atof(optarg); break;
		case 'b': want.burst = atoi(optarg); break;
		case 'w': want.window = atoi(optarg); break;
		default: exit(64);
		}
	}
	if (want.tills < 1 || want.tills > TILLS_MAX || want.burst < 1 || want.window < 1)
		fail("expected 1 to 256 tills, a burst and a window of 1 or more");
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	/* Timers of the kernel may be 50 us late unless asked. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	latencies = malloc(EVENTS_MAX * sizeof(*latencies));
	for (int i = 0; i < want.tills; i++)
		tills[i].ring = malloc(WAITING_MAX * sizeof(struct waiting));
	mosquitto_lib_init();
	in = connect_client(on_tablet_connect);
	mosquitto_subscribe_callback_set(in, on_subscribe);
	mosquitto_message_callback_set(in, on_message);
	out = connect_client(NULL);
	for (int64_t give_up = now_ns() + DRAIN_NS; !subscribed;) {
		if (now_ns() > give_up)
			fail("no subscription");
		wait_and_read(now_ns() + S_NS / 100);
	}
	report(run());
	mosquitto_destroy(in);
	mosquitto_destroy(out);
	for (int i = 0; i < want.tills; i++)
		free(tills[i].ring);
	free(latencies);
	return answered == sent && wrong == 0 ? 0 : 1;
}
