/* SPDX-License-Identifier: Apache-2.0
 *
 * setup_copy.c - the starter policy, copied: a folder with folders of files, as a policy is.
 */
#include "hq/setup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"

#define DEPTH_MAX 3
#define FILE_MAX (64u << 20)

static int
copy_file(const char *from, const char *to, struct err *err)
{
	struct buf bytes = { 0 };
	int rc = file_read(from, FILE_MAX, &bytes, err);

	if (rc == 0)
		rc = file_write(to, bytes.data != NULL ? bytes.data : "", bytes.len, 0644, true,
		    err);
	buf_done(&bytes);
	return rc;
}

static int
copy_level(const char *from, const char *to, int depth, struct err *err)
{
	char source[SETUP_PATH_SIZE], target[SETUP_PATH_SIZE];
	struct dirent *entry;
	DIR *d = opendir(from);
	int rc = 0;

	if (d == NULL)
		return err_set(err, AISLE_E_NONE, "%s: %s, expected a policy's folder (--policy)",
		    from, strerror(errno));
	if (mkdir(to, 0755) != 0 && (depth > 0 || errno != EEXIST))
		rc = err_set(err, AISLE_E_IO, "%s: %s", to, strerror(errno));
	while (rc == 0 && (entry = readdir(d)) != NULL) {
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(source, sizeof(source), "%s/%s", from, entry->d_name) >=
			(int)sizeof(source) ||
		    snprintf(target, sizeof(target), "%s/%s", to, entry->d_name) >=
			(int)sizeof(target))
			rc = err_set(err, AISLE_E_INVALID, "%s: name too long", entry->d_name);
		else if (stat(source, &st) == 0 && S_ISREG(st.st_mode))
			rc = copy_file(source, target, err);
		else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			rc = copy_level(source, target, depth + 1, err);
	}
	closedir(d);
	return rc;
}

int
setup_copy_folder(const char *from, const char *to, struct err *err)
{
	return copy_level(from, to, 0, err);
}
