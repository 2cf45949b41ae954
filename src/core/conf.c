/* SPDX-License-Identifier: Apache-2.0
 *
 * conf.c - aisled.conf: read line by line, checked against the table, all mistakes in one report.
 *
 * DESIGN
 *   A reader of our own: libraries for INI files join or cut lines, pass over
 *   what they do not understand, or name the first mistake only.
 *
 * LIMITS
 *   1 MiB a file, 198 bytes a line. " ;" begins a comment also behind a value.
 */
#include "core/conf_table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/near.h"

#define FILE_BYTES_MAX (1 << 20)
#define LINE_BYTES_MAX 198
#define SET_MAX 64     /* at least conf_key_count */
#define BLANKS " \t\r" /* lines may end as on Windows */

struct reader {
	const char *path;
	struct conf *conf;
	struct buf *report;
	bool link; /* of the other files nothing is known, nor asked */
	int line;
	const char *section;   /* NULL: none yet; "": unknown, and reported where it began */
	int set_line[SET_MAX]; /* where a key was set; 0: nowhere */
};

static const char *const sections[] = { "store", "stations", "mqtt", "hq", "http", "loyalty",
	"state", "limits", "privacy", "mappings", "log" };

static void AISLE_PRINTF(3, 4) complain(struct reader *reader, int line, const char *format, ...)
{
	char text[700];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (line > 0)
		buf_addf(reader->report, "%s:%d: %s\n", reader->path, line, text);
	else
		buf_addf(reader->report, "%s: %s\n", reader->path, text);
}

/* [stations] and [mappings]: any name that is an id, once each. */
static void
take_pair(struct reader *reader, struct conf_pair *pairs, size_t *count, size_t max,
    const char *name, const char *value)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(pairs[i].name, name) == 0) {
			complain(reader, reader->line, "%s is set twice, first in line %d", name,
			    pairs[i].line);
			return;
		}
	}
	if (*count >= max)
		complain(reader, reader->line, "too many, expected at most %zu", max);
	else
		pairs[(*count)++] =
		    (struct conf_pair){ mem_strdup(name), mem_strdup(value), reader->line };
}

static void
take_station(struct reader *reader, const char *name, const char *value)
{
	if (!conf_is_id(name) || !conf_is_id(value))
		complain(reader, reader->line,
		    "bad station line, expected TERMINAL = STATION, each 1-32 of A-Z a-z 0-9 _ -");
	else
		take_pair(reader, reader->conf->stations, &reader->conf->station_count,
		    CONF_STATIONS_MAX, name, value);
}

static void
take_mapping(struct reader *reader, const char *name, const char *value)
{
	if (!conf_is_id(name))
		complain(reader, reader->line,
		    "bad mapping name, expected 1-32 of A-Z a-z 0-9 _ -");
	else if (!reader->link && !conf_is_readable(value))
		complain(reader, reader->line, "%s: %s, expected a file that can be read", value,
		    strerror(errno));
	else
		take_pair(reader, reader->conf->mappings, &reader->conf->mapping_count,
		    CONF_MAPPINGS_MAX, name, value);
}

static void
unknown_section(struct reader *reader, const char *name)
{
	struct near near = near_to(name);
	struct buf meant = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		near_offer(&near, sections[i]);
	near_say(&near, &meant);
	complain(reader, reader->line,
	    "unknown section [%s]%s, expected one of store stations mqtt hq http loyalty state "
	    "limits privacy mappings log",
	    name, meant.len > 0 ? meant.data : "");
	buf_done(&meant);
}

/* What may have been meant: a key of this section, else one of that name in another. */
static void
unknown_key(struct reader *reader, const char *name)
{
	struct near near = near_to(name);
	struct buf meant = { 0 };

	for (size_t i = 0; i < conf_key_count; i++)
		if (strcmp(conf_keys[i].section, reader->section) == 0)
			near_offer(&near, conf_keys[i].name);
	near_say(&near, &meant);
	for (size_t i = 0; near.count == 0 && i < conf_key_count; i++)
		if (strcmp(conf_keys[i].name, name) == 0)
			buf_addf(&meant, "%s[%s]", meant.len > 0 ? ", " : "; it is a key of ",
			    conf_keys[i].section);
	complain(reader, reader->line,
	    "unknown key %s in [%s]%s, expected one of its keys (see aisled.conf(5))", name,
	    reader->section, meant.len > 0 ? meant.data : "");
	buf_done(&meant);
}

static void
take_key(struct reader *reader, const char *name, const char *value)
{
	size_t i = 0;
	while (i < conf_key_count &&
	    (strcmp(conf_keys[i].section, reader->section) != 0 ||
		strcmp(conf_keys[i].name, name) != 0))
		i++;
	if (i == conf_key_count) {
		unknown_key(reader, name);
		return;
	}
	if (reader->set_line[i] != 0) {
		complain(reader, reader->line, "%s is set twice, first in line %d", name,
		    reader->set_line[i]);
		return;
	}
	struct buf expected = { 0 };
	reader->set_line[i] = reader->line;
	if (reader->link && conf_keys[i].type == CONF_FILE)
		return;
	if (!conf_key_set(&conf_keys[i], reader->conf, value, &expected))
		complain(reader, reader->line, "bad value for %s: \"%s\", expected %s", name, value,
		    expected.data);
	buf_done(&expected);
}

static void
take_value(struct reader *reader, const char *name, const char *value)
{
	if (reader->section == NULL)
		complain(reader, reader->line,
		    "key %s before any section, expected [SECTION] first", name);
	else if (strcmp(reader->section, "stations") == 0)
		take_station(reader, name, value);
	else if (strcmp(reader->section, "mappings") == 0)
		take_mapping(reader, name, value);
	else if (reader->section[0] != '\0')
		take_key(reader, name, value);
}

static void
take_section(struct reader *reader, char *line)
{
	char *end = strchr(line, ']');
	if (end == NULL || end[1] != '\0') {
		complain(reader, reader->line, "not understood, expected [SECTION]");
		return;
	}
	*end = '\0';
	reader->section = "";
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		if (strcmp(sections[i], line + 1) == 0)
			reader->section = sections[i];
	}
	if (reader->section[0] == '\0')
		unknown_section(reader, line + 1);
}

/* Without the blanks around it, cut in place. */
static char *
strip(char *text)
{
	text += strspn(text, BLANKS);
	for (size_t len = strlen(text); len > 0 && strchr(BLANKS, text[len - 1]) != NULL;)
		text[--len] = '\0';
	return text;
}

static void
take_line(struct reader *reader, char *line)
{
	line = strip(line);
	if (strlen(line) > LINE_BYTES_MAX) {
		complain(reader, reader->line, "line too long, expected at most %d bytes",
		    LINE_BYTES_MAX);
		return;
	}
	char *comment = line;
	while (*comment != '\0' &&
	    (*comment != ';' || (comment > line && strchr(BLANKS, comment[-1]) == NULL)))
		comment++;
	*comment = '\0';
	line = strip(line);
	char *equals = strchr(line, '=');
	if (line[0] == '\0' || line[0] == '#')
		return;
	if (line[0] == '[') {
		take_section(reader, line);
	} else if (equals == NULL || equals == line) {
		complain(reader, reader->line, "not understood, expected KEY = VALUE");
	} else {
		*equals = '\0';
		take_value(reader, strip(line), strip(equals + 1));
	}
}

static int
line_of(const struct reader *reader, const char *section, const char *name)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		if (strcmp(conf_keys[i].section, section) == 0 &&
		    strcmp(conf_keys[i].name, name) == 0)
			return reader->set_line[i];
	}
	return 0;
}

static void
check_pair_of_keys(struct reader *reader, const char *section)
{
	int cert = line_of(reader, section, "cert"), key = line_of(reader, section, "key");
	if ((cert != 0) != (key != 0))
		complain(reader, cert + key, "[%s] %s without %s, expected both or neither",
		    section, cert != 0 ? "cert" : "key", cert != 0 ? "key" : "cert");
}

/* Without a host there is no headquarters, and nobody reads the rest. */
static void
check_hq(struct reader *reader)
{
	static const char *const keys[] = { "port", "client_id", "user", "password_file", "ca",
		"cert", "key" };
	for (size_t i = 0; i < ARRAY_LEN(keys) && reader->conf->hq_host == NULL; i++) {
		int line = line_of(reader, "hq", keys[i]);
		if (line != 0)
			complain(reader, line, "[hq] %s without host, expected [hq] host as well",
			    keys[i]);
	}
}

/* What two keys say together, and the defaults that depend on another key. */
static void
check_whole(struct reader *reader)
{
	struct conf *conf = reader->conf;
	if (line_of(reader, "store", "id") == 0)
		complain(reader, 0, "[store] id is missing, expected the store's id");
	int socket = line_of(reader, "mqtt", "socket");
	if (socket != 0 && line_of(reader, "mqtt", "host") != 0)
		complain(reader, socket,
		    "[mqtt] socket and host are both set, expected one of them");
	check_pair_of_keys(reader, "mqtt");
	check_pair_of_keys(reader, "hq");
	check_pair_of_keys(reader, "http");
	check_hq(reader);

	struct buf text = { 0 };
	if (conf->mqtt_client_id == NULL && conf->store_id != NULL) {
		buf_addf(&text, "aisled-%s", conf->store_id);
		conf->mqtt_client_id = buf_steal(&text);
	}
	if (conf->hq_client_id == NULL && conf->store_id != NULL) {
		buf_addf(&text, "aisle-%s", conf->store_id);
		conf->hq_client_id = buf_steal(&text);
	}
	if (line_of(reader, "hq", "port") == 0)
		conf->hq_port = conf->hq_ca != NULL ? 8883 : 1883;
}

static int
pair_compare(const void *a, const void *b)
{
	return strcmp(((const struct conf_pair *)a)->name, ((const struct conf_pair *)b)->name);
}

void
conf_init(struct conf *conf)
{
	struct buf expected = { 0 };
	memset(conf, 0, sizeof(*conf));
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		char **text = conf_key_text(key, conf);
		if (key->standard != NULL && text != NULL)
			*text = mem_strdup(key->standard); /* not every machine has that folder */
		else if (key->standard != NULL)
			CHECK(conf_key_set(key, conf, key->standard, &expected));
	}
	conf->hq_port = 1883;
	buf_done(&expected);
}

/* The lines of the file, each judged by itself. */
static void
read_lines(struct reader *reader, FILE *file)
{
	struct buf bytes = { 0 };
	char chunk[4096];
	for (size_t got;
	     bytes.len <= FILE_BYTES_MAX && (got = fread(chunk, 1, sizeof(chunk), file)) > 0;)
		buf_add(&bytes, chunk, got);
	if (ferror(file) || bytes.len > FILE_BYTES_MAX) {
		complain(reader, 0, "%s, expected a configuration file of at most 1 MiB",
		    strerror(ferror(file) ? errno : EFBIG));
		buf_clear(&bytes);
	}
	size_t len = bytes.len;
	char *text = buf_steal(&bytes);
	text[len] = '\0';
	size_t understood = strlen(text);
	char *rest = text;
	if (strncmp(rest, "\xef\xbb\xbf", 3) == 0)
		rest += 3;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		reader->line++;
		take_line(reader, line);
	}
	if (understood < len)
		complain(reader, reader->line, "a zero byte, expected text");
	free(text);
}

static int
load(struct conf *conf, const char *path, bool link, struct buf *report)
{
	struct reader reader = { .path = path, .conf = conf, .report = report, .link = link };
	CHECK(conf_key_count <= SET_MAX);
	conf_init(conf);
	conf->file = mem_strdup(path);
	size_t before = report->len;
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		complain(&reader, 0, "%s, expected a configuration file", strerror(errno));
		return AISLE_E_CONFIG;
	}
	read_lines(&reader, file);
	fclose(file);
	check_whole(&reader);
	qsort(conf->stations, conf->station_count, sizeof(conf->stations[0]), pair_compare);
	return report->len == before ? 0 : AISLE_E_CONFIG;
}

int
conf_load(struct conf *conf, const char *path, struct buf *report)
{
	return load(conf, path, false, report);
}

int
conf_load_link(struct conf *conf, const char *path, struct buf *report)
{
	return load(conf, path, true, report);
}

static void
free_pairs(struct conf_pair *pairs, size_t *count)
{
	for (size_t i = 0; i < *count; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
	*count = 0;
}

void
conf_done(struct conf *conf)
{
	for (size_t i = 0; i < conf_key_count; i++)
		conf_key_free(&conf_keys[i], conf);
	free_pairs(conf->stations, &conf->station_count);
	free_pairs(conf->mappings, &conf->mapping_count);
	free(conf->file);
	conf->file = NULL;
}

const char *
conf_station(const struct conf *conf, const char *origin)
{
	struct conf_pair wanted = { .name = (char *)(uintptr_t)origin };
	const struct conf_pair *found = conf->station_count == 0
	    ? NULL
	    : bsearch(&wanted, conf->stations, conf->station_count, sizeof(conf->stations[0]),
		  pair_compare);
	return found != NULL ? found->value : origin;
}

bool
conf_is_desk(const struct conf *conf, const char *reader)
{
	static const char between[] = ", \t";
	const char *at = conf->loyalty_desks;
	size_t len = strlen(reader), part;

	if (strcmp(at, "all") == 0)
		return true;
	for (at += strspn(at, between); *at != '\0'; at += strspn(at, between)) {
		part = strcspn(at, between);
		if (part == len && memcmp(at, reader, len) == 0)
			return true;
		at += part;
	}
	return false;
}

void
conf_reload(struct conf *conf, struct conf *next, struct buf *report)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		if (conf_key_equal(key, conf, next))
			continue;
		if (key->live)
			conf_key_move(key, conf, next);
		else
			buf_addf(report, "[%s] %s\n", key->section, key->name);
	}
	free_pairs(conf->stations, &conf->station_count);
	free_pairs(conf->mappings, &conf->mapping_count);
	memcpy(conf->stations, next->stations, sizeof(conf->stations));
	memcpy(conf->mappings, next->mappings, sizeof(conf->mappings));
	conf->station_count = next->station_count;
	conf->mapping_count = next->mapping_count;
	next->station_count = next->mapping_count = 0;
	conf_done(next);
}

static void
describe_range(const struct conf_key *key, struct buf *out)
{
	switch (key->type) {
	case CONF_INT:
	case CONF_RATE:
		buf_addf(out, "%lld to %lld", (long long)key->min, (long long)key->max);
		break;
	case CONF_DURATION: conf_duration_range(key, out); break;
	default: {
		static const char *const words[] = { [CONF_TEXT] = "text",
			[CONF_STORE] = "id",
			[CONF_ID] = "id",
			[CONF_CLIENT] = "text",
			[CONF_ZONE] = "zone",
			[CONF_COUNTRY] = "code",
			[CONF_CURRENCY] = "code",
			[CONF_CUT] = "hh:mm",
			[CONF_BOOL] = "yes or no",
			[CONF_PATH] = "absolute path",
			[CONF_FOLDER] = "absolute path",
			[CONF_FILE] = "file",
			[CONF_FILE_HQ] = "file",
			[CONF_LISTEN] = "addresses",
			[CONF_CIDRS] = "networks",
			[CONF_NAMES] = "all, or ids",
			[CONF_BROKERS] = "hosts",
			[CONF_UPLINK] = "pseudonymous or aggregates",
			[CONF_LEVEL] = "level" };
		buf_adds(out, NAME_OF(words, key->type));
	}
	}
}

void
conf_describe(struct buf *out)
{
	const char *section = "";
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		if (strcmp(section, key->section) != 0)
			buf_addf(out, "%s[%s]\n", i > 0 ? "\n" : "", key->section);
		section = key->section;
		buf_addf(out, "%s (", key->name);
		describe_range(key, out);
		if (key->standard != NULL)
			buf_addf(out, "; %s", key->standard);
		buf_addf(out, ")%s\n    %s\n", key->live ? " [reload]" : "", key->help);
	}
	buf_adds(out,
	    "\n[stations]\nTERMINAL_OR_READER = STATION [reload]\n    Where it stands; its own id "
	    "when it is not listed.\n\n[mappings]\nNAME = FILE [reload]\n    How a till's own "
	    "messages "
	    "become events.\n");
}
