/* SPDX-License-Identifier: Apache-2.0
 *
 * relay.c - the limit: the least that any program with our promises must do.
 *
 *   relay --port P --state FILE [--store S]
 *
 * Every event is a row of an SQLite file, synced before one message of about
 * the same size goes out and before the broker hears the PUBACK; events that
 * are there together share a commit. No parsing, no rules, no dedup, no
 * outbox, no sealing. Beside it a figure of aisled says what the rest costs.
 */
#include <getopt.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN 256 /* reading goes on until there are so many; one read may bring more than one */

struct message {
	char topic[96];
	void *payload;
	int len;
};

static struct message *turn;
static int turn_count, turn_room;
static sqlite3 *db;
static sqlite3_stmt *begin, *insert, *commit;
static const char *store = "0042";
static volatile sig_atomic_t stop;

static void
on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "relay: %s\n", what);
	exit(1);
}

static void
on_connect(struct mosquitto *mosq, void *ctx, int rc, int flags,
    const mosquitto_property *properties)
{
	char topic[96];

	(void)ctx;
	(void)flags;
	(void)properties;
	must(rc == 0, "the broker refused the connection");
	snprintf(topic, sizeof(topic), "aisle/v1/%s/pos/+/event", store);
	mosquitto_subscribe(mosq, NULL, topic, 1);
}

/* What has been read has a place, however many one read has brought. */
static struct message *
turn_add(void)
{
	if (turn_count == turn_room) {
		turn_room = turn_room == 0 ? TURN : 2 * turn_room;
		turn = realloc(turn, (size_t)turn_room * sizeof(*turn));
		must(turn != NULL, "no memory");
	}
	return &turn[turn_count++];
}

static void
on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message,
    const mosquitto_property *properties)
{
	const char *till = message->topic + strlen("aisle/v1//pos/") + strlen(store);
	struct message *row = turn_add();

	(void)mosq;
	(void)ctx;
	(void)properties;
	snprintf(row->topic, sizeof(row->topic), "aisle/v1/%s/guidance/%.*s", store,
	    (int)strcspn(till, "/"), till);
	row->len = message->payloadlen;
	row->payload = malloc((size_t)row->len);
	memcpy(row->payload, message->payload, (size_t)row->len);
}

static void
step(sqlite3_stmt *stmt)
{
	must(sqlite3_step(stmt) == SQLITE_DONE, sqlite3_errmsg(db));
	sqlite3_reset(stmt);
}

static void
run_turn(struct mosquitto *mosq)
{
	step(begin);
	for (int i = 0; i < turn_count; i++) {
		sqlite3_bind_blob(insert, 1, turn[i].payload, turn[i].len, SQLITE_STATIC);
		step(insert);
	}
	step(commit);
	for (int i = 0; i < turn_count; i++) {
		mosquitto_publish(mosq, NULL, turn[i].topic, turn[i].len, turn[i].payload, 1,
		    false);
		free(turn[i].payload);
	}
	turn_count = 0;
}

static void
open_store(const char *path)
{
	must(sqlite3_open(path, &db) == SQLITE_OK, "no state");
	must(sqlite3_exec(db,
		 "PRAGMA page_size = 1024; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = "
		 "WAL;"
		 "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8192;"
		 "CREATE TABLE IF NOT EXISTS event(id INTEGER PRIMARY KEY, body BLOB)",
		 NULL, NULL, NULL) == SQLITE_OK,
	    sqlite3_errmsg(db));
	sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, NULL);
	sqlite3_prepare_v2(db, "INSERT INTO event(body) VALUES(?1)", -1, &insert, NULL);
	sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL);
}

static struct mosquitto *
open_broker(int port)
{
	struct mosquitto *mosq = mosquitto_new("relay", false, NULL);
	mosquitto_property *properties = NULL;

	/* As aisled does: "threaded" queues the PUBACK, loop_write sends it after the commit. */
	mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_int_option(mosq, MOSQ_OPT_RECEIVE_MAXIMUM, TURN);
	mosquitto_threaded_set(mosq, true);
	mosquitto_connect_v5_callback_set(mosq, on_connect);
	mosquitto_message_v5_callback_set(mosq, on_message);
	mosquitto_property_add_int16(&properties, MQTT_PROP_RECEIVE_MAXIMUM, TURN);
	must(mosquitto_connect_bind_v5(mosq, "127.0.0.1", port, 600, NULL, properties) ==
		MOSQ_ERR_SUCCESS,
	    "no broker");
	mosquitto_property_free_all(&properties);
	return mosq;
}

static bool
readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 1;
}

static void
serve(struct mosquitto *mosq)
{
	while (!stop) {
		int fd = mosquitto_socket(mosq);
		struct pollfd poll_fd = { .fd = fd,
			.events = (short)(POLLIN | (mosquitto_want_write(mosq) ? POLLOUT : 0)) };

		if (poll(&poll_fd, 1, 1000) <= 0)
			continue;
		while (poll_fd.revents & POLLIN) {
			must(mosquitto_loop_read(mosq, 1) == MOSQ_ERR_SUCCESS,
			    "the broker is gone");
			if (turn_count >= TURN || !readable(fd))
				break;
		}
		if (turn_count > 0)
			run_turn(mosq);
		must(mosquitto_loop_write(mosq, 1) == MOSQ_ERR_SUCCESS, "the broker is gone");
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "port", 1, NULL, 'p' },
		{ "state", 1, NULL, 'd' }, { "store", 1, NULL, 's' }, { 0 } };
	const char *state = NULL;
	int option, port = 1883;
	struct mosquitto *mosq;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p')
			port = atoi(optarg);
		else if (option == 'd')
			state = optarg;
		else if (option == 's')
			store = optarg;
	}
	must(state != NULL, "expected --port P --state FILE");
	signal(SIGTERM, on_signal);
	mosquitto_lib_init();
	open_store(state);
	mosq = open_broker(port);
	serve(mosq);
	mosquitto_destroy(mosq);
	free(turn);
	sqlite3_finalize(begin);
	sqlite3_finalize(insert);
	sqlite3_finalize(commit);
	sqlite3_close(db);
	return 0;
}
