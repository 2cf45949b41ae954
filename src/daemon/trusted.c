/* SPDX-License-Identifier: Apache-2.0
 *
 * trusted.c - what headquarters may say: the root in force, and the sequences that were taken.
 *
 * DESIGN
 *   The gateway is born with [hq] root. A newer one that came over the wire is kept as
 *   trust/root.json below the state folder, and the keys of the roots before it that it has no more
 *   in trust/revoked, so that their signatures are refused by that name; a sequence is kept in the state's meta, twice, under
 *   names that are not neighbours. Without [hq] root nothing of headquarters' is taken.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"

#define SEEN "trust"
#define SEEN_COPY "copy/trust"

const struct root *
daemon_root(const struct daemon *daemon)
{
	return daemon->trusted.root.version > 0 ? &daemon->trusted.root : NULL;
}

bool
daemon_trusts(const struct daemon *daemon)
{
	return daemon_root(daemon) != NULL &&
	    daemon->trusted.root.version >= daemon->trusted.seen.root;
}

struct sequences *
daemon_seen(struct daemon *daemon)
{
	return &daemon->trusted.seen;
}

struct trust_self
daemon_trust_self(const struct daemon *daemon)
{
	return (struct trust_self){ .store = daemon->conf.store_id,
		.channel = daemon->conf.hq_channel,
		.ring = daemon->conf.hq_ring };
}

/* ---- the sequences ---- */

static int
read_row(struct daemon *daemon, const char *name)
{
	struct buf bytes = { 0 };
	int rc = store_meta_get(engine_store(daemon->engine), name, &bytes);

	if (rc == 0)
		rc = sequences_decode(bytes.data, bytes.len, &daemon->trusted.seen);
	buf_done(&bytes);
	return rc;
}

/* A row that was damaged is gone, once it was set aside: the copy is asked also where there is none. */
static void
read_seen(struct daemon *daemon)
{
	int rc = read_row(daemon, SEEN), copy;

	if (rc == 0)
		return;
	copy = read_row(daemon, SEEN_COPY);
	if (rc != AISLE_E_NONE || copy != AISLE_E_NONE)
		log_error("the sequences of headquarters were damaged, %s",
		    copy == 0 ? "their copy holds" : "and so is their copy");
}

int
daemon_seen_save(struct daemon *daemon)
{
	struct store *store = engine_store(daemon->engine);
	struct buf bytes = { 0 };
	int rc;

	sequences_encode(&daemon->trusted.seen, &bytes);
	rc = store_begin(store);
	if (rc == 0)
		rc = store_meta_set(store, SEEN, bytes.data, bytes.len);
	if (rc == 0)
		rc = store_meta_set(store, SEEN_COPY, bytes.data, bytes.len);
	if (rc == 0)
		rc = store_commit(store);
	if (rc != 0)
		store_rollback(store);
	buf_done(&bytes);
	return rc;
}

/* ---- the root ---- */

static void
kept_path(const struct daemon *daemon, const char *name, char out[static 512])
{
	snprintf(out, 512, "%s/trust/%s", daemon->conf.state_dir, name);
}

/* The one that was kept, if it is newer than the one that the gateway was born with. */
static void
open_kept(struct daemon *daemon)
{
	struct root *born = &daemon->trusted.root, kept;
	char path[512];
	struct err err = { 0 };

	kept_path(daemon, "root.json", path);
	if (access(path, F_OK) != 0)
		return;
	if (root_open_file(path, &kept, NULL, &err) != 0) {
		log_error("the root that was kept is not taken, the one of [hq] root holds: %s",
		    err.text);
		return;
	}
	if (kept.version <= born->version)
		return;
	root_revoke(&kept, born);
	*born = kept;
}

static void
open_revoked(struct daemon *daemon)
{
	struct root before = { 0 };
	struct buf text = { 0 };
	struct err err = { 0 };
	char path[512];
	int rc;

	kept_path(daemon, "revoked", path);
	rc = file_read(path, ROOT_REVOKED_MAX * MINISIGN_PUB_TEXT, &text, &err);
	for (size_t at = 0; rc == 0 && at + MINISIGN_PUB_TEXT <= text.len; at += MINISIGN_PUB_TEXT)
		rc = minisign_pub_read(text.data + at, MINISIGN_PUB_TEXT - 1, path,
		    &before.revoked[before.revoked_count++], &err);
	if (rc == 0)
		root_revoke(&daemon->trusted.root, &before);
	else if (rc != AISLE_E_NONE)
		log_error("the keys that were revoked are not known by name any more: %s: %s", path,
		    err.text);
	buf_done(&text);
}

static int
keep_file(struct daemon *daemon, const char *name, const void *bytes, size_t len, struct err *err)
{
	char path[512];
	struct err why = { 0 };
	int rc;

	kept_path(daemon, name, path);
	rc = file_write(path, bytes, len, 0600, false, &why);
	return rc == 0 ? 0 : err_set(err, rc, "%s: %s", path, why.text);
}

/* The bytes are on disk under their name when it returns 0, or the root has not changed. */
static int
keep(struct daemon *daemon, const struct root *root, const void *text, size_t len, struct err *err)
{
	char folder[512], key[MINISIGN_PUB_TEXT];
	struct buf revoked = { 0 };
	int rc;

	kept_path(daemon, "", folder);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_set(err, AISLE_E_IO, "%s: %s", folder, strerror(errno));
	for (size_t i = 0; i < root->revoked_count; i++) {
		minisign_pub_text(&root->revoked[i], key);
		buf_adds(&revoked, key);
		buf_addc(&revoked, '\n');
	}
	rc = revoked.len > 0 ? keep_file(daemon, "revoked", revoked.data, revoked.len, err) : 0;
	buf_done(&revoked);
	return rc == 0 ? keep_file(daemon, "root.json", text, len, err) : rc;
}

static void
next_topic(const struct daemon *daemon, char out[static 64])
{
	snprintf(out, 64, "aisle/v1/hq/root/%lld", (long long)daemon->trusted.root.version + 1);
}

int
daemon_root_offer(struct daemon *daemon, const char *name, const void *text, size_t len,
    struct err *err)
{
	struct root next;
	char waited[64];
	int rc = root_next(&daemon->trusted.root, text, len, name, &next, NULL, err);

	if (rc == 0)
		rc = keep(daemon, &next, text, len, err);
	if (rc != 0)
		return rc;
	next_topic(daemon, waited);
	daemon->trusted.root = next;
	if (daemon->trusted.seen.root < next.version)
		daemon->trusted.seen.root = next.version;
	if (daemon_seen_save(daemon) != 0)
		log_warning("the new root's version is not on record yet");
	log_notice("root version %lld is in force", (long long)next.version);
	daemon_hq_unsubscribe(daemon, waited);
	next_topic(daemon, waited);
	daemon_hq_subscribe(daemon, waited);
	/* What its keys signed may have come before it, and is retained. */
	for (size_t i = 0; i < daemon->hq_filter_count; i++)
		daemon_hq_subscribe(daemon, daemon->hq_filters[i]);
	return 0;
}

static void
take_root(struct daemon *daemon, const char *topic, const void *payload, size_t len)
{
	struct err err = { 0 };
	char waited[64];

	next_topic(daemon, waited);
	if (daemon_root(daemon) != NULL && strcmp(topic, waited) == 0 &&
	    daemon_root_offer(daemon, topic, payload, len, &err) != 0)
		daemon_hq_refused(daemon, "a root of headquarters was not taken: %s", err.text);
}

/* ---- start and stop ---- */

int
daemon_trusted_start(struct daemon *daemon, struct err *err)
{
	struct err why = { 0 };
	char topic[64];

	read_seen(daemon);
	if (daemon->conf.hq_root == NULL)
		return 0;
	if (root_open_file(daemon->conf.hq_root, &daemon->trusted.root, NULL, &why) != 0)
		return err_set(err, AISLE_E_CONFIG, "[hq] root: %s", why.text);
	open_kept(daemon);
	open_revoked(daemon);
	if (daemon->trusted.root.version < daemon->trusted.seen.root)
		log_warning("root version %lld was in force here once, and version %lld is what "
			    "there "
			    "is: nothing is taken but the next roots",
		    (long long)daemon->trusted.seen.root, (long long)daemon->trusted.root.version);
	daemon_hq_hear(daemon, "root/", false, take_root);
	next_topic(daemon, topic);
	daemon_hq_subscribe(daemon, topic);
	return 0;
}

void
daemon_trusted_stop(struct daemon *daemon)
{
	sequences_done(&daemon->trusted.seen);
	memset(&daemon->trusted, 0, sizeof(daemon->trusted));
}
