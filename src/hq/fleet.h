/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet.h - what each store runs and who is in trouble, from the health that stores have told. Pure.
 */
#ifndef AISLE_HQ_FLEET_H
#define AISLE_HQ_FLEET_H

#include "core/json.h"
#include "core/json_write.h"
#include "hq/publish_goods.h"

#define FLEET_STORES_MAX 20000
#define FLEET_SILENT_MS (3 * H_MS) /* a store tells its health each hour */

/* The first that is so, in the order in which somebody has to look. X(constant, name) */
/* clang-format off */
#define FLEET_VERDICTS(X) \
	X(REFUSED, "refused") X(ROLLED_BACK, "rolled-back") X(SILENT, "silent") X(NO_POLICY, "no-policy") X(BEHIND, "behind") \
	X(ON_ITS_WAY, "on-its-way") X(PROBATION, "probation") X(GOOD, "good")
/* clang-format on */
enum verdict {
#define X(constant, name) VERDICT_##constant,
	FLEET_VERDICTS(X)
#undef X
	    VERDICT_COUNT
};
extern const char *const verdict_names[VERDICT_COUNT];

enum fleet_mark {
	MARK_CLOCK = 1,
	MARK_DISK = 2,
	MARK_QUEUE = 4,
	MARK_DAMAGED = 8,
	MARK_ATTACKED = 16
};

struct fleet_store {
	char store[TRUST_NAME_SIZE], channel[TRUST_NAME_SIZE], ring[TRUST_NAME_SIZE]; /* "": none */
	char state[24], why[40], detail[200];
	char policy[65], version[32];	  /* version: of aisle */
	int64_t policy_version;		  /* 0: no policy */
	int64_t sequence, expected;	  /* of the release; 0: not known */
	int64_t heard_ms;		  /* by headquarters' clock, if that is known; 0: never */
	int64_t queued, damaged, foreign; /* foreign: refused, and not headquarters' */
	int64_t orders;			  /* the highest of its own that it took */
	int disk_percent; /* of what the state may grow to, or of a full disk; -1: not told */
	bool clock_bad;
	json_t *stops; /* actions that HQ stopped; NULL: none */
	enum verdict verdict;
	int marks;
};
struct fleet {
	struct fleet_store *stores; /* after fleet_settle(): those in trouble first */
	size_t count, room;
	int64_t now_ms, silent_ms;
	size_t counts[VERDICT_COUNT];
	bool full;
};

/* The last health record of a store. What does not read is a store that was heard, and no more. */
void fleet_add(struct fleet *fleet, const char *store, const char *at, const char *body);
/* When headquarters had something of the store that was added last: it may be another time than its clock says. NULL: not known. */
void fleet_heard(struct fleet *fleet, const char *at);
/* A store that there should be, if nothing was heard of it. channel, ring: "": not known. */
void fleet_expect(struct fleet *fleet, const char *store, const char *channel, const char *ring);
/* goods: the releases of HQ's folder, by which a store's release is known; NULL: the highest of its channel and ring. */
void fleet_settle(struct fleet *fleet, const struct goods *goods);
void fleet_done(struct fleet *fleet);

void fleet_json(const struct fleet *fleet, struct json_writer *w);
void fleet_text(const struct fleet *fleet, struct buf *out);
/* "3 min", "5 h", "never" */
void fleet_ago(const struct fleet *fleet, int64_t heard_ms, char out[static 24]);

/* The last health of each store, of what collect wrote into sqlite:FILE or postgres:DSN. */
int fleet_read(const char *from, struct fleet *fleet, struct err *err) AISLE_MUST_CHECK;

/* Which orders stores have taken, into goods. */
int fleet_taken(const char *from, int64_t now_ms, struct goods *goods, struct err *err)
    AISLE_MUST_CHECK;

#endif
