/* SPDX-License-Identifier: Apache-2.0
 *
 * state_copy.c - a state folder's rows and keys in a folder of our own, which goes with us.
 */
#include "tools/state_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES (1 << 20)

static const char *const copied[] = { "state.db", "state.db-wal", "keys.db", "keys.db-wal",
	"keys.db-journal" };
/* What a start makes beside them in the copy. */
static const char *const made[] = { "lock", "ballast", "state.db.suspect", "state.db.salvaged",
	"state.db.salvaged.tmp", "state.db.damaged", "state.db.damaged-wal", "state.db-journal",
	"state.db-shm", "keys.db-shm" };

static int
copy_bytes(int from, int to)
{
	char *bytes = mem_alloc(COPY_BYTES);
	ssize_t got, put = 0;

	while ((got = read(from, bytes, COPY_BYTES)) > 0)
		for (ssize_t at = 0; at < got; at += put)
			if ((put = write(to, bytes + at, (size_t)(got - at))) <= 0)
				goto out;
out:
	explicit_bzero(bytes, COPY_BYTES);
	free(bytes);
	return got == 0 ? 0 : -1;
}

/* One that is not there is not copied. */
static int
copy_file(const struct state_copy *copy, const char *dir, const char *name, struct err *err)
{
	char path[4200], beside[4200];
	int from, to, rc;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(beside, sizeof(beside), "%s/%s", copy->dir, name);
	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0 && errno == ENOENT)
		return 0;
	if (from < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	to = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	rc = to >= 0 ? copy_bytes(from, to) : -1;
	if (rc != 0)
		err_set(err, AISLE_E_IO, "%s cannot be copied to %s: %s", path, beside,
		    strerror(errno));
	close(from);
	if (to >= 0)
		close(to);
	return rc == 0 ? 0 : AISLE_E_IO;
}

/* Held while it is copied: neither a daemon that runs nor one that starts. */
static int
take_lock(const char *dir, int *ret_fd, struct err *err)
{
	char path[4200];
	struct stat there;

	snprintf(path, sizeof(path), "%s/state.db", dir);
	if (stat(path, &there) != 0)
		return err_set(err, errno == ENOENT || errno == ENOTDIR ? AISLE_E_NONE : AISLE_E_IO,
		    "%s: %s, expected a state folder", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/lock", dir);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0 && errno == ENOENT) /* of a copy */
		return 0;
	if (*ret_fd < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	if (flock(*ret_fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(err, AISLE_E_FULL,
		    "%s: a daemon uses it; stop it first, or take a copy of the folder", dir);
	return 0;
}

int
state_copy_make(struct state_copy *copy, const char *from, struct err *err)
{
	const char *temp = getenv("TMPDIR");
	int lock = -1, rc = take_lock(from, &lock, err);

	snprintf(copy->dir, sizeof(copy->dir), "%s/aisle-copy-XXXXXX",
	    temp != NULL && temp[0] != '\0' ? temp : "/tmp");
	if (rc == 0 && mkdtemp(copy->dir) == NULL)
		rc = err_set(err, AISLE_E_IO, "%s: %s", copy->dir, strerror(errno));
	if (rc != 0)
		copy->dir[0] = '\0';
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(copied); i++)
		rc = copy_file(copy, from, copied[i], err);
	if (lock >= 0)
		close(lock);
	return rc;
}

static void
remove_each(const char *dir, const char *const *names, size_t count)
{
	char path[4200];

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
}

void
state_copy_done(struct state_copy *copy)
{
	if (copy->dir[0] == '\0')
		return;
	remove_each(copy->dir, copied, ARRAY_LEN(copied));
	remove_each(copy->dir, made, ARRAY_LEN(made));
	rmdir(copy->dir);
	copy->dir[0] = '\0';
}
