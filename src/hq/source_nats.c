/* SPDX-License-Identifier: Apache-2.0
 *
 * source_nats.c - batches by a NATS JetStream stream.
 *
 * DESIGN
 *   A cluster's servers put what stores publish by MQTT into the replicated stream UP, under
 *   up.PARTITION.store.STORE.up.LANE (a mapping of their configuration). All collectors pull from
 *   one durable consumer: a message that is not acknowledged within 30 s, or was given back,
 *   comes again to any of them. HQ's acknowledgement to the store is published first, then the
 *   stream's, over one connection that keeps their order.
 *
 *   The stream has limits, it is no work queue: what it gives up waits in its store.
 *
 *   While the library looks for another server a fetch fails in several ways ("Invalid
 *   Argument" among them): asked again, and after 10 s of it set up anew.
 */
#include <nats/nats.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "hq/source.h"
#include "sync/wan.h"

#define STREAM "UP"
#define DURABLE "collect"
#define SERVERS_MAX 16
#define FETCH_MAX 32 /* full batches of a turn */
#define FAILING_MS 10000
#define SECOND_NS INT64_C(1000000000)
#define CONNECT_MS 3000
#define AGE_S 3600
#define STREAM_BYTES (INT64_C(1) << 30)

struct nats {
	struct source base;
	natsOptions *options;
	natsConnection *connection;
	jsCtx *stream;
	natsSubscription *pull;
	struct wan_backoff backoff;
	int replicas;
	int64_t connect_at_ms, failing_since_ms;
};

static int opened; /* sources: the last one ends the library's threads */

static void
close_connection(struct nats *nats)
{
	/* First the connection, which ends the library's reader: libnats 3.4.1 has a race between a message that comes in
	 * and a subscription that goes (nats.c pull request 638). */
	if (nats->connection != NULL)
		natsConnection_Close(nats->connection);
	natsSubscription_Destroy(nats->pull);
	jsCtx_Destroy(nats->stream);
	natsConnection_Destroy(nats->connection);
	nats->pull = NULL;
	nats->stream = NULL;
	nats->connection = NULL;
	nats->base.state = SOURCE_AWAY;
	nats->failing_since_ms = 0;
	nats->connect_at_ms = wan_now_ms() + wan_backoff_next(&nats->backoff);
}

/* ---- connecting ---- */

static natsStatus
need_stream(struct nats *nats, jsErrCode *code)
{
	const char *subjects[] = { "up.>" };
	jsStreamInfo *info = NULL;
	natsStatus status = js_GetStreamInfo(&info, nats->stream, STREAM, NULL, code);
	jsStreamInfo_Destroy(info);
	if (status != NATS_NOT_FOUND)
		return status;
	jsStreamConfig config;
	jsStreamConfig_Init(&config);
	config.Name = STREAM;
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Storage = js_FileStorage;
	config.Replicas = nats->replicas;
	config.MaxAge = AGE_S * SECOND_NS;
	config.MaxBytes = STREAM_BYTES;
	return js_AddStream(NULL, nats->stream, &config, NULL, code);
}

static natsStatus
need_consumer(struct nats *nats, jsErrCode *code)
{
	jsConsumerInfo *info = NULL;
	natsStatus status = js_GetConsumerInfo(&info, nats->stream, STREAM, DURABLE, NULL, code);
	jsConsumerInfo_Destroy(info);
	if (status != NATS_NOT_FOUND)
		return status;
	jsConsumerConfig config;
	jsConsumerConfig_Init(&config);
	config.Durable = DURABLE;
	config.AckPolicy = js_AckExplicit;
	config.AckWait = 30 * SECOND_NS;
	config.MaxAckPending = 2048;
	return js_AddConsumer(NULL, nats->stream, STREAM, &config, NULL, code);
}

static natsStatus
set_up(struct nats *nats, jsErrCode *code)
{
	jsSubOptions bound;
	natsStatus status = natsConnection_Connect(&nats->connection, nats->options);
	if (status == NATS_OK)
		status = natsConnection_JetStream(&nats->stream, nats->connection, NULL);
	if (status == NATS_OK)
		status = need_stream(nats, code);
	if (status == NATS_OK)
		status = need_consumer(nats, code);
	jsSubOptions_Init(&bound);
	bound.Stream = STREAM;
	bound.Consumer = DURABLE;
	if (status == NATS_OK)
		status = js_PullSubscribe(&nats->pull, nats->stream, "up.>", DURABLE, NULL, &bound,
		    code);
	return status;
}

static void
nats_tick(struct source *source, int64_t now_ms)
{
	struct nats *nats = (struct nats *)source;
	jsErrCode code = 0;
	if (nats->failing_since_ms > 0 && now_ms - nats->failing_since_ms > FAILING_MS)
		close_connection(nats);
	if (nats->pull != NULL || now_ms < nats->connect_at_ms)
		return;
	natsStatus status = set_up(nats, &code);
	if (status != NATS_OK) {
		log_info("collect: cannot connect broker=%s error=%s code=%d", source->url,
		    LOG_VALUE(natsStatus_GetText(status)), (int)code);
		source->why = "cannot connect";
		close_connection(nats);
		return;
	}
	source->state = SOURCE_READY;
	nats->backoff.ms = 0;
	log_info("collect: connected broker=%s replicas=%d", source->url, nats->replicas);
}

static struct pollfd
nats_wanted(const struct source *source)
{
	(void)source;
	return (struct pollfd){ .fd = -1 };
}

/* ---- messages ---- */

/* "up.3.store.0042.up.money" to the topic that the store published on. */
static bool
topic_of(const char *subject, char out[static 100])
{
	const char *rest = strncmp(subject, "up.", 3) == 0 ? strchr(subject + 3, '.') : NULL;
	if (rest == NULL || (size_t)snprintf(out, 100, "aisle.v1.hq%s", rest) >= 100)
		return false;
	for (char *at = out; (at = strchr(at, '.')) != NULL;)
		*at = '/';
	return true;
}

static void
take(struct nats *nats, struct turn *turn, natsMsg *message)
{
	char topic[100];
	if (!topic_of(natsMsg_GetSubject(message), topic))
		snprintf(topic, sizeof(topic), "unknown");
	int len = natsMsg_GetDataLength(message);
	if (!turn_take(turn, &nats->base, message, topic, natsMsg_GetData(message),
		len > 0 ? (size_t)len : 0)) {
		natsMsg_Term(message, NULL);
		natsMsg_Destroy(message);
	}
}

static void
nats_read(struct source *source, struct turn *turn, int wait_ms)
{
	struct nats *nats = (struct nats *)source;
	natsMsgList list = { .Msgs = NULL };
	jsErrCode code = 0;
	size_t room = turn->rows < TURN_ROWS ? (TURN_ROWS - turn->rows) / 256 + 1 : 1;
	if (nats->pull == NULL || turn_full(turn, wan_now_ms()))
		return;
	natsStatus status = natsSubscription_Fetch(&list, nats->pull,
	    room < FETCH_MAX ? (int)room : FETCH_MAX, wait_ms > 0 ? wait_ms : 1, &code);
	for (int i = 0; i < list.Count; i++) {
		take(nats, turn, list.Msgs[i]);
		list.Msgs[i] = NULL;
	}
	natsMsgList_Destroy(&list);
	if (status == NATS_OK || status == NATS_TIMEOUT) {
		nats->failing_since_ms = 0;
		return;
	}
	if (nats->failing_since_ms == 0) {
		nats->failing_since_ms = wan_now_ms();
		log_info("collect: no batches for now broker=%s error=%s code=%d", source->url,
		    LOG_VALUE(natsStatus_GetText(status)), (int)code);
	}
	nats_Sleep(wait_ms > 0 ? wait_ms : 1); /* it failed at once */
}

static void
nats_acknowledge(struct source *source, const struct taken *taken)
{
	struct nats *nats = (struct nats *)source;
	struct buf payload = { 0 };
	char subject[100];
	source_ack(&taken->batch, '.', subject, &payload);
	/* One that does not get through is sent again: by the stream, and by the store. */
	if (taken->refused) {
		natsMsg_Term(taken->handle, NULL);
	} else if (nats->connection != NULL) {
		natsConnection_Publish(nats->connection, subject, payload.data, (int)payload.len);
		natsMsg_Ack(taken->handle, NULL);
	}
	natsMsg_Destroy(taken->handle);
	buf_done(&payload);
}

static void
nats_drop(struct source *source, struct turn *turn)
{
	for (size_t i = 0; i < turn->count; i++) {
		struct taken *taken = &turn->items[i];
		if (taken->source != source)
			continue;
		natsMsg_Nak(taken->handle, NULL);
		natsMsg_Destroy(taken->handle);
		taken->handle = NULL;
	}
}

static bool
nats_idle(const struct source *source)
{
	const struct nats *nats = (const struct nats *)source;
	return nats->connection == NULL || natsConnection_Buffered(nats->connection) <= 0;
}

static void
nats_free(struct source *source)
{
	struct nats *nats = (struct nats *)source;
	if (nats->connection != NULL)
		natsConnection_FlushTimeout(nats->connection, 500);
	close_connection(nats);
	natsOptions_Destroy(nats->options);
	free(nats);
	if (--opened == 0)
		nats_CloseAndWait(2000);
}

/* ---- options ---- */

static natsStatus
set_servers(struct nats *nats, const char *url)
{
	const char *servers[SERVERS_MAX];
	char *text = mem_strdup(url + strlen("nats://"));
	int count = 0;
	for (char *save = NULL, *at = strtok_r(text, ",", &save); at != NULL && count < SERVERS_MAX;
	     at = strtok_r(NULL, ",", &save))
		servers[count++] = at;
	natsStatus status =
	    count > 0 ? natsOptions_SetServers(nats->options, servers, count) : NATS_INVALID_ARG;
	nats->replicas = count >= 3 ? 3 : 1;
	free(text);
	return status;
}

static natsStatus
set_login(struct nats *nats, const struct broker_options *broker, struct err *err)
{
	char password[WAN_PASSWORD_SIZE] = "";
	if (broker->password_file != NULL &&
	    wan_password(broker->password_file, password, err) != 0)
		return NATS_ERR;
	natsStatus status = broker->user != NULL
	    ? natsOptions_SetUserInfo(nats->options, broker->user, password)
	    : NATS_OK;
	sodium_memzero(password, sizeof(password));
	return status;
}

static natsStatus
set_tls(struct nats *nats, const struct broker_options *broker)
{
	natsStatus status = NATS_OK;
	if (broker->ca != NULL)
		status = natsOptions_LoadCATrustedCertificates(nats->options, broker->ca);
	if (status == NATS_OK && broker->cert != NULL)
		status =
		    natsOptions_LoadCertificatesChain(nats->options, broker->cert, broker->key);
	if (status == NATS_OK && (broker->ca != NULL || broker->cert != NULL))
		status = natsOptions_SetSecure(nats->options, true);
	return status;
}

static int
set_options(struct nats *nats, const struct broker_options *broker, const char *name,
    struct err *err)
{
	natsStatus status = natsOptions_Create(&nats->options);
	if (status == NATS_OK)
		status = set_servers(nats, nats->base.url);
	if (status == NATS_OK)
		status = set_login(nats, broker, err);
	if (status == NATS_OK)
		status = set_tls(nats, broker);
	if (status == NATS_OK)
		status = natsOptions_SetTimeout(nats->options, CONNECT_MS);
	if (status == NATS_OK)
		status = natsOptions_SetMaxReconnect(nats->options, -1);
	if (status == NATS_OK)
		status = natsOptions_SetReconnectWait(nats->options, 200);
	if (status == NATS_OK)
		status = natsOptions_SetName(nats->options, name);
	return status == NATS_OK ? 0
				 : err_set(err, AISLE_E_INVALID,
				       "bad broker %s: %s, expected nats://HOST:PORT,HOST:PORT…",
				       nats->base.url, natsStatus_GetText(status));
}

int
source_nats(const struct broker_options *broker, const char *url, const char *name,
    struct source **ret_source, struct err *err)
{
	static const struct source_kind kind = { nats_tick, nats_wanted, nats_read,
		nats_acknowledge, nats_drop, nats_idle, nats_free };
	struct nats *nats = mem_zero(sizeof(*nats));
	nats->base = (struct source){ .kind = &kind, .url = url };
	opened++;
	int rc = set_options(nats, broker, name, err);
	if (rc != 0) {
		nats_free(&nats->base);
		return err->code;
	}
	*ret_source = &nats->base;
	return 0;
}
