/* SPDX-License-Identifier: Apache-2.0
 *
 * state.c - the state folder is taken up: keys, state, crash mark, session, profiles.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/crash.h"
#include "core/id.h"
#include "core/log.h"

int
daemon_make_folders(struct daemon *daemon, struct err *err)
{
	static const char *const below[] = { "bundles", "catalogs" };
	char path[512];

	(void)mkdir(daemon->conf.state_dir, 0700);
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		snprintf(path, sizeof(path), "%s/%s", daemon->conf.state_dir, below[i]);
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	}
	return 0;
}

int
daemon_open_engine(struct daemon *daemon, struct err *err)
{
	struct engine_options options = {
		.conf = &daemon->conf,
		.state_dir = daemon->conf.state_dir,
		.sealed = true,
		.owned = true,
	};
	uint8_t pepper[32];
	const char *file = daemon->conf.pepper_file;

	if (file != NULL && keys_read_pepper(file, pepper, err) != 0)
		return AISLE_E_CONFIG;
	options.pepper = file != NULL ? pepper : NULL;
	int rc = engine_open(&options, &daemon->engine, err);
	explicit_bzero(pepper, sizeof(pepper));
	if (rc == 0)
		daemon_clock_init(daemon);
	return rc;
}

void
daemon_close_engine(struct daemon *daemon)
{
	/* None, where it could not be opened again. */
	if (engine_store(daemon->engine) != NULL)
		store_checkpoint(engine_store(daemon->engine));
	engine_close(daemon->engine);
}

static void
take_crash_mark(struct daemon *daemon)
{
	struct crash mark;

	if (crash_take(daemon->conf.state_dir, &mark) != 0)
		return;
	daemon->poison = mem_alloc(sizeof(mark));
	*daemon->poison = mark;
	log_error("the last run died of a bug; its input will be set aside "
		  "what=%s source=%s id=%s",
	    LOG_VALUE(mark.what), LOG_VALUE(mark.source), LOG_VALUE(mark.id));
}

int
daemon_open_crash_mark(struct daemon *daemon, struct err *err)
{
	int rc;

	take_crash_mark(daemon);
	engine_set_poison(daemon->engine, daemon->poison);
	rc = crash_open(daemon->conf.state_dir, err);
	if (rc != 0)
		daemon_close_crash_mark(daemon);
	return rc;
}

void
daemon_close_crash_mark(struct daemon *daemon)
{
	crash_close();
	engine_set_poison(daemon->engine, NULL);
	free(daemon->poison);
	daemon->poison = NULL;
}

/* ---- the session ---- */

static int64_t
last_session(struct store *store)
{
	struct buf buf = { 0 };
	int64_t session = 0;

	if (store_meta_get(store, "session", &buf) == 0) {
		struct rd rd = rd_init(buf.data, buf.len);

		session = rd_i64(&rd);
	}
	buf_done(&buf);
	return session;
}

static int
write_session(struct daemon *daemon, int64_t session, bool restored)
{
	struct store *store = engine_store(daemon->engine);
	struct buf buf = { 0 };
	int rc = store_begin(store);

	buf_i64(&buf, session);
	if (rc == 0 && restored)
		rc = store_new_epoch(store);
	if (rc == 0)
		rc = store_meta_set(store, "session", buf.data, buf.len);
	if (rc == 0)
		rc = store_commit(store);
	buf_done(&buf);
	return rc;
}

/* The keys are in no backup of the state: where they know of a later session, this state was put
 * back, and its next records would bear numbers that headquarters has already seen. */
static int
begin_session(struct daemon *daemon, struct err *err)
{
	struct store *store = engine_store(daemon->engine);
	struct keys *keys = engine_keys(daemon->engine);
	int64_t last = last_session(store), known = 0;
	bool restored;
	int rc = keys_session(keys, &known);

	if (rc != 0)
		return err_set(err, rc, "keys.db cannot be read");
	restored = known > last && !store_is_new(store);
	if (restored)
		log_warning("the state was put back from a copy: a new epoch begins "
			    "session=%lld was=%lld",
		    (long long)last, (long long)known);
	daemon->session = (known > last ? known : last) + 1;
	rc = write_session(daemon, daemon->session, restored);
	if (rc != 0)
		store_rollback(store);
	/* It serves as one that the disk became full under: what is open is shown, nothing is acknowledged. One that was
	 * put back cannot, its numbers are others'. */
	if (rc == AISLE_E_FULL && !restored) {
		log_error("there is no room: nothing is acknowledged until there is dir=%s",
		    daemon->conf.state_dir);
		return 0;
	}
	if (rc == 0)
		rc = keys_set_session(keys, daemon->session);
	/* The log had room of its own, the keys had none: they are told as soon as there is. */
	daemon->session_owed = rc == AISLE_E_FULL && !restored;
	if (daemon->session_owed)
		log_error("there is no room: the keys do not know of this session yet dir=%s",
		    daemon->conf.state_dir);
	return rc == 0 || daemon->session_owed ? 0
					       : err_set(err, rc, "the state cannot be written");
}

void
daemon_tell_session(struct daemon *daemon)
{
	if (daemon->session_owed)
		daemon->session_owed =
		    keys_set_session(engine_keys(daemon->engine), daemon->session) != 0;
}

int
daemon_next_session(struct daemon *daemon, struct err *err)
{
	int rc = begin_session(daemon, err);

	/* A damaged page that only this met: opened again, it is mended. */
	if (rc != 0 && engine_suspect(daemon->engine) &&
	    (rc = engine_reopen(daemon->engine, err)) == 0)
		rc = begin_session(daemon, err);
	return rc;
}

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	return profiles_get(ctx, subject, out);
}

int
daemon_open_profiles(struct daemon *daemon, struct err *err)
{
	int rc = profiles_open(daemon->conf.state_dir, engine_keys(daemon->engine),
	    &daemon->profiles, err);

	if (rc == 0)
		engine_set_profiles(daemon->engine, profile_of, daemon->profiles);
	return rc;
}

void
daemon_close_profiles(struct daemon *daemon)
{
	profiles_close(daemon->profiles);
}
