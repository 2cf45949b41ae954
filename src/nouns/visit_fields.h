/* SPDX-License-Identifier: Apache-2.0
 *
 * visit_fields.h - what of a visit is saved, for visit.c and visit_codec.c.
 */
#ifndef AISLE_NOUNS_VISIT_FIELDS_H
#define AISLE_NOUNS_VISIT_FIELDS_H

#include "nouns/codec.h"

extern const struct field visit_fields[], line_fields[], article_void_fields[], back_fields[],
    card_fields[], shortlist_fields[], listing_fields[];
extern const size_t visit_field_count, line_field_count, article_void_field_count, back_field_count,
    card_field_count, shortlist_field_count, listing_field_count;

#endif
