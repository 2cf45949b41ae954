/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_image.h - what a policy bundle compiled to, kept beside it for the next start.
 */
#ifndef AISLE_SYNC_BUNDLE_IMAGE_H
#define AISLE_SYNC_BUNDLE_IMAGE_H

#include "aisle/policy.h"
#include "core/beside.h"
#include "core/buf.h"
#include "trust/refusal.h"

#define BUNDLE_IMAGE_TAIL ".image"

/* Opens, compiles and examines the bundle at path and writes path.image, authenticated with the
 * device's key. That takes a good part of a second for a big policy, and several times its memory:
 * for another process than the one that serves. AISLE_E_NONE: the bundle is good, but no image of
 * it can be kept. Any other: it may not be used, err says why, and *ret_why in a word. */
int bundle_image_make(const char *path, const uint8_t key[static 32], char ret_hash[static 65],
    enum refusal *ret_why, struct err *err) AISLE_MUST_CHECK;
/* The policy of the bundle at path from its image. AISLE_E_NONE: there is none that this device and
 * this build of the program wrote for that very file; err says why. */
int bundle_image_open(const char *path, const uint8_t key[static 32], struct policy **ret_policy,
    struct err *err) AISLE_MUST_CHECK;

/* bundle_image_make in a child process. AISLE_E_NONE: there is no room for a process. */
int bundle_job_start(const char *path, const uint8_t key[static 32], int64_t max_ms,
    struct beside *ret_job, struct err *err) AISLE_MUST_CHECK;
/* Waits for the end, and what bundle_image_make returned; else as of beside_finish(). Instead:
 * beside_stop(). */
int bundle_job_finish(struct beside *job, char ret_hash[static 65], enum refusal *ret_why,
    struct err *err) AISLE_MUST_CHECK;

#endif
