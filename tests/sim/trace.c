/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.c - what was written in which order, and the disks that a power cut may make of it.
 *
 * DESIGN
 *   A body is what a name stands for, so that a file that is renamed keeps what was not synced of it. What was synced
 *   is the body's own bytes; the rest waits in its list. Names wait in one list for all: a sync of whichever file or
 *   of the folder has all names before it, as a file system's journal does.
 */
#include "trace.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "disk.h"
#include "folder.h"

#define BODIES 64 /* files that ever were, in a trace */
#define NAME 64
#define PIECES 16384 /* changes of a file that wait for a sync */

enum kind { WRITE, TRUNCATE, SYNC, OPEN, UNLINK, RENAME, LINK, SYNC_NAMES };

struct note {
	enum kind kind;
	int body;
	int64_t at; /* or the size that it is cut to */
	size_t len;
	char *bytes;
	char from[NAME], to[NAME];
};

struct names {
	struct {
		char name[NAME];
		int body;
	} of[BODIES];
	size_t count;
};

struct trace {
	char folder[128];
	struct note *notes;
	size_t count, room;
	struct names begin, now;
	struct buf before[BODIES]; /* what was there at the beginning */
	int body_count;
};

static struct trace *tracing;

/* ---- names ---- */

static int
name_find(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->of[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static int
name_body(const struct names *names, const char *name)
{
	int i = name_find(names, name);

	return i < 0 ? -1 : names->of[i].body;
}

static void
name_drop(struct names *names, const char *name)
{
	int i = name_find(names, name);

	if (i >= 0)
		names->of[i] = names->of[--names->count];
}

static void
name_set(struct names *names, const char *name, int body)
{
	name_drop(names, name);
	CHECK(names->count < BODIES);
	snprintf(names->of[names->count].name, NAME, "%s", name);
	names->of[names->count++].body = body;
}

static void
name_change(struct names *names, const struct note *note)
{
	int body = note->body;

	switch (note->kind) {
	case OPEN: name_set(names, note->to, body); break;
	case UNLINK: name_drop(names, note->from); break;
	case RENAME:
		name_drop(names, note->from);
		name_set(names, note->to, body);
		break;
	case LINK: name_set(names, note->to, body); break;
	default: break;
	}
}

/* ---- taking notes ---- */

/* The name in the folder that is noted, or NULL. */
static const char *
noted_name(const char *path)
{
	size_t len = tracing != NULL && path != NULL ? strlen(tracing->folder) : 0;

	if (len == 0 || strncmp(path, tracing->folder, len) != 0 || path[len] != '/' ||
	    strchr(path + len + 1, '/') != NULL || strlen(path + len + 1) >= NAME)
		return NULL;
	return path + len + 1;
}

static struct note *
note_add(enum kind kind, int body)
{
	struct trace *trace = tracing;

	if (trace->count == trace->room) {
		trace->room = trace->room > 0 ? 2 * trace->room : 1024;
		trace->notes = realloc(trace->notes, trace->room * sizeof(*trace->notes));
		CHECK(trace->notes != NULL);
	}
	trace->notes[trace->count] = (struct note){ .kind = kind, .body = body };
	return &trace->notes[trace->count++];
}

static void
note_name(enum kind kind, int body, const char *from, const char *to)
{
	struct note *note = note_add(kind, body);

	snprintf(note->from, NAME, "%s", from);
	snprintf(note->to, NAME, "%s", to);
	name_change(&tracing->now, note);
}

void
trace_open(const char *path)
{
	const char *name = noted_name(path);

	if (name == NULL || name_body(&tracing->now, name) >= 0)
		return;
	CHECK(tracing->body_count < BODIES);
	note_name(OPEN, tracing->body_count++, "", name);
}

static int
body_of(const char *path)
{
	const char *name = noted_name(path);

	return name == NULL ? -1 : name_body(&tracing->now, name);
}

void
trace_write(const char *path, const void *bytes, size_t len, int64_t at)
{
	int body = body_of(path);
	struct note *note;

	if (body < 0)
		return;
	note = note_add(WRITE, body);
	note->at = at;
	note->len = len;
	note->bytes = malloc(len);
	CHECK(note->bytes != NULL);
	memcpy(note->bytes, bytes, len);
}

void
trace_truncate(const char *path, int64_t size)
{
	int body = body_of(path);

	if (body >= 0)
		note_add(TRUNCATE, body)->at = size;
}

void
trace_sync(const char *path)
{
	int body = body_of(path);

	if (body >= 0)
		note_add(SYNC, body);
}

void
trace_unlink(const char *path)
{
	int body = body_of(path);

	if (body >= 0)
		note_name(UNLINK, body, noted_name(path), "");
}

void
trace_rename(const char *from, const char *to)
{
	int body = body_of(from);

	if (body >= 0 && noted_name(to) != NULL)
		note_name(RENAME, body, noted_name(from), noted_name(to));
}

void
trace_link(const char *from, const char *to)
{
	int body = body_of(from);

	if (body >= 0 && noted_name(to) != NULL)
		note_name(LINK, body, "", noted_name(to));
}

void
trace_sync_names(void)
{
	if (tracing != NULL)
		note_add(SYNC_NAMES, -1);
}

struct trace *
trace_begin(const char *folder)
{
	struct trace *trace = mem_zero(sizeof(*trace));
	DIR *entries = opendir(folder);

	CHECK(tracing == NULL);
	snprintf(trace->folder, sizeof(trace->folder), "%s", folder);
	for (struct dirent *e; entries != NULL && (e = readdir(entries)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		folder_file(folder, e->d_name, &trace->before[trace->body_count]);
		name_set(&trace->begin, e->d_name, trace->body_count++);
	}
	if (entries != NULL)
		closedir(entries);
	trace->now = trace->begin;
	tracing = trace;
	return trace;
}

void
trace_end(void)
{
	tracing = NULL;
}

void
trace_free(struct trace *trace)
{
	if (trace == NULL)
		return;
	for (size_t i = 0; i < trace->count; i++)
		free(trace->notes[i].bytes);
	for (int i = 0; i < BODIES; i++)
		buf_done(&trace->before[i]);
	free(trace->notes);
	free(trace);
}

size_t
trace_len(const struct trace *trace)
{
	return trace->count;
}

/* ---- a power cut ---- */

struct body {
	struct buf synced, cut; /* cut: as one power cut leaves it */
	const struct note *waits[PIECES];
	size_t waiting;
};

struct replay {
	const struct trace *trace;
	size_t at;
	struct body bodies[BODIES];
	struct names names;
	const struct note *waits[PIECES];
	size_t waiting;
};

struct replay *
replay_new(const struct trace *trace)
{
	struct replay *replay = mem_zero(sizeof(*replay));

	replay->trace = trace;
	replay->names = trace->begin;
	for (int i = 0; i < BODIES; i++)
		buf_add(&replay->bodies[i].synced, trace->before[i].data, trace->before[i].len);
	return replay;
}

void
replay_free(struct replay *replay)
{
	for (int i = 0; replay != NULL && i < BODIES; i++) {
		buf_done(&replay->bodies[i].synced);
		buf_done(&replay->bodies[i].cut);
	}
	free(replay);
}

static void
grow(struct buf *bytes, size_t len)
{
	if (len <= bytes->len)
		return;
	buf_reserve(bytes, len - bytes->len);
	memset(bytes->data + bytes->len, 0, len - bytes->len);
	bytes->len = len;
}

/* Of a write the sectors first … last-1, counted from the one that it begins in. */
static void
put_sectors(struct buf *bytes, const struct note *note, size_t first, size_t last)
{
	size_t base = (size_t)note->at / DISK_SECTOR * DISK_SECTOR;
	size_t from = base + first * DISK_SECTOR, to = base + last * DISK_SECTOR;

	if (from < (size_t)note->at)
		from = (size_t)note->at;
	if (to > (size_t)note->at + note->len)
		to = (size_t)note->at + note->len;
	if (from >= to)
		return;
	grow(bytes, to);
	memcpy(bytes->data + from, note->bytes + (from - (size_t)note->at), to - from);
}

static size_t
sectors_of(const struct note *note)
{
	size_t first = (size_t)note->at / DISK_SECTOR;

	return ((size_t)note->at + note->len + DISK_SECTOR - 1) / DISK_SECTOR - first;
}

static void
put(struct buf *bytes, const struct note *note)
{
	if (note->kind == WRITE)
		put_sectors(bytes, note, 0, sectors_of(note));
	else if ((size_t)note->at < bytes->len)
		bytes->len = (size_t)note->at;
	else
		grow(bytes, (size_t)note->at);
}

static void
sync_body(struct body *body)
{
	for (size_t i = 0; i < body->waiting; i++)
		put(&body->synced, body->waits[i]);
	body->waiting = 0;
}

static void
sync_names(struct replay *replay)
{
	for (size_t i = 0; i < replay->waiting; i++)
		name_change(&replay->names, replay->waits[i]);
	replay->waiting = 0;
}

static void
go_on(struct replay *replay, const struct note *note)
{
	struct body *body = note->body >= 0 ? &replay->bodies[note->body] : NULL;

	switch (note->kind) {
	case WRITE:
	case TRUNCATE:
		CHECK(body != NULL && body->waiting < PIECES);
		body->waits[body->waiting++] = note;
		break;
	case SYNC:
		CHECK(body != NULL);
		sync_body(body);
		sync_names(replay);
		break;
	case SYNC_NAMES: sync_names(replay); break;
	default:
		CHECK(replay->waiting < PIECES);
		replay->waits[replay->waiting++] = note;
		break;
	}
}

/* Each sector of what waited is there or not. */
static void
put_some(struct body *body, struct chance *chance, unsigned of_256)
{
	for (size_t i = 0; i < body->waiting; i++) {
		const struct note *note = body->waits[i];

		if (note->kind != WRITE) {
			if (chance_below(chance, 256) < of_256)
				put(&body->cut, note);
			continue;
		}
		for (size_t s = 0; s < sectors_of(note); s++) {
			if (chance_below(chance, 256) < of_256)
				put_sectors(&body->cut, note, s, s + 1);
		}
	}
}

/* In their order up to one, which is torn. */
static void
put_front(struct body *body, struct chance *chance)
{
	size_t last = chance_below(chance, body->waiting);

	for (size_t i = 0; i < last; i++)
		put(&body->cut, body->waits[i]);
	if (body->waits[last]->kind == WRITE)
		put_sectors(&body->cut, body->waits[last], 0,
		    chance_below(chance, sectors_of(body->waits[last]) + 1));
}

/* All of it or some, in any order. */
static void
put_shuffled(struct body *body, struct chance *chance)
{
	const struct note *order[64];
	size_t count = body->waiting < 64 ? body->waiting : 64, from = body->waiting - count;

	for (size_t i = 0; i < from; i++)
		put(&body->cut, body->waits[i]);
	for (size_t i = 0; i < count; i++)
		order[i] = body->waits[from + i];
	for (size_t i = count; i > 1; i--) {
		size_t other = chance_below(chance, i);
		const struct note *note = order[i - 1];

		order[i - 1] = order[other];
		order[other] = note;
	}
	count = 1 + chance_below(chance, count);
	for (size_t i = 0; i < count; i++)
		put(&body->cut, order[i]);
}

/* All, and one of them again, after those that followed it. */
static void
put_doubled(struct body *body, struct chance *chance)
{
	for (size_t i = 0; i < body->waiting; i++)
		put(&body->cut, body->waits[i]);
	put(&body->cut, body->waits[chance_below(chance, body->waiting)]);
}

/* A sector that was being written is neither what it was nor what it was to be. */
static void
put_noise(struct body *body, struct chance *chance)
{
	const struct note *note = body->waits[chance_below(chance, body->waiting)];
	size_t sector = chance_below(chance, note->kind == WRITE ? sectors_of(note) : 1);

	put_some(body, chance, 128);
	if (note->kind != WRITE)
		return;
	put_sectors(&body->cut, note, sector, sector + 1);
	for (size_t i = (size_t)note->at; i < (size_t)note->at + note->len && i < body->cut.len;
	     i++) {
		if (i / DISK_SECTOR == (size_t)note->at / DISK_SECTOR + sector)
			body->cut.data[i] = (char)chance_next(chance);
	}
}

/* has_log: what is written to it is whole in a log, until it is synced. */
static void
cut_body(struct body *body, bool has_log, struct chance *chance)
{
	static const unsigned shares[] = { 8, 64, 128, 192, 248 };

	buf_clear(&body->cut);
	buf_add(&body->cut, body->synced.data, body->synced.len);
	if (body->waiting == 0)
		return;
	if (has_log && chance_below(chance, 4) == 0) {
		put_noise(body, chance);
		return;
	}
	switch (chance_below(chance, 8)) {
	case 0: break; /* nothing of it */
	case 1: put_some(body, chance, 256); break;
	case 2:
	case 3: put_front(body, chance); break;
	case 4: put_shuffled(body, chance); break;
	case 5: put_doubled(body, chance); break;
	default: put_some(body, chance, shares[chance_below(chance, 5)]); break;
	}
}

void
replay_cut(struct replay *replay, size_t at, uint64_t seed, const char *folder)
{
	struct chance chance = { seed };
	struct names names;
	bool done[BODIES] = { false };

	CHECK(at >= replay->at && at <= replay->trace->count);
	while (replay->at < at)
		go_on(replay, &replay->trace->notes[replay->at++]);
	names = replay->names;
	for (size_t n = chance_below(&chance, replay->waiting + 1), i = 0; i < n; i++)
		name_change(&names, replay->waits[i]);
	for (size_t i = 0; i < names.count; i++) {
		struct body *body = &replay->bodies[names.of[i].body];

		if (!done[names.of[i].body])
			cut_body(body, strcmp(names.of[i].name, "state.db") == 0, &chance);
		done[names.of[i].body] = true;
		folder_put(folder, names.of[i].name, &body->cut);
	}
}
