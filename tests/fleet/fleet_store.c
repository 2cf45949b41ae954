/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet_store.c - one store's session: clean, subscribed at QoS 0, its batch until headquarters has it, the next broker
 * of the list when one fails.
 */
#include "fleet.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "core/json.h"

#define KEEPALIVE_S 60
#define BACK_OFF_MS 5000

static struct fleet *the_fleet; /* libmosquitto's callbacks know the store alone */

static void
send_batch(struct fleet *fleet, struct fleet_store *store)
{
	char topic[100];
	if (store->acked || !store->connected)
		return;
	if (store->batch.len == 0)
		fleet_batch(store->number, fleet->options.records, fleet->options.bytes,
		    &store->batch);
	snprintf(topic, sizeof(topic), "aisle/v1/hq/store/%s/up/decision", store->id);
	mosquitto_publish(store->client, NULL, topic, (int)store->batch.len, store->batch.data, 1,
	    false);
	fleet->repeats += store->sent;
	store->sent = true;
	store->send_at_ms = fleet_now_ms() + store->repeat_ms * 3 / 4 +
	    fleet_random((uint32_t)store->repeat_ms / 2);
	store->repeat_ms = store->repeat_ms * 2 > 600 * S_MS ? 600 * S_MS : store->repeat_ms * 2;
}

static void
on_connect(struct mosquitto *client, void *ctx, int rc)
{
	struct fleet_store *store = ctx;
	char topics[5][100];
	const char *list[5];
	if (rc != 0)
		return;
	store->connected = true;
	store->tries = 0;
	the_fleet->connections++;
	snprintf(topics[0], 100, "aisle/v1/hq/store/%s/ack/+", store->id);
	snprintf(topics[1], 100, "aisle/v1/hq/root/%lld", (long long)the_fleet->root.version + 1);
	snprintf(topics[2], 100, "aisle/v1/hq/release/stable");
	snprintf(topics[3], 100, "aisle/v1/hq/stop");
	snprintf(topics[4], 100, "aisle/v1/hq/store/%s/order", store->id);
	for (int i = 0; i < 5; i++)
		list[i] = topics[i];
	mosquitto_subscribe_multiple(client, NULL, 5, (char *const *)list, 0, 0, NULL);
	/* What another broker may have taken with it is sent again within seconds. */
	store->repeat_ms = the_fleet->options.first_repeat_s * S_MS;
	store->send_at_ms = fleet_now_ms() + fleet_random(3000);
	fleet_ask(store, true);
}

static void
take_ack(struct fleet_store *store, const char *text, size_t len)
{
	struct err err = { 0 };
	json_t *ack = json_read(text, len, "ack", &err);
	const char *epoch = json_string_value(json_object_get(ack, "epoch"));
	if (epoch != NULL && strcmp(epoch, fleet_epoch) == 0 && !store->acked &&
	    json_integer_value(json_object_get(ack, "upto")) == the_fleet->options.records) {
		store->acked = true;
		buf_done(&store->batch);
		the_fleet->acked++;
	}
	json_decref(ack);
}

static void
take_stop(void *ctx, const char *text, size_t len, size_t at)
{
	struct fleet_store *store = ctx;
	const struct trust_self self = { .store = store->id, .channel = "stable" };
	struct order order;
	struct err err = { 0 };
	bool new;
	(void)at;
	if (order_accept(&the_fleet->root, &store->seen, &self, false, text, len, "stop",
		fleet_wall_ms(), &order, &new, NULL, &err) != 0) {
		the_fleet->refused++;
		fprintf(stderr, "%s: %s\n", store->id, err.text);
	} else if (!store->stopped && order.type == ORDER_STOP) {
		store->stopped = true;
		the_fleet->stopped++;
	}
}

static void
on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	static const char artifact[] = "aisle/v1/hq/artifact/", release[] = "aisle/v1/hq/release/";
	struct fleet_store *store = ctx;
	size_t len = (size_t)message->payloadlen;
	(void)client;
	if (strncmp(message->topic, artifact, sizeof(artifact) - 1) == 0)
		fleet_chunk(the_fleet, store, message->topic, message->payload, len);
	else if (strncmp(message->topic, release, sizeof(release) - 1) == 0)
		fleet_release(the_fleet, store, message->topic, message->payload, len);
	else if (strcmp(message->topic, "aisle/v1/hq/stop") == 0)
		(void)!order_list_each(message->payload, len, ORDERS_CHAIN_MAX, message->topic,
		    take_stop, store, NULL, NULL);
	else if (strstr(message->topic, "/ack/") != NULL)
		take_ack(store, message->payload, len);
}

static void
watch(struct fleet *fleet, struct fleet_store *store)
{
	int socket = mosquitto_socket(store->client);
	bool writes = socket >= 0 && mosquitto_want_write(store->client);
	struct epoll_event event = { .events = EPOLLIN | (writes ? EPOLLOUT : 0u),
		.data.ptr = store };
	if (socket < 0 || (socket == store->socket && writes == store->writes))
		return;
	int how = socket == store->socket ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	if (epoll_ctl(fleet->poll, how, socket, &event) != 0)
		epoll_ctl(fleet->poll, how == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket,
		    &event);
	store->socket = socket;
	store->writes = writes;
}

static void
lost(struct fleet *fleet, struct fleet_store *store)
{
	fleet->lost += store->connected;
	store->connected = false;
	store->socket = -1;
	store->broker = (store->broker + 1) % fleet->options.broker_count;
	/* Each broker of the list at once, then a wait. */
	bool wait = ++store->tries % fleet->options.broker_count == 0;
	store->connect_at_ms =
	    fleet_now_ms() + (wait ? 1000 + fleet_random(BACK_OFF_MS) : 0) + fleet_random(500);
}

void
fleet_store_init(struct fleet *fleet, struct fleet_store *store, int number)
{
	the_fleet = fleet;
	*store = (struct fleet_store){ .number = number, .socket = -1 };
	snprintf(store->id, sizeof(store->id), "%04d", number);
	snprintf(store->folder, sizeof(store->folder), "%s/%s", fleet->options.folder, store->id);
	mkdir(store->folder, 0700);
	for (int i = 0; i < FLEET_WINDOW; i++)
		store->asked[i] = -1;
	store->broker = number % fleet->options.broker_count;
	store->connect_at_ms = fleet_now_ms() + fleet_random(2000);
	store->repeat_ms = fleet->options.first_repeat_s * S_MS;
	char name[40];
	snprintf(name, sizeof(name), "aisle-%s", store->id);
	store->client = mosquitto_new(name, true, store);
	CHECK(store->client != NULL);
	if (fleet->options.password != NULL)
		mosquitto_username_pw_set(store->client, store->id, fleet->options.password);
	mosquitto_connect_callback_set(store->client, on_connect);
	mosquitto_message_callback_set(store->client, on_message);
}

void
fleet_store_second(struct fleet *fleet, struct fleet_store *store, int64_t now_ms)
{
	if (mosquitto_socket(store->client) < 0) {
		if (store->socket >= 0)
			lost(fleet, store);
		if (now_ms < store->connect_at_ms)
			return;
		int rc = mosquitto_connect(store->client, fleet->options.hosts[store->broker],
		    fleet->options.ports[store->broker], KEEPALIVE_S);
		if (rc != MOSQ_ERR_SUCCESS)
			lost(fleet, store);
	} else {
		mosquitto_loop_misc(store->client);
		if (!store->acked && store->connected && now_ms >= store->send_at_ms)
			send_batch(fleet, store);
		if (store->fetching && store->transfer == NULL && now_ms >= store->fetch_at_ms)
			fleet_fetch_begin(fleet, store);
		else if (store->transfer != NULL && now_ms >= store->ask_again_ms)
			fleet_ask(store, true);
	}
	watch(fleet, store);
}

void
fleet_store_ready(struct fleet *fleet, struct fleet_store *store, bool readable)
{
	int rc = readable ? mosquitto_loop_read(store->client, 1) : MOSQ_ERR_SUCCESS;
	if (rc == MOSQ_ERR_SUCCESS && mosquitto_want_write(store->client))
		rc = mosquitto_loop_write(store->client, 1);
	if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(store->client) < 0)
		lost(fleet, store);
	else
		watch(fleet, store);
}

void
fleet_store_free(struct fleet_store *store)
{
	transfer_close(store->transfer);
	if (store->fetching)
		release_done(&store->release);
	buf_done(&store->batch);
	sequences_done(&store->seen);
	mosquitto_destroy(store->client);
}
