/* SPDX-License-Identifier: Apache-2.0
 *
 * train_folder.h - the policy that the trainer runs under, and the folder that it writes.
 */
#ifndef AISLE_TOOLS_TRAIN_FOLDER_H
#define AISLE_TOOLS_TRAIN_FOLDER_H

#include "sync/bundle_internal.h"
#include "tools/recorded.h"
#include "tools/train.h"
#include "tools/train_features.h"

struct train_folder {
	struct folder parts;	   /* of the policy */
	json_t *features, *models; /* as its author wrote them; NULL: none */
	char *work;		   /* scratch folder, removed at the end */
	bool policy_currency;
	const char *output; /* once begun */
};
/* Reads the policy of options, or makes one that never speaks. */
int train_folder_open(struct train_folder *folder, const struct train_options *options,
    struct err *err) AISLE_MUST_CHECK;
void train_folder_close(struct train_folder *folder);
/* From now on the policy declares these features beside its own. */
void train_folder_declare(struct train_folder *folder, const struct train_features *features);
/* Puts it in force. */
int train_folder_use(struct train_folder *folder, struct recorded *recorded, struct buf *report,
    struct err *err) AISLE_MUST_CHECK;
/* The folder for the result: new or empty. */
int train_folder_begin(struct train_folder *folder, const char *output, struct err *err)
    AISLE_MUST_CHECK;
/* output/sub/name + ending; sub NULL: none. */
int train_folder_write(struct train_folder *folder, const char *sub, const char *name,
    const char *ending, const struct buf *text, struct err *err) AISLE_MUST_CHECK;

#endif
