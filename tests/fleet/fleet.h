/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet.h - many stores in one process: what each of them does towards headquarters, with real sessions, signatures and
 * files. No till, no customer, no turn.
 */
#ifndef AISLE_FLEET_H
#define AISLE_FLEET_H

#include "core/buf.h"
#include "sync/transfer.h"
#include "trust/order.h"

#define FLEET_BROKERS_MAX 16
#define FLEET_WINDOW 8 /* chunks asked for at a time */

struct mosquitto;

struct fleet_options {
	char hosts[FLEET_BROKERS_MAX][64];
	int ports[FLEET_BROKERS_MAX];
	int broker_count, stores, records, first_repeat_s, bytes;
	const char *password, *folder;
	int64_t ends_ms;
};

struct fleet_store {
	int number;
	char id[16], folder[300];
	struct mosquitto *client;
	int broker, socket, tries;
	bool connected, sent, acked, released, stopped, writes;
	int64_t connect_at_ms, send_at_ms, fetch_at_ms, ask_again_ms;
	int64_t repeat_ms;
	struct buf batch; /* made once, sent as often as it has to be */
	struct sequences seen;
	struct release release; /* while it is fetched */
	bool fetching;
	struct transfer *transfer;
	int asked[FLEET_WINDOW]; /* -1: free */
};

struct fleet {
	struct fleet_options options;
	struct root root;
	struct fleet_store *stores;
	int poll; /* epoll */
	int acked, released, stopped, connections, lost, repeats, refused;
};

int64_t fleet_now_ms(void);  /* monotonic */
int64_t fleet_wall_ms(void); /* UTC */
uint32_t fleet_random(uint32_t below);

/* fleet_store.c */
void fleet_store_init(struct fleet *fleet, struct fleet_store *store, int number);
void fleet_store_second(struct fleet *fleet, struct fleet_store *store, int64_t now_ms);
void fleet_store_ready(struct fleet *fleet, struct fleet_store *store, bool readable);
void fleet_store_free(struct fleet_store *store);

/* fleet_fetch.c */
void fleet_release(struct fleet *fleet, struct fleet_store *store, const char *topic,
    const char *text, size_t len);
void fleet_fetch_begin(struct fleet *fleet, struct fleet_store *store);
void fleet_ask(struct fleet_store *store, bool again);
void fleet_chunk(struct fleet *fleet, struct fleet_store *store, const char *topic,
    const void *frame, size_t len);

/* fleet_batch.c */
void fleet_batch(int store, int records, int bytes, struct buf *ret_payload);
extern const char fleet_epoch[];

#endif
