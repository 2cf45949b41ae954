/* SPDX-License-Identifier: Apache-2.0
 *
 * http_access.c - who asks: a tablet by its token, an operator by his address.
 *
 * DESIGN
 *   A token is 256 random bits, and only its BLAKE2b-256 is kept, so the look-up
 *   by hash tells nothing about how much of a guess was right, and the guess
 *   need not be slowed down. What does not even look like a token is refused
 *   before the store is asked.
 */
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/id.h"
#include "deliver/http_private.h"

#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

bool
http_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= 32 && strspn(name, BASE64URL) == len;
}

bool
http_id_ok(const char *id)
{
	size_t len = strlen(id);

	for (const char *s = id; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return len >= 1 && len <= 128;
}

void
http_token_hash(const char *token, char ret_hex[static 65])
{
	uint8_t hash[32];

	hash_bytes(hash, sizeof(hash), token, strlen(token), NULL, 0);
	hash_hex(ret_hex, hash, sizeof(hash));
}

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }; /* and IPv4 */

/* An address as 16 bytes, IPv4 mapped. */
static bool
parse_address(const char *text, uint8_t ret[static 16])
{
	char bare[64];

	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(text, "%"), text);
	if (inet_pton(AF_INET6, bare, ret) == 1)
		return true;
	memcpy(ret, mapped, sizeof(mapped));
	return inet_pton(AF_INET, bare, ret + 12) == 1;
}

static bool
parse_cidr(const char *text, struct cidr *ret)
{
	char address[64];
	size_t len = strcspn(text, "/");
	int bits_max = memchr(text, ':', len) != NULL ? 128 : 32, bits = bits_max;
	char tail;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (text[len] == '/' &&
	    (sscanf(text + len + 1, "%3d%c", &bits, &tail) != 1 || bits < 0 || bits > bits_max))
		return false;
	ret->bits = bits + (128 - bits_max);
	return parse_address(address, ret->address);
}

int
http_access_init(struct http *http, struct err *err)
{
	char *list, *save = NULL;

	if (http->conf->http_operators == NULL)
		return 0;
	list = mem_strdup(http->conf->http_operators);
	for (char *word = strtok_r(list, " ,\t", &save); word != NULL;
	     word = strtok_r(NULL, " ,\t", &save)) {
		if (http->operator_count == CONF_OPERATORS_MAX ||
		    !parse_cidr(word, &http->operators[http->operator_count])) {
			err_set(err, AISLE_E_CONFIG,
			    "[http] operators: \"%s\" is not one of at most %d networks like "
			    "10.0.0.0/8",
			    word, CONF_OPERATORS_MAX);
			free(list);
			return AISLE_E_CONFIG;
		}
		http->operator_count++;
	}
	free(list);
	return 0;
}

static bool
cidr_has(const struct cidr *cidr, const uint8_t address[static 16])
{
	int whole = cidr->bits / 8, rest = cidr->bits % 8;

	if (memcmp(cidr->address, address, (size_t)whole) != 0)
		return false;
	return rest == 0 || ((cidr->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

bool
http_address_of(const struct http_client *client, uint8_t ret[static 16])
{
	char *peer;
	ev_uint16_t port;

	evhttp_connection_get_peer(client->connection, &peer, &port);
	return peer != NULL && parse_address(peer, ret);
}

void
http_address_name(const uint8_t address[static 16], char ret[static HTTP_ADDRESS_SIZE])
{
	uint8_t counted[16] = { 0 };
	char hex[33];

	memcpy(counted, address, memcmp(address, mapped, sizeof(mapped)) == 0 ? 16 : 8);
	hash_hex(hex, counted, sizeof(counted));
	snprintf(ret, HTTP_ADDRESS_SIZE, "address %s", hex);
}

bool
http_is_operator(const struct http *http, const struct http_client *client)
{
	uint8_t address[16];

	if (!http_address_of(client, address))
		return false;
	for (size_t i = 0; i < http->operator_count; i++)
		if (cidr_has(&http->operators[i], address))
			return true;
	return false;
}

void
http_cookie(const struct http_call *call, const char *name, char *out, size_t size)
{
	const char *header = http_header(call, "Cookie");
	size_t name_len = strlen(name), len;

	out[0] = '\0';
	while (header != NULL && *header != '\0') {
		header += strspn(header, " ;");
		len = strcspn(header, ";");
		if (len > name_len && strncmp(header, name, name_len) == 0 &&
		    header[name_len] == '=' && len - name_len - 1 < size) {
			memcpy(out, header + name_len + 1, len - name_len - 1);
			out[len - name_len - 1] = '\0';
			return;
		}
		header += len;
	}
}

bool
http_token_shaped(const char *token)
{
	return strlen(token) == TOKEN_TEXT_LEN && strspn(token, BASE64URL) == TOKEN_TEXT_LEN;
}

void
http_token_new(char ret_token[static TOKEN_TEXT_LEN + 1])
{
	uint8_t secret[32];

	randombytes_buf(secret, sizeof(secret));
	sodium_bin2base64(ret_token, TOKEN_TEXT_LEN + 1, secret, sizeof(secret),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(secret, sizeof(secret));
}

bool
http_authenticate(struct http_call *call)
{
	const struct http_host *host = call->http->host;
	const char *bearer = http_header(call, "Authorization");
	char token[TOKEN_TEXT_LEN + 2], hash[65];
	bool ok;

	/* Who shows a token means that one, whatever the browser keeps. */
	if (bearer != NULL)
		snprintf(token, sizeof(token), "%s",
		    strncasecmp(bearer, "Bearer ", 7) == 0 ? bearer + 7 : "");
	else
		http_cookie(call, "aisle_token", token, sizeof(token));
	ok = http_token_shaped(token);
	if (ok) {
		http_token_hash(token, hash);
		ok = host->tablet_get(host->ctx, hash, &call->tablet) == 0;
	}
	sodium_memzero(token, sizeof(token));
	if (!ok)
		memset(&call->tablet, 0, sizeof(call->tablet));
	return ok;
}

bool
http_scope_has(const struct http_tablet *tablet, const char *station)
{
	const char *at = tablet->stations;
	size_t len = strlen(station), part;

	if (*at == '\0')
		return true;
	for (; *at != '\0'; at += at[part] == ',' ? part + 1 : part) {
		part = strcspn(at, ",");
		if (part == len && strncmp(at, station, len) == 0)
			return true;
	}
	return false;
}
