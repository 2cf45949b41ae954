/* SPDX-License-Identifier: Apache-2.0
 *
 * refusal.h - refusals: their names, and a counter for each.
 */
#ifndef AISLE_TRUST_REFUSAL_H
#define AISLE_TRUST_REFUSAL_H

#include "aisle/base.h"
#include "aisle/refusal.h"
#include "core/json_write.h"

#define TRUST_NAME_SIZE 33 /* of a store, channel, ring: [A-Za-z0-9_-]{1,32} */
bool trust_name_ok(const char *text);

const char *refusal_name(enum refusal refusal); /* "bad-signature"; of REFUSED_NONE "none" */
/* What refusal_say() said of it, without the name before it. */
const char *refusal_reason(enum refusal refusal, const char *text);
/* REFUSED_COUNT: no refusal is called that. */
enum refusal refusal_by_name(const char *name);
/* Says no: counts the refusal, fills err (what, where, what was expected) and *ret_refusal; each may be NULL. Returns
 * AISLE_E_REFUSED. Whoever refuses calls it once; who hands a refusal on does not. */
int refusal_say(enum refusal refusal, enum refusal *ret_refusal, struct err *err,
    const char *format, ...) AISLE_PRINTF(4, 5);
/* Headquarters did not send it, or not so: somebody else's hand, or another's file. The others are the
 * store's own judgement of what headquarters did sign. */
bool refusal_is_foreign(enum refusal refusal);
int64_t refusal_count(enum refusal refusal); /* since the start */
/* {"threshold":2,…}: of those that there were. name as in json_add_object(). */
void refusal_write(struct json_writer *w, const char *name);

#endif
