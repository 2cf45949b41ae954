/* SPDX-License-Identifier: Apache-2.0
 *
 * erasure.h - customers that HQ has forgotten, and what becomes of the records that name them.
 */
#ifndef AISLE_HQ_ERASURE_H
#define AISLE_HQ_ERASURE_H

#include "core/buf.h"

struct erasure {
	char subject[33];
	int64_t at_ms; /* records up to here; who comes back later is a customer again */
};
struct erasures {
	struct erasure *items; /* ascending by subject */
	size_t count, capacity;
};
/* The later of two times stays. */
void erasures_add(struct erasures *erasures, const char *subject, int64_t at_ms);
const struct erasure *erasures_find(const struct erasures *erasures, const char *subject);
/* Of all, those that known does not have with a time as late. */
void erasures_unknown(const struct erasures *all, const struct erasures *known,
    struct erasures *ret_unknown);
void erasures_done(struct erasures *erasures);

enum erased {
	ERASED_NOT,  /* it names nobody that was forgotten */
	ERASED_BODY, /* ret_body is what is left of it */
	ERASED_ROW,  /* nothing is left of it */
};
/* Of a record as it stands in the database: body is JSON as json_write() has it. */
enum erased erasures_apply(const struct erasures *erasures, const char *type, int64_t at_ms,
    const char *body, struct buf *ret_body);

#endif
