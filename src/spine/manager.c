/* SPDX-License-Identifier: Apache-2.0
 *
 * manager.c - who may approve: managers and their PINs.
 *
 * DESIGN
 *   A PIN is short: what protects it is the lock after a few wrong ones. It
 *   locks where they came from, a tablet, and not whom they named: else whoever
 *   reaches one tablet could keep every manager of the store from approving.
 *   A right PIN takes away the wrong ones of the same manager there, and no
 *   other's: else one who has a PIN could try a colleague's without end, their
 *   own in between. A wrong one is forgotten after a day.
 *   An id that is nobody's counts as a colleague's does, and is answered as late,
 *   or it could be told from a manager's by trying.
 *   The lock is longer each time, and kept in the state so that a restart does not
 *   open it. Its hash (libsodium's
 *   crypto_pwhash_str) is made small enough for a gateway's memory; the row is
 *   sealed besides. Managers lie in the table of the tablets, told apart by
 *   their flag.
 *
 * INVARIANTS
 *   A PIN is hashed or compared, never written. While locked, no PIN is
 *   compared: a right one is refused like a wrong one.
 */
#include "spine/spine.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/log.h"

#define TRIES_MAX 5
#define LOCK_MS (5 * MIN_MS) /* the first; each one after it is twice as long */
#define LOCK_MS_MAX D_MS
#define LOCK_FORGET_MS D_MS /* without a wrong PIN, and it begins with the first again */
#define HASH_OPS 3
#define HASH_BYTES (256u << 10)

struct manager {
	char *id, *hash;
};

/* What came wrong from one tablet since its last lock, oldest first, and of whom. */
struct wrong {
	struct id manager;
	int64_t at_ms;
};
struct lock {
	struct wrong wrong[TRIES_MAX];
	size_t failures;
	int64_t locks, until_ms, wrong_ms;
};

static struct id
key_of(const char *id)
{
	const char *parts[] = { "manager", id };

	return hash_parts(parts, 2);
}

static int
load(struct store *store, const char *id, struct manager *ret)
{
	struct id key = key_of(id);
	struct buf body = { 0 };
	int rc = store_get(store, STORE_TABLET, &key, &body, NULL);

	memset(ret, 0, sizeof(*ret));
	if (rc == 0) {
		struct rd rd = rd_init(body.data, body.len);

		ret->id = rd_str(&rd);
		ret->hash = rd_str(&rd);
		if (!rd_done(&rd) || ret->id == NULL || ret->hash == NULL ||
		    strcmp(ret->id, id) != 0)
			rc = AISLE_E_NONE;
	}
	buf_wipe(&body);
	return rc;
}

static void
done(struct manager *manager)
{
	free(manager->id);
	free(manager->hash);
}

static int
save(struct store *store, const struct manager *manager, int64_t now_ms)
{
	struct id key = key_of(manager->id);
	struct buf body = { 0 };
	int rc;

	buf_str(&body, manager->id);
	buf_str(&body, manager->hash);
	rc = store_put(store, STORE_TABLET, &key, NULL, now_ms, TABLET_FLAG_MANAGER, body.data,
	    body.len);
	buf_wipe(&body);
	return rc;
}

static struct id
lock_key(const char *source)
{
	const char *parts[] = { "pin-lock", source };

	return hash_parts(parts, 2);
}

static void
lock_load(struct engine *engine, const char *source, struct lock *ret)
{
	struct id key = lock_key(source);
	struct buf body = { 0 };
	int rc = store_get(engine->store, STORE_TABLET, &key, &body, NULL);

	*ret = (struct lock){ 0 };
	engine_check(engine, rc);
	if (rc == 0) {
		struct rd rd = rd_init(body.data, body.len);
		struct lock lock = { .locks = rd_i64(&rd) };

		lock.until_ms = rd_i64(&rd);
		lock.wrong_ms = rd_i64(&rd);
		for (size_t i = rd_u8(&rd); i > 0 && lock.failures + 1 < TRIES_MAX; i--) {
			struct wrong *wrong = &lock.wrong[lock.failures++];

			wrong->manager = rd_id(&rd);
			wrong->at_ms = rd_i64(&rd);
		}
		if (rd_done(&rd) && engine->now_ms < lock.wrong_ms + LOCK_FORGET_MS + LOCK_MS_MAX)
			*ret = lock;
	}
	buf_done(&body);
}

static void
lock_save(struct engine *engine, const char *source, const struct lock *lock)
{
	struct id key = lock_key(source);
	struct buf body = { 0 };

	buf_i64(&body, lock->locks);
	buf_i64(&body, lock->until_ms);
	buf_i64(&body, lock->wrong_ms);
	buf_u8(&body, (uint8_t)lock->failures);
	for (size_t i = 0; i < lock->failures; i++) {
		buf_id(&body, &lock->wrong[i].manager);
		buf_i64(&body, lock->wrong[i].at_ms);
	}
	engine_check(engine,
	    store_put(engine->store, STORE_TABLET, &key, NULL, engine->now_ms, TABLET_FLAG_LOCK,
		body.data, body.len));
	buf_done(&body);
}

/* Without those of this manager (NULL: of none), and of more than a day ago. How many went. */
static size_t
forget_wrong(struct lock *lock, const struct id *manager, int64_t now_ms)
{
	size_t before = lock->failures, kept = 0;

	for (size_t i = 0; i < before; i++) {
		const struct wrong *wrong = &lock->wrong[i];

		if (now_ms < wrong->at_ms + LOCK_FORGET_MS &&
		    (manager == NULL || !id_equal(&wrong->manager, manager)))
			lock->wrong[kept++] = *wrong;
	}
	lock->failures = kept;
	return before - kept;
}

static void
count_wrong(struct engine *engine, const char *source, const struct id *manager, struct lock *lock)
{
	int64_t lock_ms = LOCK_MS;

	/* As long after the end of the lock, not of what led to it. */
	if (engine->now_ms >= lock->until_ms + LOCK_FORGET_MS &&
	    engine->now_ms >= lock->wrong_ms + LOCK_FORGET_MS)
		*lock = (struct lock){ 0 };
	forget_wrong(lock, NULL, engine->now_ms);
	lock->wrong_ms = engine->now_ms;
	lock->wrong[lock->failures++] = (struct wrong){ *manager, engine->now_ms };
	if (lock->failures == TRIES_MAX) {
		for (int64_t i = 0; i < lock->locks && lock_ms < LOCK_MS_MAX; i++)
			lock_ms *= 2;
		if (lock_ms > LOCK_MS_MAX)
			lock_ms = LOCK_MS_MAX;
		lock->failures = 0;
		lock->locks++;
		lock->until_ms = engine->now_ms + lock_ms;
		log_warning("no PIN is taken from here after %d wrong ones source=%s minutes=%lld",
		    TRIES_MAX, LOG_VALUE(source), (long long)(lock_ms / MIN_MS));
	}
	lock_save(engine, source, lock);
}

/* Of an id that is nobody's nothing is compared, and it takes as long. */
static bool
is_right(const struct manager *manager, const char *pin)
{
	char unused[crypto_pwhash_STRBYTES];

	if (manager->hash != NULL)
		return crypto_pwhash_str_verify(manager->hash, pin, strlen(pin)) == 0;
	(void)!crypto_pwhash_str(unused, pin, strlen(pin), HASH_OPS, HASH_BYTES);
	sodium_memzero(unused, sizeof(unused));
	return false;
}

enum manager_verdict
manager_check(struct engine *engine, const char *source, const char *id, const char *pin)
{
	struct manager manager = { NULL, NULL };
	struct lock lock;
	struct id key;
	bool right;
	int rc;

	if (id == NULL || pin == NULL)
		return MANAGER_NO;
	key = key_of(id);
	lock_load(engine, source, &lock);
	if (engine->now_ms < lock.until_ms)
		return MANAGER_LOCKED;
	rc = load(engine->store, id, &manager);
	engine_check(engine, rc);
	if (rc == AISLE_E_NONE)
		key = (struct id){ { 0 } };
	right = is_right(&manager, pin) && rc == 0;
	done(&manager);
	if (!right)
		count_wrong(engine, source, &key, &lock);
	else if (forget_wrong(&lock, &key, engine->now_ms) > 0)
		lock_save(engine, source, &lock);
	return right ? MANAGER_OK : MANAGER_NO;
}

void
manager_sign_in(struct engine *engine, struct input *input)
{
	struct buf body = { 0 };
	struct json_writer *w = JSON_OBJECT(&body);

	json_add_str(w, "manager", input->manager);
	json_end(w);
	switch (manager_check(engine, input->text, input->manager, input->pin)) {
	case MANAGER_OK:
		input->result =
		    (struct reply){ .status = 200, .body = arena_strdup(engine->arena, body.data) };
		break;
	case MANAGER_LOCKED:
		input->result = (struct reply){ .status = 423,
			.detail = "too many wrong PINs from here: no PIN is taken for a while" };
		break;
	case MANAGER_NO:
		input->result =
		    (struct reply){ .status = 401, .detail = "no such manager, or another PIN" };
		break;
	}
	buf_done(&body);
}

struct manager_search {
	const struct engine *engine;
	const char *hex;
	char *found;
};

static int
is_manager(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	struct manager_search *search = ctx;
	struct rd rd = rd_init(body, len);
	char *id = rd_str(&rd), hex[SUBJECT_TEXT_SIZE];

	(void)key;
	(void)subject;
	(void)at_ms;
	if (id == NULL)
		return 0;
	person_key(search->engine, "manager", id, hex);
	if (strcmp(hex, search->hex) == 0)
		search->found = id;
	else
		free(id);
	return search->found != NULL;
}

char *
manager_by_key(struct engine *engine, const char *hex)
{
	struct manager_search search = { .engine = engine, .hex = hex };
	int rc = store_each(engine->store, STORE_TABLET, TABLET_FLAG_MANAGER, is_manager, &search);

	(void)rc; /* where the list cannot be read, the key stands for them */
	return search.found;
}

int
manager_add(struct store *store, const char *id, const char *pin, int64_t now_ms)
{
	char hash[crypto_pwhash_STRBYTES];
	struct manager manager = { .id = (char *)(uintptr_t)id, .hash = hash };
	int rc =
	    crypto_pwhash_str(hash, pin, strlen(pin), HASH_OPS, HASH_BYTES) == 0 ? 0 : AISLE_E_IO;

	if (rc == 0)
		rc = store_begin(store);
	if (rc != 0)
		return rc;
	rc = save(store, &manager, now_ms);
	if (rc == 0)
		rc = store_commit(store);
	if (rc != 0)
		store_rollback(store);
	sodium_memzero(hash, sizeof(hash));
	return rc;
}

int
manager_remove(struct store *store, const char *id)
{
	struct id key = key_of(id);
	struct manager manager;
	int rc = store_begin(store);

	if (rc != 0)
		return rc;
	rc = load(store, id, &manager);
	done(&manager);
	if (rc == 0)
		rc = store_delete(store, STORE_TABLET, &key);
	/* One who cannot be read was set aside, and is gone as well. */
	if (rc == 0 || rc == AISLE_E_DAMAGED)
		rc = store_commit(store);
	if (rc != 0)
		store_rollback(store);
	return rc;
}
