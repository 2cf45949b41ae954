/* SPDX-License-Identifier: Apache-2.0
 *
 * release.h - what HQ wants stores to run: bundles by their hash, for whom, until when, and within which bounds a store
 * goes on by itself.
 */
#ifndef AISLE_TRUST_RELEASE_H
#define AISLE_TRUST_RELEASE_H

#include "trust/root.h"
#include "trust/sequences.h"

#define RELEASE_CHUNK 65536
#define RELEASE_STORES_MAX 4096
#define RELEASE_RINGS_MAX 16
#define RELEASE_BYTES_MAX (INT64_C(256) << 20) /* of a bundle */

enum bundle_kind { BUNDLE_POLICY, BUNDLE_CATALOG, BUNDLE_PROFILES, BUNDLE_KINDS };
const char *bundle_kind_name(enum bundle_kind kind);

struct release_bundle {
	bool named; /* does the release name one of this kind? */
	char name[65], version[65];
	int64_t bytes;
	char hash[65]; /* BLAKE2b-256 of the file, lower-case hex */
	int chunk;     /* RELEASE_CHUNK */
};

/* Bounds of self-promotion. Ratios are new / old; beyond: the store stays with what it has, or goes back to it.
 * X(member, type, default, least, most): the names on the wire; docs/releases.md says what each means. */
/* clang-format off */
#define RELEASE_BOUNDS(X) \
	X(agreement, double, 0.5, 0, 1) X(discount, double, 1.5, 0, 1000) X(pressure, double, 1.5, 0, 1000) \
	X(cards, double, 1.5, 0, 1000) X(latency_ms, int64_t, 100, 1, 60000) X(probation_s, int64_t, 3600, 0, 2592000) \
	X(dismissals, double, 1.5, 0, 1000) X(errors, int64_t, 0, 0, 1000000)
/* clang-format on */
struct release_bounds {
#define X(member, type, standard, least, most) type member;
	RELEASE_BOUNDS(X)
#undef X
};

#define RELEASE_JITTER_S_MAX (7 * 86400)
#define RELEASE_RATE_KIB_S_MAX (1 << 20)
/* When and how fast it is fetched. */
struct fetch_terms {
	int from_min,
	    to_min; /* of the store's day, from ≤ t < to, over midnight if from > to; equal: at any time */
	int64_t jitter_s;   /* 0: at once */
	int64_t rate_kib_s; /* 0: as fast as it goes */
};

struct release {
	char channel[TRUST_NAME_SIZE];
	int64_t sequence, issued_ms, expires_ms;
	char (*stores)[TRUST_NAME_SIZE]; /* NULL: not by name */
	size_t store_count;
	bool has_percent;
	double percent; /* 0-100 */
	uint8_t salt[8];
	char rings[RELEASE_RINGS_MAX][TRUST_NAME_SIZE];
	size_t ring_count;
	struct release_bounds bounds; /* what is not said is the default */
	struct fetch_terms fetch;
	struct release_bundle bundles[BUNDLE_KINDS];
	uint8_t digest[32]; /* of the manifest */
};

/* Who we are: [store] id, [hq] channel and ring. */
struct trust_self {
	const char *store, *channel;
	const char *ring; /* NULL: in none; takes what names no ring */
};

/* The manifest alone, nothing verified. ret is to be given to release_done() on success. */
int release_parse(const char *manifest, size_t len, const char *name, struct release *ret,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
void release_done(struct release *release);
/* Root in force, threshold of release keys, then parsed: what it says is HQ's. */
int release_open(const struct root *root, const char *text, size_t len, const char *name,
    int64_t now_ms, struct release *ret, enum refusal *ret_refusal, struct err *err)
    AISLE_MUST_CHECK;
/* expired: it is not installed any more; what runs goes on. */
int release_in_time(const struct release *release, int64_t now_ms, enum refusal *ret_refusal,
    struct err *err) AISLE_MUST_CHECK;
/* other-channel, not-for-us (stores, percentage, ring). */
int release_for_us(const struct release *release, const struct trust_self *self,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
/* Where a store stands among all, 0 ≤ x < 1: it is among P % of them if x < P / 100. */
double release_share(const uint8_t salt[static 8], const char *store);
/* May it come this way? A channel's topic: kinds policy and catalog. A store's own (own): for that store alone, kind
 * profiles. other-channel, other-store, wrong-kind. */
int release_topic(const struct release *release, const struct trust_self *self, bool own,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
/* The name of its sequence in struct sequences. */
void release_counter(const struct release *release, bool own, char out[static SEQUENCES_NAME_SIZE]);
/* All of that in its order: open, topic, for us, sequence, in time. 0: *ret_new says whether there is something to do; the
 * caller takes its sequence (sequences_take) when it acts on it. ret is to be done in any case but a refusal. */
int release_accept(const struct root *root, const struct sequences *seen,
    const struct trust_self *self, bool own, const char *text, size_t len, const char *name,
    int64_t now_ms, struct release *ret, bool *ret_new, enum refusal *ret_refusal, struct err *err)
    AISLE_MUST_CHECK;

void release_init(struct release *release);			    /* defaults, for HQ to fill */
bool release_hours(const char *text, struct fetch_terms *ret);	    /* "22:00-06:00" */
void release_write(const struct release *release, struct buf *out); /* the manifest */

#endif
