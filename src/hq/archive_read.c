/* SPDX-License-Identifier: Apache-2.0
 *
 * archive_read.c - an archive's files: entries, one behind the other, and what is rewritten in them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <zstd.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "hq/archive_internal.h"
#include "hq/batch.h"

#define SKIPPABLE 0x184D2A50u
#define HEAD_MAX 512
#define LEVEL 3

/* ---- entries ---- */

void
archive_entry(const char *topic, const void *payload, size_t len, struct buf *out)
{
	struct buf head = { 0 };
	struct json_writer *w = JSON_OBJECT(&head);
	uint8_t digest[16];
	char hex[33];
	hash_bytes(digest, sizeof(digest), payload, len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	json_add_str(w, "topic", topic);
	json_add_int(w, "bytes", (int64_t)len);
	json_add_str(w, "hash", hex);
	json_end(w);
	buf_u32(out, SKIPPABLE);
	buf_u32(out, (uint32_t)head.len);
	buf_add(out, head.data, head.len);
	buf_add(out, payload, len);
	buf_done(&head);
}

static bool
read_head(const char *text, size_t len, char topic[static ARCHIVE_TOPIC_SIZE], int64_t *ret_bytes,
    char hash[static 33])
{
	struct err err = { 0 };
	json_t *head = json_read(text, len, "", &err);
	const char *name = json_string_value(json_object_get(head, "topic"));
	const char *hex = json_string_value(json_object_get(head, "hash"));
	bool ok = name != NULL && strlen(name) < ARCHIVE_TOPIC_SIZE && hex != NULL &&
	    strlen(hex) == 32 && json_int(json_object_get(head, "bytes"), ret_bytes) &&
	    *ret_bytes > 0;
	if (ok) {
		memcpy(topic, name, strlen(name) + 1);
		memcpy(hash, hex, 33);
	}
	json_decref(head);
	return ok;
}

bool
archive_next(const struct buf *file, size_t *at, char topic[static ARCHIVE_TOPIC_SIZE],
    const void **ret_payload, size_t *ret_len)
{
	struct rd rd = rd_init(file->data + *at, file->len - *at);
	uint32_t magic = rd_u32(&rd), head_len = rd_u32(&rd);
	char hash[33], hex[33];
	uint8_t digest[16];
	int64_t bytes;
	size_t left = (size_t)(rd.end - rd.at);
	if (!rd.ok || magic != SKIPPABLE || head_len > HEAD_MAX || head_len > left ||
	    !read_head((const char *)rd.at, head_len, topic, &bytes, hash) ||
	    (uint64_t)bytes > left - head_len)
		return false;
	const uint8_t *payload = rd.at + head_len;
	hash_bytes(digest, sizeof(digest), payload, (size_t)bytes, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	if (strcmp(hex, hash) != 0)
		return false;
	*ret_payload = payload;
	*ret_len = (size_t)bytes;
	*at += 8 + head_len + (size_t)bytes;
	return true;
}

/* ---- files ---- */

int
archive_lock(const char *dir, bool alone, struct err *err)
{
	struct buf path = { 0 };
	buf_addf(&path, "%s/lock", dir);
	int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (fd < 0 || flock(fd, alone ? LOCK_EX : LOCK_SH) != 0) {
		err_set(err, AISLE_E_IO, "%s: %s", path.data, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	buf_done(&path);
	return fd;
}

int
archive_read(const char *path, struct buf *out, struct err *err)
{
	size_t most = ARCHIVE_FILE_BYTES + BATCH_BYTES_MAX + HEAD_MAX;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? 1 : -1;
	while (got > 0 && out->len <= most) {
		buf_reserve(out, 1u << 20);
		got = read(fd, out->data + out->len, 1u << 20);
		out->len += got > 0 ? (size_t)got : 0;
	}
	int error = errno;
	if (fd >= 0)
		close(fd);
	if (got < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(error));
	return out->len <= most
	    ? 0
	    : err_set(err, AISLE_E_INVALID, "%s: over %zu bytes: not of an archive", path, most);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* depth 2: days, 1: files, 0: it is one. */
static int
walk(const char *path, int depth, archive_file_fn each, void *ctx, struct err *err)
{
	struct dirent **entries;
	if (depth == 0)
		return each(ctx, path, err);
	int count = scandir(path, &entries, visible, by_name), rc = 0;
	if (count < 0)
		return errno == ENOENT ? 0
				       : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		struct buf inner = { 0 };
		buf_addf(&inner, "%s/%s", path, entries[i]->d_name);
		if (rc == 0)
			rc = walk(inner.data, depth - 1, each, ctx, err);
		buf_done(&inner);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int
archive_files(const char *dir, archive_file_fn each, void *ctx, struct err *err)
{
	int rc = 0;
	for (int lane = 0; lane < LANE_COUNT && rc == 0; lane++) {
		struct buf path = { 0 };
		buf_addf(&path, "%s/%s", dir, NAME_OF(lane_names, lane));
		rc = walk(path.data, 2, each, ctx, err);
		buf_done(&path);
	}
	return rc;
}

struct reading {
	archive_fn each;
	void *ctx;
};

static int
read_file(void *ctx, const char *path, struct err *err)
{
	const struct reading *reading = ctx;
	struct buf file = { 0 };
	char topic[ARCHIVE_TOPIC_SIZE];
	const void *payload;
	size_t len, at = 0;
	int rc = archive_read(path, &file, err);
	while (rc == 0 && archive_next(&file, &at, topic, &payload, &len))
		rc = reading->each(reading->ctx, topic, payload, len, err);
	buf_done(&file);
	return rc;
}

int
archive_each(const char *dir, archive_fn each, void *ctx, struct err *err)
{
	struct reading reading = { each, ctx };
	return archive_files(dir, read_file, &reading, err);
}

/* ---- forgetting ---- */

struct erasing {
	const char *dir;
	const struct erasures *erasures;
	long long records;
};

static bool
names_somebody(const struct erasures *erasures, const struct batch *batch)
{
	bool named = false;
	for (size_t i = 0; i < batch->count && !named && erasures->count > 0; i++) {
		const struct batch_row *row = &batch->rows[i];
		struct buf rest = { 0 };
		named =
		    erasures_apply(erasures, row->type, row->at_ms, row->body, &rest) != ERASED_NOT;
		buf_done(&rest);
	}
	return named;
}

static void
add_line(const struct batch *batch, const struct batch_row *row, const char *body,
    struct buf *lines)
{
	struct json_writer *w = JSON_OBJECT(lines);
	json_add_str(w, "epoch", batch->epoch);
	json_add_int(w, "seq", row->seq);
	json_add_str(w, "type", row->type);
	json_add_str(w, "at", row->at);
	json_add_raw(w, "body", body, strlen(body));
	json_end(w);
	buf_addc(lines, '\n');
}

static void
zstd_lines(const struct buf *lines, struct buf *ret_payload)
{
	size_t most = ZSTD_compressBound(lines->len);
	buf_reserve(ret_payload, most);
	size_t len = ZSTD_compress(ret_payload->data, most, lines->data, lines->len, LEVEL);
	CHECK(!ZSTD_isError(len));
	ret_payload->len = len;
}

long long
archive_clear(const struct erasures *erasures, const struct batch *batch, struct buf *ret_payload)
{
	struct buf lines = { 0 };
	long long changed = 0;
	if (!names_somebody(erasures, batch))
		return 0;
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_row *row = &batch->rows[i];
		struct buf rest = { 0 };
		enum erased erased =
		    erasures_apply(erasures, row->type, row->at_ms, row->body, &rest);
		changed += erased != ERASED_NOT;
		if (erased != ERASED_ROW)
			add_line(batch, row, erased == ERASED_BODY ? rest.data : row->body, &lines);
		buf_done(&rest);
	}
	if (lines.len > 0)
		zstd_lines(&lines, ret_payload);
	buf_done(&lines);
	return changed;
}

static long long
clear_entry(const struct erasures *erasures, const char *topic, const void *payload, size_t len,
    struct buf *out)
{
	struct batch batch;
	struct buf cleared = { 0 };
	struct err err = { 0 };
	long long changed = 0;
	if (batch_read(topic, payload, len, &batch, &err) == 0) {
		changed = archive_clear(erasures, &batch, &cleared);
		batch_done(&batch);
	}
	if (changed == 0)
		archive_entry(topic, payload, len, out);
	else if (cleared.len > 0)
		archive_entry(topic, cleared.data, cleared.len, out);
	buf_done(&cleared);
	return changed;
}

/* Into the place of the old one, in one step. */
static int
replace(const char *path, const struct buf *bytes, struct err *err)
{
	struct buf part = { 0 };
	const char *slash = strrchr(path, '/');
	buf_addf(&part, "%.*s/.%s.part", (int)(slash - path), path, slash + 1);
	int fd = open(part.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	bool ok = fd >= 0 && write(fd, bytes->data, bytes->len) == (ssize_t)bytes->len &&
	    fsync(fd) == 0 && rename(part.data, path) == 0;
	int error = errno;
	if (fd >= 0)
		close(fd);
	buf_done(&part);
	return ok ? 0 : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(error));
}

static int
erase_file(void *ctx, const char *path, struct err *err)
{
	struct erasing *erasing = ctx;
	struct buf file = { 0 }, out = { 0 };
	char topic[ARCHIVE_TOPIC_SIZE];
	const void *payload;
	size_t len, at = 0;
	long long changed = 0;
	int rc = archive_read(path, &file, err);
	buf_adds(&out, "");
	while (rc == 0 && archive_next(&file, &at, topic, &payload, &len))
		changed += clear_entry(erasing->erasures, topic, payload, len, &out);
	if (rc == 0 && changed > 0)
		rc = replace(path, &out, err);
	erasing->records += changed;
	buf_done(&file);
	buf_done(&out);
	return rc;
}

/* One file at a time: collectors wait for as long as one takes. */
static int
erase_locked(void *ctx, const char *path, struct err *err)
{
	struct erasing *erasing = ctx;
	int lock = archive_lock(erasing->dir, true, err);
	if (lock < 0)
		return err->code;
	int rc = erase_file(erasing, path, err);
	close(lock);
	return rc;
}

int
archive_erase(const char *dir, const struct erasures *erasures, long long *ret_records,
    struct err *err)
{
	struct erasing erasing = { dir, erasures, 0 };
	/* A turn that began before they were on record has written its files when this lock is had; one that begins later
	 * knows of them. */
	int lock = archive_lock(dir, true, err);
	if (lock < 0)
		return err->code;
	close(lock);
	int rc = archive_files(dir, erase_locked, &erasing, err);
	*ret_records = erasing.records;
	return rc;
}
