/* SPDX-License-Identifier: Apache-2.0
 *
 * device.h - a gateway's public key: the request that it makes, and what HQ signs of it (DEVICE.pub).
 */
#ifndef AISLE_TRUST_DEVICE_H
#define AISLE_TRUST_DEVICE_H

#include "trust/release.h"

struct device {
	char store[TRUST_NAME_SIZE];
	uint8_t key[32]; /* X25519 */
	int64_t at_ms;	 /* of a request */
};
/* The request's text, {"request":1,"store","key","at"}. */
int device_request_read(const char *text, size_t len, const char *name, struct device *ret,
    struct err *err) AISLE_MUST_CHECK;
void device_request_write(const struct device *device, struct buf *out);
/* DEVICE.pub: an envelope. root NULL: the signature is not looked at (HQ's own file). */
int device_open(const struct root *root, const char *text, size_t len, const char *name,
    int64_t now_ms, struct device *ret, enum refusal *ret_refusal, struct err *err)
    AISLE_MUST_CHECK;
void device_write(const struct device *device, struct buf *out); /* the manifest */

#endif
