/* SPDX-License-Identifier: Apache-2.0
 *
 * archive.c - batches as they came, written before they are committed.
 *
 * DESIGN
 *   A batch is kept as the zstd frame that the store sent (81 bytes a record, where a database has 700); before it a
 *   skippable frame says its topic, length and hash. So `zstd -dc FILE` gives the records of a whole file as JSON lines, and
 *   nothing of ours is needed to read them.
 *
 *   A turn is on disk here before it is in the database: what is acknowledged is in both. What is here twice meets the
 *   primary key when a database is filled again. Each start of a collector begins files of its own, so that
 *   half an entry, left by one that was killed, is always a file's last.
 *
 *   Who forgets a customer rewrites files under a lock; a collector whose file was replaced in the meantime opens the
 *   new one by its name.
 */
#include "hq/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/when.h"
#include "hq/archive_internal.h"

struct lane_file {
	int fd; /* -1: none */
	int32_t day;
	size_t bytes;
	bool dirty;
	struct buf path;
};
struct archive {
	char *dir, *name;
	int lock;
	struct lane_file lanes[LANE_COUNT];
};

static int64_t
wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * S_MS + now.tv_nsec / 1000000;
}

static int
make_dir(const char *path, struct err *err)
{
	return mkdir(path, 0750) == 0 || errno == EEXIST
	    ? 0
	    : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
}

/* The name of what was made in a folder is on disk, too. */
static int
sync_dir(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 ? fsync(fd) : -1, error = errno;
	if (fd >= 0)
		close(fd);
	return rc == 0 ? 0 : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(error));
}

int
archive_open(const char *dir, const char *name, struct archive **ret_archive, struct err *err)
{
	int rc = make_dir(dir, err);
	if (rc != 0)
		return rc;
	struct archive *archive = mem_zero(sizeof(*archive));
	archive->dir = mem_strdup(dir);
	archive->name = mem_strdup(name);
	archive->lock = -1;
	for (int lane = 0; lane < LANE_COUNT; lane++)
		archive->lanes[lane].fd = -1;
	*ret_archive = archive;
	return 0;
}

static void
close_file(struct lane_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	buf_done(&file->path);
	*file = (struct lane_file){ .fd = -1 };
}

void
archive_close(struct archive *archive)
{
	if (archive == NULL)
		return;
	for (int lane = 0; lane < LANE_COUNT; lane++)
		close_file(&archive->lanes[lane]);
	if (archive->lock >= 0)
		close(archive->lock);
	free(archive->dir);
	free(archive->name);
	free(archive);
}

static int
begin_file(struct archive *archive, int lane, int32_t day, struct err *err)
{
	struct lane_file *file = &archive->lanes[lane];
	struct buf path = { 0 };
	char date[WHEN_TEXT_SIZE];
	close_file(file);
	when_text((int64_t)day * D_MS, date);
	buf_addf(&path, "%s/%s", archive->dir, NAME_OF(lane_names, lane));
	int rc = make_dir(path.data, err);
	if (rc == 0)
		rc = sync_dir(archive->dir, err);
	buf_addf(&path, "/%.10s", date);
	if (rc == 0)
		rc = make_dir(path.data, err);
	size_t folder = path.len;
	buf_addf(&path, "/%s-%lld.zst", archive->name, (long long)wall_ms());
	if (rc == 0)
		file->fd =
		    open(path.data, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
	if (rc == 0 && file->fd < 0)
		rc = err_set(err, AISLE_E_IO, "%s: %s", path.data, strerror(errno));
	buf_adds(&file->path, path.data);
	path.data[folder] = '\0';
	if (rc == 0)
		rc = sync_dir(path.data, err);
	file->day = day;
	buf_done(&path);
	return rc;
}

/* Another has rewritten it, or it is over. */
static int
need_file(struct archive *archive, int lane, struct err *err)
{
	struct lane_file *file = &archive->lanes[lane];
	int32_t today = keep_day(wall_ms());
	struct stat now;
	if (file->fd < 0 || file->day != today || file->bytes >= ARCHIVE_FILE_BYTES ||
	    fstat(file->fd, &now) != 0)
		return begin_file(archive, lane, today, err);
	if (now.st_nlink > 0)
		return 0;
	close(file->fd);
	file->fd = open(file->path.data, O_WRONLY | O_APPEND | O_CLOEXEC);
	return file->fd >= 0 ? 0 : begin_file(archive, lane, today, err);
}

int
archive_begin(struct archive *archive, struct err *err)
{
	CHECK(archive->lock < 0);
	archive->lock = archive_lock(archive->dir, false, err);
	return archive->lock >= 0 ? 0 : err->code;
}

static int
write_entry(struct lane_file *file, const struct batch *batch, const struct buf *payload,
    struct err *err)
{
	struct buf entry = { 0 };
	char topic[ARCHIVE_TOPIC_SIZE];
	int rc = 0;
	snprintf(topic, sizeof(topic), "aisle/v1/hq/store/%s/up/%s", batch->store, batch->lane);
	archive_entry(topic, payload->data, payload->len, &entry);
	if (write(file->fd, entry.data, entry.len) != (ssize_t)entry.len) {
		rc = err_set(err, AISLE_E_IO, "%s: %s", file->path.data, strerror(errno));
		close_file(file); /* nothing comes behind half an entry */
	} else {
		file->bytes += entry.len;
		file->dirty = true;
	}
	buf_done(&entry);
	return rc;
}

int
archive_add(struct archive *archive, const struct batch *batch, const struct buf *payload,
    const struct erasures *erasures, struct err *err)
{
	CHECK(archive->lock >= 0);
	int lane = keep_lane(batch->lane), rc = need_file(archive, lane, err);
	struct buf cleared = { 0 };
	bool named = rc == 0 && archive_clear(erasures, batch, &cleared) > 0;
	if (rc == 0 && !(named && cleared.len == 0))
		rc = write_entry(&archive->lanes[lane], batch, named ? &cleared : payload, err);
	buf_done(&cleared);
	return rc;
}

int
archive_end(struct archive *archive, struct err *err)
{
	int rc = 0;
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		struct lane_file *file = &archive->lanes[lane];
		if (file->fd >= 0 && file->dirty && fdatasync(file->fd) != 0) {
			rc = err_set(err, AISLE_E_IO, "%s: %s", file->path.data, strerror(errno));
			close_file(file);
		}
		file->dirty = false;
	}
	if (archive->lock >= 0)
		close(archive->lock);
	archive->lock = -1;
	return rc;
}

/* ---- what is no longer kept ---- */

static int
remove_day(const char *path, struct err *err)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	if (dir == NULL)
		return errno == ENOENT ? 0
				       : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
	return rmdir(path) == 0 || errno == ENOENT
	    ? 0
	    : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
}

static int
tend_lane(const char *path, int32_t from, struct err *err)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int rc = 0;
	while (dir != NULL && rc == 0 && (entry = readdir(dir)) != NULL) {
		struct buf day_path = { 0 };
		int32_t day;
		if (!when_date(entry->d_name, &day) || day >= from)
			continue;
		buf_addf(&day_path, "%s/%s", path, entry->d_name);
		rc = remove_day(day_path.data, err);
		buf_done(&day_path);
	}
	if (dir != NULL)
		closedir(dir);
	return rc;
}

int
archive_tend(struct archive *archive, const struct keep *keep, int32_t today, struct err *err)
{
	int rc = 0;
	for (int lane = 0; lane < LANE_COUNT && rc == 0; lane++) {
		struct buf path = { 0 };
		buf_addf(&path, "%s/%s", archive->dir, NAME_OF(lane_names, lane));
		if (keep->days[lane] > 0)
			rc = tend_lane(path.data, keep_from(keep, lane, today), err);
		buf_done(&path);
	}
	return rc;
}
