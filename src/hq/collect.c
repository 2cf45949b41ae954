/* SPDX-License-Identifier: Apache-2.0
 *
 * collect.c - the HQ end: batches from all stores into a database.
 *
 * DESIGN
 *   libmosquitto acknowledges a message before it shows it. In its threaded
 *   mode it only queues what it would send, and mosquitto_loop_write sends it. So: read
 *   until nothing more is there or the turn is full, commit, queue our own
 *   acknowledgements to the stores, and only then write. Killed in between, the
 *   broker delivers again, and the primary key takes doubles.
 *
 *   When a commit fails nothing may be written any more: the socket is shut down, the
 *   queued PUBACKs die with it, and the database is opened anew before the next connect.
 *
 * LIMITS
 *   64 batches a turn; no reading while 256 acknowledgements wait for the broker.
 */
#include "hq/collect.h"

#include <mosquitto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/log.h"
#include "core/random.h"
#include "hq/records.h"
#include "sync/wan.h"

#define TURN_BATCHES 64
#define ACKS_MAX 512 /* one call of the library may read more than one message */
#define ACKS_WAITING_MAX 256
#define ONCE_MS 2000
#define LEAVE_MS 2000

struct ack {
	char store[33], lane[16], epoch[17];
	int64_t upto;
};

struct collect {
	const struct collect_options *options;
	struct wan wan;
	struct wan_backoff backoff;
	struct mosquitto *client;
	struct records *records;
	struct ack acks[ACKS_MAX]; /* of this turn, not committed yet */
	size_t ack_count;
	int acks_waiting; /* published, not taken by the broker yet */
	bool connected, subscribed, failed, refused;
	int64_t connect_at_ms, last_ms;
	long long batches, rows, bad;
};

static volatile sig_atomic_t stopping;

static void
on_stop(int number)
{
	(void)number;
	stopping = 1;
}

static void
on_connect(struct mosquitto *client, void *ctx, int rc)
{
	struct collect *collect = ctx;
	if (rc != 0) {
		log_warning("collect: refused reason=\"%s\"", mosquitto_connack_string(rc));
		collect->refused = true;
		return;
	}
	collect->connected = true;
	mosquitto_subscribe(client, NULL, "aisle/v1/hq/store/+/up/+", 1);
}

static void
on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct collect *collect = ctx;
	(void)client;
	(void)mid;
	if (count > 0 && granted[0] >= 128) {
		log_warning("collect: subscription refused");
		collect->refused = true;
		return;
	}
	collect->subscribed = true;
	collect->backoff.ms = 0;
	collect->last_ms = wan_now_ms();
	log_info("collect: connected host=%s port=%d", collect->wan.host, collect->wan.port);
}

static void
on_publish(struct mosquitto *client, void *ctx, int mid)
{
	struct collect *collect = ctx;
	(void)client;
	(void)mid;
	if (collect->acks_waiting > 0)
		collect->acks_waiting--;
}

static void
on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	struct collect *collect = ctx;
	struct batch batch;
	struct err err = { 0 };
	(void)client;
	if (collect->failed)
		return; /* comes again after the reconnect */
	if (batch_read(message->topic, message->payload,
		message->payloadlen > 0 ? (size_t)message->payloadlen : 0, &batch, &err) != 0) {
		collect->bad++;
		log_warning("collect: batch refused topic=%s line=%d error=%s refused=%lld",
		    LOG_VALUE(message->topic), err.line, LOG_VALUE(err.text), collect->bad);
		return;
	}
	if (collect->ack_count == ACKS_MAX) {
		log_error("collect: more batches in one turn than expected");
		collect->failed = true;
	} else if (records_add(collect->records, &batch) != 0) {
		log_error("collect: cannot store error=\"%s\"", records_error(collect->records));
		collect->failed = true;
	} else {
		struct ack *ack = &collect->acks[collect->ack_count++];
		memcpy(ack->store, batch.store, sizeof(ack->store));
		memcpy(ack->lane, batch.lane, sizeof(ack->lane));
		memcpy(ack->epoch, batch.epoch, sizeof(ack->epoch));
		ack->upto = batch.upto;
		collect->batches++;
		collect->rows += (long long)batch.count;
		collect->last_ms = wan_now_ms();
	}
	batch_done(&batch);
}

static void
publish_acks(struct collect *collect)
{
	for (size_t i = 0; i < collect->ack_count; i++) {
		const struct ack *ack = &collect->acks[i];
		char topic[100];
		struct buf payload = { 0 };
		struct json_writer *w = JSON_WRITER(&payload);
		snprintf(topic, sizeof(topic), "aisle/v1/hq/store/%s/ack/%s", ack->store,
		    ack->lane);
		json_add_object(w, NULL);
		json_add_str(w, "epoch", ack->epoch);
		json_add_int(w, "upto", ack->upto);
		json_end(w);
		int rc = mosquitto_publish(collect->client, NULL, topic, (int)payload.len,
		    payload.data, 1, false);
		buf_done(&payload);
		if (rc == MOSQ_ERR_SUCCESS ||
		    rc == MOSQ_ERR_NO_CONN) /* kept for the next connection */
			collect->acks_waiting++;
	}
	collect->ack_count = 0;
}

static void
lost(struct collect *collect)
{
	collect->connected = collect->subscribed = false;
	collect->connect_at_ms = wan_now_ms() + wan_backoff_next(&collect->backoff);
}

/* Without a byte written: what the library holds as PUBACK must not leave. */
static void
drop_connection(struct collect *collect)
{
	int socket = mosquitto_socket(collect->client);
	records_rollback(collect->records);
	collect->ack_count = 0;
	collect->failed = true; /* what is still read now is not for keeping */
	if (socket >= 0)
		shutdown(socket, SHUT_RDWR);
	while (mosquitto_socket(collect->client) >= 0 &&
	    mosquitto_loop_read(collect->client, 1) == MOSQ_ERR_SUCCESS)
		;
	lost(collect);
}

static bool
readable(int socket)
{
	struct pollfd fd = { .fd = socket, .events = POLLIN };
	return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

/* All that is there now, up to a turn; false: the connection is lost. */
static bool
read_turn(struct collect *collect)
{
	/* What TLS has decrypted already does not show on the socket. */
	if (collect->wan.tls && mosquitto_loop_read(collect->client, 1) != MOSQ_ERR_SUCCESS)
		return false;
	while (collect->ack_count < TURN_BATCHES && !collect->failed &&
	    collect->acks_waiting < ACKS_WAITING_MAX) {
		int socket = mosquitto_socket(collect->client);
		if (socket < 0)
			return false;
		if (!readable(socket))
			return true;
		if (mosquitto_loop_read(collect->client, 1) != MOSQ_ERR_SUCCESS)
			return false;
	}
	return true;
}

static void
turn_connected(struct collect *collect)
{
	int socket = mosquitto_socket(collect->client);
	bool full = collect->acks_waiting >= ACKS_WAITING_MAX;
	struct pollfd fd = { .fd = socket,
		.events = (short)(POLLIN | (mosquitto_want_write(collect->client) ? POLLOUT : 0)) };
	poll(&fd, 1, full ? 20 : 200);
	/* Acknowledgements of the broker come in by reading too: when full, one at a time. */
	bool alive = full && readable(socket)
	    ? mosquitto_loop_read(collect->client, 1) == MOSQ_ERR_SUCCESS
	    : read_turn(collect);
	if (!collect->failed && records_commit(collect->records) != 0) {
		log_error("collect: cannot commit error=\"%s\"", records_error(collect->records));
		collect->failed = true;
	}
	if (collect->failed) {
		drop_connection(collect);
		return;
	}
	publish_acks(collect);
	if (alive && mosquitto_want_write(collect->client))
		alive = mosquitto_loop_write(collect->client, 1) == MOSQ_ERR_SUCCESS;
	if (alive)
		alive = mosquitto_loop_misc(collect->client) == MOSQ_ERR_SUCCESS;
	if (!alive || mosquitto_socket(collect->client) < 0)
		lost(collect);
}

/* true: go on. */
static bool
turn(struct collect *collect, struct err *err)
{
	if (mosquitto_socket(collect->client) >= 0) {
		turn_connected(collect);
		return true;
	}
	int64_t wait = collect->connect_at_ms - wan_now_ms();
	if (wait > 0) {
		poll(NULL, 0, wait > 200 ? 200 : (int)wait);
		return true;
	}
	if (collect->failed) {
		records_close(collect->records);
		collect->records = NULL;
		struct err reopen = { 0 };
		if (records_open(collect->options->into, &collect->records, &reopen) != 0) {
			*err = reopen;
			return false; /* the disk is gone for good: the service manager decides */
		}
		collect->failed = false;
	}
	if (wan_connect(collect->client, &collect->wan) != NULL)
		lost(collect);
	return true;
}

static int
run_once(struct collect *collect, struct err *err)
{
	if (wan_connect(collect->client, &collect->wan) != NULL)
		return err_set(err, AISLE_E_IO, "%s:%d: cannot connect", collect->wan.host,
		    collect->wan.port);
	int64_t began = wan_now_ms();
	while (!stopping) {
		turn_connected(collect);
		if (collect->failed)
			return err_set(err, AISLE_E_IO, "cannot write into %s",
			    collect->options->into);
		if (collect->refused || mosquitto_socket(collect->client) < 0)
			return err_set(err, AISLE_E_IO, "%s:%d: refused or lost", collect->wan.host,
			    collect->wan.port);
		if (!collect->subscribed && wan_now_ms() - began > 1000 * WAN_CONNECT_S)
			return err_set(err, AISLE_E_IO, "%s:%d: no answer", collect->wan.host,
			    collect->wan.port);
		if (collect->subscribed && wan_now_ms() - collect->last_ms >= ONCE_MS)
			break;
	}
	return 0;
}

static int
run_forever(struct collect *collect, struct err *err)
{
	while (!stopping) {
		if (!turn(collect, err))
			return err->code;
	}
	return 0;
}

/* Our acknowledgements are on their way to the stores before we leave, if the broker is willing. */
static void
leave(struct collect *collect)
{
	int64_t end = wan_now_ms() + LEAVE_MS;
	while (collect->connected && collect->acks_waiting > 0 && wan_now_ms() < end &&
	    mosquitto_socket(collect->client) >= 0)
		turn_connected(collect);
	if (mosquitto_socket(collect->client) >= 0 && !collect->failed) {
		mosquitto_disconnect(collect->client);
		while (mosquitto_want_write(collect->client) && wan_now_ms() < end &&
		    mosquitto_loop_write(collect->client, 1) == MOSQ_ERR_SUCCESS)
			;
	}
}

/* The broker keeps what comes while we are away under this name, so it is the same each time, and
 * another for each collector: host and database. 22 characters, as old brokers want it. */
static void
make_client_id(const char *into, char out[static 24])
{
	char host[256] = "";
	uint8_t digest[4];
	char hex[9];
	struct buf text = { 0 };
	gethostname(host, sizeof(host) - 1);
	buf_addf(&text, "%s %s", host, into);
	hash_bytes(digest, sizeof(digest), text.data, text.len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	snprintf(out, 24, "aisle-collect-%s", hex);
	buf_done(&text);
}

static int
start(struct collect *collect, struct err *err)
{
	int rc = wan_new(&collect->wan, collect, &collect->client, err);
	if (rc != 0)
		return rc;
	mosquitto_connect_callback_set(collect->client, on_connect);
	mosquitto_subscribe_callback_set(collect->client, on_subscribe);
	mosquitto_publish_callback_set(collect->client, on_publish);
	mosquitto_message_callback_set(collect->client, on_message);
	return records_open(collect->options->into, &collect->records, err);
}

int
collect_run(const struct collect_options *options, struct err *err)
{
	const struct broker_options *broker = &options->broker;
	char host[WAN_HOST_SIZE], client_id[24];
	struct sigaction stop = { .sa_handler = on_stop }, old_term, old_int;
	struct collect *collect = mem_zero(sizeof(*collect));
	collect->options = options;
	collect->wan = (struct wan){ .client_id = client_id,
		.user = broker->user,
		.password_file = broker->password_file,
		.ca = broker->ca,
		.cert = broker->cert,
		.key = broker->key,
		.ack_late = true };
	if (!wan_url(broker->url, &collect->wan, host)) {
		free(collect);
		return err_set(err, AISLE_E_INVALID, "bad broker %s, expected mqtt[s]://HOST:PORT",
		    broker->url);
	}
	if (random_begin(err) != 0) {
		free(collect);
		return AISLE_E_IO;
	}
	make_client_id(options->into, client_id);
	stopping = 0;
	sigaction(SIGTERM, &stop, &old_term);
	sigaction(SIGINT, &stop, &old_int);
	mosquitto_lib_init();

	int rc = start(collect, err);
	if (rc == 0)
		rc = options->once ? run_once(collect, err) : run_forever(collect, err);
	if (rc == 0)
		leave(collect);
	log_info("collect: leaving batches=%lld rows=%lld refused=%lld", collect->batches,
	    collect->rows, collect->bad);
	records_close(collect->records);
	mosquitto_destroy(collect->client);
	mosquitto_lib_cleanup();
	sigaction(SIGTERM, &old_term, NULL);
	sigaction(SIGINT, &old_int, NULL);
	free(collect);
	return rc;
}
