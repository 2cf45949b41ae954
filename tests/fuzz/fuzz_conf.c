/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_conf.c - any bytes as aisled.conf.
 *
 * What must hold: taken, or each mistake is a line that begins with the file's name; what was taken is inside of its
 * key's range, and nothing of it differs from itself.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/conf_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory, under a name that any process has. */
static const char *
write_file(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		struct buf text = { 0 };

		fd = memfd_create("aisled.conf", MFD_CLOEXEC);
		CHECK(fd >= 0);
		buf_addf(&text, "/proc/self/fd/%d", fd);
		CHECK(text.len < sizeof(path));
		memcpy(path, text.data, text.len + 1);
		buf_done(&text);
	}
	CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

static void
look_at_ranges(struct conf *conf)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		const char *place = (const char *)conf + key->offset;
		char **text = conf_key_text(key, conf);
		int64_t value = 0;
		int number = 0;

		if (text != NULL) {
			CHECK(*text == NULL || strlen(*text) < 256);
			continue;
		}
		if (key->type != CONF_INT && key->type != CONF_RATE && key->type != CONF_DURATION)
			continue;
		memcpy(&number, place, sizeof(number));
		memcpy(&value, place, sizeof(value));
		value = key->type == CONF_DURATION ? value : number;
		CHECK(value >= key->min && value <= key->max);
	}
	for (size_t i = 0; i < conf->station_count; i++)
		CHECK(strcmp(conf_station(conf, conf->stations[i].name), conf->stations[i].value) ==
		    0);
	(void)conf_is_desk(conf, "desk-1");
}

static void
look_at_report(const char *path, const struct buf *report)
{
	for (const char *at = report->data, *end = at + report->len; at < end;
	     at = strchr(at, '\n') + 1)
		CHECK(strncmp(at, path, strlen(path)) == 0 && at[strlen(path)] == ':');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf, next;
	const char *path = write_file(data, size);
	struct buf report = { 0 }, changed = { 0 };
	int rc = conf_load(&conf, path, &report);

	CHECK(rc == 0 || rc == AISLE_E_CONFIG);
	CHECK((rc == 0) == (report.len == 0));
	look_at_ranges(&conf);
	if (rc == 0) {
		CHECK(conf.store_id != NULL && conf.mqtt_client_id != NULL);
		CHECK(conf_load(&next, path, &report) == 0);
		conf_reload(&conf, &next, &changed);
		CHECK(changed.len == 0);
	} else {
		look_at_report(path, &report);
	}
	conf_done(&conf);
	buf_done(&report);
	buf_done(&changed);
	return 0;
}
