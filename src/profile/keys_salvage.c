/* SPDX-License-Identifier: Apache-2.0
 *
 * keys_salvage.c - a keys.db with damage in it, copied row by row into a whole one.
 *
 * DESIGN
 *   A page says where its rows are. Where that is damaged SQLite gives up the
 *   page, with some forty customers in it, or all pages beneath it. But each
 *   row proves itself: a key is sealed with its subject, a secret with its
 *   name. So the bytes of the file and of its log are searched for what the
 *   head of such a row looks like, and what opens is one. One bit can take one
 *   customer. Where there are two keys of a customer, that which SQLite finds
 *   is in use.
 *
 *   What was destroyed does not come back: its bytes are overwritten, and a
 *   tombstone goes before a key. There are two of each, in the table and in its
 *   index. Bytes that only look like one block somebody who does not exist.
 *
 *   As in store_salvage.c the copy is complete as keys.db.salvaged before the
 *   old log and file go. Those are overwritten: no key may outlast its row.
 *
 * FORMAT
 *   SQLite's records (fileformat2.html, 2.1): length of the head, a type for
 *   each column, the values. A key: 4, blob of 16, blob of 72. A tombstone: 3,
 *   blob of 16, null; in the index, behind its own length, 2, blob of 16.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sodium.h>

#include "core/log.h"
#include "profile/keys_internal.h"
#include "profile/vault.h"
#include "store/ballast.h"
#include "store/store_vfs.h"

#define WINDOW_BYTES 65536
#define ROW_BYTES 160 /* of the longest row, from the first byte that tells it */
#define SEALED_BYTES (VAULT_OVERHEAD + 32)
#define GUESSES 16 /* data keys and checks that are tried with each other */
#define PATH_SIZE 4200

static const uint8_t key_head[] = { 4, 44, 0x81, 0x1c };
static const uint8_t stone_head[] = { 3, 44, 0 };
static const uint8_t stone_in_index[] = { 18, 2, 44 };

struct secret {
	uint8_t plain[KEYS_SECRET_MAX];
	size_t len; /* 0: none was found that opens */
	bool seen;
};

struct guess {
	uint8_t data[KEYS_SECRET_MAX], check[VAULT_OVERHEAD + KEYS_SECRET_MAX];
	size_t check_len;
};

struct salvage {
	struct keys *keys;
	struct keys to;	 /* the copy; it has the same secrets */
	bool credential; /* the data key is not in the file */
	struct guess guesses[GUESSES];
	size_t data_count, check_count;
	struct secret secrets[8]; /* as keys_secret_names */
	int64_t stones, found, broken;
	bool read_whole; /* SQLite read all its rows */
	int error;
};

static void
file_name(const struct keys *keys, const char *suffix, char path[static PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/keys.db%s", keys->dir, suffix);
}

/* ---- the bytes ---- */

/* at: a row may begin here; ROW_BYTES can be read. */
typedef void (*look_fn)(struct salvage *salvage, const uint8_t *at);

static void
look_through(struct salvage *salvage, const char *suffix, look_fn look)
{
	static uint8_t window[WINDOW_BYTES + ROW_BYTES];
	char path[PATH_SIZE];
	struct stat st;
	file_name(salvage->keys, suffix, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0)
		st.st_size = 0;
	for (off_t at = 0; at < st.st_size && salvage->error == 0; at += WINDOW_BYTES) {
		/* What the disk does not give has no rows. */
		memset(window, 0, sizeof(window));
		if (pread(fd, window, sizeof(window), at) < 0)
			log_warning("keys: %s: %s", path, strerror(errno));
		for (size_t i = 0; i < WINDOW_BYTES; i++)
			if (window[i] == key_head[0] || window[i] == stone_head[0] ||
			    window[i] == stone_in_index[0])
				look(salvage, window + i);
	}
	sodium_memzero(window, sizeof(window));
	if (fd >= 0)
		close(fd);
}

static void
look_at_all(struct salvage *salvage, look_fn look)
{
	look_through(salvage, "", look);
	look_through(salvage, "-wal", look);
}

/* ---- secrets ---- */

/* Does a row with this name begin here? Its value. */
static const uint8_t *
value_of(const uint8_t *at, const char *name, size_t *ret_len)
{
	size_t name_len = strlen(name), head = at[0];
	if ((head != 3 && head != 4) || at[1] != 13 + 2 * name_len ||
	    memcmp(at + head, name, name_len) != 0)
		return NULL;
	size_t type = head == 3 ? at[2] : (size_t)(at[2] & 0x7f) << 7 | at[3];
	if (type < 12 || type % 2 != 0 || (type - 12) / 2 > VAULT_OVERHEAD + KEYS_SECRET_MAX)
		return NULL;
	*ret_len = (type - 12) / 2;
	return at + head + name_len;
}

/* Before the data key is known nothing proves itself: what may be it, and what it must open. */
static void
guess(struct salvage *salvage, const uint8_t *at)
{
	size_t len = 0;
	const uint8_t *value = value_of(at, KEYS_DATA, &len);
	if (value != NULL && len == 32 && salvage->data_count < GUESSES)
		memcpy(salvage->guesses[salvage->data_count++].data, value, len);
	value = value_of(at, "check", &len);
	if (value != NULL && salvage->check_count < GUESSES) {
		struct guess *next = &salvage->guesses[salvage->check_count++];
		memcpy(next->check, value, len);
		next->check_len = len;
	}
}

static bool
opens(const struct salvage *salvage, const uint8_t *data)
{
	struct buf plain = { 0 };
	bool good = false;
	for (size_t i = 0; i < salvage->check_count && !good; i++)
		good = vault_open(data, "secret", "check", 5, KEYS_VERSION,
			   salvage->guesses[i].check, salvage->guesses[i].check_len, &plain) == 0;
	buf_wipe(&plain);
	return good;
}

/* As it is, or but for the one bit that flipped. */
static bool
becomes_key(const struct salvage *salvage, uint8_t data[static 32])
{
	if (opens(salvage, data))
		return true;
	for (int bit = 0; bit < 256; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (opens(salvage, data))
			return true;
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	return false;
}

static bool
find_data_key(struct salvage *salvage)
{
	uint8_t *data = salvage->keys->secrets->data;
	struct err err = { 0 };
	look_at_all(salvage, guess);
	salvage->credential = keys_read_credential(data, &err) == 0;
	if (salvage->credential || opens(salvage, data))
		return opens(salvage, data);
	for (size_t i = 0; i < salvage->data_count; i++) {
		if (becomes_key(salvage, salvage->guesses[i].data)) {
			memcpy(data, salvage->guesses[i].data, 32);
			return true;
		}
	}
	return false;
}

/* The newest of a session is the highest; of the others there is one. */
static void
keep_secret(struct secret *secret, const char *name, const struct buf *plain)
{
	if (plain->len == 0 || plain->len > KEYS_SECRET_MAX)
		return;
	if (strcmp(name, "session") == 0 && secret->len > 0 &&
	    (plain->len < secret->len ||
		(plain->len == secret->len && memcmp(plain->data, secret->plain, plain->len) < 0)))
		return;
	memcpy(secret->plain, plain->data, plain->len);
	secret->len = plain->len;
}

static void
look_for_secret(struct salvage *salvage, const uint8_t *at)
{
	for (size_t i = 0; keys_secret_names[i] != NULL; i++) {
		const char *name = keys_secret_names[i];
		struct buf plain = { 0 };
		size_t len = 0;
		const uint8_t *value = value_of(at, name, &len);
		if (value == NULL)
			continue;
		salvage->secrets[i].seen = true;
		if (vault_open(salvage->keys->secrets->data, "secret", name, strlen(name),
			KEYS_VERSION, value, len, &plain) == 0)
			keep_secret(&salvage->secrets[i], name, &plain);
		buf_wipe(&plain);
	}
}

/* All that a start asks for. What was not found is not made: another pepper would make other customers of all, and
 * headquarters knows the store's own key. How many sessions there were the state knows, too. */
static int
put_secrets(struct salvage *salvage)
{
	int error = 0;
	for (size_t i = 0; keys_secret_names[i] != NULL && error == 0; i++) {
		const char *name = keys_secret_names[i];
		const struct secret *secret = &salvage->secrets[i];
		if (strcmp(name, KEYS_DATA) == 0 && !salvage->credential)
			error =
			    keys_put_secret(&salvage->to, name, salvage->keys->secrets->data, 32);
		else if (secret->len > 0)
			error = keys_put_secret(&salvage->to, name, secret->plain, secret->len);
		else if (strcmp(name, "pepper") == 0 ||
		    (secret->seen && strcmp(name, "device") == 0))
			error = AISLE_E_NONE;
	}
	return error;
}

/* ---- subjects ---- */

/* sealed NULL: a tombstone. Who is there already stays as they are. */
static void
put_subject(struct salvage *salvage, const uint8_t id[static 16], const uint8_t *sealed)
{
	sqlite3_stmt *stmt = salvage->to.stmt[sealed != NULL ? KEYS_KEEP : KEYS_STONE];
	sqlite3_bind_blob(stmt, 1, id, 16, SQLITE_STATIC);
	if (sealed != NULL)
		sqlite3_bind_blob(stmt, 2, sealed, SEALED_BYTES, SQLITE_STATIC);
	int error = keys_run(&salvage->to, stmt);
	if (error != 0)
		salvage->error = error;
	else if (sealed != NULL)
		salvage->found += sqlite3_changes(salvage->to.db);
}

static void
look_for_stone(struct salvage *salvage, const uint8_t *at)
{
	if (salvage->error != 0)
		return;
	bool in_table = memcmp(at, stone_head, sizeof(stone_head)) == 0;
	if (!in_table && memcmp(at, stone_in_index, sizeof(stone_in_index)) != 0)
		return;
	put_subject(salvage, at + (in_table ? sizeof(stone_head) : sizeof(stone_in_index)), NULL);
	salvage->stones += in_table;
}

static bool
is_key(const struct salvage *salvage, const uint8_t *id, const uint8_t *sealed)
{
	struct buf plain = { 0 };
	bool good = vault_open(salvage->keys->secrets->data, "subject", id, 16, KEYS_VERSION,
			sealed, SEALED_BYTES, &plain) == 0 &&
	    plain.len == 32;
	buf_wipe(&plain);
	return good;
}

static void
look_for_key(struct salvage *salvage, const uint8_t *at)
{
	if (salvage->error != 0 || memcmp(at, key_head, sizeof(key_head)) != 0)
		return;
	const uint8_t *id = at + sizeof(key_head), *sealed = id + 16;
	if (is_key(salvage, id, sealed))
		put_subject(salvage, id, sealed);
	else
		salvage->broken++;
}

/* What SQLite finds: from the front up to the damage, and from the back down to it. true: there is none. */
static bool
read_rows(struct salvage *salvage, sqlite3 *from, const char *sql)
{
	sqlite3_stmt *read = NULL;
	if (sqlite3_prepare_v2(from, sql, TO_ZERO, &read, NULL) != SQLITE_OK)
		return false;
	int rc = SQLITE_DONE;
	while (salvage->error == 0 && (rc = sqlite3_step(read)) == SQLITE_ROW) {
		const uint8_t *id = sqlite3_column_blob(read, 0);
		const uint8_t *sealed = sqlite3_column_blob(read, 1);
		if (id != NULL && sealed != NULL && sqlite3_column_bytes(read, 0) == 16 &&
		    sqlite3_column_bytes(read, 1) == SEALED_BYTES && is_key(salvage, id, sealed))
			put_subject(salvage, id, sealed);
	}
	sqlite3_finalize(read);
	return rc == SQLITE_DONE;
}

static void
read_in_order(struct salvage *salvage)
{
	char path[PATH_SIZE];
	sqlite3 *from = NULL;
	file_name(salvage->keys, "", path);
	if (sqlite3_open_v2(path, &from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
	    SQLITE_OK) {
		sqlite3_db_config(from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_file_control(from, NULL, SQLITE_FCNTL_PERSIST_WAL, &(int){ 1 });
		sqlite3_exec(from, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF",
		    NULL, NULL, NULL);
		salvage->read_whole =
		    read_rows(salvage, from, "SELECT id, key FROM subject ORDER BY id");
		if (!salvage->read_whole)
			read_rows(salvage, from, "SELECT id, key FROM subject ORDER BY id DESC");
	}
	sqlite3_close(from);
}

/* ---- the copy ---- */

static int
sync_file(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return -1;
	int rc = fsync(fd);
	close(fd);
	return rc;
}

static bool
has_room(const struct keys *keys)
{
	char path[PATH_SIZE];
	struct statvfs disk;
	struct stat file;
	file_name(keys, "", path);
	ballast_release(keys->dir);
	return stat(path, &file) != 0 || statvfs(keys->dir, &disk) != 0 ||
	    (uint64_t)file.st_size <= (uint64_t)disk.f_bavail * disk.f_frsize;
}

static int
fill(struct salvage *salvage)
{
	struct keys *to = &salvage->to;
	struct err err = { 0 };
	int rc = keys_reserve(to, &err) != 0 ? SQLITE_ERROR
					     : sqlite3_exec(to->db,
						   "PRAGMA locking_mode = EXCLUSIVE; PRAGMA "
						   "journal_mode = OFF; PRAGMA synchronous = OFF;"
						   "BEGIN",
						   NULL, NULL, NULL);
	if (rc != SQLITE_OK || keys_create(to, &err) != 0 || keys_prepare(to, &err) != 0)
		return AISLE_E_IO;
	look_at_all(salvage, look_for_secret);
	salvage->error = put_secrets(salvage);
	look_at_all(salvage, look_for_stone);
	read_in_order(salvage);
	look_at_all(salvage, look_for_key);
	if (salvage->error != 0)
		return salvage->error;
	/* Nobody: it is no file of keys, or somebody took them away. */
	if (salvage->found + salvage->stones == 0 && !salvage->read_whole)
		return AISLE_E_NONE;
	return sqlite3_exec(to->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : AISLE_E_IO;
}

static int
make_copy(struct salvage *salvage)
{
	char tmp[PATH_SIZE], copy[PATH_SIZE];
	file_name(salvage->keys, ".salvaged.tmp", tmp);
	file_name(salvage->keys, ".salvaged", copy);
	unlink(tmp);
	int error = AISLE_E_IO;
	int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 &&
	    sqlite3_open_v2(tmp, &salvage->to.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		store_vfs(NULL)) == SQLITE_OK)
		error = fill(salvage);
	for (int i = 0; i < KEYS_COUNT; i++)
		sqlite3_finalize(salvage->to.stmt[i]);
	sqlite3_close(salvage->to.db);
	if (error == 0 &&
	    (sync_file(tmp, 0) != 0 || rename(tmp, copy) != 0 ||
		sync_file(salvage->keys->dir, O_DIRECTORY) != 0))
		error = AISLE_E_IO;
	if (error != 0)
		unlink(tmp);
	return error;
}

/* Of a file that goes: keys of customers who may be forgotten one day. Best effort. */
static void
overwrite(int fd)
{
	static const uint8_t zeros[4096];
	struct stat st;
	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0)
		st.st_size = 0;
	for (off_t at = 0; at < st.st_size; at += (off_t)sizeof(zeros)) {
		size_t len = st.st_size - at < (off_t)sizeof(zeros) ? (size_t)(st.st_size - at)
								    : sizeof(zeros);
		if (pwrite(fd, zeros, len, at) < 0)
			break;
	}
	if (fsync(fd) != 0)
		log_debug("keys: the damaged file is not overwritten: %s", strerror(errno));
	close(fd);
}

static int
put_in_place(const struct keys *keys)
{
	char file[PATH_SIZE], log[PATH_SIZE], copy[PATH_SIZE];
	file_name(keys, "", file);
	file_name(keys, "-wal", log);
	file_name(keys, ".salvaged", copy);
	/* It would be taken for the copy's. */
	overwrite(open(log, O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
	if (unlink(log) < 0 && errno != ENOENT)
		return AISLE_E_IO;
	int old = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	bool done = rename(copy, file) == 0 && sync_file(keys->dir, O_DIRECTORY) == 0;
	if (done)
		overwrite(old);
	else if (old >= 0)
		close(old);
	return done ? 0 : AISLE_E_IO;
}

bool
keys_salvage_finish(const struct keys *keys)
{
	char tmp[PATH_SIZE], copy[PATH_SIZE];
	file_name(keys, ".salvaged.tmp", tmp);
	file_name(keys, ".salvaged", copy);
	unlink(tmp);
	if (access(copy, F_OK) != 0 || put_in_place(keys) != 0)
		return false;
	log_warning("keys: the copy of a damaged keys.db took its place");
	return true;
}

static void
tell(const struct salvage *salvage, bool before, int error)
{
	if (error == 0 && before && salvage->read_whole && salvage->broken == 0) {
		log_info("keys: the keys of an older aisled are taken over customers=%lld",
		    (long long)salvage->found);
	} else if (error == 0) {
		salvage->keys->mended += salvage->broken > 0 ? salvage->broken : 1;
		log_error("keys: keys.db was damaged; what could be read of it was copied into a "
			  "whole one customers=%lld forgotten=%lld unreadable=%lld",
		    (long long)salvage->found, (long long)salvage->stones,
		    (long long)salvage->broken);
	} else {
		log_error("keys: keys.db %s: %s",
		    before ? "is of an older aisled and cannot be taken over"
			   : "is damaged and cannot be mended",
		    error == AISLE_E_FULL	? "there is no room for a copy"
			: error == AISLE_E_NONE ? "its secrets, or all customers, are not in it"
						: "the copy could not be written");
	}
}

int
keys_salvage(struct keys *keys, bool before)
{
	struct salvage *salvage = sodium_malloc(sizeof(*salvage));
	if (salvage == NULL)
		return AISLE_E_IO;
	memset(salvage, 0, sizeof(*salvage));
	salvage->keys = keys;
	salvage->to.secrets = keys->secrets;
	salvage->to.dir = keys->dir;
	int error = has_room(keys) ? 0 : AISLE_E_FULL;
	if (error == 0 && !find_data_key(salvage))
		error = AISLE_E_NONE;
	if (error == 0)
		error = make_copy(salvage);
	if (error == 0)
		error = put_in_place(keys);
	tell(salvage, before, error);
	sodium_free(salvage);
	return error;
}
