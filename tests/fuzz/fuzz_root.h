/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_root.h - a headquarters of one key, that may sign everything.
 */
#ifndef AISLE_TESTS_FUZZ_ROOT_H
#define AISLE_TESTS_FUZZ_ROOT_H

#include "trust/root.h"

#define NOW_MS INT64_C(1795257000123)

static struct minisign_secret *secret;
static struct root root;

static inline void
set_up(void)
{
	struct minisign_pub pub;

	if (secret != NULL)
		return;
	secret = minisign_generate();
	minisign_secret_pub(secret, &pub);
	root = (struct root){
		.version = 1, .issued_ms = 1, .expires_ms = NOW_MS + D_MS, .threshold = 1
	};
	for (int role = 0; role < ROLE_COUNT; role++) {
		root.keys[role][0] = pub;
		root.key_count[role] = 1;
	}
}

#endif
