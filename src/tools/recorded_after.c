/* SPDX-License-Identifier: Apache-2.0
 *
 * recorded_after.c - a recording replayed from its middle: on a copy of the state as it was then.
 */
#include "tools/recorded_after.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "spine/recording.h"

int
recorded_after_open(struct recorded_after *after, const char *dir, struct err *err)
{
	char keys[4200];
	int rc;

	after->dir = dir;
	if (dir == NULL)
		return 0;
	rc = state_copy_make(&after->copy, dir, err);
	if (rc != 0)
		return rc;
	snprintf(keys, sizeof(keys), "%s/keys.db", after->copy.dir);
	return access(keys, F_OK) == 0
	    ? 0
	    : err_set(err, AISLE_E_NONE, "%s/keys.db: %s; without it no row can be read", dir,
		  strerror(errno));
}

int
recorded_after_look(struct recorded_after *after, const struct store *store, struct err *err)
{
	if (after->dir == NULL)
		return 0;
	store_epoch(store, after->epoch);
	after->known = store_recording_last(store);
	after->next = store_recording_next(store);
	return after->known != 0
	    ? 0
	    : err_set(err, AISLE_E_INVALID,
		  "%s: it has no recording, and does not say what it was told; expected a copy "
		  "of a state with [state] recording_mib",
		  after->dir);
}

void
recorded_after_path(const struct recorded_after *after, struct store *store, const char *meta,
    const char *below, struct buf *out)
{
	struct buf hash = { 0 };

	if (after->dir != NULL && store_meta_get(store, meta, &hash) == 0 && hash.len == 64)
		buf_addf(out, "%s/%s/%.64s", after->dir, below, hash.data);
	buf_done(&hash);
	buf_addc(out, '\0');
}

/* The first member of a line of a recording. */
static bool
number_of(const char *line, int64_t *ret)
{
	static const char key[] = "\"number\"";

	if (line[0] != '{' || strncmp(line + 1, key, strlen(key)) != 0)
		return false;
	line += 1 + strlen(key);
	*ret = strtoll(line + strspn(line, " \t:"), NULL, 10);
	return *ret > 0;
}

/* Lines that are no events say whose recording it is. */
static bool
is_of(const struct recorded_after *after, const char *line, size_t len)
{
	json_t *root;
	const char *id;
	bool same;

	if (!recording_is_mark(line, len))
		return true;
	root = json_read(line, len, "line", NULL);
	id = json_string_value(json_object_get(root, "id"));
	same = id == NULL || strncmp(id, after->epoch, strlen(after->epoch)) == 0;
	json_decref(root);
	return same;
}

int
recorded_after_takes(struct recorded_after *after, const char *line, size_t len, int64_t n,
    struct err *err)
{
	int64_t number = 0;

	if (after->dir == NULL)
		return 1;
	if (!number_of(line, &number))
		return err_set(err, AISLE_E_INVALID,
		    "line %lld has no number, expected a file of aislectl recording", (long long)n);
	if (!is_of(after, line, len))
		return err_set(err, AISLE_E_INVALID,
		    "line %lld is of another state than %s, expected a recording of the store "
		    "whose "
		    "copy it is",
		    (long long)n, after->dir);
	if (number <= after->known)
		return 0;
	/* A hole has the number of its last row. */
	if (after->next != 0 && number != after->next &&
	    strstr(line, RECORDING_TYPE "hole") == NULL)
		return err_set(err, AISLE_E_INVALID,
		    "line %lld: between %s and this something is missing; expected a recording "
		    "that "
		    "reaches back to when the state was copied",
		    (long long)n, after->dir);
	after->next = 0;
	return 1;
}

void
recorded_after_close(struct recorded_after *after)
{
	state_copy_done(&after->copy);
}
