/* SPDX-License-Identifier: Apache-2.0
 *
 * wan.h - a libmosquitto client of HQ's broker: TLS, password, bounded connect, back-off.
 */
#ifndef AISLE_SYNC_WAN_H
#define AISLE_SYNC_WAN_H

#include "aisle/base.h"

struct mosquitto;

struct wan {
	const char *host;
	int port;
	const char *client_id;
	const char *user, *password_file; /* NULL: none */
	bool tls;			  /* ca NULL: what the system trusts */
	const char *ca, *cert, *key;
	bool ack_late;	    /* PUBACKs leave with mosquitto_loop_write, not before */
	uint32_t session_s; /* MQTT 5, and how long the broker keeps the session; 0: MQTT 3.1.1 */
	bool clean;	    /* the broker keeps nothing for us while we are away */
};

#define WAN_HOST_SIZE 256
/* "mqtt://HOST", "mqtts://HOST:PORT", "mqtt://[::1]:1883": host (in buffer), port and tls. */
bool wan_url(const char *url, struct wan *wan, char buffer[static WAN_HOST_SIZE]);
/* A client, not yet connected; MQTT 3.1.1 (which every broker for a large chain speaks). Reads the password file. 0, AISLE_E_INVALID, AISLE_E_IO. Caller mosquitto_destroy's. */
int wan_new(const struct wan *wan, void *ctx, struct mosquitto **ret_client, struct err *err)
    AISLE_MUST_CHECK;
/* Connects (again), blocking for WAN_CONNECT_S at most, by SIGALRM. NULL: CONNECT is on its way;
 * else why not. */
#define WAN_CONNECT_S 15
const char *wan_connect(struct mosquitto *client, const struct wan *wan);

/* Does somebody listen there? Blocks for WAN_PROBE_S at most, but for looking up the name. */
#define WAN_PROBE_S 5
bool wan_answers(const char *host, int port);

/* A password file's first line; the caller wipes it. */
#define WAN_PASSWORD_SIZE 1024
int wan_password(const char *path, char password[static WAN_PASSWORD_SIZE], struct err *err)
    AISLE_MUST_CHECK;

/* 5, 10, 20 … 60 s, of which a random part from a quarter up is waited. */
struct wan_backoff {
	int64_t ms;
};
int64_t wan_backoff_next(struct wan_backoff *backoff);
int64_t wan_backoff_same(struct wan_backoff *backoff); /* as long as the last time; 5 s at first */

int64_t wan_now_ms(void); /* monotonic */

#endif
