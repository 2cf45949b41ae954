/* SPDX-License-Identifier: Apache-2.0
 *
 * conf.h - aisled.conf, from one table: name, type, unit, range, default, help.
 */
#ifndef AISLE_CORE_CONF_H
#define AISLE_CORE_CONF_H

#include "aisle/base.h"
#include "core/buf.h"

#define CONF_STATIONS_MAX 1024
#define CONF_MAPPINGS_MAX 16
#define CONF_LISTEN_MAX 4
#define CONF_OPERATORS_MAX 16

struct conf_pair {
	char *name, *value;
	int line;
};

/* Strings are owned; NULL when absent and without default. */
#define CONF_DESKS_MAX 64
struct conf {
	char *file;
	/* [store] */
	char *store_id, *zone, *currency;
	char *country; /* NULL: not said */
	int day_cut_minute;
	/* [stations] */
	struct conf_pair stations[CONF_STATIONS_MAX];
	size_t station_count;
	/* [mqtt] */
	char *mqtt_socket, *mqtt_host, *mqtt_client_id, *mqtt_user, *mqtt_password_file, *mqtt_ca,
	    *mqtt_cert, *mqtt_key;
	int mqtt_port;
	/* [hq] */
	char *hq_host, *hq_client_id, *hq_user, *hq_password_file, *hq_ca, *hq_cert, *hq_key,
	    *hq_channel, *hq_ring, *hq_root;
	int hq_port;
	/* [http] */
	/* listen: comma-separated HOST:PORT, [v6]:PORT */
	char *http_listen, *http_cert, *http_key;
	bool http_plain_lan;
	char *http_operators; /* space-separated CIDR */
	/* [loyalty] */
	char *loyalty_desks; /* "all", or readers separated by spaces or commas */
	int baskets_a_day;
	/* [state] */
	char *state_dir, *state_control;
	int state_max_mib, recording_mib;
	int flash_tb; /* 0: not told */
	/* [limits] */
	int64_t stale_ms, clock_past_ms, clock_ahead_ms;
	int turn_events, linger_ms, stream_kib, terminal_rate; /* terminal_rate: per second */
	int waiting_mib;
	int64_t exam_ms;
	/* [privacy] */
	char *pepper_file;
	int64_t retain_ms;
	int decision_days, dead_letter_days;
	bool uplink_features;
	int group_min;
	bool uplink_aggregates;
	/* [mappings] */
	struct conf_pair mappings[CONF_MAPPINGS_MAX];
	size_t mapping_count;
	/* [log] */
	char *log_level;
};

/* All defaults; [store] id is required only by conf_load. */
void conf_init(struct conf *conf);
/* Reads and checks path. All mistakes are written to report, one "file:line: text, expected …" a
 * line.
 * 0, or AISLE_E_CONFIG (exit 78). Files that keys name (password, ca, pepper, mapping) must be
 * readable; those of [hq] need to be to the link alone. */
int conf_load(struct conf *conf, const char *path, struct buf *report) AISLE_MUST_CHECK;
/* The same for the link, which may be a user that reads no file but its own: other files are neither
 * looked at nor named in conf. */
int conf_load_link(struct conf *conf, const char *path, struct buf *report) AISLE_MUST_CHECK;
void conf_done(struct conf *conf);
/* its own id when not listed */
const char *conf_station(const struct conf *conf, const char *origin);
/* May this reader merge customers, and grant consent for anybody? */
bool conf_is_desk(const struct conf *conf, const char *reader);
/* What a SIGHUP may take over from next into conf (limits, stations, log level); names
 * of changed keys that need a restart go to report, one a line. Strings move; next is consumed. */
void conf_reload(struct conf *conf, struct conf *next, struct buf *report);
/* The table as text: name, type, default, range, help — for the manual page and --help. */
void conf_describe(struct buf *out);

#endif
