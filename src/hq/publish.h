/* SPDX-License-Identifier: Apache-2.0
 *
 * publish.h - what HQ sends, onto its brokers: roots, releases, orders, and the bundles that releases name.
 */
#ifndef AISLE_HQ_PUBLISH_H
#define AISLE_HQ_PUBLISH_H

#include "hq/broker.h"

#define PUBLISH_FILES_MAX 20000

struct publish_options {
	struct broker_options broker; /* all of them are served */
	/* Roots, releases, orders, bundles: what each is is seen from its content. */
	const char *const *files;
	size_t file_count;
	const char *dir;  /* NULL: none. All that is in its root/, releases/, orders/, artifacts/ */
	const char *from; /* NULL: none. What collect wrote: which orders stores have taken */
	/* Until SIGTERM: what a broker has lost is filled in again, requests are answered. */
	bool serve;
	int64_t rate_kib_s; /* of answers to requests, all stores together */
};
/* One process a broker, so that one that hangs delays no other. 0: every broker has acknowledged all, and has it.
 * AISLE_E_REFUSED: something does not verify, and nothing was sent. */
int publish_run(const struct publish_options *options, struct err *err) AISLE_MUST_CHECK;

#endif
