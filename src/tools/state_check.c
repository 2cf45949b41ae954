/* SPDX-License-Identifier: Apache-2.0
 *
 * state_check.c - a state folder looked at offline: on a copy, the way a start would, and row by row.
 *
 * DESIGN
 *   What a start takes in, mends or sets aside changes the files. So the store's own code opens a copy of them: what it
 *   says is what a start would find.
 */
#include "tools/state_check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/when.h"
#include "nouns/event_key.h"
#include "profile/sealer.h"
#include "store/store_check.h"
#include "tools/state_copy.h"

struct checking {
	const struct state_check *what;
	struct state_copy copy;
	struct store *store;
	struct keys *keys;
	struct sealer sealer;
	bool has_sealer;
	struct store_checked checked;
	int64_t keys_damaged;
	bool asked, seen;
	int64_t seen_ms;
};

/* ---- what a start would find ---- */

static int
open_copy(struct checking *checking, struct err *err)
{
	struct store_options options = { .dir = checking->copy.dir,
		.sealer = checking->has_sealer ? &checking->sealer : NULL };

	return store_open(&options, &checking->store, err);
}

/* Keys that are not there are not made: nothing would open with them. */
static int
open_keys(struct checking *checking, struct err *err)
{
	char path[4200];
	int rc;

	snprintf(path, sizeof(path), "%s/keys.db", checking->copy.dir);
	if (access(path, F_OK) != 0)
		return err_set(err, AISLE_E_NONE, "%s/keys.db: %s; without it no row can be read",
		    checking->what->dir, strerror(errno));
	rc = keys_open(checking->copy.dir, NULL, &checking->keys, err);
	if (rc != 0)
		return rc;
	keys_scrub(checking->keys, INT_MAX);
	rc = keys_mend(checking->keys, err);
	checking->keys_damaged = keys_mended(checking->keys);
	if (rc != 0)
		return rc;
	sealer_init(&checking->sealer, checking->keys);
	checking->has_sealer = true;
	return 0;
}

/* "pos/7", "loyalty/1", "care". */
static bool
read_sender(const char *sender, struct event *event)
{
	static const enum channel channels[] = { CHANNEL_POS, CHANNEL_LOYALTY, CHANNEL_CARE,
		CHANNEL_TABLET };
	size_t len = strcspn(sender, "/");

	event->origin = sender[len] == '/' ? sender + len + 1 : sender;
	for (size_t i = 0; i < ARRAY_LEN(channels) && event->origin[0] != '\0'; i++) {
		const char *name = event_channel_name(channels[i]);

		event->channel = channels[i];
		if (strlen(name) == len && memcmp(name, sender, len) == 0)
			return (event->origin == sender) == (channels[i] == CHANNEL_CARE);
	}
	return false;
}

static int
look_for_event(struct checking *checking, struct err *err)
{
	struct event event = { .source = checking->what->source, .id = checking->what->id };
	struct id digest, name;
	int rc;

	if (!read_sender(checking->what->sender, &event))
		return err_set(err, AISLE_E_INVALID,
		    "%s: no sender of events, expected the middle of its topic, such as pos/7",
		    checking->what->sender);
	name = event_key(&event);
	rc = store_seen_get(checking->store, &name, &digest, &checking->seen_ms);
	checking->asked = true;
	checking->seen = rc == 0;
	return rc == AISLE_E_NONE || rc == AISLE_E_DAMAGED ? 0 : rc;
}

/* Who meets a damaged page opens the state again, which copies what can be read, as the daemon does. */
static int
check_rows(struct checking *checking, struct err *err)
{
	struct err first = { 0 };
	int rc = store_check_rows(checking->store, &checking->checked, &first);

	if (rc != 0)
		*err = first;
	if (rc != AISLE_E_IO || !store_suspect(checking->store))
		return rc;
	store_close(checking->store);
	checking->store = NULL;
	*err = (struct err){ 0 };
	rc = open_copy(checking, err);
	return rc != 0 ? rc : store_check_rows(checking->store, &checking->checked, err);
}

static int
look(struct checking *checking, struct err *err)
{
	char path[4200];
	int rc;

	snprintf(path, sizeof(path), "%s/state.db", checking->copy.dir);
	rc = store_check_pages(path, &checking->checked);
	if (rc == 0)
		rc = open_copy(checking, err);
	if (rc == 0)
		rc = check_rows(checking, err);
	if (rc == 0 && checking->what->sender != NULL)
		rc = look_for_event(checking, err);
	if (rc != 0 && err->text[0] == '\0')
		return err_set(err, rc, "%s: the state cannot be read to its end",
		    checking->what->dir);
	return rc;
}

/* ---- what is said ---- */

static int64_t
damaged_rows(const struct store_checked *checked)
{
	int64_t sum = 0;

	for (size_t i = 0; i < checked->count; i++)
		sum += checked->tables[i].damaged;
	return sum;
}

static void
say_json(const struct checking *checking, bool sound, struct buf *out)
{
	const struct store_checked *checked = &checking->checked;
	struct json_writer *w = JSON_OBJECT(out);

	json_add_bool(w, "sound", sound);
	json_add_int(w, "pages", checked->pages);
	json_add_int(w, "damaged_pages", checked->bad_pages);
	json_add_int(w, "log_lost", checked->log_lost);
	json_add_int(w, "keys_damaged", checking->keys_damaged);
	json_add_bool(w, "new_epoch", checked->new_epoch);
	json_add_object(w, "tables");
	for (size_t i = 0; i < checked->count; i++) {
		json_add_object(w, checked->tables[i].name);
		json_add_int(w, "rows", checked->tables[i].rows);
		json_add_int(w, "damaged", checked->tables[i].damaged);
		json_end(w);
	}
	json_end(w);
	json_add_int(w, "for_headquarters", checked->uplink);
	json_add_int(w, "for_the_broker", checked->outbox);
	if (checking->asked) {
		json_add_bool(w, "event", checking->seen);
		if (checking->seen)
			json_add_when(w, "event_at", checking->seen_ms);
	}
	json_end(w);
	buf_addc(out, '\n');
}

static void
say(const struct checking *checking, bool sound, struct buf *out)
{
	const struct store_checked *checked = &checking->checked;

	buf_addf(out, "%s\n",
	    sound ? "sound" : "damaged: a start mends it as said here, and goes on");
	buf_addf(out, "pages %lld, of them damaged %lld\n", (long long)checked->pages,
	    (long long)checked->bad_pages);
	if (checking->keys_damaged > 0)
		buf_addf(out,
		    "keys.db is damaged: a start copies what can be read of it, but for %lld or "
		    "fewer customers\n",
		    (long long)checking->keys_damaged);
	if (checked->log_lost > 0)
		buf_addf(out, "lost with the log: %d transactions%s\n", checked->log_lost,
		    checked->log_lost == 1 ? ", perhaps one that a power cut left half" : "");
	for (size_t i = 0; i < checked->count; i++) {
		buf_addf(out, "%-12s %9lld rows", checked->tables[i].name,
		    (long long)checked->tables[i].rows);
		if (checked->tables[i].damaged > 0)
			buf_addf(out, ", of them %lld do not open: a start sets them aside",
			    (long long)checked->tables[i].damaged);
		buf_addc(out, '\n');
	}
	buf_addf(out,
	    "would be lost with this folder: %lld records that headquarters has not acknowledged, "
	    "%lld messages that the store's broker has not\n",
	    (long long)checked->uplink, (long long)checked->outbox);
	if (checking->checked.new_epoch)
		buf_adds(out,
		    "a start begins a new epoch: what stood in damaged pages or behind the damage "
		    "in the log is lost\n");
	if (checking->asked && checking->seen) {
		char when[WHEN_TEXT_SIZE];

		when_text(checking->seen_ms, when);
		buf_addf(out, "the event is in it, taken %s\n", when);
	} else if (checking->asked) {
		buf_adds(out, "the event is not in it\n");
	}
}

int
state_check(const struct state_check *what, struct buf *out, struct err *err)
{
	struct checking *checking = mem_zero(sizeof(*checking));
	bool sound = false;
	int rc;

	checking->what = what;
	rc = state_copy_make(&checking->copy, what->dir, err);
	if (rc == 0)
		rc = open_keys(checking, err);
	if (rc == 0)
		rc = look(checking, err);
	if (rc == 0) {
		sound = checking->checked.bad_pages == 0 && checking->keys_damaged == 0 &&
		    checking->checked.log_lost <= 1 && !checking->checked.new_epoch &&
		    damaged_rows(&checking->checked) == 0;
		(what->json ? say_json : say)(checking, sound, out);
	}
	store_close(checking->store);
	if (checking->has_sealer)
		sealer_done(&checking->sealer);
	keys_close(checking->keys);
	state_copy_done(&checking->copy);
	free(checking);
	return rc != 0 ? rc : sound ? 0 : AISLE_E_DAMAGED;
}
