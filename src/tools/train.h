/* SPDX-License-Identifier: Apache-2.0
 *
 * train.h - models from recorded events, in one go: for a chain without a data team.
 */
#ifndef AISLE_TOOLS_TRAIN_H
#define AISLE_TOOLS_TRAIN_H

#include "core/buf.h"
#include "tools/recorded.h"

struct train_options {
	const char *events;   /* a file: it is read twice */
	const char *output;   /* a folder that is not there yet, or empty */
	const char *policy;   /* the policy's folder that the result joins; NULL: none */
	const char *profiles; /* NULL: consent is in the events alone */
	struct conf *conf;
	bool policy_currency;  /* the currency is the policy's, or that of the first sale */
	const uint8_t *pepper; /* NULL: any will do, no profile names a customer */
	int turn;
	bool store_named;			     /* as of recorded_options */
	void (*progress)(void *ctx, int64_t events); /* NULL: none */
	void *progress_ctx;
};
/* Writes the folder. summary: a line for each model, also of those left out; report: mistakes of
 * the policy, or what of the events was refused. Without a customer who agreed there is only what goes
 * together. AISLE_E_INVALID with err when nothing could be learned; then nothing was written. */
int train_run(const struct train_options *options, struct buf *summary, struct buf *report,
    struct err *err) AISLE_MUST_CHECK;

#endif
