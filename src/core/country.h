/* SPDX-License-Identifier: Apache-2.0
 *
 * country.h - ISO 3166-1: which two letters are a country.
 */
#ifndef AISLE_CORE_COUNTRY_H
#define AISLE_CORE_COUNTRY_H

#include <stdbool.h>

bool country_is_one(const char *code);

#endif
