/* SPDX-License-Identifier: Apache-2.0
 *
 * hops.c - what nobody can be faster than: two hops through the broker, and one fdatasync.
 *
 *   hops --port P --file F [--rate R] [--seconds T]
 *
 * Syncs first, one after another: 4 KiB of a file that is already there. Then
 * a child echoes what it hears from the broker, as a second client, and the
 * parent times there and back in an open loop.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <mosquitto.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "figures.h"

#define PAYLOAD 570 /* an item event's size */
#define BLOCK 4096
#define BLOCKS 256
#define SAMPLES_MAX 1000000
#define SYNCS 1000
#define SYNC_NS INT64_C(1000000000) /* or as many as a second allows */

static struct {
	int port;
	const char *file;
	double rate, seconds;
} want = { .port = 1883, .rate = 1000, .seconds = 3 };

static int64_t samples[SAMPLES_MAX];
static size_t count;
static bool subscribed;
static int file_fd = -1;

static void
write_and_sync(void)
{
	static char block[BLOCK];
	static int at;

	memset(block, at, sizeof(block));
	must(pwrite(file_fd, block, sizeof(block), (off_t)(at++ % BLOCKS) * BLOCK) == BLOCK,
	    "write");
	must(fdatasync(file_fd) == 0, "fdatasync");
}

static void
open_file(void)
{
	file_fd = open(want.file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(file_fd >= 0, want.file);
	for (int i = 0; i < BLOCKS; i++)
		write_and_sync();
}

/* ---- figures ---- */

static double
percentile_us(double p)
{
	return count == 0 ? 0 : (double)samples[(size_t)((double)(count - 1) * p)] / 1000.0;
}

static void
report(const char *what)
{
	qsort(samples, count, sizeof(*samples), compare_ns);
	printf("\"%s\":{\"n\":%zu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f}", what,
	    count, percentile_us(0.5), percentile_us(0.9), percentile_us(0.99), percentile_us(1));
	count = 0;
}

/* ---- the broker ---- */

static struct mosquitto *
connect_client(void)
{
	struct mosquitto *mosq = mosquitto_new(NULL, true, NULL);

	mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_max_inflight_messages_set(mosq, 0);
	must(mosquitto_connect(mosq, "127.0.0.1", want.port, 600) == MOSQ_ERR_SUCCESS, "no broker");
	return mosq;
}

static void
spin(struct mosquitto *mosq, int64_t until_ns)
{
	int64_t wait = until_ns - now_ns();
	struct timespec timeout = { .tv_nsec = wait < 0 ? 0 : wait < 100000000 ? wait : 100000000 };
	struct pollfd fd = { .fd = mosquitto_socket(mosq),
		.events = (short)(POLLIN | (mosquitto_want_write(mosq) ? POLLOUT : 0)) };

	if (ppoll(&fd, 1, &timeout, NULL) <= 0)
		return;
	if (fd.revents & POLLIN)
		must(mosquitto_loop_read(mosq, 1) == MOSQ_ERR_SUCCESS, "the broker is gone");
	if (fd.revents & POLLOUT)
		mosquitto_loop_write(mosq, 1);
}

static void
on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int granted_count, const int *granted)
{
	(void)mosq;
	(void)ctx;
	(void)mid;
	(void)granted_count;
	(void)granted;
	subscribed = true;
}

static void
on_there(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message)
{
	(void)ctx;
	mosquitto_publish(mosq, NULL, "bench/back", message->payloadlen, message->payload, 1,
	    false);
}

static void
on_back(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message)
{
	(void)mosq;
	(void)ctx;
	if (count < SAMPLES_MAX)
		samples[count++] = now_ns() - strtoll(message->payload, NULL, 10);
}

static struct mosquitto *
listen_to(const char *topic,
    void (*on_message)(struct mosquitto *, void *, const struct mosquitto_message *))
{
	struct mosquitto *mosq = connect_client();

	mosquitto_message_callback_set(mosq, on_message);
	mosquitto_subscribe_callback_set(mosq, on_subscribe);
	/* The library keeps the order: CONNECT is written, then this. */
	mosquitto_subscribe(mosq, NULL, topic, 1);
	for (int64_t give_up = now_ns() + 5000000000; !subscribed;) {
		must(now_ns() < give_up, "no subscription");
		spin(mosq, now_ns() + 10000000);
	}
	return mosq;
}

static void
echo(int ready_fd)
{
	struct mosquitto *mosq = listen_to("bench/there", on_there);

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
	must(write(ready_fd, "x", 1) == 1, "pipe");
	for (;;)
		spin(mosq, now_ns() + 100000000);
}

static void
time_syncs(void)
{
	printf("{");
	for (int64_t start = now_ns(); count < SYNCS && now_ns() - start < SYNC_NS; count++) {
		int64_t before = now_ns();

		write_and_sync();
		samples[count] = now_ns() - before;
	}
	report("sync");
	/* Before the fork: the child must not print it again. */
	fflush(stdout);
}

static void
time_hops(void)
{
	struct mosquitto *mosq = listen_to("bench/back", on_back);
	int64_t start = now_ns(), end = start + (int64_t)(want.seconds * 1e9), sent = 0, due;
	char payload[PAYLOAD];

	memset(payload, ' ', sizeof(payload));
	while ((due = start + (int64_t)((double)sent / want.rate * 1e9)) < end ||
	    (int64_t)count < sent) {
		if (due < end && due <= now_ns()) {
			snprintf(payload, sizeof(payload), "%" PRId64, due);
			mosquitto_publish(mosq, NULL, "bench/there", sizeof(payload), payload, 1,
			    false);
			sent++;
			continue;
		}
		must(now_ns() < end + 5000000000, "echoes are lost");
		spin(mosq, due < end ? due : now_ns() + 100000000);
	}
	report("hops");
	mosquitto_destroy(mosq);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, NULL, 'p' }, { "file", 1, NULL, 'f' },
		{ "rate", 1, NULL, 'R' }, { "seconds", 1, NULL, 'T' }, { 0 } };
	int option, ready[2];
	char byte;
	pid_t child;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p': want.port = atoi(optarg); break;
		case 'f': want.file = optarg; break;
		case 'R': want.rate = atof(optarg); break;
		case 'T': want.seconds = atof(optarg); break;
		default: return 64;
		}
	}
	must(want.file != NULL, "expected --port P --file F");
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	open_file();
	time_syncs();
	mosquitto_lib_init();
	must(pipe(ready) == 0, "pipe");
	child = fork();
	must(child >= 0, "fork");
	if (child == 0)
		echo(ready[1]);
	close(ready[1]);
	must(read(ready[0], &byte, 1) == 1, "the echo did not start");
	printf(",");
	time_hops();
	printf("}\n");
	kill(child, SIGTERM);
	unlink(want.file);
	return 0;
}
