/* SPDX-License-Identifier: Apache-2.0
 *
 * conf_table.h - the keys of aisled.conf and how their values are read. Inside core/conf*.c only.
 */
#ifndef AISLE_CORE_CONF_TABLE_H
#define AISLE_CORE_CONF_TABLE_H

#include "core/conf.h"

enum conf_type {
	CONF_TEXT,     /* 1-255 printable bytes */
	CONF_STORE,    /* an id, and not "hq" */
	CONF_ID,       /* [A-Za-z0-9_-]{1,32} */
	CONF_CLIENT,   /* an MQTT client id */
	CONF_ZONE,     /* a name of the time zone database, where this machine has it */
	CONF_COUNTRY,  /* two capitals */
	CONF_CURRENCY, /* ISO 4217 */
	CONF_CUT,      /* hh:mm, as minutes */
	CONF_INT,      /* min-max */
	CONF_RATE,     /* N/s, min-max */
	CONF_DURATION, /* min-max ms */
	CONF_BOOL,     /* yes or no */
	CONF_PATH,     /* absolute */
	CONF_FOLDER,   /* absolute; it is there, or can be made in a folder that is */
	CONF_FILE,     /* must be readable */
	CONF_FILE_HQ,  /* there, and readable to the link */
	CONF_LISTEN,   /* HOST:PORT, comma-separated */
	CONF_CIDRS,    /* address/bits, space-separated */
	CONF_NAMES,    /* "all", or ids separated by spaces or commas */
	CONF_BROKERS,  /* HOST[:PORT], space-separated */
	CONF_UPLINK,   /* pseudonymous or aggregates, as bool */
	CONF_LEVEL,    /* a log level */
};

struct conf_key {
	const char *section, *name;
	enum conf_type type;
	size_t offset; /* into struct conf */
	int64_t min, max;
	const char *standard; /* NULL: none */
	bool live;	      /* SIGHUP may change it */
	const char *help;
};
extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;

/* Reads value into the key's place. false: expected says what it should be. */
bool conf_key_set(const struct conf_key *key, struct conf *conf, const char *value,
    struct buf *expected);
void conf_duration_range(const struct conf_key *key, struct buf *out); /* "1s to 35d" */
bool conf_key_equal(const struct conf_key *key, const struct conf *a, const struct conf *b);
void conf_key_move(const struct conf_key *key, struct conf *to, struct conf *from);
void conf_key_free(const struct conf_key *key, struct conf *conf);
char **conf_key_text(const struct conf_key *key, struct conf *conf); /* NULL: not kept as text */

bool conf_is_id(const char *text);
bool conf_is_readable(const char *path);

#endif
