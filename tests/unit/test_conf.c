/* SPDX-License-Identifier: Apache-2.0
 *
 * test_conf.c - aisled.conf: defaults, ranges, every mistake with its line.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/conf_broker.h"

static char path[] = "/tmp/aisle-conf-XXXXXX";
static struct conf conf, next;
static struct buf report;

static int
load_bytes(struct conf *into, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");
	fwrite(bytes, 1, len, file);
	fclose(file);
	buf_clear(&report);
	return conf_load(into, path, &report);
}

static int
load_into(struct conf *into, const char *text)
{
	return load_bytes(into, text, strlen(text));
}

static void
accepts(const char *text)
{
	if (load_into(&conf, text) != 0)
		fail_msg("%s", report.data);
}

/* Refused, with exactly these lines (path left out of both). */
static void
refuses(const char *text, const char *expected_start)
{
	assert_int_equal(load_into(&conf, text), AISLE_E_CONFIG);
	assert_memory_equal(report.data, path, strlen(path));
	if (strncmp(report.data + strlen(path), expected_start, strlen(expected_start)) != 0)
		fail_msg("got: %s wanted: %s", report.data, expected_start);
	conf_done(&conf);
}

static size_t
report_lines(void)
{
	size_t count = 0;
	for (const char *at = report.data; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	return count;
}

static void
an_id_is_enough_and_the_rest_has_defaults(void **state)
{
	(void)state;
	accepts("[store]\nid = 0042\n");
	assert_string_equal(conf.store_id, "0042");
	assert_string_equal(conf.zone, "UTC");
	assert_string_equal(conf.currency, "EUR");
	assert_int_equal(conf.day_cut_minute, 240);
	assert_string_equal(conf.mqtt_host, "127.0.0.1");
	assert_int_equal(conf.mqtt_port, 1883);
	assert_string_equal(conf.mqtt_client_id, "aisled-0042");
	assert_null(conf.mqtt_socket);
	assert_null(conf.hq_host);
	assert_int_equal(conf.hq_port, 1883);
	assert_string_equal(conf.hq_client_id, "aisle-0042");
	assert_string_equal(conf.hq_channel, "stable");
	assert_string_equal(conf.http_listen, "127.0.0.1:8080");
	assert_false(conf.http_plain_lan);
	assert_string_equal(conf.http_operators, "127.0.0.1/32 ::1/128");
	assert_string_equal(conf.state_dir, "/var/lib/aisle");
	assert_string_equal(conf.state_control, "/run/aisle/control.sock");
	assert_int_equal(conf.state_max_mib, 1024);
	assert_int_equal(conf.recording_mib, 64);
	assert_true(conf.clock_past_ms == 3 * D_MS && conf.clock_ahead_ms == 300 * S_MS);
	assert_int_equal(conf.turn_events, 256);
	assert_int_equal(conf.linger_ms, 0);
	assert_int_equal(conf.stream_kib, 64);
	assert_int_equal(conf.terminal_rate, 200);
	assert_true(conf.retain_ms == 400 * D_MS);
	assert_int_equal(conf.decision_days, 35);
	assert_int_equal(conf.dead_letter_days, 14);
	assert_false(conf.uplink_aggregates);
	assert_false(conf.uplink_features);
	assert_int_equal(conf.group_min, 10);
	assert_string_equal(conf.log_level, "info");
	assert_string_equal(conf_station(&conf, "7"), "7");
	conf_done(&conf);
}

static void
every_section_is_read(void **state)
{
	(void)state;
	struct buf text = { 0 };
	buf_addf(&text,
	    "\xef\xbb\xbf; all of it\n[store]\r\nid=S-1_x\nzone = Europe/Berlin ; where we are\n"
	    "currency = CHF\nday_cut = 23:59\n[stations]\n7 = front\npos-8=front\n[mqtt]\n  socket "
	    "= /run/mq.sock\n"
	    "  user = u\n  password_file = %s\nclient_id=x\n[hq]\nhost = hq.example\nca = "
	    "%s\nchannel = beta\n"
	    "[http]\nlisten = 0.0.0.0:8443, [::1]:0,localhost:80\nplain_lan = yes\noperators = "
	    "10.0.0.0/8\n"
	    "[state]\ndir = /tmp/aisle-no-such-folder\nmax_mib = 64\n[limits]\nclock_past = "
	    "90s\nterminal_rate = "
	    "50/s\nlinger_ms = 5\n"
	    "[privacy]\nretain = 30d\nuplink = aggregates\n[mappings]\nacme = %s\n# "
	    "end\n[log]\nlevel = debug",
	    path, path, path);
	accepts(text.data);
	buf_done(&text);
	assert_string_equal(conf.zone, "Europe/Berlin");
	assert_int_equal(conf.day_cut_minute, 1439);
	assert_string_equal(conf_station(&conf, "7"), "front");
	assert_string_equal(conf_station(&conf, "pos-8"), "front");
	assert_string_equal(conf_station(&conf, "9"), "9");
	assert_string_equal(conf.mqtt_socket, "/run/mq.sock");
	assert_string_equal(conf.mqtt_client_id, "x");
	assert_int_equal(conf.hq_port, 8883);
	assert_string_equal(conf.http_listen, "0.0.0.0:8443, [::1]:0,localhost:80");
	assert_true(conf.http_plain_lan && conf.uplink_aggregates);
	assert_true(conf.clock_past_ms == 90 * S_MS);
	assert_int_equal(conf.terminal_rate, 50);
	assert_int_equal(conf.mapping_count, 1);
	assert_string_equal(conf.mappings[0].name, "acme");
	assert_string_equal(conf.log_level, "debug");
	conf_done(&conf);
}

static void
the_id_is_required_and_has_its_shape(void **state)
{
	(void)state;
	refuses("", ": [store] id is missing");
	refuses("[store]\nid = hq\n",
	    ":2: bad value for id: \"hq\", expected 1-32 of A-Z a-z 0-9 _ -, and not hq");
	refuses("[store]\nid =\n", ":2: bad value for id");
	refuses("[store]\nid = a b\n", ":2: bad value for id");
	refuses("[store]\nid = a/b\n", ":2: bad value for id");
	refuses("[store]\nid = 123456789012345678901234567890123\n", ":2: bad value for id");
	accepts("[store]\nid = 12345678901234567890123456789012\n");
	conf_done(&conf);
	accepts("[store]\nid = HQ\n");
	conf_done(&conf);
}

static void
unknown_things_are_mistakes(void **state)
{
	(void)state;
	refuses("[store]\nid = 1\ncolour = red\n",
	    ":3: unknown key colour in [store], expected one of its keys");
	refuses("[store]\nid = 1\nzoen = UTC\n",
	    ":3: unknown key zoen in [store]; is \"zone\" meant?, expected");
	refuses("[store]\nid = 1\nlevel = info\n",
	    ":3: unknown key level in [store]; it is a key of [log], expected");
	refuses("[store]\nid = 1\n[limts]\n",
	    ":3: unknown section [limts]; is \"limits\" meant?, expected");
	refuses("[store]\nid = 1\n[shop]\n", ":3: unknown section [shop]");
	refuses("[store]\nid = 1\n[shop]\nx = 1\n", ":3: unknown section [shop]");
	refuses("id = 1\n[store]\nid = 1\n", ":1: key id before any section");
	refuses("[store]\nid = 1\nport = 1\n", ":3: unknown key port in [store]");
	refuses("[store]\nid = 1\nID = 1\n", ":3: unknown key ID");
}

static void
what_is_no_ini_is_a_mistake(void **state)
{
	(void)state;
	refuses("[store]\nid = 1\nnonsense\n", ":3: not understood");
	refuses("[store]\nid = 1\n[mqtt\n", ":3: not understood, expected [SECTION]");
	refuses("[store]\nid = 1\nid = 2\n", ":3: id is set twice, first in line 2");
	refuses("[store]\nid = 1\n  more of it\n", ":3: not understood");
	refuses("[store]\nid = 1\n[stations]\n7 = a\n7 = b\n",
	    ":5: 7 is set twice, first in line 4");
}

static void
a_line_is_never_cut_in_silence(void **state)
{
	(void)state;
	struct buf text = { 0 };
	for (size_t len = 198; len <= 199; len++) {
		buf_clear(&text);
		buf_adds(&text, "[store]\nid = 1\n[mqtt]\n");
		size_t start = text.len;
		buf_adds(&text, "user = ");
		while (text.len - start < len)
			buf_addc(&text, 'u');
		buf_adds(&text, "\n[log]\nlevel = error\n");
		if (len == 198) {
			accepts(text.data);
			assert_int_equal(strlen(conf.mqtt_user), 198 - 7);
			assert_string_equal(conf.log_level, "error");
			conf_done(&conf);
		} else {
			refuses(text.data, ":4: line too long, expected at most 198 bytes");
			assert_int_equal(report_lines(), 1);
		}
	}
	buf_clear(&text);
	buf_adds(&text, "[store]\nid = 1\n[mqtt]\nuser = ");
	for (int i = 0; i < 5000; i++)
		buf_addc(&text, 'u');
	buf_adds(&text, "\nport = 0\n");
	refuses(text.data, ":4: line too long");
	assert_non_null(strstr(report.data, ":5: bad value for port"));
	buf_done(&text);
}

static void
blanks_comments_and_line_ends_are_no_part_of_a_value(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"[store]\nid = a_b\n[mqtt]\nuser = x y\n",
		"\xef\xbb\xbf[store]\nid = a_b\n[mqtt]\nuser = x y\n",
		"[store]\r\nid = a_b\r\n\r\n[mqtt]\r\nuser = x y\r\n",
		"[store]\nid = a_b\n[mqtt]\nuser = x y",
		"[store]\r\nid = a_b\r\n[mqtt]\r\nuser = x y\r",
		("  [store] ; a shop\n\tid\t=\ta_b \t; its number = 7 ; or so\n[mqtt]\nuser=x "
		 "y\t;z\n"),
		"# id = 8\n;id = 9\n  # indented\n[store]\nid=a_b\n\n \t\n[mqtt]\nuser = x y ;\n",
		"[store]\n[mqtt]\nuser = x y\n[store]\nid = a_b\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		accepts(texts[i]);
		assert_string_equal(conf.store_id, "a_b");
		assert_string_equal(conf.mqtt_user, "x y");
		conf_done(&conf);
	}
	accepts("[store]\nid = 1\n[mqtt]\nuser = a;b=c#d\n");
	assert_string_equal(conf.mqtt_user, "a;b=c#d");
	conf_done(&conf);
}

static void
half_a_line_is_a_mistake(void **state)
{
	(void)state;
	refuses("[store]\nid = 1\n= 2\n", ":3: not understood, expected KEY = VALUE");
	refuses("[store]\nid = 1\nuser: x\n", ":3: not understood, expected KEY = VALUE");
	refuses("[store]\nid = 1\nport ; = 2\n", ":3: not understood, expected KEY = VALUE");
	refuses("[store]\nid = 1\n[\n", ":3: not understood, expected [SECTION]");
	refuses("[store]\nid = 1\n[]\n", ":3: unknown section []");
	refuses("[store]\nid = 1\n[mqtt] port = 2\n", ":3: not understood, expected [SECTION]");
	refuses("[store]\nid =\n", ":2: bad value for id: \"\"");
	refuses("[store]\rid = 1\r", ":1: not understood");
	refuses("", ": [store] id is missing");
	/* A byte order mark is one only at the beginning. */
	refuses("[store]\n\xef\xbb\xbfid = 1\n", ":2: unknown key");
}

static void
a_file_that_is_no_text_or_no_end_is_a_mistake(void **state)
{
	(void)state;
	static const char text[] = "[store]\nid = 1\nzone = UTC\0\n[log]\nlevel = error\n";
	assert_int_equal(load_bytes(&conf, text, sizeof(text) - 1), AISLE_E_CONFIG);
	assert_non_null(strstr(report.data, ":3: a zero byte, expected text"));
	conf_done(&conf);
	assert_int_equal(load_bytes(&conf, "\0", 1), AISLE_E_CONFIG);
	assert_non_null(strstr(report.data, ":1: a zero byte, expected text"));
	conf_done(&conf);

	struct buf big = { 0 };
	buf_adds(&big, "[store]\nid = 1\n");
	while (big.len < 1 << 20)
		buf_addc(&big, '\n');
	accepts(big.data);
	conf_done(&conf);
	buf_addc(&big, '\n');
	refuses(big.data, ": File too large, expected a configuration file of at most 1 MiB");
	buf_done(&big);
	buf_clear(&report);
	assert_int_equal(conf_load(&conf, "/dev/zero", &report), AISLE_E_CONFIG);
	assert_non_null(strstr(report.data, "/dev/zero: File too large"));
	conf_done(&conf);
}

static void
ranges_end_where_they_say(void **state)
{
	(void)state;
	static const struct {
		const char *section, *key, *last, *first_bad;
	} rows[] = {
		{ "mqtt", "port", "65535", "65536" },
		{ "mqtt", "port", "1", "0" },
		{ "mqtt", "port", "8", "8x" },
		{ "mqtt", "port", "8", "-8" },
		{ "state", "max_mib", "1", "0" },
		{ "state", "recording_mib", "0", "-1" },
		{ "state", "recording_mib", "65536", "65537" },
		{ "limits", "turn_events", "1", "0" },
		{ "limits", "turn_events", "4096", "4097" },
		{ "limits", "linger_ms", "1000", "1001" },
		{ "limits", "stream_kib", "4", "3" },
		{ "limits", "stream_kib", "1024", "1025" },
		{ "loyalty", "baskets_a_day", "1", "0" },
		{ "loyalty", "baskets_a_day", "10000", "10001" },
		{ "limits", "waiting_mib", "1", "0" },
		{ "limits", "waiting_mib", "1024", "1025" },
		{ "limits", "exam", "1s", "0s" },
		{ "limits", "exam", "1h", "61m" },
		{ "limits", "terminal_rate", "1/s", "0/s" },
		{ "limits", "terminal_rate", "100000/s", "100001/s" },
		{ "limits", "terminal_rate", "5/s", "5" },
		{ "limits", "terminal_rate", "5/s", "5/m" },
		{ "limits", "clock_past", "365d", "365.1d" },
		{ "limits", "clock_past", "0s", "3" },
		{ "limits", "clock_ahead", "5m", "5 m" },
		{ "privacy", "retain", "1s", "0s" },
		{ "privacy", "uplink", "pseudonymous", "all" },
		{ "privacy", "decision_days", "1", "0" },
		{ "privacy", "dead_letter_days", "1", "0" },
		{ "store", "day_cut", "00:00", "24:00" },
		{ "store", "day_cut", "23:59", "23:60" },
		{ "store", "day_cut", "04:00", "4:00" },
		{ "store", "currency", "EUR", "eur" },
		{ "store", "currency", "EUR", "EURO" },
		{ "store", "currency", "JPY", "EUX" },
		{ "store", "currency", "KWD", "XAU" },
		{ "store", "country", "DE", "de" },
		{ "store", "country", "XK", "ZZ" },
		{ "loyalty", "desks", "all", "all, r1" },
		{ "loyalty", "desks", "r1, r2", "r1, all" },
		{ "store", "zone", "America/Argentina/Buenos_Aires", "../../x" },
		{ "store", "zone", "Etc/GMT+3", "/etc/localtime" },
		{ "http", "plain_lan", "no", "maybe" },
		{ "privacy", "uplink_features", "yes", "some" },
		{ "privacy", "group_min", "2", "1" },
		{ "privacy", "group_min", "100", "101" },
		{ "http", "listen", "127.0.0.1:0", "127.0.0.1" },
		{ "http", "listen", "a:1,b:2,c:3,d:4", "a:1,b:2,c:3,d:4,e:5" },
		{ "http", "listen", "[::]:80", "::80:x" },
		{ "http", "listen", "x:65535", "x:65536" },
		{ "http", "listen", "[::1]:1", "[1.2.3.4]:1" },
		{ "http", "listen", "x:1", ":1" },
		{ "http", "operators", "0.0.0.0/0 ::/0", "10.0.0.0" },
		{ "http", "operators", "10.0.0.0/32", "10.0.0.0/33" },
		{ "http", "operators", "::1/128", "::1/129" },
		{ "log", "level", "warning", "loud" },
		{ "hq", "channel", "beta", "be ta" },
		{ "hq", "channel", "12345678901234567890123456789012",
		    "123456789012345678901234567890123" },
		{ "hq", "channel", "a", "a.b" },
		{ "hq", "ring", "A-z_9", "*" },
		{ "hq", "ring", "12345678901234567890123456789012",
		    "123456789012345678901234567890123" },
		{ "hq", "ring", "a", "a/b" },
		{ "hq", "host", "a b:1 \t c.example:65535", "a,b" },
		{ "hq", "host", "a:1", "a:0" },
		{ "hq", "host", "a:65535", "a:65536" },
		{ "hq", "host", "a", "a:" },
		{ "hq", "host", "a", "a:1x" },
		{ "hq", "host", "a", ":1" },
		{ "hq", "host", "mqtt.example", "mqtts://mqtt.example" },
		{ "hq", "host", "[::1] [fe80::2]:8883", "::1" },
		{ "hq", "host", "[::1]:1", "[::1]1" },
		{ "hq", "host", "[::1]", "[1.2.3.4]" },
		{ "hq", "host", "[::1]", "[::1" },
		{ "hq", "host", "a a a a a a a a a a a a a a a a",
		    "a a a a a a a a a a a a a a a a a" },
		{ "state", "dir", "/x", "x" },
		{ "state", "dir", "/x/", "/x/y" },
		{ "state", "dir", "/usr", "/etc/passwd" },
		{ "mqtt", "client_id", "a", "a b" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[300], start[200];
		snprintf(text, sizeof(text), "[store]\nid = 1\n[%s]\n%s = %s\n", rows[i].section,
		    rows[i].key, rows[i].last);
		accepts(text);
		conf_done(&conf);
		snprintf(text, sizeof(text), "[store]\nid = 1\n[%s]\n%s = %s\n", rows[i].section,
		    rows[i].key, rows[i].first_bad);
		snprintf(start, sizeof(start), ":4: bad value for %s", rows[i].key);
		refuses(text, start);
	}
}

static void
brokers_have_their_own_port_or_the_one_of_all(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		int port;
	} expected[] = { { "a.example", 8884 }, { "::1", 1883 }, { "::1", 8884 }, { "b", 1 } };
	struct conf_broker brokers[CONF_BROKERS_MAX];

	accepts("[store]\nid = 1\n");
	assert_int_equal(conf_brokers(&conf, brokers), 0);
	conf_done(&conf);
	accepts("[store]\nid = 1\n[hq]\nhost = a.example [::1]:1883  [::1]\tb:1\nport = 8884\n");
	assert_int_equal(conf_brokers(&conf, brokers), ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_string_equal(brokers[i].host, expected[i].host);
		assert_int_equal(brokers[i].port, expected[i].port);
	}
	conf_done(&conf);
}

static void
a_ring_needs_no_headquarters(void **state)
{
	(void)state;
	/* A release may come on a stick. */
	accepts("[store]\nid = 1\n[hq]\nring = pilot\nchannel = beta\n");
	assert_string_equal(conf.hq_ring, "pilot");
	conf_done(&conf);
	accepts("[store]\nid = 1\n");
	assert_null(conf.hq_ring);
	conf_done(&conf);
}

static void
files_must_be_readable(void **state)
{
	(void)state;
	refuses("[store]\nid = 1\n[mqtt]\npassword_file = /nonexistent/p\n",
	    ":4: bad value for password_file: \"/nonexistent/p\", expected a file that can be "
	    "read");
	refuses("[store]\nid = 1\n[privacy]\npepper_file = /tmp\n",
	    ":4: bad value for pepper_file");
	refuses("[store]\nid = 1\n[mappings]\nacme = /nonexistent/m\n",
	    ":4: /nonexistent/m: No such file");
	refuses("[store]\nid = 1\n[hq]\nca = /nonexistent\n", ":4: bad value for ca");
}

static void
keys_that_contradict_are_named(void **state)
{
	(void)state;
	char text[300];
	refuses("[store]\nid = 1\n[mqtt]\nsocket = /s\nhost = h\n",
	    ":4: [mqtt] socket and host are both set");
	snprintf(text, sizeof(text), "[store]\nid = 1\n[http]\ncert = %s\n", path);
	refuses(text, ":4: [http] cert without key");
	snprintf(text, sizeof(text), "[store]\nid = 1\n[hq]\nkey = %s\n", path);
	refuses(text, ":4: [hq] key without cert");
}

static void
all_mistakes_come_at_once(void **state)
{
	(void)state;
	refuses("[store]\nzone = a b\n[what]\n[mqtt]\nport = x\nwhere = there\nrubbish\n",
	    ":2: bad value for zone");
	assert_int_equal(report_lines(), 6);
	assert_non_null(strstr(report.data, ":3: unknown section [what]"));
	assert_non_null(strstr(report.data, ":5: bad value for port"));
	assert_non_null(strstr(report.data, ":6: unknown key where in [mqtt]"));
	assert_non_null(strstr(report.data, ":7: not understood"));
	assert_non_null(strstr(report.data, ": [store] id is missing"));
}

static void
a_missing_file_is_a_mistake(void **state)
{
	(void)state;
	buf_clear(&report);
	assert_int_equal(conf_load(&conf, "/nonexistent/aisled.conf", &report), AISLE_E_CONFIG);
	assert_string_equal(report.data,
	    "/nonexistent/aisled.conf: No such file or directory, expected a configuration file\n");
	conf_done(&conf);
	buf_clear(&report);
	assert_int_equal(conf_load(&conf, "/tmp", &report), AISLE_E_CONFIG);
	conf_done(&conf);
}

static void
too_many_stations_are_a_mistake(void **state)
{
	(void)state;
	struct buf text = { 0 };
	buf_adds(&text, "[store]\nid = 1\n[stations]\n");
	for (int i = 0; i < CONF_STATIONS_MAX; i++)
		buf_addf(&text, "t%d = s%d\n", i, i);
	accepts(text.data);
	assert_string_equal(conf_station(&conf, "t1023"), "s1023");
	conf_done(&conf);
	buf_adds(&text, "last = one\n");
	refuses(text.data, ":1028: too many, expected at most 1024");
	buf_done(&text);
}

static void
a_reload_takes_what_can_change_and_names_the_rest(void **state)
{
	(void)state;
	accepts("[store]\nid = 1\n[limits]\nturn_events = 10\n[stations]\n7 = a\n[log]\nlevel = "
		"info\n");
	assert_int_equal(
	    load_into(&next,
		"[store]\nid = 2\n[limits]\nturn_events = 20\n[stations]\n7 = b\n8 = b\n"
		"[log]\nlevel = debug\n[mqtt]\nport = 1884\n[http]\nplain_lan = yes\n"),
	    0);
	buf_clear(&report);
	conf_reload(&conf, &next, &report);
	assert_string_equal(report.data,
	    "[store] id\n[mqtt] port\n[mqtt] client_id\n[hq] client_id\n[http] plain_lan\n");
	assert_string_equal(conf.store_id, "1");
	assert_int_equal(conf.mqtt_port, 1883);
	assert_int_equal(conf.turn_events, 20);
	assert_string_equal(conf.log_level, "debug");
	assert_string_equal(conf_station(&conf, "8"), "b");
	conf_done(&conf);
}

static void
the_table_describes_itself(void **state)
{
	(void)state;
	struct buf text = { 0 };
	conf_describe(&text);
	static const char *const wanted[] = { "[store]", "day_cut (hh:mm; 04:00)", "[stations]",
		"[mqtt]", "[hq]", "[http]", "[state]", "max_mib (1 to 1048576; 1024)", "[limits]",
		"clock_past (0s to 365d; 3d) [reload]", "exam (1s to 1h; 60s) [reload]",
		"[privacy]", "[mappings]", "[log]", "terminal_rate (1 to 100000; 200/s) [reload]" };
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		if (strstr(text.data, wanted[i]) == NULL)
			fail_msg("%s is missing in %s", wanted[i], text.data);
	}
	buf_done(&text);
}

/* Only where this machine has the time zone database: a gateway may do without. */
static void
a_zone_is_one_that_this_machine_knows(void **state)
{
	(void)state;
	if (access("/usr/share/zoneinfo/UTC", F_OK) != 0)
		skip();
	refuses("[store]\nid = 1\nzone = Europe/Berlln\n",
	    ":3: bad value for zone: \"Europe/Berlln\"");
	refuses("[store]\nid = 1\nzone = Europe\n", ":3: bad value for zone: \"Europe\"");
	accepts("[store]\nid = 1\nzone = Europe/Berlin\n");
	conf_done(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_enough_and_the_rest_has_defaults),
		cmocka_unit_test(every_section_is_read),
		cmocka_unit_test(the_id_is_required_and_has_its_shape),
		cmocka_unit_test(unknown_things_are_mistakes),
		cmocka_unit_test(what_is_no_ini_is_a_mistake),
		cmocka_unit_test(a_line_is_never_cut_in_silence),
		cmocka_unit_test(blanks_comments_and_line_ends_are_no_part_of_a_value),
		cmocka_unit_test(half_a_line_is_a_mistake),
		cmocka_unit_test(a_file_that_is_no_text_or_no_end_is_a_mistake),
		cmocka_unit_test(ranges_end_where_they_say),
		cmocka_unit_test(brokers_have_their_own_port_or_the_one_of_all),
		cmocka_unit_test(a_ring_needs_no_headquarters),
		cmocka_unit_test(files_must_be_readable),
		cmocka_unit_test(keys_that_contradict_are_named),
		cmocka_unit_test(all_mistakes_come_at_once),
		cmocka_unit_test(a_missing_file_is_a_mistake),
		cmocka_unit_test(too_many_stations_are_a_mistake),
		cmocka_unit_test(a_reload_takes_what_can_change_and_names_the_rest),
		cmocka_unit_test(a_zone_is_one_that_this_machine_knows),
		cmocka_unit_test(the_table_describes_itself),
	};
	close(mkstemp(path));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	buf_done(&report);
	return failed;
}
