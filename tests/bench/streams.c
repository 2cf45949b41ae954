/* SPDX-License-Identifier: Apache-2.0
 *
 * streams.c - one prompt to many tablets: how long after the first does the last one have it?
 *
 *   streams --port MQTT --http HOST:PORT --streams N --rounds R [--store S] TOKEN...
 *
 * Tablets of station 1 share the tokens round robin. Each round scans one line
 * into a new basket at till 1, waits until every stream has the guidance with
 * its serial, and notes when the first and the last had it.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "figures.h"

#define STREAMS_MAX 256
#define ROUNDS_MAX 1000
#define TEXT 16384
#define PATIENCE_NS INT64_C(10000000000)

struct stream {
	int fd;
	size_t len;
	char text[TEXT];
	bool has;
};

static struct {
	int port, streams, rounds;
	const char *http, *store;
} want = { .port = 1883, .streams = 200, .rounds = 20, .store = "0042" };

static struct stream streams[STREAMS_MAX];
static struct pollfd fds[STREAMS_MAX + 1];
static struct mosquitto *till;

static void
open_stream(struct stream *stream, const char *token)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	char host[64], request[512];
	const char *colon = strchr(want.http, ':');
	int len;

	must(colon != NULL && (size_t)(colon - want.http) < sizeof(host), "expected HOST:PORT");
	snprintf(host, sizeof(host), "%.*s", (int)(colon - want.http), want.http);
	address.sin_port = htons((uint16_t)atoi(colon + 1));
	must(inet_pton(AF_INET, host, &address.sin_addr) == 1, "expected an IPv4 address");
	stream->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(connect(stream->fd, (struct sockaddr *)&address, sizeof(address)) == 0,
	    "no HTTP server");
	len = snprintf(request, sizeof(request),
	    "GET /v1/stations/1/stream HTTP/1.1\r\nHost: %s\r\n"
	    "Authorization: Bearer %s\r\nAccept: text/event-stream\r\n\r\n",
	    want.http, token);
	must(write(stream->fd, request, (size_t)len) == len, "the request did not fit");
}

/* true: it has what is looked for. */
static bool
read_stream(struct stream *stream, const char *mark)
{
	ssize_t got;

	if (stream->len > TEXT / 2) {
		memmove(stream->text, stream->text + stream->len - TEXT / 4, TEXT / 4);
		stream->len = TEXT / 4;
	}
	got = recv(stream->fd, stream->text + stream->len, TEXT - stream->len, MSG_DONTWAIT);
	must(got > 0, "a stream was cut");
	stream->len += (size_t)got;
	if (memmem(stream->text, stream->len, mark, strlen(mark)) == NULL)
		return false;
	stream->len = 0;
	return true;
}

static void
read_all(const char *mark, int64_t *ret_first_ns, int64_t *ret_last_ns)
{
	int64_t give_up = now_ns() + PATIENCE_NS;
	int missing = want.streams;

	for (int i = 0; i < want.streams; i++)
		streams[i].has = false;
	*ret_first_ns = 0;
	while (missing > 0) {
		must(now_ns() < give_up, "a stream did not hear it");
		fds[want.streams] =
		    (struct pollfd){ .fd = till != NULL ? mosquitto_socket(till) : -1,
			    .events = POLLIN };
		if (poll(fds, (nfds_t)want.streams + 1, 100) <= 0)
			continue;
		for (int i = 0; i < want.streams; i++) {
			if (!(fds[i].revents & POLLIN) || !read_stream(&streams[i], mark) ||
			    streams[i].has)
				continue;
			streams[i].has = true;
			missing--;
			*ret_last_ns = now_ns();
			if (*ret_first_ns == 0)
				*ret_first_ns = *ret_last_ns;
		}
		if (fds[want.streams].revents & POLLIN)
			mosquitto_loop_read(till, 1);
	}
}

static void
scan(int round)
{
	struct timespec t;
	struct tm tm;
	char topic[96], text[1024], at[32];
	int len;

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	len = snprintf(text, sizeof(text),
	    "{\"specversion\":\"1.0\",\"id\":\"s-%d-%d\",\"source\":\"/store/%s/pos/1\","
	    "\"type\":\"aisle.basket.item-added\",\"time\":\"%s\",\"datacontenttype\":"
	    "\"application/json\",\"data\":"
	    "{\"basket\":\"s-%d-%d\",\"line\":1,\"sku\":\"s\",\"category\":\"grocery/"
	    "coffee\",\"name\":\"No. %d\",\"qty\":1,"
	    "\"amount\":499,\"currency\":\"EUR\"}}",
	    (int)getpid(), round, want.store, at, (int)getpid(), round, round);
	snprintf(topic, sizeof(topic), "aisle/v1/%s/pos/1/event", want.store);
	must(mosquitto_publish(till, NULL, topic, len, text, 1, false) == MOSQ_ERR_SUCCESS,
	    "the broker is gone");
}

static void
run(void)
{
	static int64_t spread[ROUNDS_MAX], whole[ROUNDS_MAX];

	for (int round = 0; round < want.rounds; round++) {
		char mark[32];
		int64_t start = now_ns(), first, last;

		snprintf(mark, sizeof(mark), "\"No. %d\"", round + 1);
		scan(round + 1);
		read_all(mark, &first, &last);
		spread[round] = last - first;
		whole[round] = last - start;
		usleep(20000);
	}
	qsort(spread, (size_t)want.rounds, sizeof(spread[0]), compare_ns);
	qsort(whole, (size_t)want.rounds, sizeof(whole[0]), compare_ns);
	printf("{\"streams\":%d,\"rounds\":%d,\"spread_p50\":%.1f,\"spread_max\":%.1f,\"last_p50\":"
	       "%.1f,\"last_max\":%.1f}\n",
	    want.streams, want.rounds, (double)spread[want.rounds / 2] / 1000,
	    (double)spread[want.rounds - 1] / 1000, (double)whole[want.rounds / 2] / 1000,
	    (double)whole[want.rounds - 1] / 1000);
	fflush(stdout);
}

static void
read_options(int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, NULL, 'p' }, { "http", 1, NULL, 'h' },
		{ "streams", 1, NULL, 'n' }, { "rounds", 1, NULL, 'r' }, { "store", 1, NULL, 's' },
		{ 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p': want.port = atoi(optarg); break;
		case 'h': want.http = optarg; break;
		case 'n': want.streams = atoi(optarg); break;
		case 'r': want.rounds = atoi(optarg); break;
		case 's': want.store = optarg; break;
		default: exit(64);
		}
	}
	must(want.http != NULL && optind < argc && want.streams >= 1 &&
		want.streams <= STREAMS_MAX && want.rounds >= 1 && want.rounds <= ROUNDS_MAX,
	    "expected --http HOST:PORT, tokens, at most 256 streams and 1000 rounds");
}

int
main(int argc, char **argv)
{
	int64_t first, last;
	char line[8];

	read_options(argc, argv);
	for (int i = 0; i < want.streams; i++) {
		open_stream(&streams[i], argv[optind + i % (argc - optind)]);
		fds[i] = (struct pollfd){ .fd = streams[i].fd, .events = POLLIN };
	}
	/* Every stream begins with the status. */
	read_all("event: status", &first, &last);
	mosquitto_lib_init();
	till = mosquitto_new(NULL, true, NULL);
	mosquitto_int_option(till, MOSQ_OPT_TCP_NODELAY, 1);
	must(mosquitto_connect(till, "127.0.0.1", want.port, 600) == MOSQ_ERR_SUCCESS, "no broker");
	run();
	/* Whoever started us looks at the memory now, then closes our standard input. */
	while (fgets(line, sizeof(line), stdin) != NULL)
		continue;
	mosquitto_destroy(till);
	return 0;
}
