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
#define MAPPING_PARSE_MAX 16
#define MAPPING_NEVER "aisle/" /* topics that are of no mapping, whatever its filter */
#define RULE_ERR(err, ...) err_set((err), AISLE_E_INVALID, __VA_ARGS__)

struct mapping_field {
	char *name;
	struct logic *rule;
};

struct mapping_event {
	enum event_type type;
	struct logic *each;		/* NULL: the message itself */
	bool snapshot;			/* lines that the message does not name are void */
	struct logic *when, *id, *time; /* when, time NULL: always, none */
	struct mapping_field fields[MAPPING_FIELDS_MAX];
	size_t field_count;
};

struct mapping {
	char *name, *topic;
	int segment;			      /* of the terminal, from 1; 0: terminal_rule */
	struct logic *terminal_rule, *ignore; /* ignore NULL: nothing */
	bool xml, decimal, round;
	char *currency; /* the store's, of money without one; NULL: not known */
	int digits;	/* its decimals */
	struct mapping_field lets[MAPPING_FIELDS_MAX]; /* "$NAME", worked out once a message */
	size_t let_count;
	char *parse[MAPPING_PARSE_MAX]; /* paths of texts that hold JSON */
	size_t parse_count;
	bool local, of_store; /* times without a zone are taken, by that of the store */
	struct zone *zone;    /* NULL: UTC */
	struct mapping_event events[MAPPING_EVENTS_MAX];
	size_t event_count;
};

/* What a rule looks at: the data, and what is around it. */
struct mapping_view {
	json_t *data;
	struct logic_around around;
};

/* mapping_message.c: a payload as the rules see it. Both are to be given to message_done. */
int message_read(const struct mapping *mapping, const char *topic, const void *payload, size_t len,
    struct mapping_view *ret_view, struct err *err);
void message_done(struct mapping_view *view);

/* mapping_lines.c. Lines in data that are texts become numbers. */
void mapping_lines(json_t *data);
/* One event that a message makes. */
struct made {
	json_t *event; /* CloudEvent, a reference */
	bool snapshot; /* of a rule that names all lines */
	bool marker;   /* it stands for a list without lines, and is none itself */
};
/* The events in their order, each snapshot followed by the void of what it did not name. */
json_t *mapping_settle(const struct made *made, size_t count);

/* mapping_values.c. Of data in place, decimal amounts to minor units. false: *ret_member is the one
 * that is none. */
bool mapping_money(const struct mapping *mapping, json_t *data, const char **ret_member);
/* Reals without a fraction become integers: JsonLogic knows one kind of number, the contract two.
 * New reference. */
json_t *mapping_integers(json_t *value);
/* RFC 3339 text of a time: numbers are s, ms, µs or ns; a text without a zone is of the mapping's;
 * other texts pass. New reference; NULL: neither. */
json_t *mapping_time(const struct mapping *mapping, const json_t *value);
/* A rule may use another's value many times over: is it of a size that can be walked? */
bool mapping_bounded(const json_t *value);
/* A non-empty text, or an integer as decimal digits: sequence numbers are ids in many tills. */
bool mapping_text(const json_t *value, char *out, size_t size);

/* mapping_rule.c. A rule, or an object or list of rules, as one program; report as pointer and text. */
typedef void (*mapping_wrong_fn)(void *ctx, const char *pointer, const char *text);
struct logic *mapping_rule(const json_t *rule, const char *pointer, mapping_wrong_fn wrong,
    void *ctx);

/* mapping_check.c. Of data of an event: a member that the type does not have, or needs and is not there. */
void mapping_check_data(enum event_type type, const json_t *data, const char *pointer,
    mapping_wrong_fn wrong, void *ctx);
/* Each {"var":"$NAME…"} in a rule is of a "let" that was read before. */
void mapping_check_names(const struct mapping *mapping, const json_t *rule, const char *pointer,
    mapping_wrong_fn wrong, void *ctx);

#endif
