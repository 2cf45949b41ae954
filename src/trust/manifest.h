/* SPDX-License-Identifier: Apache-2.0
 *
 * manifest.h - reads a manifest: its kind, a closed set of members, and values within their bounds.
 */
#ifndef AISLE_TRUST_MANIFEST_H
#define AISLE_TRUST_MANIFEST_H

#include "core/json.h"
#include "trust/refusal.h"

/* One text. What is wrong first stays: rc is AISLE_E_REFUSED then, and every reader gives nothing. */
struct manifest {
	json_t *json;
	const char *name; /* of the file or topic */
	enum refusal *ret_refusal;
	struct err *err;
	int rc;
};

/* JSON of this kind ("release": its member of that name is 1), with these members, separated by blanks; "name?": may be
 * missing. wrong-kind, malformed. */
void manifest_read(struct manifest *m, const char *text, size_t len, const char *kind,
    const char *members);
void manifest_done(struct manifest *m);
/* Of an object within it: where is its name for people. */
void manifest_members(struct manifest *m, const json_t *object, const char *where,
    const char *members);
void manifest_malformed(struct manifest *m, const char *format, ...) AISLE_PRINTF(2, 3);
bool manifest_has(const json_t *object, const char *member);
int64_t manifest_int(struct manifest *m, const json_t *object, const char *member, int64_t least,
    int64_t most);
double manifest_number(struct manifest *m, const json_t *object, const char *member, double least,
    double most);
int64_t manifest_time(struct manifest *m, const json_t *object, const char *member);
/* issued and expires: the first before the second. */
void manifest_times(struct manifest *m, int64_t *ret_issued_ms, int64_t *ret_expires_ms);
/* 1 to size - 1 bytes without control characters. */
void manifest_text(struct manifest *m, const json_t *object, const char *member, char *ret,
    size_t size);
/* A store, channel or ring: value may be a list's element. */
void manifest_name(struct manifest *m, const json_t *value, const char *member, char *ret,
    size_t size);
/* len bytes as lower-case hex. */
void manifest_hex(struct manifest *m, const json_t *object, const char *member, void *ret,
    size_t len);
/* A list of least to most elements; NULL: it is none. */
const json_t *manifest_list(struct manifest *m, const json_t *object, const char *member,
    size_t least, size_t most);

#endif
