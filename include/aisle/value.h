/* SPDX-License-Identifier: Apache-2.0
 *
 * value.h - one value of a rule or a feature.
 */
#ifndef AISLE_VALUE_H
#define AISLE_VALUE_H

#include "aisle/base.h"

struct json_t;

enum value_tag {
	VALUE_MISSING, /* not known: never zero, never false; makes the clause that reads it unknown */
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_NUMBER,
	VALUE_STRING,
	VALUE_JSON, /* array or object: only in rule eval and in constants */
};

/* Borrowed: str and json belong to the policy, the turn's arena or the caller's data. Only the
 * member that the tag names is set. Two words, so that a value is handed over in registers. */
struct value {
	enum value_tag tag;
	union {
		bool truth;	     /* VALUE_BOOL */
		double number;	     /* VALUE_NUMBER */
		const char *str;     /* VALUE_STRING, NUL-terminated UTF-8 */
		struct json_t *json; /* VALUE_JSON */
	};
};

static inline struct value
value_missing(void)
{
	return (struct value){ .tag = VALUE_MISSING };
}

static inline struct value
value_number(double number)
{
	return (struct value){ .tag = VALUE_NUMBER, .number = number };
}

static inline struct value
value_bool(bool truth)
{
	return (struct value){ .tag = VALUE_BOOL, .truth = truth };
}

static inline struct value
value_string(const char *str)
{
	return (struct value){ .tag = VALUE_STRING, .str = str };
}

#endif
