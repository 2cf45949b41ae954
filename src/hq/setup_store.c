/* SPDX-License-Identifier: Apache-2.0
 *
 * setup_store.c - a store at headquarters: its user on the broker, and the files that its gateway needs.
 */
#include "hq/setup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "trust/release.h"

static void
add_rights(const char *store, struct buf *out)
{
	static const char *const own[] = { "write %s/up/#", "write %s/want", "read %s/ack/#",
		"read %s/release", "read %s/order", "read %s/chunk/#" };

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		size_t before = strcspn(own[i], "%");

		buf_addf(out, "topic %.*saisle/v1/hq/store/%s%s\n", (int)before, own[i], store,
		    own[i] + before + 2);
	}
	buf_adds(out,
	    "topic read aisle/v1/hq/root/+\ntopic read aisle/v1/hq/release/+\n"
	    "topic read aisle/v1/hq/stop\ntopic read aisle/v1/hq/artifact/#\n");
}

static int
copy(const char *from, const struct setup *setup, const char *name, int mode, struct err *err)
{
	char path[SETUP_PATH_SIZE];
	struct buf text = { 0 };
	int rc = file_read(from, 1u << 20, &text, err);

	setup_path(setup, name, path);
	if (rc == 0)
		rc = file_write(path, text.data, text.len, mode, false, err);
	buf_wipe(&text);
	return rc;
}

/* The newest root: a gateway is born with it. */
static int
newest_root(const struct setup *setup, char out[static SETUP_PATH_SIZE], struct err *err)
{
	char folder[SETUP_PATH_SIZE];
	struct dirent *entry;
	long newest = 0;
	DIR *d;

	setup_path(setup, "root", folder);
	d = opendir(folder);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		char *end;
		long version = strtol(entry->d_name, &end, 10);

		if (version > newest && strcmp(end, ".json") == 0)
			newest = version;
	}
	if (d != NULL)
		closedir(d);
	if (newest == 0)
		return err_set(err, AISLE_E_NONE, "%s: no root in it, expected 1.json", folder);
	CHECK(snprintf(out, SETUP_PATH_SIZE, "%s/%ld.json", folder, newest) < SETUP_PATH_SIZE);
	return 0;
}

static void
add_conf(const struct setup *setup, const char *store, const char *ring, const char *channel,
    const char *at, struct buf *out)
{
	buf_addf(out,
	    "# Store %s: to be added to the gateway's aisled.conf, whose [store] id it is.\n"
	    "[hq]\nhost = %s\nport = %d\nuser = %s\npassword_file = %s/hq-password\n",
	    store, setup->host, setup->port, store, at);
	if (!setup->plain)
		buf_addf(out, "ca = %s/hq-ca.pem\n", at);
	buf_addf(out, "root = %s/root.json\nchannel = %s\n", at, channel);
	if (ring != NULL)
		buf_addf(out, "ring = %s\n", ring);
	buf_addf(out, "[privacy]\npepper_file = %s/pepper\n", at);
}

static int
write_files(const struct setup *setup, const char *store, const char *ring, const char *channel,
    const char *at, struct err *err)
{
	char path[SETUP_PATH_SIZE], name[128];
	struct buf conf = { 0 };
	int rc = newest_root(setup, path, err);

	snprintf(name, sizeof(name), "stores/%s/root.json", store);
	if (rc == 0)
		rc = copy(path, setup, name, 0644, err);
	setup_path(setup, "secret/pepper", path);
	snprintf(name, sizeof(name), "stores/%s/pepper", store);
	if (rc == 0)
		rc = copy(path, setup, name, 0600, err);
	setup_path(setup, "broker/tls.pem", path);
	snprintf(name, sizeof(name), "stores/%s/hq-ca.pem", store);
	if (rc == 0 && !setup->plain)
		rc = copy(path, setup, name, 0644, err);
	add_conf(setup, store, ring, channel, at, &conf);
	snprintf(name, sizeof(name), "stores/%s/hq.conf", store);
	setup_path(setup, name, path);
	if (rc == 0)
		rc = file_write(path, conf.data, conf.len, 0644, false, err);
	buf_done(&conf);
	return rc;
}

/* An order for "all" is for every store; the others are users of the broker. */
static bool
is_reserved(const char *store)
{
	static const char *const names[] = { "hq", "all", "collector", "publisher" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(store, names[i]) == 0)
			return true;
	return false;
}

static int
add_store(const struct setup *setup, const char *store, const char *ring, const char *channel,
    const char *at, struct err *err)
{
	char path[SETUP_PATH_SIZE], name[128];
	struct buf rights = { 0 };
	int rc = 0;

	if (!trust_name_ok(store) || is_reserved(store))
		return err_set(err, AISLE_E_INVALID,
		    "\"%s\" is no store id, expected 1 to 32 letters, digits, - and _, and not hq, "
		    "all, collector or publisher",
		    store);
	if (setup_has_user(setup, store))
		return err_set(err, AISLE_E_REFUSED, "store %s is there already", store);
	snprintf(name, sizeof(name), "stores/%s", store);
	setup_path(setup, name, path);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	rc = write_files(setup, store, ring, channel, at, err);
	add_rights(store, &rights);
	snprintf(name, sizeof(name), "stores/%s/hq-password", store);
	setup_path(setup, name, path);
	/* The user last: until then it can be begun again. */
	if (rc == 0)
		rc = setup_user(setup, store, path, rights.data, err);
	buf_done(&rights);
	return rc;
}

/* Two that add a store at the same time would write the same files, and one of them for nothing. */
int
setup_store(const struct setup *setup, const char *store, const char *ring, const char *channel,
    const char *at, struct err *err)
{
	int lock, rc = setup_lock(setup, "stores", &lock, err);

	if (rc != 0)
		return rc;
	rc = add_store(setup, store, ring, channel, at, err);
	close(lock);
	return rc;
}
