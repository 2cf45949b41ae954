/* SPDX-License-Identifier: Apache-2.0
 *
 * features_decl.h - the text after "from" to a struct feature. Pure.
 */
#ifndef AISLE_SCORE_FEATURES_DECL_H
#define AISLE_SCORE_FEATURES_DECL_H

#include "aisle/policy.h"
#include "core/arena.h"

/* "local.sum(category=grocery/coffee, half_life=30d)" into feature (source and parameters; name, type and
 * default are the caller's). model.NAME: field_name is NAME, the caller resolves feature->model.
 * err->column counts in from. */
int feature_parse_from(struct arena *arena, const char *from, struct feature *feature,
    struct err *err) AISLE_MUST_CHECK;
/* What type a source gives: VALUE_NUMBER for local.*, …; VALUE_MISSING where the declaration decides (profile, event). */
enum value_tag feature_natural_type(const struct feature *feature);

#endif
