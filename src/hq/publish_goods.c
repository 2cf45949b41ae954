/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_goods.c - files to be published: what each is is seen from its content.
 *
 * LIMITS
 *   20,000 files; a signed one of 256 KiB, a bundle of 256 MiB.
 */
#include "hq/publish_goods.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "hq/publish_artifact.h"

/* Orders come before what may be too much. */
static const char orders_folder[] = "orders";
static const char *const folders[] = { "root", orders_folder, "releases", "artifacts" };

static void
text_done(struct goods_text *file)
{
	free(file->path);
	free(file->text);
}

void
left_out_add(struct left_out *left, const struct err *why)
{
	char text[sizeof(why->text)];

	err_format(why, text, sizeof(text));
	err_set(&left->first, why->code, "%s", text);
	left->count++;
}

void
goods_done(struct goods *goods)
{
	for (size_t i = 0; i < goods->root_count; i++)
		text_done(&goods->roots[i].file);
	for (size_t i = 0; i < goods->release_count; i++) {
		text_done(&goods->releases[i].file);
		release_done(&goods->releases[i].release);
	}
	for (size_t i = 0; i < goods->order_count; i++)
		text_done(&goods->orders[i].file);
	for (size_t i = 0; i < goods->artifact_count; i++)
		free(goods->artifacts[i].path);
	free(goods->roots);
	free(goods->releases);
	free(goods->orders);
	free(goods->artifacts);
	free(goods->taken);
	*goods = (struct goods){ 0 };
}

const struct artifact_file *
goods_artifact(const struct goods *goods, const char *hash)
{
	for (size_t i = 0; i < goods->artifact_count; i++)
		if (strcmp(goods->artifacts[i].hash, hash) == 0)
			return &goods->artifacts[i];
	return NULL;
}

int64_t
goods_taken(const struct goods *goods, const char *store)
{
	for (size_t i = 0; i < goods->taken_count; i++)
		if (strcmp(goods->taken[i].store, store) == 0)
			return goods->taken[i].sequence;
	return 0;
}

bool
release_is_own(const struct release *release)
{
	return release->bundles[BUNDLE_PROFILES].named;
}

/* ---- topics ---- */

void
topic_root(char out[static PUBLISH_TOPIC_SIZE], int64_t version)
{
	snprintf(out, PUBLISH_TOPIC_SIZE, TOPIC_HQ "root/%" PRId64, version);
}

void
topic_release(char out[static PUBLISH_TOPIC_SIZE], const struct release *release)
{
	if (release_is_own(release) && release->store_count > 0)
		snprintf(out, PUBLISH_TOPIC_SIZE, TOPIC_HQ "store/%s/release", release->stores[0]);
	else
		snprintf(out, PUBLISH_TOPIC_SIZE, TOPIC_HQ "release/%s", release->channel);
}

void
topic_chunk(char out[static PUBLISH_TOPIC_SIZE], const char *hash, int64_t n)
{
	snprintf(out, PUBLISH_TOPIC_SIZE, TOPIC_HQ "artifact/%s/%" PRId64, hash, n);
}

/* The chain's list, or that of one store. */
void
topic_orders(char out[static PUBLISH_TOPIC_SIZE], const struct order *order)
{
	if (strcmp(order->target, "all") == 0 || strncmp(order->target, "ring:", 5) == 0)
		snprintf(out, PUBLISH_TOPIC_SIZE, "%s", TOPIC_STOP);
	else
		snprintf(out, PUBLISH_TOPIC_SIZE, TOPIC_HQ "store/%s/order", order->target);
}

/* ---- one file ---- */

static int
add_root(struct goods *goods, struct goods_text *file, const struct signed_text *envelope,
    struct err *err)
{
	struct goods_root one = { .file = *file };
	size_t at = goods->root_count;
	int rc = root_parse(envelope->manifest, envelope->len, file->path, &one.root, NULL, err);

	if (rc != 0)
		return rc;
	goods->roots = mem_grow(goods->roots, goods->root_count, &goods->root_room, sizeof(one));
	for (; at > 0 && goods->roots[at - 1].root.version > one.root.version; at--)
		goods->roots[at] = goods->roots[at - 1];
	goods->roots[at] = one;
	goods->root_count++;
	return 0;
}

static int
add_release(struct goods *goods, struct goods_text *file, const struct signed_text *envelope,
    struct err *err)
{
	struct goods_release one = { .file = *file };
	int rc =
	    release_parse(envelope->manifest, envelope->len, file->path, &one.release, NULL, err);

	if (rc != 0)
		return rc;
	goods->releases =
	    mem_grow(goods->releases, goods->release_count, &goods->release_room, sizeof(one));
	goods->releases[goods->release_count++] = one;
	return 0;
}

static int
add_order(struct goods *goods, struct goods_text *file, const struct signed_text *envelope,
    struct err *err)
{
	struct goods_order one = { .file = *file };
	int rc = order_parse(envelope->manifest, envelope->len, file->path, &one.order, NULL, err);

	if (rc != 0)
		return rc;
	goods->orders =
	    mem_grow(goods->orders, goods->order_count, &goods->order_room, sizeof(one));
	goods->orders[goods->order_count++] = one;
	return 0;
}

/* Takes file over when it returns 0. */
static int
add_signed(struct goods *goods, struct goods_text *file, const struct signed_text *envelope,
    struct err *err)
{
	json_t *manifest = json_read(envelope->manifest, envelope->len, file->path, NULL);
	bool root = json_object_get(manifest, "root") != NULL,
	     release = json_object_get(manifest, "release") != NULL,
	     order = json_object_get(manifest, "order") != NULL;

	json_decref(manifest);
	/* A root has lists "release" and "order", so it is asked for first. */
	if (root)
		return add_root(goods, file, envelope, err);
	if (release)
		return add_release(goods, file, envelope, err);
	if (order)
		return add_order(goods, file, envelope, err);
	return err_set(err, AISLE_E_INVALID,
	    "%s: its manifest is of nothing that is published, expected a root, a release or an "
	    "order",
	    file->path);
}

static int
has_room(const struct goods *goods, const char *path, struct err *err)
{
	size_t count =
	    goods->root_count + goods->release_count + goods->order_count + goods->artifact_count;

	return count < PUBLISH_FILES_MAX
	    ? 0
	    : err_set(err, AISLE_E_FULL, "%s: too many files, expected at most %d", path,
		  PUBLISH_FILES_MAX);
}

static int
read_envelope(struct goods *goods, const char *path, const char *text, size_t len, struct err *err)
{
	struct signed_text envelope = { 0 };
	struct goods_text file = { 0 };
	int rc = signed_read(text, len, path, &envelope, NULL, err);

	if (rc != 0)
		return rc;
	while (len > 0 && text[len - 1] == '\n')
		len--;
	file.path = mem_strdup(path);
	file.len = len;
	file.text = mem_alloc(len + 1);
	memcpy(file.text, text, len);
	file.text[len] = '\0';
	rc = add_signed(goods, &file, &envelope, err);
	if (rc != 0)
		text_done(&file);
	signed_done(&envelope);
	return rc;
}

struct list_reading {
	struct goods *goods;
	const char *path;
	struct err *err; /* of the first that is wrong; the others are taken */
};

static void
read_of_list(void *ctx, const char *text, size_t len, size_t at)
{
	struct list_reading *reading = ctx;
	struct err wrong = { 0 };

	(void)at;
	if (has_room(reading->goods, reading->path, &wrong) == 0)
		(void)!read_envelope(reading->goods, reading->path, text, len, &wrong);
	if (wrong.code != 0 && reading->err->code == 0)
		*reading->err = wrong;
}

/* An envelope, or a list of orders as order make writes it for several stores. */
static int
read_signed(struct goods *goods, const char *path, struct err *err)
{
	struct list_reading reading = { goods, path, err };
	struct buf text = { 0 };
	int rc = file_read(path, ORDERS_BYTES_MAX, &text, err);

	if (rc == 0 && text.len > 0 && text.data[0] == '[') {
		*err = (struct err){ 0 };
		rc = order_list_each(text.data, text.len, ORDERS_CHAIN_MAX, path, read_of_list,
		    &reading, NULL, err);
		rc = rc == 0 ? err->code : rc;
	} else if (rc == 0) {
		rc = read_envelope(goods, path, text.data, text.len, err);
	}
	buf_done(&text);
	return rc;
}

/* Another value when the file is another, or was changed. */
static uint64_t
file_stamp(const char *path, const struct stat *st)
{
	uint64_t stamp;
	char text[4300];
	int len = snprintf(text, sizeof(text), "%s %lld %lld %lld %ld", path, (long long)st->st_ino,
	    (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);

	hash_bytes(&stamp, sizeof(stamp), text, (size_t)len, NULL, 0);
	return stamp;
}

/* A stop would have to wait until hundreds of bundles have been read once more. */
static bool
is_known(const struct goods *before, uint64_t stamp, struct artifact_file *ret)
{
	for (size_t i = 0; before != NULL && i < before->artifact_count; i++)
		if (before->artifacts[i].stamp == stamp) {
			*ret = before->artifacts[i];
			ret->path = mem_strdup(ret->path);
			return true;
		}
	return false;
}

static int
add_artifact(struct goods *goods, const struct goods *before, const char *path, struct err *err)
{
	struct artifact_file artifact = { .packed = -1 };
	struct stat st;
	int rc = 0;

	if (stat(path, &st) != 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	uint64_t stamp = file_stamp(path, &st);
	if (!is_known(before, stamp, &artifact))
		rc = artifact_open(path, &artifact, err);
	artifact.stamp = stamp;
	if (rc != 0)
		return rc;
	if (goods_artifact(goods, artifact.hash) != NULL) {
		free(artifact.path);
		return 0;
	}
	goods->artifacts = mem_grow(goods->artifacts, goods->artifact_count, &goods->artifact_room,
	    sizeof(artifact));
	goods->artifacts[goods->artifact_count++] = artifact;
	return 0;
}

static bool
is_sqlite(const char *path)
{
	char start[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is = fd >= 0 && read(fd, start, sizeof(start)) == (ssize_t)sizeof(start) &&
	    memcmp(start, "SQLite format 3", 16) == 0;

	if (fd >= 0)
		close(fd);
	return is;
}

static int
add_file(struct goods *goods, const struct goods *before, const char *path, struct err *err)
{
	int rc = has_room(goods, path, err);

	if (rc != 0)
		return rc;
	return is_sqlite(path) ? add_artifact(goods, before, path, err)
			       : read_signed(goods, path, err);
}

/* ---- a folder ---- */

typedef int (*file_fn)(void *ctx, const char *path, const struct stat *st, struct err *err);

/* Half-written files begin with a dot or have another end. */
static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* By their names: who begins anew finds the same. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
each_in(const char *dir, const char *sub, file_fn fn, void *ctx, struct err *err)
{
	char folder[4096], path[4096];
	struct dirent **entries;
	int rc = 0, count;

	if (snprintf(folder, sizeof(folder), "%s/%s", dir, sub) >= (int)sizeof(folder))
		return err_set(err, AISLE_E_INVALID, "%s: name too long", dir);
	count = scandir(folder, &entries, is_visible, by_name);
	if (count < 0)
		return errno == ENOENT
		    ? 0
		    : err_set(err, AISLE_E_IO, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		struct stat st;
		bool fits = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) <
		    (int)sizeof(path);

		free(entries[i]);
		if (rc == 0 && fits && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			rc = fn(ctx, path, &st, err);
	}
	free(entries);
	return rc;
}

struct folder_reading {
	struct goods *goods;
	const struct goods *before;
};

static int
add_of_folder(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	const struct folder_reading *reading = ctx;
	const char *dot = strrchr(path, '.');
	struct err wrong = { 0 };
	int rc;

	(void)st;
	if (dot == NULL || (strcmp(dot, ".json") != 0 && !is_sqlite(path)))
		return 0; /* people's own */
	rc = add_file(reading->goods, reading->before, path, &wrong);
	if (rc == AISLE_E_FULL)
		return err_set(err, rc, "%s", wrong.text);
	/* One that is wrong keeps no other from being sent: a stop may be among them. */
	if (rc != 0) {
		log_warning("publish: left out path=%s error=%s", LOG_VALUE(path),
		    LOG_VALUE(wrong.text));
		left_out_add(&reading->goods->left, &wrong);
	}
	return 0;
}

static int
add_to_stamp(void *ctx, const char *path, const struct stat *st, struct err *err)
{
	uint64_t *stamp = ctx;

	(void)err;
	*stamp += file_stamp(path, st); /* in whatever order they come */
	return 0;
}

uint64_t
goods_stamp(const char *dir)
{
	uint64_t stamp = 0;

	for (size_t i = 0; dir != NULL && i < ARRAY_LEN(folders); i++)
		if (each_in(dir, folders[i], add_to_stamp, &stamp, NULL) != 0)
			return 0;
	return stamp;
}

uint64_t
goods_orders_stamp(const char *dir)
{
	uint64_t stamp = 0;

	return dir == NULL || each_in(dir, orders_folder, add_to_stamp, &stamp, NULL) != 0 ? 0
											   : stamp;
}

/* What cannot be read keeps nothing else from being sent. */
static void
read_folder(const char *dir, const struct goods *before, struct goods *goods)
{
	struct folder_reading reading = { goods, before };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct err err = { 0 };

		if (each_in(dir, folders[i], add_of_folder, &reading, &err) != 0) {
			log_error("publish: left out folder=%s error=%s", folders[i],
			    LOG_VALUE(err.text));
			left_out_add(&goods->left, &err);
		}
	}
}

int
goods_folder(const char *dir, struct err *err)
{
	char path[4096];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (snprintf(path, sizeof(path), "%s/%s", dir, folders[i]) < (int)sizeof(path) &&
		    stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
	return err_set(err, AISLE_E_NONE,
	    "%s: expected headquarters' folder, with root, orders, releases and artifacts in it",
	    dir);
}

int
goods_read(const struct publish_options *options, const struct goods *before, struct goods *ret,
    struct err *err)
{
	struct goods goods = { .folder = options->dir != NULL,
		.stamp = goods_stamp(options->dir),
		.orders_stamp = goods_orders_stamp(options->dir) };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < options->file_count; i++)
		rc = add_file(&goods, before, options->files[i], err);
	if (rc == 0 && options->dir != NULL)
		read_folder(options->dir, before, &goods);
	if (rc != 0)
		goods_done(&goods);
	else
		*ret = goods;
	return rc;
}
