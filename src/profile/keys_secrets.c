/* SPDX-License-Identifier: Apache-2.0
 *
 * keys_secrets.c - the chain's pepper, from its file; the data key, from a systemd credential or
 * from keys.db, and what it seals at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/buf.h"
#include "core/id.h"
#include "profile/keys_internal.h"
#include "profile/vault.h"

#define CREDENTIAL "aisle-data-key"

/* ---- named secrets ---- */

static int
secret_get(struct keys *keys, const char *name, struct buf *out)
{
	sqlite3_stmt *stmt = keys->stmt[KEYS_SECRET_GET];
	sqlite3_bind_text(stmt, 1, name, TO_ZERO, SQLITE_STATIC);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		buf_add(out, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? AISLE_E_NONE : keys_error(keys, rc);
}

static int
secret_put(struct keys *keys, const char *name, const void *value, size_t len)
{
	sqlite3_stmt *stmt = keys->stmt[KEYS_SECRET_PUT];
	sqlite3_bind_text(stmt, 1, name, TO_ZERO, SQLITE_STATIC);
	sqlite3_bind_blob64(stmt, 2, value, len, SQLITE_STATIC);
	return keys_run(keys, stmt);
}

static int
secret_drop(struct keys *keys, const char *name)
{
	sqlite3_stmt *stmt = keys->stmt[KEYS_SECRET_DROP];
	sqlite3_bind_text(stmt, 1, name, TO_ZERO, SQLITE_STATIC);
	return keys_run(keys, stmt);
}

static int
sealed_get(struct keys *keys, const char *name, struct buf *out)
{
	struct buf sealed = { 0 };
	int error = secret_get(keys, name, &sealed);
	if (error == 0)
		error = vault_open(keys->secrets->data, "secret", name, strlen(name), KEYS_VERSION,
		    sealed.data, sealed.len, out);
	buf_done(&sealed);
	return error;
}

static int
sealed_put(struct keys *keys, const char *name, const void *value, size_t len)
{
	struct buf sealed = { 0 };
	vault_seal(keys->secrets->data, "secret", name, strlen(name), KEYS_VERSION, value, len,
	    &sealed);
	int error = secret_put(keys, name, sealed.data, sealed.len);
	buf_done(&sealed);
	return error;
}

const char *const keys_secret_names[] = { KEYS_DATA, "check", "pepper", "device", "session", NULL };

int
keys_put_secret(struct keys *keys, const char *name, const void *value, size_t len)
{
	return strcmp(name, KEYS_DATA) == 0 ? secret_put(keys, name, value, len)
					    : sealed_put(keys, name, value, len);
}

/* ---- the pepper ---- */

int
keys_read_pepper(const char *path, uint8_t ret_pepper[static 32], struct err *err)
{
	char text[128] = "";
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return err_set(err, AISLE_E_NONE, "pepper file %s: %s", path, strerror(errno));
	setvbuf(file, NULL, _IONBF, 0); /* no second copy */
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\r\n \t")] = '\0';
	bool good = hash_unhex(ret_pepper, 32, text);
	sodium_memzero(text, sizeof(text));
	return good ? 0
		    : err_set(err, AISLE_E_CONFIG, "pepper file %s: expected 64 hex digits", path);
}

/* ---- the data key ---- */

int
keys_read_credential(uint8_t out[static 32], struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	if (dir == NULL)
		return AISLE_E_NONE;
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, CREDENTIAL);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? AISLE_E_NONE
				       : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	char bytes[80];
	ssize_t len = read(fd, bytes, sizeof(bytes));
	close(fd);
	bool good = len == 32;
	if (good)
		memcpy(out, bytes, 32);
	if (len == 65 && bytes[64] == '\n')
		len = 64;
	if (len == 64) {
		bytes[64] = '\0';
		good = hash_unhex(out, 32, bytes);
	}
	sodium_memzero(bytes, sizeof(bytes));
	if (good)
		return 0;
	return err_set(err, AISLE_E_CONFIG, "%s: not a key, expected 32 bytes or 64 hex digits",
	    path);
}

/* From the credential, else from the file, else a new one into the file. */
static int
find_data_key(struct keys *keys, bool fresh, struct err *err)
{
	struct buf stored = { 0 };
	uint8_t *data = keys->secrets->data;
	int there = secret_get(keys, KEYS_DATA, &stored);
	if (there != 0 && there != AISLE_E_NONE)
		return err_set(err, there, "%s/keys.db: %s", keys->dir, sqlite3_errmsg(keys->db));
	bool whole = there == 0 && stored.len == 32;
	int error = keys_read_credential(data, err);
	keys->secrets->credential = error == 0;
	if (error == 0 && whole && sodium_memcmp(stored.data, data, 32) != 0)
		error = err_set(err, AISLE_E_CONFIG,
		    "%s/keys.db has a data key of its own; expected the credential %s to be the "
		    "same",
		    keys->dir, CREDENTIAL);
	else if (error == 0 && whole)
		error = secret_drop(keys, KEYS_DATA);
	else if (error == AISLE_E_NONE && whole) {
		memcpy(data, stored.data, 32);
		error = 0;
	} else if (error == AISLE_E_NONE && fresh) {
		randombytes_buf(data, sizeof(keys->secrets->data));
		error = secret_put(keys, KEYS_DATA, data, 32);
	} else if (error == AISLE_E_NONE)
		error = err_set(err, AISLE_E_CONFIG,
		    "%s/keys.db: no data key; expected the credential %s", keys->dir, CREDENTIAL);
	buf_wipe(&stored);
	return error;
}

/* There may be none yet. */
static int
load_device(struct keys *keys, struct err *err)
{
	struct buf secret = { 0 };
	int error = sealed_get(keys, "device", &secret);
	keys->secrets->has_device = error == 0 && secret.len == 32;
	if (keys->secrets->has_device)
		memcpy(keys->secrets->device, secret.data, 32);
	buf_wipe(&secret);
	return error == 0 || error == AISLE_E_NONE
	    ? 0
	    : err_set(err, error, "%s/keys.db: the store's own key does not open", keys->dir);
}

int
keys_load_secrets(struct keys *keys, bool fresh, struct err *err)
{
	static const char check[] = "aisle";
	struct buf text = { 0 };
	int error = find_data_key(keys, fresh, err);
	if (error == 0 && fresh) {
		randombytes_buf(keys->secrets->pepper, sizeof(keys->secrets->pepper));
		error = sealed_put(keys, "check", check, sizeof(check));
		if (error == 0)
			error = sealed_put(keys, "pepper", keys->secrets->pepper, 32);
	} else if (error == 0) {
		error = sealed_get(keys, "check", &text);
		buf_wipe(&text);
		if (error == 0)
			error = sealed_get(keys, "pepper", &text);
		if (error == 0 && text.len != 32)
			error = AISLE_E_DAMAGED;
		if (error == 0 && !keys->secrets->pepper_given)
			memcpy(keys->secrets->pepper, text.data, sizeof(keys->secrets->pepper));
		if (error == AISLE_E_DAMAGED || error == AISLE_E_NONE) {
			/* Its own key is at hand: a row of the two was not found, or is another. */
			keys->suspect = !keys->secrets->credential;
			error = err_set(err, AISLE_E_DAMAGED,
			    "%s/keys.db: does not open with this data key", keys->dir);
		}
	}
	buf_wipe(&text);
	return error == 0 ? load_device(keys, err) : error;
}

/* ---- the store's own pair ---- */

int
keys_make_device(struct keys *keys, uint8_t ret_public[static 32])
{
	uint8_t secret[32];
	int error = 0;
	if (!keys->secrets->has_device) {
		crypto_box_keypair(ret_public, secret);
		/* Beside an open transaction of new keys it would wait for that one's commit. */
		error = keys_commit(keys);
		if (error == 0)
			error = sealed_put(keys, "device", secret, sizeof(secret));
		if (error == 0) {
			memcpy(keys->secrets->device, secret, sizeof(secret));
			keys->secrets->has_device = true;
		}
		sodium_memzero(secret, sizeof(secret));
	}
	if (error == 0)
		crypto_scalarmult_base(ret_public, keys->secrets->device);
	return error;
}

int
keys_device(const struct keys *keys, uint8_t ret_public[static 32], uint8_t ret_secret[static 32])
{
	if (!keys->secrets->has_device)
		return AISLE_E_NONE;
	memcpy(ret_secret, keys->secrets->device, 32);
	crypto_scalarmult_base(ret_public, keys->secrets->device);
	return 0;
}

/* ---- the session ---- */

int
keys_session(struct keys *keys, int64_t *ret_session)
{
	struct buf text = { 0 };
	int error = keys->dir != NULL ? sealed_get(keys, "session", &text) : AISLE_E_NONE;
	*ret_session = error == 0 ? strtoll(text.data, NULL, 10) : 0;
	buf_done(&text);
	return error == AISLE_E_NONE ? 0 : error;
}

int
keys_set_session(struct keys *keys, int64_t session)
{
	char text[24];
	if (keys->dir == NULL)
		return 0;
	int len = snprintf(text, sizeof(text), "%lld", (long long)session);
	return sealed_put(keys, "session", text, (size_t)len);
}
