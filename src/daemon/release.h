/* SPDX-License-Identifier: Apache-2.0
 *
 * release.h - what the files of a release share: headquarters' release on its way into force.
 */
#ifndef AISLE_DAEMON_RELEASE_H
#define AISLE_DAEMON_RELEASE_H

#include "core/beside.h"
#include "daemon/daemon.h"
#include "daemon/release_guard.h"
#include "daemon/release_step.h"
#include "daemon/shadow.h"
#include "sync/catalog.h"
#include "trust/release.h"

struct named_bundle {
	char name[65], hash[65];
	int64_t version;
};

/* One topic's release: the channel's, or the store's own. */
struct track {
	struct daemon *daemon;
	bool own;
	char topic[96];
	/* the one that was accepted last; RELEASE_NONE: there was none */
	enum release_state state;
	struct release release;
	enum refusal why; /* of the last one that was not taken, or taken back */
	char detail[240];
	char shadow_says[160];
	int64_t again_ms; /* monotonic, of RELEASE_WAITING */
	int64_t ask_ms,
	    ask_wait_ms; /* monotonic: one that could not be kept is asked for; 0: none */
	/* what was refused last, so that what is retained is told of once */
	uint8_t refused[32];
	int64_t refused_root;

	char path[BUNDLE_KINDS][512];	 /* where they are, once they are here */
	struct control_request *request; /* who handed it in, and waits; NULL */
	bool fetched[BUNDLE_KINDS];	 /* to be given back, daemon_fetch_stop() */
	int fetching;			 /* kind; BUNDLE_KINDS: none */
	struct beside job;
	struct catalog_job catalog_job;
	struct event *event; /* of either job */
	struct shadow *shadow;
	bool policy_passed, has_image;
	struct err no_image;
	struct catalog *catalog; /* that has passed; NULL */

	/* What is on probation; it may be the release before this one, which is on its way or was refused. */
	bool watched;
	int64_t watched_sequence;
	char watched_policy[65]; /* the hash of the one in force meanwhile */
	struct release_bounds bounds;
	struct named_bundle back; /* the policy that it goes back to */
	bool brings_catalog;	  /* another than was there */
	char back_catalog[65];	  /* which that was; "": none */
	int64_t switched_ms;	  /* the store's time */
	struct guard_sums before; /* of the policy before it */
	struct guard_sums
	    at;		 /* what had been counted when it was switched on, or this process began */
	int64_t errors;	 /* of this release, in processes before this one */
	int64_t back_ms; /* monotonic: not before is the way back tried again */
};

struct releases {
	struct track tracks[2]; /* the channel's; the store's own */
};

/* ---- release_track.c ---- */

/* The next state, kept on disk where a restart has to know it. */
void release_take_step(struct track *track, enum release_event event);
void release_keep(struct track *track); /* on disk; a warning, where it cannot be */
/* Not taken, before it was in force: says why, and what was fetched of it goes. */
void release_fail(struct track *track, enum refusal why, const char *detail);
void release_refuse(struct track *track, enum refusal why, const char *detail); /* and counts it */
void release_drop_files(struct track *track);	       /* what was fetched and not moved */
void release_give_back(struct track *track, int kind); /* one of them, to who fetched it */
/* Not now. What came of it stays. */
void release_hold(struct track *track, enum refusal why, const char *detail);
/* It is not what its hash says. Where it lay in its place since an older release, which it was good for, it goes, and is
 * fetched; false: it came with this one. */
bool release_fetch_anew(struct track *track, int kind);
void release_stop_examining(struct track *track);

/* ---- release.c ---- */

/* release_accept(), and on its way. err: what is wrong, and *ret_why. */
int release_offer(struct track *track, const void *text, size_t len, bool *ret_new,
    enum refusal *ret_why, struct err *err) AISLE_MUST_CHECK;
void release_say(struct track *track, enum refusal why, const char *detail);

#define RELEASE_HANDED "handed-"
/* A bundle that it names is at path, and was hashed: it need not be fetched. */
void release_hand(struct track *track, int kind, const char *path);
/* Tells who waits for it, if anybody does; why_not NULL: it is in force. */
void release_answer(struct track *track, const char *why_not);

/* ---- release_record.c: what is kept of a track ---- */

void release_record_write(const struct track *track, struct buf *out);
/* Fills what is kept but the release; its digest. AISLE_E_NONE: nothing was. */
int release_record_read(struct track *track, uint8_t ret_digest[static 32]) AISLE_MUST_CHECK;
/* Its rows, twice, into note; record has their bytes, and is the caller's. */
void release_record_note(const struct track *track, struct switch_note *note, struct buf *record);
int release_record_save(const struct track *track) AISLE_MUST_CHECK;
void release_text_path(const struct track *track, const uint8_t digest[static 32],
    char out[static 512]);
int release_text_save(const struct track *track, const uint8_t digest[static 32], const void *text,
    size_t len, struct err *err) AISLE_MUST_CHECK;

/* ---- release_policy.c: from a file that was fetched to a policy in force ---- */

void release_examine(struct track *track);
/* What has not passed yet, or the switch. */
void release_go_on_examining(struct track *track);

/* ---- release_switch.c ---- */

/* If it is still in time: all that it brings, in one step between two turns. */
void release_switch(struct track *track);
/* To what was good before it. */
void release_go_back(struct track *track, const char *says);

/* ---- release_catalog.c ---- */

void release_examine_catalog(struct track *track);

/* ---- release_profiles.c ---- */

void release_take_profiles(struct track *track);
bool release_has_profiles(const struct track *track);

/* ---- release_watch.c: on probation ---- */

void release_watch_begin(struct track *track, struct guard_sums *ret_sums);
void release_watch(struct track *track);       /* each second */
void release_watch_again(struct track *track); /* after a restart */
bool release_watched_long_enough(const struct track *track);
/* What was watched is good now, or gone. */
void release_watch_end(struct track *track);

#endif
