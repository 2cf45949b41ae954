/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_internal.h - what the profiles_*.c files share.
 */
#ifndef AISLE_PROFILE_PROFILES_INTERNAL_H
#define AISLE_PROFILE_PROFILES_INTERNAL_H

#include <sys/types.h>

#include <jansson.h>
#include <sqlite3.h>

#include "profile/profiles.h"

#define PROFILES_APPLICATION_ID 0x4149534c /* "AISL", as every bundle */
#define PROFILES_WINDOW 8		   /* ids a subject may take; in the SQL as + 7 */
#define PROFILES_TABLE "profiles"	   /* the vault's word for these rows */
#define PROFILES_BODY_MAX (256 << 10)

#define PROFILES_META_DDL "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"
#define PROFILES_ROW_DDL "CREATE TABLE row(id INTEGER PRIMARY KEY, subject BLOB, body BLOB)"
#define PROFILES_CHUNK_DDL "CREATE TABLE chunk(n INTEGER PRIMARY KEY, body BLOB)"
#define PROFILES_BEGIN \
	"PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" \
	"PRAGMA application_id = 0x4149534c; "

/* ---- profiles_line.c ---- */

/* Where a line stands, and what is needed to read it. */
struct profiles_line {
	const char *name;
	int line;
	const uint8_t *pepper; /* NULL: a card is an error */
	bool delta;
	struct err *err;
};
int profiles_line_check(const struct profiles_line *place, json_t *line, struct id *ret_subject,
    bool *ret_removed) AISLE_MUST_CHECK;

/* ---- profiles_write.c ---- */

/* A line that was read. */
struct profiles_line_row {
	struct id subject;
	uint32_t at, len; /* in bodies; len PROFILES_REMOVED: none any more */
	int line;
};
/* Sorted rows to a bundle at path. */
int profiles_write(const struct profiles_build *what, const struct profiles_line_row *rows,
    size_t count, const char *bodies, const char *path, struct err *err) AISLE_MUST_CHECK;

/* ---- profiles_file.c ---- */

/* What a file must be: a bundle in the clear, one that is encrypted, the gateway's own set. */
enum profiles_format { PROFILES_PLAIN, PROFILES_SEALED, PROFILES_SET };
/* Read-only and immutable: nobody changes such a file, so no lock is taken for a look-up. */
int profiles_open_file(const char *path, enum profiles_format format, sqlite3 **ret_db,
    struct err *err);
/* PROFILES_PLAIN or PROFILES_SEALED, whichever it is. */
int profiles_open_any(const char *path, enum profiles_format *ret_format, sqlite3 **ret_db,
    struct err *err);
/* The value of a meta row, allocated; NULL: none. */
char *profiles_meta(sqlite3 *db, const char *name);
int64_t profiles_meta_number(sqlite3 *db, const char *name); /* -1: none, or no number */
int profiles_insert_meta(sqlite3 *db, const char *name, const char *value);
int profiles_sync_path(const char *path, int flags); /* fsync of a file or folder */
/* First 8 bytes of the subject, big-endian; lowered where the window would not fit. */
int64_t profiles_slot(const struct id *subject);
/* "a1b2c3d4": tells peppers apart without telling the pepper. */
void profiles_pepper_mark(const uint8_t pepper[static 32], char out[static 9]);
/* tail: ".db", ".keys", ".db.tmp" … */
void profiles_path(const char *dir, int64_t number, const char *tail, char *path, size_t size);

/* ---- profiles_rows.c ---- */

#define PROFILES_GET_SQL "SELECT body FROM row WHERE id BETWEEN ?1 AND ?1 + 7 AND subject = ?2"
/* As rows follow each other: by slot, then by all of the subject. */
int profiles_order(const struct id *a, const struct id *b);
/* The body of subject's row as it is in the file, borrowed until the statement is reset. */
int profiles_find_body(sqlite3_stmt *get, const struct id *subject, const void **ret_body,
    size_t *ret_len);
/* Of a set: the row's index, and what is sealed. */
int profiles_find(sqlite3_stmt *get, const struct id *subject, uint32_t *ret_index,
    const void **ret_sealed, size_t *ret_len);
/* The word of a row, then the row itself, where the disk allows it. */
int profiles_wipe_row(const char *db_path, int words, const struct id *subject);

/* ---- profiles_keys.c: profiles-N.keys, a random word for each row ---- */

#define PROFILES_WORD 32
#define PROFILES_KEYS_HEAD 16
void profiles_keys_head(int64_t number, uint8_t out[static PROFILES_KEYS_HEAD]);
/* -1: it cannot be opened, or is another set's. */
int profiles_keys_open(const char *path, int64_t number);
/* The row's key out of the data key and its word. AISLE_E_NONE: the word is destroyed. */
int profiles_keys_row(int fd, const uint8_t data[static 32], const struct id *subject,
    uint32_t index, uint8_t ret_key[static 32]);
void profiles_keys_derive(const uint8_t data[static 32], const struct id *subject,
    const uint8_t word[static PROFILES_WORD], uint8_t ret_key[static 32]);
int profiles_keys_destroy(int fd, uint32_t index); /* durable on return */

/* ---- profiles_sealed.c: a bundle for one store's eyes ---- */

#define PROFILES_CHUNK_BYTES (128 << 10) /* rows of a chunk come to so much, or are one row */
#define PROFILES_CHUNK_MAX (PROFILES_CHUNK_BYTES + PROFILES_BODY_MAX + 64)
#define PROFILES_REMOVED UINT32_MAX /* a row's length: there is none any more */
#define PROFILES_BOX 80		    /* a content key, sealed to the store's key */
#define PROFILES_MAC 64		    /* hex digits */

/* The content key and what all chunks are bound to. */
struct profiles_seal {
	uint8_t key[32], context[32];
};
/* of a bundle's meta; chunks: how many there are. */
void profiles_seal_bind(struct profiles_seal *seal, const char *store, int64_t from, int64_t to,
    int64_t rows, int64_t chunks);
void profiles_chunk_seal(const struct profiles_seal *seal, uint32_t n, const struct buf *rows,
    struct buf *out);
/* Appends the rows to out; AISLE_E_DAMAGED. */
int profiles_chunk_open(const struct profiles_seal *seal, uint32_t n, const void *sealed,
    size_t len, struct buf *out) AISLE_MUST_CHECK;
/* Of the whole file, the place of mac in it taken for zeros. */
int profiles_mac(const char *path, const struct profiles_seal *seal,
    const char mac[static PROFILES_MAC], char ret[static PROFILES_MAC + 1], off_t *ret_at,
    struct err *err) AISLE_MUST_CHECK;

/* ---- profiles_reader.c: the rows of a bundle, in order, whichever form it has ---- */

struct profiles_row {
	struct id subject;
	const void *body; /* borrowed until the next; NULL: removed */
	size_t len;
};
struct profiles_reader;
/* Whole and for us, or an error: nothing of its rows was read before. */
int profiles_reader_open(const struct profiles_install_what *what, const struct keys *keys,
    struct profiles_reader **ret, struct err *err) AISLE_MUST_CHECK;
void profiles_reader_close(struct profiles_reader *reader);
/* 1: a row, 0: that was the last, < 0. */
int profiles_reader_next(struct profiles_reader *reader, struct profiles_row *ret, struct err *err)
    AISLE_MUST_CHECK;
int64_t profiles_reader_from(const struct profiles_reader *reader);
int64_t profiles_reader_to(const struct profiles_reader *reader);

/* ---- profiles.c ---- */

struct profiles_install;
struct profiles {
	char *dir;
	struct keys *keys;
	int64_t number;	 /* N of the current file; 0: none */
	int64_t highest; /* N of any that lies there */
	int64_t from;	 /* of the bundle that it was made from; 0: a snapshot */
	int64_t version; /* what headquarters calls it */
	int64_t count;
	sqlite3 *db; /* NULL: an empty set */
	sqlite3_stmt *get;
	int words;		     /* profiles-N.keys */
	int64_t walk_id, walk_index; /* see profiles_walk(): the last row's, the next word's */
	bool gap;
	char trouble[200];
	pid_t ended; /* a child that is to be reaped; 0: none */
	struct profiles_install *install;
};
/* Opens file number as the current one, closing the one before. */
int profiles_use(struct profiles *profiles, int64_t number, struct err *err);

/* One of its rows is lost: said, counted, and a snapshot is asked for. */
void profiles_row_unreadable(struct profiles *profiles);

/* N of the set that an install makes. */
static inline int64_t
profiles_next(const struct profiles *profiles)
{
	return profiles->highest + 1;
}
/* Of sets below this number nothing stays; gone: one of their files goes. */
void profiles_remove_below(const char *dir, int64_t number, void (*gone)(const char *path));

/* ---- profiles_make.c: in the child ---- */

/* The files of the set after the current one, under .tmp names. */
struct profiles_make {
	const struct profiles *current;
	const struct profiles_install_what *what;
	const struct id *forgotten; /* ascending */
	size_t forgotten_count;
	int64_t rows, version; /* out */
	bool gap;	       /* out: a delta upon a version that is not here */
};
int profiles_make(struct profiles_make *make, struct err *err) AISLE_MUST_CHECK;
/* Somebody was forgotten meanwhile: out of the files under .tmp names. */
int profiles_make_forget(const struct profiles *current, const struct id *forgotten, size_t count,
    struct err *err) AISLE_MUST_CHECK;
int profiles_make_place(const struct profiles *current, struct err *err)
    AISLE_MUST_CHECK; /* .tmp goes */

/* ---- profiles_install.c ---- */

pid_t profiles_install_pid(const struct profiles *profiles); /* for tests: the child */
void profiles_install_drop(struct profiles *profiles); /* one under way, if any, is abandoned */
void profiles_install_forget(struct profiles *profiles, const struct id *subject);

#endif
