/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_internal.h - a mapping as it was loaded. Private to ingest.
 */
#ifndef AISLE_INGEST_MAPPING_INTERNAL_H
#define AISLE_INGEST_MAPPING_INTERNAL_H

#include "logic/logic.h"
#include "ingest/mapping.h"

#define MAPPING_BYTES_MAX (256u << 10)
#define MAPPING_EVENTS_MAX 64
#define MAPPING_FIELDS_MAX 32

struct mapping_field {
	char *name;
	struct logic *rule;
};

struct mapping_event {
	enum event_type type;
	struct logic *when, *id, *time; /* when, time NULL: always, none */
	struct mapping_field fields[MAPPING_FIELDS_MAX];
	size_t field_count;
};

struct mapping {
	char *name, *topic;
	int segment; /* of the terminal, from 1; 0: terminal_rule */
	struct logic *terminal_rule;
	bool decimal, round;
	int digits; /* of money without a currency */
	struct mapping_event events[MAPPING_EVENTS_MAX];
	size_t event_count;
};

/* mapping_values.c. Of data in place, decimal amounts to minor units. false: *ret_member is the one
 * that is none. */
bool mapping_money(const struct mapping *mapping, json_t *data, const char **ret_member);
/* Reals without a fraction become integers: JsonLogic knows one kind of number, the contract two.
 * New reference. */
json_t *mapping_integers(json_t *value);
/* RFC 3339 text of a time: text passes, numbers are s, ms, µs or ns. New reference; NULL:
 * neither. */
json_t *mapping_time(const json_t *value);

#endif
