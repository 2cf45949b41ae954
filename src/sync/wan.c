/* SPDX-License-Identifier: Apache-2.0
 *
 * wan.c - a libmosquitto client of HQ's broker.
 *
 * DESIGN
 *   The blocking connect is used: the asynchronous one resolves names
 *   blockingly all the same, and starts TLS on a socket that is not
 *   connected yet. A timer signal bounds it, for connect() has no timeout of
 *   its own and waits minutes for a silent address.
 */
#include "sync/wan.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"

#define KEEPALIVE_S 30
#define BACKOFF_FIRST_MS 5000
#define BACKOFF_LAST_MS 60000

static bool
starts_with(const char **text, const char *start)
{
	size_t len = strlen(start);
	if (strncmp(*text, start, len) != 0)
		return false;
	*text += len;
	return true;
}

bool
wan_url(const char *url, struct wan *wan, char buffer[static WAN_HOST_SIZE])
{
	bool tls = false;
	if (starts_with(&url, "mqtts://"))
		tls = true;
	else if (!starts_with(&url, "mqtt://"))
		return false;
	bool v6 = starts_with(&url, "[");
	size_t len = strcspn(url, v6 ? "]" : ":/");
	const char *rest = url + len;
	long port = tls ? 8883 : 1883;
	if (len == 0 || len >= WAN_HOST_SIZE || (v6 && *rest++ != ']'))
		return false;
	if (*rest == ':') {
		char *end;
		if (rest[1] < '0' || rest[1] > '9')
			return false;
		port = strtol(rest + 1, &end, 10);
		rest = end;
	}
	if (*rest == '/')
		rest++;
	if (*rest != '\0' || port < 1 || port > 65535)
		return false;
	memcpy(buffer, url, len);
	buffer[len] = '\0';
	wan->host = buffer;
	wan->port = (int)port;
	wan->tls = tls;
	return true;
}

int
wan_password(const char *path, char password[static WAN_PASSWORD_SIZE], struct err *err)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	setvbuf(file, NULL, _IONBF, 0); /* no second copy */
	if (fgets(password, WAN_PASSWORD_SIZE, file) == NULL)
		password[0] = '\0';
	fclose(file);
	password[strcspn(password, "\r\n")] = '\0';
	return 0;
}

static int
set_login(struct mosquitto *client, const struct wan *wan, struct err *err)
{
	char password[WAN_PASSWORD_SIZE] = "";
	if (wan->password_file != NULL && wan_password(wan->password_file, password, err) != 0)
		return AISLE_E_IO;
	int rc = MOSQ_ERR_SUCCESS;
	if (wan->user != NULL)
		rc = mosquitto_username_pw_set(client, wan->user,
		    wan->password_file != NULL ? password : NULL);
	sodium_memzero(password, sizeof(password));
	return rc == MOSQ_ERR_SUCCESS
	    ? 0
	    : err_set(err, AISLE_E_INVALID, "user: %s", mosquitto_strerror(rc));
}

static int
set_tls(struct mosquitto *client, const struct wan *wan, struct err *err)
{
	if (!wan->tls)
		return 0;
	int rc;
	if (wan->ca == NULL) {
		rc = mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
		if (rc == MOSQ_ERR_SUCCESS && wan->cert != NULL)
			rc = mosquitto_tls_set(client, NULL, "/etc/ssl/certs", wan->cert, wan->key,
			    NULL);
	} else {
		rc = mosquitto_tls_set(client, wan->ca, NULL, wan->cert, wan->key, NULL);
	}
	return rc == MOSQ_ERR_SUCCESS
	    ? 0
	    : err_set(err, AISLE_E_INVALID, "TLS: %s, expected readable PEM files",
		  mosquitto_strerror(rc));
}

int
wan_new(const struct wan *wan, void *ctx, struct mosquitto **ret_client, struct err *err)
{
	struct mosquitto *client = mosquitto_new(wan->client_id, wan->clean, ctx);
	if (client == NULL)
		return err_set(err, AISLE_E_INVALID, "client id %s: %s", wan->client_id,
		    strerror(errno));
	int rc = set_login(client, wan, err);
	if (rc == 0)
		rc = set_tls(client, wan, err);
	if (rc != 0) {
		mosquitto_destroy(client);
		return rc;
	}
	if (wan->ack_late)
		mosquitto_threaded_set(client, true);
	if (wan->session_s > 0)
		mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	*ret_client = client;
	return 0;
}

static void
on_alarm(int number)
{
	(void)number; /* connect() returns EINTR: that is all */
}

static int
connect_now(struct mosquitto *client, const struct wan *wan)
{
	mosquitto_property *properties = NULL;
	if (wan->session_s == 0)
		return mosquitto_connect(client, wan->host, wan->port, KEEPALIVE_S);
	int rc = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
	    wan->session_s);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_connect_bind_v5(client, wan->host, wan->port, KEEPALIVE_S, NULL,
		    properties);
	mosquitto_property_free_all(&properties);
	return rc;
}

/* connect() comes back after this time. */
static void
bound_connect(int seconds, struct sigaction *ret_saved)
{
	struct sigaction action = { .sa_handler = on_alarm };
	/* Again each second: one host name may have several silent addresses. */
	struct itimerval timer = { .it_value = { .tv_sec = seconds },
		.it_interval = { .tv_sec = 1 } };

	sigaction(SIGALRM, &action, ret_saved);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void
unbound_connect(const struct sigaction *saved)
{
	static const struct itimerval off;

	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, saved, NULL);
}

const char *
wan_connect(struct mosquitto *client, const struct wan *wan)
{
	struct sigaction saved;
	bound_connect(WAN_CONNECT_S, &saved);
	errno = 0;
	int rc = connect_now(client, wan);
	int error = errno;
	unbound_connect(&saved);
	if (rc == MOSQ_ERR_SUCCESS)
		return NULL;
	const char *why = rc == MOSQ_ERR_ERRNO ? strerror(error) : mosquitto_strerror(rc);
	log_info("hq: cannot connect host=%s port=%d error=\"%s\"", wan->host, wan->port, why);
	return why;
}

bool
wan_answers(const char *host, int port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct sigaction saved;
	char service[8];
	bool answers = false;

	snprintf(service, sizeof(service), "%d", port);
	bound_connect(WAN_PROBE_S, &saved);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		found = NULL;
	for (struct addrinfo *one = found; one != NULL && !answers; one = one->ai_next) {
		int fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, one->ai_protocol);

		answers = fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) == 0;
		if (fd >= 0)
			close(fd);
	}
	unbound_connect(&saved);
	if (found != NULL)
		freeaddrinfo(found);
	return answers;
}

int64_t
wan_backoff_same(struct wan_backoff *backoff)
{
	if (backoff->ms < BACKOFF_FIRST_MS)
		backoff->ms = BACKOFF_FIRST_MS;
	return backoff->ms / 4 + randombytes_uniform((uint32_t)(backoff->ms - backoff->ms / 4));
}

int64_t
wan_backoff_next(struct wan_backoff *backoff)
{
	backoff->ms = backoff->ms * 2 < BACKOFF_LAST_MS ? backoff->ms * 2 : BACKOFF_LAST_MS;
	return wan_backoff_same(backoff);
}

int64_t
wan_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
