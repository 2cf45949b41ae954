/* SPDX-License-Identifier: Apache-2.0
 *
 * erased.c - the file of those whom HQ has forgotten: {"subject","at"} a line.
 */
#include "hq/erased.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/when.h"

bool
erased_path(const char *given, const char *archive, const char *into, struct buf *ret_path)
{
	if (given != NULL)
		buf_adds(ret_path, given);
	else if (archive != NULL)
		buf_addf(ret_path, "%s/erased", archive);
	else if (into != NULL && strncmp(into, "sqlite:", 7) == 0)
		buf_addf(ret_path, "%s.erased", into + 7);
	return ret_path->len > 0;
}

static int
read_line(const char *line, size_t len, const char *path, int number, struct erasures *erasures,
    struct err *err)
{
	struct err torn = { 0 };
	json_t *json = json_read(line, len, path, &torn);
	if (json == NULL)
		return 0;
	const char *subject = json_string_value(json_object_get(json, "subject"));
	const char *at = json_string_value(json_object_get(json, "at"));
	struct id id;
	int64_t at_ms;
	int rc = 0;
	if (subject == NULL || !subject_parse(subject, &id) || at == NULL ||
	    !when_parse(at, &at_ms))
		rc = err_at(err, AISLE_E_INVALID, path, number, 0,
		    "expected a subject of 32 hex digits and at");
	else
		erasures_add(erasures, subject, at_ms);
	json_decref(json);
	return rc;
}

static int
read_all(int fd, const char *path, struct buf *text, struct err *err)
{
	char piece[65536];
	ssize_t got;
	while ((got = read(fd, piece, sizeof(piece))) > 0) {
		if (text->len + (size_t)got > ERASED_FILE_MAX)
			return err_set(err, AISLE_E_INVALID, "%s: over %u bytes", path,
			    ERASED_FILE_MAX);
		buf_add(text, piece, (size_t)got);
	}
	return got == 0 ? 0 : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
}

int
erased_read(const char *path, struct erasures *erasures, struct err *err)
{
	struct buf text = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	int rc = read_all(fd, path, &text, err), number = 0;
	close(fd);
	/* A line that is no JSON is what a cut of the power left of one that nobody was promised:
	 * each that was finished stands between line feeds. */
	for (const char *at = text.data; rc == 0 && at != NULL;) {
		const char *stop = memchr(at, '\n', text.len - (size_t)(at - text.data));
		if (stop == NULL)
			break;
		if (stop > at)
			rc = read_line(at, (size_t)(stop - at), path, ++number, erasures, err);
		at = stop + 1;
	}
	buf_done(&text);
	return rc;
}

int
erased_refresh(const char *path, struct erased_seen *seen, struct err *err)
{
	struct stat now;
	if (stat(path, &now) != 0)
		return errno == ENOENT ? 0
				       : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	int64_t changed_ns = (int64_t)now.st_mtim.tv_sec * 1000000000 + now.st_mtim.tv_nsec;
	if (now.st_size == seen->size && changed_ns == seen->changed_ns &&
	    now.st_ino == seen->inode)
		return 0;
	int rc = erased_read(path, &seen->erasures, err);
	if (rc != 0)
		return rc;
	seen->size = now.st_size;
	seen->changed_ns = changed_ns;
	seen->inode = now.st_ino;
	return 0;
}

int
erased_add(const char *path, const struct erasure *erasure, struct err *err)
{
	struct buf line = { 0 };
	struct json_writer *w;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	buf_addc(&line, '\n'); /* closes what a cut of the power may have left */
	w = JSON_OBJECT(&line);
	json_add_str(w, "subject", erasure->subject);
	json_add_when(w, "at", erasure->at_ms);
	json_end(w);
	buf_addc(&line, '\n');
	bool written = write(fd, line.data, line.len) == (ssize_t)line.len && fsync(fd) == 0;
	int error = errno;
	close(fd);
	buf_done(&line);
	return written ? 0 : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(error));
}
