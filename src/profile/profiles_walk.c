/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_walk.c - the set that serves, looked at row by row while nothing happens.
 *
 * DESIGN
 *   A row whose body is damaged says so when it is read. One whose name a bit hit is not there for its customer, and
 *   nothing would say so. But rows follow each other in the file as their words do in .keys: where a word that was not
 *   destroyed has no row, one is lost; and a name that stands at another's place is seen there. Rejected: a digest of
 *   the file, which is changed by each customer who is forgotten.
 */
#include "profile/profiles.h"

#include <sodium.h>
#include <string.h>

#include "profile/profiles_internal.h"

#define STEP_MAX 64	/* rows at once */
#define WORDS_MAX 10000 /* of those who were forgotten, beside each other */

struct walked {
	struct id subject;
	bool sound;
};

static void
begin_anew(struct profiles *profiles)
{
	profiles->walk_id = INT64_MIN;
	profiles->walk_index = 0;
}

/* Are the words up to this one destroyed? Else one of them is of a row that is not there. */
static bool
are_destroyed(struct profiles *profiles, int64_t below)
{
	uint8_t key[32];
	static const uint8_t none[32];
	static const struct id nobody;

	for (int i = 0; profiles->walk_index < below && i < WORDS_MAX;
	     i++, profiles->walk_index++) {
		int rc = profiles_keys_row(profiles->words, none, &nobody,
		    (uint32_t)profiles->walk_index, key);

		sodium_memzero(key, sizeof(key));
		if (rc != AISLE_E_NONE)
			return false;
	}
	profiles->walk_index = below;
	return true;
}

/* Does it stand where its subject and its word say? */
static struct walked
look_at(struct profiles *profiles, sqlite3_stmt *row)
{
	int64_t id = sqlite3_column_int64(row, 0), index;
	const void *subject = sqlite3_column_blob(row, 1);
	struct rd rd = rd_init(sqlite3_column_blob(row, 2), (size_t)sqlite3_column_bytes(row, 2));
	struct walked walked = { .sound = false };

	profiles->walk_id = id;
	if (sqlite3_column_bytes(row, 1) != 16 || rd.at == NULL)
		return walked;
	memcpy(walked.subject.b, subject, 16);
	index = rd_u32(&rd);
	walked.sound = rd.ok && id >= profiles_slot(&walked.subject) &&
	    id - profiles_slot(&walked.subject) < PROFILES_WINDOW &&
	    index >= profiles->walk_index && are_destroyed(profiles, index);
	if (walked.sound)
		profiles->walk_index = index + 1;
	return walked;
}

static bool
opens(struct profiles *profiles, const struct id *subject)
{
	struct buf row = { 0 };
	int rc = profiles_get(profiles, subject, &row);

	buf_wipe(&row);
	return rc == 0 || rc == AISLE_E_NONE; /* forgotten; one that does not open has said so */
}

void
profiles_walk(struct profiles *profiles, int rows)
{
	struct walked walked[STEP_MAX];
	sqlite3_stmt *walk = NULL;
	int count = 0, rc = SQLITE_DONE;

	CHECK(rows > 0 && rows <= STEP_MAX);
	/* What is wrong is known, and a snapshot was asked for. */
	if (profiles->db == NULL || profiles->trouble[0] != '\0')
		return;
	if (sqlite3_prepare_v2(profiles->db,
		"SELECT id, subject, body FROM row WHERE id > ?1 ORDER BY id LIMIT ?2", TO_ZERO,
		&walk, NULL) != SQLITE_OK)
		return;
	sqlite3_bind_int64(walk, 1, profiles->walk_id);
	sqlite3_bind_int(walk, 2, rows);
	while (count < rows && (rc = sqlite3_step(walk)) == SQLITE_ROW)
		walked[count++] = look_at(profiles, walk);
	sqlite3_finalize(walk);
	for (int i = 0; i < count && profiles->trouble[0] == '\0'; i++) {
		if (!walked[i].sound)
			profiles_row_unreadable(profiles);
		else if (!opens(profiles, &walked[i].subject))
			break;
	}
	if (count == rows)
		return;
	if (profiles->trouble[0] == '\0' &&
	    (rc != SQLITE_DONE || !are_destroyed(profiles, profiles->count)))
		profiles_row_unreadable(profiles);
	begin_anew(profiles);
}
