/* SPDX-License-Identifier: Apache-2.0
 *
 * release_record.c - what is kept of a release, so that a restart goes on where it was.
 *
 * DESIGN
 *   The envelope as it came is a file below trust/; which one of them counts, by its digest, and
 *   where it stands is in the state's meta, twice, under names that are not neighbours. A step that
 *   switches policies is written in the same transaction as the switch. What is between
 *   accepting and switching is not kept: it is done again.
 */
#include "daemon/release.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/id.h"
#include "core/json.h"
#include "core/log.h"

static const char *const names[2][2] = { { "release", "copy/release" },
	{ "own-release", "copy/own-release" } };

/* ---- write ---- */

static void
add_watched(const struct track *track, struct json_writer *w)
{
	json_add_object(w, "watched");
	json_add_int(w, "sequence", track->watched_sequence);
	json_add_str(w, "policy", track->watched_policy);
#define X(member, type, standard, least, most) \
	json_add_double(w, #member, (double)track->bounds.member);
	RELEASE_BOUNDS(X)
#undef X
	json_end(w);
}

void
release_record_write(const struct track *track, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	char digest[65];

	hash_hex(digest, track->release.digest, sizeof(track->release.digest));
	json_add_str(w, "digest", digest);
	json_add_str(w, "state", release_state_name(track->state));
	json_add_str(w, "why", refusal_name(track->why));
	json_add_str(w, "detail", track->detail);
	if (track->watched)
		add_watched(track, w);
	json_add_str(w, "back", track->back.hash);
	json_add_str(w, "back_name", track->back.name);
	json_add_int(w, "back_version", track->back.version);
	json_add_bool(w, "brings_catalog", track->brings_catalog);
	json_add_str(w, "back_catalog", track->back_catalog);
	json_add_int(w, "switched", track->switched_ms);
	json_add_int(w, "errors", track->errors);
	json_add_int(w, "prompts", track->before.prompts);
	json_add_int(w, "dismissed", track->before.dismissed);
	json_add_int(w, "redeemed_minor", track->before.redeemed_minor);
	json_add_int(w, "turns", track->before.turns);
	json_add_double(w, "p99_ms", track->before.p99_ms);
	json_end(w);
}

void
release_record_note(const struct track *track, struct switch_note *note, struct buf *record)
{
	release_record_write(track, record);
	for (int i = 0; i < 2; i++) {
		CHECK(note->row_count < SWITCH_ROWS_MAX);
		note->rows[note->row_count].name = names[track->own][i];
		note->rows[note->row_count].value = record->data;
		note->rows[note->row_count++].len = record->len;
	}
}

int
release_record_save(const struct track *track)
{
	struct switch_note note = { 0 };
	struct buf record = { 0 };
	int rc;

	release_record_note(track, &note, &record);
	rc = engine_note(track->daemon->engine, &note);
	buf_done(&record);
	return rc;
}

/* ---- read ---- */

static void
take_text(const json_t *json, const char *member, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(json, member));

	snprintf(out, size, "%s", text != NULL ? text : "");
}

static int64_t
take_int(const json_t *json, const char *member)
{
	return json_integer_value(json_object_get(json, member));
}

static void
take_watched(struct track *track, const json_t *json)
{
	track->watched = json != NULL;
	track->watched_sequence = take_int(json, "sequence");
	take_text(json, "policy", track->watched_policy, sizeof(track->watched_policy));
#define X(member, type, standard, least, most) \
	track->bounds.member = (type)json_number_value(json_object_get(json, #member));
	RELEASE_BOUNDS(X)
#undef X
}

static bool
take_record(struct track *track, const json_t *json, uint8_t ret_digest[static 32])
{
	const char *digest = json_string_value(json_object_get(json, "digest")),
		   *state = json_string_value(json_object_get(json, "state"));
	char why[40];

	if (digest == NULL || state == NULL || strlen(digest) != 64 ||
	    !hash_unhex(ret_digest, 32, digest))
		return false;
	track->state = release_state_by_name(state);
	take_text(json, "why", why, sizeof(why));
	track->why = refusal_by_name(why);
	if (track->why == REFUSED_COUNT)
		track->why = REFUSED_NONE;
	take_text(json, "detail", track->detail, sizeof(track->detail));
	take_text(json, "back", track->back.hash, sizeof(track->back.hash));
	take_text(json, "back_name", track->back.name, sizeof(track->back.name));
	take_text(json, "back_catalog", track->back_catalog, sizeof(track->back_catalog));
	track->brings_catalog =
	    json_is_true(json_object_get(json, "brings_catalog")) || track->back_catalog[0] != '\0';
	track->back.version = take_int(json, "back_version");
	take_watched(track, json_object_get(json, "watched"));
	track->switched_ms = take_int(json, "switched");
	track->errors = take_int(json, "errors");
	track->before = (struct guard_sums){ .prompts = take_int(json, "prompts"),
		.dismissed = take_int(json, "dismissed"),
		.redeemed_minor = take_int(json, "redeemed_minor"),
		.turns = take_int(json, "turns"),
		.p99_ms = json_number_value(json_object_get(json, "p99_ms")) };
	return track->state != RELEASE_STATES_COUNT;
}

int
release_record_read(struct track *track, uint8_t ret_digest[static 32])
{
	int rc = AISLE_E_NONE;

	for (int i = 0; i < 2; i++) {
		struct buf record = { 0 };
		json_t *json = NULL;
		int got = store_meta_get(engine_store(track->daemon->engine), names[track->own][i],
		    &record);

		if (got == 0)
			json = json_loadb(record.data, record.len, 0, NULL);
		rc = got == AISLE_E_NONE ? rc : AISLE_E_DAMAGED;
		if (json != NULL && take_record(track, json, ret_digest))
			rc = 0;
		json_decref(json);
		buf_done(&record);
		if (rc == 0)
			return 0;
	}
	return rc;
}

/* ---- the envelope ---- */

/* Named by its release, so that what was there before stays until the record names another. */
void
release_text_path(const struct track *track, const uint8_t digest[static 32], char out[static 512])
{
	char name[17];

	hash_hex(name, digest, 8);
	snprintf(out, 512, "%s/trust/%s-%s.json", track->daemon->conf.state_dir,
	    track->own ? "own-release" : "release", name);
}

int
release_text_save(const struct track *track, const uint8_t digest[static 32], const void *text,
    size_t len, struct err *err)
{
	char path[512], folder[512];
	struct err why = { 0 };
	int rc;

	snprintf(folder, sizeof(folder), "%s/trust", track->daemon->conf.state_dir);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_set(err, AISLE_E_IO, "%s: %s", folder, strerror(errno));
	release_text_path(track, digest, path);
	rc = file_write(path, text, len, 0600, false, &why);
	return rc == 0 ? 0 : err_set(err, rc, "%s: %s", path, why.text);
}
