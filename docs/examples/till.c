/* SPDX-License-Identifier: Apache-2.0: a till with one article. till HOST PORT STORE TERMINAL CARD; Enter is paying.
 * MQTT_USER and MQTT_PASSWORD are its account at the broker. */
#include <jansson.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#define PRICE 499
static char base[64], name[96], basket[64], token[32], done[32], said[1024]; /* said: the last event, as sent */
static int step, off, paid, receipted;					     /* off: what our token takes off */
static char *topic(const char *tail) { return snprintf(name, sizeof(name), "%s/%s", base, tail), name; }
static void say(struct mosquitto *m, const char *type, json_t *data) {
	char id[80], when[32];
	time_t now = time(NULL);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	snprintf(id, sizeof(id), "%s-%d", basket, ++step);
	json_object_set_new(data, "basket", json_string(basket));
	json_t *event = json_pack("{ss ss ss ss+ ss sb so}", "specversion", "1.0", "id", id, "source", base,
	    "type", "aisle.", type, "time", when, "receipt", paid, "data", data);
	said[json_dumpb(event, said, sizeof(said) - 1, 0)] = '\0';
	mosquitto_publish(m, NULL, topic("event"), (int)strlen(said), said, 1, false);
	json_decref(event);
}
static void say_line(struct mosquitto *m) { /* what our token takes off stands in its line, and so in the total */
	say(m, "basket.item-added", json_pack("{si ss ss si si ss s[{ss si}]}", "line", 1, "gtin", "4006381333931",
	    "category", "grocery/coffee", "qty", 1, "amount", PRICE - off, "currency", "EUR",
	    "discounts", "ref", off > 0 ? token : "none", "amount", off));
}
static void heard(struct mosquitto *m, void *ctx, const struct mosquitto_message *message) {
	const char *command = ctx == NULL ? "" : done, *type = "", *of = "", *ours = "";
	int worth = 0;
	json_t *json = json_loadb(message->payload, (size_t)message->payloadlen, 0, NULL);
	json_unpack(json, "{ss ss ss s?s s?{s?i}}", "command", &command, "type", &type, "basket", &of, "token", &ours,
	    "offer", "worth", &worth);
	receipted |= paid && strcmp(message->topic, topic("receipt")) == 0;
	int apply = strcmp(type, "apply-offer") == 0, withdraw = strcmp(type, "withdraw-offer") == 0 && strcmp(ours, token) == 0;
	if (!paid && strcmp(of, basket) == 0 && strcmp(command, done) != 0 && (apply || (withdraw && off > 0))) {
		snprintf(done, sizeof(done), "%s", command); /* it may come twice */
		snprintf(token, sizeof(token), "%s", ours);
		off = withdraw ? 0 : worth < PRICE ? worth : PRICE;
		say_line(m);
		say(m, apply ? "offer.applied" : "offer.refused", apply ? json_pack("{ss si}", "token", token, "amount", off)
									: json_pack("{ss ss}", "token", token, "reason", "withdrawn"));
	}
	json_decref(json);
}
static void met(struct mosquitto *m, void *refusal, int refused) {
	*(int *)refusal = refused;
	mosquitto_subscribe(m, NULL, topic("command"), 1);
	mosquitto_subscribe(m, NULL, topic("receipt"), 1);
}
static void listen_on(struct mosquitto *m) { /* and find the broker again, where it was lost */
	if (mosquitto_loop(m, 100, 1) != 0 && mosquitto_reconnect(m) != 0)
		sleep(1);
}
int main(int argc, char **argv) {
	struct pollfd enter = { .fd = 0, .events = POLLIN };
	int refused = 0;
	if (argc != 6 || strlen(argv[5]) > 128)
		return 1;
	snprintf(name, sizeof(name), "till-%.16s", argv[4]);
	struct mosquitto *m = (mosquitto_lib_init(), mosquitto_new(name, false, &refused));
	mosquitto_username_pw_set(m, getenv("MQTT_USER"), getenv("MQTT_PASSWORD"));
	mosquitto_message_callback_set(m, heard);
	mosquitto_connect_callback_set(m, met);
	if (mosquitto_connect(m, argv[1], atoi(argv[2]), 30) != 0)
		return 1;
	snprintf(base, sizeof(base), "aisle/v1/%.32s/pos/%.16s", argv[3], argv[4]);
	snprintf(basket, sizeof(basket), "%.16s-%lld", argv[4], (long long)time(NULL));
	say(m, "basket.opened", json_pack("{ss}", "terminal", argv[4]));
	say(m, "customer.identified", json_pack("{ss ss}", "card", argv[5], "station", argv[4]));
	say_line(m);
	while (!refused && poll(&enter, 1, 0) == 0)
		listen_on(m);
	say(m, "basket.tender-started", json_object());
	if (off > 0)
		say(m, "offer.redeemed", json_pack("{ss si}", "token", token, "amount", off));
	paid = 1; /* from here on: said again every 5 s, until it is receipted */
	say(m, "basket.closed", json_pack("{si ss}", "total", PRICE - off, "currency", "EUR"));
	for (int waits = 1; !refused && !receipted; waits++, listen_on(m))
		if (waits % 50 == 0)
			mosquitto_publish(m, NULL, topic("event"), (int)strlen(said), said, 1, false);
	if (refused)
		fprintf(stderr, "the broker: %s\n", mosquitto_connack_string(refused));
	else
		printf("{\"basket\":\"%s\",\"total\":%d}\n", basket, PRICE - off);
	mosquitto_destroy(m);
	return !receipted;
}
