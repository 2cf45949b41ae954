/* SPDX-License-Identifier: Apache-2.0
 *
 * conf_broker.c - [hq] host: the brokers of headquarters.
 */
#include "core/conf_broker.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool
is_name(const char *host)
{
	return host[0] != '\0' &&
	    strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
	    strlen(host);
}

static bool
is_v6(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, host, &address) == 1;
}

/* Of what stands behind the host: nothing, or ":PORT". */
static bool
parse_port(const char *text, int *ret_port)
{
	size_t digits = text[0] == ':' ? strspn(text + 1, "0123456789") : 0;

	*ret_port = 0;
	if (text[0] == '\0')
		return true;
	if (digits == 0 || digits > 5 || text[1 + digits] != '\0')
		return false;
	*ret_port = (int)strtol(text + 1, NULL, 10);
	return *ret_port >= 1 && *ret_port <= 65535;
}

bool
conf_broker_parse(const char *text, struct conf_broker *ret)
{
	bool v6 = text[0] == '[';
	const char *host = v6 ? text + 1 : text;
	size_t len = strcspn(host, v6 ? "]" : ":");
	const char *rest = host + len;

	if (len >= sizeof(ret->host) || (v6 && *rest++ != ']'))
		return false;
	memcpy(ret->host, host, len);
	ret->host[len] = '\0';
	return (v6 ? is_v6(ret->host) : is_name(ret->host)) && parse_port(rest, &ret->port);
}

size_t
conf_brokers(const struct conf *conf, struct conf_broker ret[static CONF_BROKERS_MAX])
{
	char *copy, *rest, *part;
	size_t count = 0;

	if (conf->hq_host == NULL)
		return 0;
	rest = copy = mem_strdup(conf->hq_host);
	while (count < CONF_BROKERS_MAX && (part = strtok_r(rest, " \t", &rest)) != NULL) {
		/* It was looked at when the configuration was read. */
		CHECK(conf_broker_parse(part, &ret[count]));
		if (ret[count].port == 0)
			ret[count].port = conf->hq_port;
		count++;
	}
	free(copy);
	return count;
}
