/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_want.h - stores that ask for chunks: what each waits for, and who is next.
 */
#ifndef AISLE_HQ_PUBLISH_WANT_H
#define AISLE_HQ_PUBLISH_WANT_H

#include "hq/publish_plan.h"

#define WANTS_STORES_MAX 4096
#define WANT_CHUNKS_MAX 32  /* of one request */
#define WANT_STORE_S 16	    /* chunks a second that one store gets, */
#define WANT_STORE_BURST 64 /* after a pause so many at once */

struct want {
	char store[TRUST_NAME_SIZE];
	const struct artifact_file *artifact;
	int64_t next, left; /* chunks */
	double tokens;
	int64_t at_ms; /* of the tokens */
};
struct wants {
	struct want *want; /* one a store */
	size_t count, turn;
	double tokens; /* bytes for all */
	int64_t rate_s, at_ms;
	int64_t refused;
};
void wants_init(struct wants *wants, int64_t rate_kib_s, int64_t now_ms);
void wants_done(struct wants *wants);
void wants_clear(struct wants *wants); /* the plan is another: nobody waits for anything */
/* A message on "aisle/v1/hq/store/{store}/want". What a store asked before is replaced. false: not so, or not for
 * them; counted. */
bool wants_take(struct wants *wants, const struct plan *plan, const char *topic,
    const void *payload, size_t len, int64_t now_ms);
/* The chunk that is to be sent now; false: none. Stores take turns. */
bool wants_next(struct wants *wants, int64_t now_ms, char ret_store[static TRUST_NAME_SIZE],
    const struct artifact_file **ret_artifact, int64_t *ret_n);
void wants_sent(struct wants *wants, size_t bytes);

#endif
