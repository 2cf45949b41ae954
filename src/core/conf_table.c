/* SPDX-License-Identifier: Apache-2.0
 *
 * conf_table.c - the keys of aisled.conf and how their values are read.
 *
 * DESIGN
 *   One row a key: reader, defaults, reload, manual page and tests all come
 *   from it. What a type means is one small function.
 */
#include "core/conf_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/conf_broker.h"
#include "core/country.h"
#include "core/currency.h"
#include "core/log.h"
#include "core/when.h"
#include "core/zone_file.h"

#define ROW(section, name, type, field, min, max, standard, live, help) \
	{ \
		section, name, type, offsetof(struct conf, field), min, max, standard, live, help \
	}

/* clang-format off */
const struct conf_key conf_keys[] = {
	ROW("store", "id", CONF_STORE, store_id, 0, 0, NULL, false,
	    "The store's id; required."),
	ROW("store", "zone", CONF_ZONE, zone, 0, 0, "UTC", false,
	    "The store's time zone, as the time zone database names it."),
	ROW("store", "country", CONF_COUNTRY, country, 0, 0, NULL, false,
	    "ISO 3166-1 code: which goods no offer touches; absent: all that any country marks."),
	ROW("store", "currency", CONF_CURRENCY, currency, 0, 0, "EUR", false,
	    "ISO 4217 code of all amounts."),
	ROW("store", "day_cut", CONF_CUT, day_cut_minute, 0, 0, "04:00", false,
	    "Local time at which the business day begins."),
	ROW("mqtt", "socket", CONF_PATH, mqtt_socket, 0, 0, NULL, false,
	    "Unix socket of the store's broker; instead of host."),
	ROW("mqtt", "host", CONF_TEXT, mqtt_host, 0, 0, "127.0.0.1", false,
	    "Address of the store's broker."),
	ROW("mqtt", "port", CONF_INT, mqtt_port, 1, 65535, "1883", false, "Its port."),
	ROW("mqtt", "client_id", CONF_CLIENT, mqtt_client_id, 0, 0, NULL, false,
	    "Client id; aisled-ID when absent. Two gateways must not share one."),
	ROW("mqtt", "user", CONF_TEXT, mqtt_user, 0, 0, NULL, false, "User name."),
	ROW("mqtt", "password_file", CONF_FILE, mqtt_password_file, 0, 0, NULL, false,
	    "File whose first line is the password."),
	ROW("mqtt", "ca", CONF_FILE, mqtt_ca, 0, 0, NULL, false,
	    "Certificates to trust (PEM); absent: plain TCP."),
	ROW("mqtt", "cert", CONF_FILE, mqtt_cert, 0, 0, NULL, false, "Own certificate (PEM)."),
	ROW("mqtt", "key", CONF_FILE, mqtt_key, 0, 0, NULL, false, "Its private key (PEM)."),
	ROW("hq", "host", CONF_BROKERS, hq_host, 0, 0, NULL, false,
	    "Headquarters' brokers, one or several; absent: there is no headquarters."),
	ROW("hq", "port", CONF_INT, hq_port, 1, 65535, NULL, false,
	    "Port of those without one; 8883 with ca, else 1883."),
	ROW("hq", "client_id", CONF_CLIENT, hq_client_id, 0, 0, NULL, false,
	    "Client id; aisle-ID when absent."),
	ROW("hq", "user", CONF_TEXT, hq_user, 0, 0, NULL, false, "User name."),
	ROW("hq", "password_file", CONF_FILE_HQ, hq_password_file, 0, 0, NULL, false,
	    "File whose first line is the password."),
	ROW("hq", "ca", CONF_FILE_HQ, hq_ca, 0, 0, NULL, false,
	    "Certificates to trust (PEM); absent: plain TCP."),
	ROW("hq", "cert", CONF_FILE_HQ, hq_cert, 0, 0, NULL, false, "Own certificate (PEM)."),
	ROW("hq", "key", CONF_FILE_HQ, hq_key, 0, 0, NULL, false, "Its private key (PEM)."),
	ROW("hq", "channel", CONF_ID, hq_channel, 0, 0, "stable", false,
	    "Release channel to follow."),
	ROW("hq", "ring", CONF_ID, hq_ring, 0, 0, NULL, false,
	    "Ring of stores that takes a release together; absent: in none."),
	ROW("hq", "root", CONF_FILE, hq_root, 0, 0, NULL, false,
	    "Root of trust; absent: unsigned bundles are accepted."),
	ROW("http", "listen", CONF_LISTEN, http_listen, 0, 0, "127.0.0.1:8080", false,
	    "Addresses to serve tablets on, separated by commas; port 0: any free one."),
	ROW("http", "cert", CONF_FILE, http_cert, 0, 0, NULL, false,
	    "Certificate (PEM); absent: plain HTTP."),
	ROW("http", "key", CONF_FILE, http_key, 0, 0, NULL, false, "Its private key (PEM)."),
	ROW("http", "plain_lan", CONF_BOOL, http_plain_lan, 0, 0, "no", false,
	    "Serve other addresses than loopback without a certificate."),
	ROW("http", "operators", CONF_CIDRS, http_operators, 0, 0, "127.0.0.1/32 ::1/128", false,
	    "Networks that may read /metrics, /livez and /readyz."),
	ROW("loyalty", "desks", CONF_NAMES, loyalty_desks, 0, 0, "all", true,
	    "Readers that may merge cards and grant consent for anybody; all: every reader."),
	ROW("loyalty", "baskets_a_day", CONF_INT, baskets_a_day, 1, 10000, "12", true,
	    "Baskets of a business day that one card may be in; with more it is treated as staff's."),
	ROW("state", "dir", CONF_FOLDER, state_dir, 0, 0, "/var/lib/aisle", false,
	    "Folder of everything that the store learns."),
	ROW("state", "control", CONF_PATH, state_control, 0, 0, "/run/aisle/control.sock", false,
	    "Socket that aislectl talks to."),
	ROW("state", "max_mib", CONF_INT, state_max_mib, 1, 1 << 20, "1024", false,
	    "Size that the state may reach, in MiB."),
	ROW("state", "recording_mib", CONF_INT, recording_mib, 0, 65536, "64", false,
	    "Of what the store was told, so much is kept for a replay, in MiB; 0: nothing."),
	ROW("state", "flash_tb", CONF_INT, flash_tb, 0, 1000000, "0", true,
	    "Terabytes that the flash under the state stands, as its data sheet says; 0: not told."),
	ROW("limits", "stale", CONF_DURATION, stale_ms, S_MS, 365 * D_MS, "600s", true,
	    "An event older than this changes what is known and triggers no decision."),
	ROW("limits", "clock_past", CONF_DURATION, clock_past_ms, 0, 365 * D_MS, "3d", true,
	    "How old an event may be."),
	ROW("limits", "clock_ahead", CONF_DURATION, clock_ahead_ms, 0, 365 * D_MS, "300s", true,
	    "How far a sender's clock may run ahead."),
	ROW("limits", "turn_events", CONF_INT, turn_events, 1, 4096, "256", true,
	    "Events that one turn takes in at most."),
	ROW("limits", "linger_ms", CONF_INT, linger_ms, 0, 1000, "0", true,
	    "How long a turn waits for company, in ms: less wear, more delay."),
	ROW("limits", "stream_kib", CONF_INT, stream_kib, 4, 1024, "64", true,
	    "Bytes that may wait for one tablet, in KiB."),
	ROW("limits", "terminal_rate", CONF_RATE, terminal_rate, 1, 100000, "200/s", true,
	    "Events a second of one station that are served before what waits."),
	ROW("limits", "waiting_mib", CONF_INT, waiting_mib, 1, 1024, "64", true,
	    "Events that may wait for their turn, in MiB."),
	ROW("limits", "exam", CONF_DURATION, exam_ms, S_MS, H_MS, "60s", true,
	    "How long compiling and examining a bundle may take, beside the store."),
	ROW("privacy", "pepper_file", CONF_FILE, pepper_file, 0, 0, NULL, false,
	    "32 bytes as 64 hex digits; absent: made once and kept."),
	ROW("privacy", "retain", CONF_DURATION, retain_ms, S_MS, 36500 * D_MS, "400d", false,
	    "How long a customer's purchases and contacts are kept."),
	ROW("privacy", "decision_days", CONF_INT, decision_days, 1, 36500, "35", false,
	    "How long decisions are kept, in days."),
	ROW("privacy", "dead_letter_days", CONF_INT, dead_letter_days, 1, 36500, "14", false,
	    "How long inputs that could not be used are kept, in days."),
	ROW("privacy", "uplink", CONF_UPLINK, uplink_aggregates, 0, 0, "pseudonymous", false,
	    "What headquarters gets: pseudonymous records, or only aggregates."),
	ROW("privacy", "uplink_features", CONF_BOOL, uplink_features, 0, 0, "no", false,
	    "Whether decisions that were drawn go to headquarters with the features that they read."),
	ROW("privacy", "group_min", CONF_INT, group_min, 2, 100, "10", false,
	    "Of at least how many people a sum is before it goes to headquarters."),
	ROW("log", "level", CONF_LEVEL, log_level, 0, 0, "info", true,
	    "error, warning, notice, info or debug."),
};
/* clang-format on */
const size_t conf_key_count = ARRAY_LEN(conf_keys);

static const char id_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

bool
conf_is_id(const char *text)
{
	size_t len = strlen(text);
	return len >= 1 && len <= 32 && strspn(text, id_chars) == len;
}

bool
conf_is_readable(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	struct stat info;
	bool ok = fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode);
	if (!ok)
		errno = EISDIR;
	close(fd);
	return ok;
}

static bool
is_printable(const char *text, size_t max)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return len >= 1 && len <= max;
}

static bool
is_folder(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A gateway may do without the time zone database: a policy brings what its zones mean. */
static bool
is_zone(const char *text)
{
	char file[sizeof(ZONEINFO) + 65];
	size_t len = strlen(text);
	if (len < 1 || len > 64 || text[0] == '/' || strstr(text, "..") != NULL ||
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/") !=
		len)
		return false;
	snprintf(file, sizeof(file), ZONEINFO "/%s", text);
	return !is_folder(ZONEINFO) || conf_is_readable(file);
}

static bool
is_currency(const char *text)
{
	return currency_digits(text) >= 0;
}

static bool
is_folder_or_new(const char *path)
{
	char parent[4096];
	size_t len = strlen(path);
	if (path[0] != '/' || !is_printable(path, sizeof(parent) - 1))
		return false;
	if (access(path, F_OK) == 0)
		return is_folder(path);
	snprintf(parent, sizeof(parent), "%s", path);
	while (len > 1 && parent[len - 1] == '/')
		len--;
	while (len > 1 && parent[len - 1] != '/')
		len--;
	parent[len] = '\0';
	return is_folder(parent);
}

static bool
parse_int(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 15 || text[digits] != '\0')
		return false;
	long long value = strtoll(text, NULL, 10);
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

static bool
parse_cut(const char *text, int *ret_minute)
{
	int64_t hour, minute;
	char hours[3] = "";
	if (strlen(text) != 5 || text[2] != ':')
		return false;
	memcpy(hours, text, 2);
	if (!parse_int(hours, 0, 23, &hour) || !parse_int(text + 3, 0, 59, &minute))
		return false;
	*ret_minute = (int)(hour * 60 + minute);
	return true;
}

static bool
parse_rate(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char number[16];
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits >= sizeof(number) || strcmp(text + digits, "/s") != 0)
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	return parse_int(number, min, max, ret);
}

static bool
parse_bool(const char *text, bool *ret)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret = i % 2 == 1;
			return true;
		}
	}
	return false;
}

/* HOST:PORT or [v6]:PORT. */
static bool
is_listen_one(const char *text)
{
	const char *colon = strrchr(text, ':');
	int64_t port;
	if (colon == NULL || colon == text || !parse_int(colon + 1, 0, 65535, &port))
		return false;
	char host[256];
	size_t len = (size_t)(colon - text);
	struct in6_addr v6;
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (host[0] != '[')
		return strchr(host, ':') == NULL && is_printable(host, 255) &&
		    strchr(host, ' ') == NULL;
	if (host[len - 1] != ']')
		return false;
	host[len - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, &v6) == 1;
}

static bool
is_cidr(const char *text)
{
	const char *slash = strchr(text, '/');
	char host[64];
	size_t len = slash != NULL ? (size_t)(slash - text) : 0;
	unsigned char address[16];
	int64_t bits;
	if (slash == NULL || len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, address) == 1)
		return parse_int(slash + 1, 0, 32, &bits);
	return inet_pton(AF_INET6, host, address) == 1 && parse_int(slash + 1, 0, 128, &bits);
}

/* Every part between separators passes, and there are at most max. */
static bool
each_part(const char *text, const char *separators, size_t max, bool (*pass)(const char *))
{
	char *copy = mem_strdup(text), *rest = copy, *part;
	size_t count = 0;
	bool ok = true;
	while (ok && (part = strtok_r(rest, separators, &rest)) != NULL)
		ok = ++count <= max && pass(part);
	free(copy);
	return ok && count > 0;
}

static bool
is_broker(const char *text)
{
	struct conf_broker broker;
	return conf_broker_parse(text, &broker);
}

/* A reader's name in a list of them; all is no reader. */
static bool
is_reader(const char *text)
{
	return conf_is_id(text) && strcmp(text, "all") != 0;
}

static bool
is_level(const char *text)
{
	enum log_level level;
	return log_level_parse(text, &level);
}

/* Types that are kept as text: is this one, and what should it be? */
static bool
text_ok(enum conf_type type, const char *value, const char **ret_expected)
{
	switch (type) {
	case CONF_STORE:
		*ret_expected = "1-32 of A-Z a-z 0-9 _ -, and not hq";
		return conf_is_id(value) && strcmp(value, "hq") != 0;
	case CONF_ID: *ret_expected = "1-32 of A-Z a-z 0-9 _ -"; return conf_is_id(value);
	case CONF_CLIENT:
		*ret_expected = "1-128 printable characters without blanks";
		return is_printable(value, 128) && strchr(value, ' ') == NULL;
	case CONF_ZONE:
		*ret_expected = "a time zone that this machine knows, such as Europe/Berlin";
		return is_zone(value);
	case CONF_COUNTRY:
		*ret_expected = "an ISO 3166-1 code such as DE";
		return country_is_one(value);
	case CONF_CURRENCY:
		*ret_expected = "an ISO 4217 code of money such as EUR";
		return is_currency(value);
	case CONF_PATH:
		*ret_expected = "an absolute path";
		return value[0] == '/' && is_printable(value, 4095);
	case CONF_FOLDER:
		*ret_expected =
		    "an absolute path of a folder, or of one that is made in a folder that "
		    "is there";
		return is_folder_or_new(value);
	case CONF_FILE: *ret_expected = "a file that can be read"; return conf_is_readable(value);
	case CONF_FILE_HQ:
		*ret_expected = "a file that can be read";
		return conf_is_readable(value) || errno == EACCES;
	case CONF_LISTEN:
		*ret_expected = "1-4 of HOST:PORT or [IPv6]:PORT, separated by commas";
		return each_part(value, ", \t", CONF_LISTEN_MAX, is_listen_one);
	case CONF_CIDRS:
		*ret_expected = "1-16 networks such as 10.0.0.0/8, separated by blanks";
		return each_part(value, " \t", CONF_OPERATORS_MAX, is_cidr);
	case CONF_NAMES:
		*ret_expected = "all, or 1-64 ids separated by blanks or commas";
		return strcmp(value, "all") == 0 ||
		    each_part(value, ", \t", CONF_DESKS_MAX, is_reader);
	case CONF_BROKERS:
		*ret_expected =
		    "1-16 of HOST, HOST:PORT, [IPv6] or [IPv6]:PORT, separated by blanks";
		return each_part(value, " \t", CONF_BROKERS_MAX, is_broker);
	case CONF_LEVEL:
		*ret_expected = "error, warning, notice, info or debug";
		return is_level(value);
	default: *ret_expected = "1-255 printable characters"; return is_printable(value, 255);
	}
}

static void *
place(const struct conf_key *key, struct conf *conf)
{
	return (char *)conf + key->offset;
}

char **
conf_key_text(const struct conf_key *key, struct conf *conf)
{
	switch (key->type) {
	case CONF_CUT:
	case CONF_INT:
	case CONF_RATE:
	case CONF_DURATION:
	case CONF_BOOL:
	case CONF_UPLINK: return NULL;
	default: return place(key, conf);
	}
}

/* Types that are kept as numbers. */
/* In days, or hours where that is less than one. */
void
conf_duration_range(const struct conf_key *key, struct buf *out)
{
	int64_t unit_ms = key->max < D_MS ? H_MS : D_MS;

	buf_addf(out, "%llds to %lld%c", (long long)(key->min / S_MS),
	    (long long)(key->max / unit_ms), unit_ms == D_MS ? 'd' : 'h');
}

static bool
number_set(const struct conf_key *key, struct conf *conf, const char *value, struct buf *expected)
{
	int64_t number;
	void *to = place(key, conf);
	switch (key->type) {
	case CONF_CUT: buf_adds(expected, "hh:mm from 00:00 to 23:59"); return parse_cut(value, to);
	case CONF_BOOL: buf_adds(expected, "yes or no"); return parse_bool(value, to);
	case CONF_UPLINK:
		buf_adds(expected, "pseudonymous or aggregates");
		*(bool *)to = strcmp(value, "aggregates") == 0;
		return *(bool *)to || strcmp(value, "pseudonymous") == 0;
	case CONF_DURATION:
		buf_adds(expected, "a duration from ");
		conf_duration_range(key, expected);
		if (!when_duration(value, &number) || number < key->min || number > key->max)
			return false;
		*(int64_t *)to = number;
		return true;
	case CONF_RATE:
		buf_addf(expected, "%lld/s to %lld/s", (long long)key->min, (long long)key->max);
		if (!parse_rate(value, key->min, key->max, &number))
			return false;
		break;
	default:
		buf_addf(expected, "%lld to %lld", (long long)key->min, (long long)key->max);
		if (!parse_int(value, key->min, key->max, &number))
			return false;
	}
	*(int *)to = (int)number;
	return true;
}

bool
conf_key_set(const struct conf_key *key, struct conf *conf, const char *value, struct buf *expected)
{
	char **text = conf_key_text(key, conf);
	if (text == NULL)
		return number_set(key, conf, value, expected);
	const char *what;
	if (!text_ok(key->type, value, &what)) {
		buf_adds(expected, what);
		return false;
	}
	free(*text);
	*text = mem_strdup(value);
	return true;
}

static size_t
number_size(const struct conf_key *key)
{
	if (key->type == CONF_DURATION)
		return sizeof(int64_t);
	return key->type == CONF_BOOL || key->type == CONF_UPLINK ? sizeof(bool) : sizeof(int);
}

bool
conf_key_equal(const struct conf_key *key, const struct conf *a, const struct conf *b)
{
	struct conf *left = (struct conf *)(uintptr_t)a, *right = (struct conf *)(uintptr_t)b;
	char **x = conf_key_text(key, left), **y = conf_key_text(key, right);
	if (x == NULL)
		return memcmp(place(key, left), place(key, right), number_size(key)) == 0;
	if (*x == NULL || *y == NULL)
		return *x == *y;
	return strcmp(*x, *y) == 0;
}

void
conf_key_move(const struct conf_key *key, struct conf *to, struct conf *from)
{
	char **text = conf_key_text(key, to), **other = conf_key_text(key, from);
	if (text == NULL) {
		memcpy(place(key, to), place(key, from), number_size(key));
		return;
	}
	free(*text);
	*text = *other;
	*other = NULL;
}

void
conf_key_free(const struct conf_key *key, struct conf *conf)
{
	char **text = conf_key_text(key, conf);
	if (text == NULL)
		return;
	free(*text);
	*text = NULL;
}
