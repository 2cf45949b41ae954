/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz.h - what targets share that read files: a folder in memory, and a good file that is changed in a few places.
 */
#ifndef AISLE_TESTS_FUZZ_H
#define AISLE_TESTS_FUZZ_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_PATH_SIZE 200

/* A path in a folder of this process. In memory: a disk would be waited for. run.py takes the folder away. */
static inline const char *
fuzz_path(const char *name, char out[static FUZZ_PATH_SIZE])
{
	static char dir[100];

	if (dir[0] == '\0') {
		const char *tmp = getenv("TMPDIR");

		snprintf(dir, sizeof(dir), "%s/aisle-fuzz-XXXXXX", tmp != NULL ? tmp : "/tmp");
		CHECK(mkdtemp(dir) != NULL);
	}
	snprintf(out, FUZZ_PATH_SIZE, "%s/%s", dir, name);
	return out;
}

static inline void
fuzz_write(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && close(fd) == 0);
}

static inline void
fuzz_read(const char *path, struct buf *out)
{
	char chunk[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	CHECK(fd >= 0);
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)got);
	CHECK(got == 0 && close(fd) == 0);
}

/* The good bytes with each three bytes of data as a change: where, and what the byte there becomes. true: it differs. */
static inline bool
fuzz_edit(const struct buf *good, const uint8_t *data, size_t size, struct buf *out)
{
	buf_clear(out);
	buf_add(out, good->data, good->len);
	for (size_t i = 0; i + 2 < size; i += 3)
		out->data[(size_t)(data[i] << 8 | data[i + 1]) % out->len] = (char)data[i + 2];
	return memcmp(good->data, out->data, out->len) != 0;
}

#endif
