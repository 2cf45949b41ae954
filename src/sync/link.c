/* SPDX-License-Identifier: Apache-2.0
 *
 * link.c - the process that faces the WAN.
 *
 * DESIGN
 *   One poll over two sockets: aisled's and the broker's. Each direction has
 *   a bound, and at the bound the other side's socket is not read any more:
 *   TCP then slows the sender, nothing is dropped and nothing grows.
 *
 *   Sessions are clean and subscriptions at QoS 0: a broker for thousands of stores keeps
 *   nothing for one that is away, and what is retained comes again with the subscription. A
 *   publish is given to libmosquitto only while connected, and the client is made anew for
 *   each connection: what the old one held, aisled sends again.
 *
 *   That it lives, aisled learns from a frame each few seconds, and before the calls that
 *   may block, for how long. The same bound is a timer of the kernel's that ends this process.
 *
 * LIMITS
 *   16 publishes or 4 MiB on the way to the broker, 4 MiB on the way to aisled, 256 filters.
 *   A message that does not fit a frame is dropped and logged. MQTT 3.1.1 lets the broker send
 *   larger packets than that, which the library allocates: the unit's memory limit bounds it.
 */
#include "sync/link.h"

#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/random.h"
#include "sync/brokers.h"
#include "sync/wan.h"

#define PUBLISHES_MAX 16
#define UNSENT_BYTES_MAX (4u << 20)
#define FILTERS_MAX 256
#define READ_BYTES (64u << 10)
#define ALIVE_MS (5 * S_MS)
#define LINGER_S 5 /* after aisled has given us up */

struct link {
	int fd; /* to aisled */
	struct mosquitto *client;
	struct wan wan;
	struct brokers brokers;
	int64_t connect_at_ms; /* when to try (again) */
	int64_t alive_at_ms;   /* when to say that we are */
	timer_t hangs;	       /* ends us: aisled cannot where we are a unit of our own */
	bool connected, up;
	bool refused;	/* by HQ's broker, which said why; the end of the connection says less */
	int publishes;	/* given to this connection, not acknowledged */
	int subscribes; /* sent, not acknowledged */
	char *filters[FILTERS_MAX];
	size_t filter_count;
	struct buf in, out; /* from and to aisled */
	size_t out_sent;
	bool broken; /* aisled's side is gone or talks nonsense */
};

static volatile sig_atomic_t stopping;

static void
on_stop(int number)
{
	(void)number;
	stopping = 1;
}

static void
tell(struct link *link, enum frame_type type)
{
	frame_write(&link->out, type, NULL, NULL, 0);
}

/* Of several brokers it says also which. */
static void
tell_down(struct link *link, const char *why)
{
	char text[200];

	snprintf(text, sizeof(text), "%.80s%s%.100s",
	    link->brokers.count > 1 ? brokers_at(&link->brokers)->host : "",
	    link->brokers.count > 1 ? ": " : "", why);
	frame_write(&link->out, FRAME_DOWN, text, NULL, 0);
}

static void
tell_alive(struct link *link, int silence_s)
{
	char text[12];

	timer_settime(link->hangs, 0,
	    &(struct itimerspec){ .it_value.tv_sec = silence_s + LINGER_S }, NULL);
	snprintf(text, sizeof(text), "%d", silence_s);
	frame_write(&link->out, FRAME_ALIVE, text, NULL, 0);
	link->alive_at_ms = wan_now_ms() + ALIVE_MS;
}

static void
maybe_up(struct link *link)
{
	if (!link->connected || link->up || link->subscribes > 0)
		return;
	link->up = true;
	brokers_up(&link->brokers, wan_now_ms());
	log_info("hq: connected host=%s port=%d", link->wan.host, link->wan.port);
	tell(link, FRAME_UP);
}

static void
subscribe(struct link *link, const char *filter)
{
	if (mosquitto_subscribe(link->client, NULL, filter, 0) == MOSQ_ERR_SUCCESS)
		link->subscribes++;
}

static void
on_connect(struct mosquitto *client, void *ctx, int rc)
{
	struct link *link = ctx;
	(void)client;
	if (rc != 0) {
		log_warning("hq: refused reason=\"%s\"", mosquitto_connack_string(rc));
		tell_down(link, mosquitto_connack_string(rc));
		link->refused = true;
		return;
	}
	link->connected = true;
	link->subscribes = 0;
	for (size_t i = 0; i < link->filter_count; i++)
		subscribe(link, link->filters[i]);
	maybe_up(link);
}

static void
on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct link *link = ctx;
	(void)client;
	(void)mid;
	if (count > 0 && granted[0] >= 128)
		log_warning("hq: subscription refused");
	if (link->subscribes > 0)
		link->subscribes--;
	maybe_up(link);
}

static void
on_publish(struct mosquitto *client, void *ctx, int mid)
{
	struct link *link = ctx;
	(void)client;
	(void)mid;
	if (link->publishes > 0)
		link->publishes--;
}

static void
on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	struct link *link = ctx;
	size_t len = message->payloadlen > 0 ? (size_t)message->payloadlen : 0;
	(void)client;
	if (strlen(message->topic) > 255 || len > FRAME_BYTES_MAX - 512) {
		log_warning("hq: message too big bytes=%zu", len);
		return;
	}
	frame_write(&link->out, FRAME_PUBLISH, message->topic, message->payload, len);
}

static void
drop_client(struct link *link)
{
	mosquitto_destroy(link->client);
	link->client = NULL;
	link->connected = link->up = false;
	link->publishes = link->subscribes = 0;
}

static void
lost(struct link *link, const char *why)
{
	if (link->up)
		log_info("hq: connection lost reason=\"%s\"", why);
	if (!link->refused)
		tell_down(link, why);
	drop_client(link);
	link->refused = false;
	link->connect_at_ms = brokers_lost(&link->brokers, wan_now_ms());
}

static size_t
find_filter(const struct link *link, const char *filter)
{
	size_t i = 0;

	while (i < link->filter_count && strcmp(link->filters[i], filter) != 0)
		i++;
	return i;
}

static void
take_filter(struct link *link, const char *filter)
{
	size_t i = find_filter(link, filter);

	if (mosquitto_sub_topic_check(filter) != MOSQ_ERR_SUCCESS || i == FILTERS_MAX) {
		log_warning("hq: filter refused");
		return;
	}
	if (i == link->filter_count)
		link->filters[link->filter_count++] = mem_strdup(filter);
	if (link->connected)
		subscribe(link, filter);
}

static void
drop_filter(struct link *link, const char *filter)
{
	size_t i = find_filter(link, filter);

	if (i == link->filter_count)
		return;
	free(link->filters[i]);
	link->filters[i] = link->filters[--link->filter_count];
	if (link->connected)
		mosquitto_unsubscribe(link->client, NULL, filter);
}

static void
take_publish(struct link *link, const char *topic, const void *payload, size_t len)
{
	if (!link->connected)
		return; /* aisled sends it again */
	int rc = mosquitto_publish(link->client, NULL, topic, (int)len, payload, 1, false);
	if (rc == MOSQ_ERR_SUCCESS)
		link->publishes++;
	else if (rc != MOSQ_ERR_NO_CONN)
		log_warning("hq: publish failed error=\"%s\"", mosquitto_strerror(rc));
}

/* Whole frames from aisled, as long as there is room towards the broker. */
static void
take_frames(struct link *link)
{
	size_t at = 0;
	while (at < link->in.len && link->publishes < PUBLISHES_MAX) {
		enum frame_type type;
		char topic[256];
		const void *payload;
		size_t len;
		int64_t used =
		    frame_read(link->in.data + at, link->in.len - at, &type, topic, &payload, &len);
		if (used == 0)
			break;
		if (used < 0) {
			log_error("link: broken frame from aisled");
			link->broken = true;
			break;
		}
		if (type == FRAME_SUBSCRIBE)
			take_filter(link, topic);
		else if (type == FRAME_UNSUBSCRIBE)
			drop_filter(link, topic);
		else if (type == FRAME_PUBLISH)
			take_publish(link, topic, payload, len);
		at += (size_t)used;
	}
	if (at == 0)
		return;
	memmove(link->in.data, link->in.data + at, link->in.len - at);
	link->in.len -= at;
}

static void
read_aisled(struct link *link)
{
	buf_reserve(&link->in, READ_BYTES);
	ssize_t got = read(link->fd, link->in.data + link->in.len, READ_BYTES);
	if (got > 0)
		link->in.len += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		link->broken = true;
}

static void
write_aisled(struct link *link)
{
	while (link->out_sent < link->out.len) {
		ssize_t put = write(link->fd, link->out.data + link->out_sent,
		    link->out.len - link->out_sent);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			break;
		if (put <= 0) {
			link->broken = true;
			return;
		}
		link->out_sent += (size_t)put;
	}
	if (link->out_sent == link->out.len) {
		buf_clear(&link->out);
		link->out_sent = 0;
	} else if (link->out_sent > UNSENT_BYTES_MAX / 2) {
		memmove(link->out.data, link->out.data + link->out_sent,
		    link->out.len - link->out_sent);
		link->out.len -= link->out_sent;
		link->out_sent = 0;
	}
}

static void
turn_client(struct link *link, short ready)
{
	int rc = MOSQ_ERR_SUCCESS;
	/* What TLS has decrypted already does not show on the socket. */
	bool room = link->out.len - link->out_sent < UNSENT_BYTES_MAX;
	if ((ready & (POLLIN | POLLHUP | POLLERR)) || (link->wan.tls && room))
		rc = mosquitto_loop_read(link->client, 1);
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(link->client))
		rc = mosquitto_loop_write(link->client, 1);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_loop_misc(link->client);
	if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(link->client) < 0)
		lost(link, mosquitto_strerror(rc));
}

/* What is said to aisled before a call that may block for as long as names and connections take. */
static void
say_blocked(struct link *link)
{
	tell_alive(link, LINK_SILENCE_MAX_S);
	write_aisled(link);
}

static int
make_client(struct link *link, struct err *err)
{
	int rc = wan_new(&link->wan, link, &link->client, err);

	if (rc != 0)
		return rc;
	mosquitto_connect_callback_set(link->client, on_connect);
	mosquitto_subscribe_callback_set(link->client, on_subscribe);
	mosquitto_publish_callback_set(link->client, on_publish);
	mosquitto_message_callback_set(link->client, on_message);
	return 0;
}

static void
connect_now(struct link *link)
{
	const struct conf_broker *broker = brokers_at(&link->brokers);
	struct err err = { 0 };
	const char *why;

	say_blocked(link);
	link->wan.host = broker->host;
	link->wan.port = broker->port;
	if (make_client(link, &err) != 0) {
		log_error("link: %s", err.text);
		why = err.text;
	} else {
		why = wan_connect(link->client, &link->wan);
	}
	if (why != NULL)
		lost(link, why);
	tell_alive(link, LINK_SILENCE_S);
}

/* Only to one that answers: a connection that works is not given up for one that does not. */
static void
look_for_home(struct link *link)
{
	const struct conf_broker *home = brokers_home(&link->brokers);

	if (!brokers_home_due(&link->brokers, wan_now_ms()))
		return;
	say_blocked(link);
	bool answers = wan_answers(home->host, home->port);
	tell_alive(link, LINK_SILENCE_S);
	if (!answers)
		return;
	log_info("hq: home again host=%s port=%d", home->host, home->port);
	mosquitto_disconnect(link->client);
	tell_down(link, "goes home");
	drop_client(link);
	brokers_go_home(&link->brokers);
	link->connect_at_ms = wan_now_ms();
}

/* One wait for whatever comes first, then everything that is ready. */
static void
turn(struct link *link)
{
	if (link->up)
		look_for_home(link);
	if (wan_now_ms() >= link->alive_at_ms)
		tell_alive(link, LINK_SILENCE_S);
	if (link->client == NULL && wan_now_ms() >= link->connect_at_ms)
		connect_now(link);
	/* Also a publish or a subscription may have found the connection broken. */
	if (link->client != NULL && mosquitto_socket(link->client) < 0)
		lost(link, "the connection was lost");
	int socket = mosquitto_socket(link->client);
	bool room_up = link->publishes < PUBLISHES_MAX && link->in.len < UNSENT_BYTES_MAX;
	bool room_down = link->out.len - link->out_sent < UNSENT_BYTES_MAX;
	/* A closed stream is seen even while it is not read. */
	struct pollfd fds[2] = {
		{ .fd = link->fd,
		    .events = (short)((room_up ? POLLIN : POLLRDHUP) |
			(link->out.len > link->out_sent ? POLLOUT : 0)) },
		{ .fd = socket,
		    .events = (short)((room_down ? POLLIN : 0) |
			(socket >= 0 && mosquitto_want_write(link->client) ? POLLOUT : 0)) },
	};
	int64_t wait = socket < 0 ? link->connect_at_ms - wan_now_ms() : 1000;
	poll(fds, socket >= 0 ? 2 : 1, wait < 0 ? 0 : wait > 1000 ? 1000 : (int)wait);
	if (stopping)
		return;
	if (fds[0].revents & POLLIN)
		read_aisled(link);
	else if (fds[0].revents & (POLLHUP | POLLERR | POLLRDHUP))
		link->broken = true;
	if (socket >= 0)
		turn_client(link, fds[1].revents);
	take_frames(link);
	write_aisled(link);
}

static void
catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_stop }, ignore = { .sa_handler = SIG_IGN };
	stopping = 0;
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static void
link_done(struct link *link)
{
	if (link->connected) {
		mosquitto_disconnect(link->client);
		mosquitto_loop_write(link->client, 1);
	}
	mosquitto_destroy(link->client);
	for (size_t i = 0; i < link->filter_count; i++)
		free(link->filters[i]);
	buf_done(&link->in);
	buf_done(&link->out);
	free(link);
}

int
link_main(const struct conf *conf, int fd)
{
	struct err err = { 0 };
	struct sigevent end = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	timer_t hangs;

	if (conf->hq_host == NULL || random_begin(&err) != 0)
		return EX_CONFIG;
	if (timer_create(CLOCK_MONOTONIC, &end, &hangs) != 0)
		return EX_OSERR;
	mosquitto_lib_init();
	catch_signals();
	struct link *link = mem_zero(sizeof(*link));
	link->fd = fd;
	link->hangs = hangs;
	brokers_init(&link->brokers, conf);
	link->wan = (struct wan){ .client_id = conf->hq_client_id,
		.clean = true,
		.user = conf->hq_user,
		.password_file = conf->hq_password_file,
		.tls = conf->hq_ca != NULL,
		.ca = conf->hq_ca,
		.cert = conf->hq_cert,
		.key = conf->hq_key };
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (!stopping && !link->broken)
		turn(link);
	timer_delete(hangs);
	link_done(link);
	mosquitto_lib_cleanup();
	return EX_OK;
}
