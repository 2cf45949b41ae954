/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt_packet.c - what of MQTT 5 a broker may send to a client that subscribes at QoS 1.
 *
 * DESIGN
 *   libmosquitto 2.0 trusts its broker: a property that it does not know ends the process by an assertion,
 *   a length of 256 MiB is allocated, a second CONNACK asks for every topic again, a PUBREL is answered
 *   whoever asks. So a packet is looked at first, and only what the standard lets a broker send here goes
 *   on: CONNACK first and once, PUBLISH of QoS 0 and 1, the acknowledgements of what we do, PINGRESP,
 *   DISCONNECT; in each the properties that it may have (MQTT 5.0, 2.2.2.2), whole and known. Topic
 *   aliases are none of them: we said that we take none.
 *
 *   What is inside of texts is the library's to judge: it refuses without harm.
 */
#include "ingest/mqtt_packet.h"

struct rest {
	const uint8_t *at, *end;
};

static size_t
left(const struct rest *rest)
{
	return (size_t)(rest->end - rest->at);
}

static bool
skip(struct rest *rest, size_t bytes)
{
	if (left(rest) < bytes)
		return false;
	rest->at += bytes;
	return true;
}

/* One to four bytes, seven bits each. > 0: how many; 0: they are not all there; negative: more than four. */
static int
take_number(struct rest *rest, uint32_t *ret_number)
{
	uint32_t number = 0;

	for (int i = 0; i < 4; i++) {
		if (left(rest) == 0)
			return 0;
		number |= (uint32_t)(*rest->at & 127) << 7 * i;
		if ((*rest->at++ & 128) == 0) {
			*ret_number = number;
			return i + 1;
		}
	}
	return -1;
}

static bool
take_two(struct rest *rest, uint16_t *ret_number)
{
	if (left(rest) < 2)
		return false;
	*ret_number = (uint16_t)(rest->at[0] << 8 | rest->at[1]);
	rest->at += 2;
	return true;
}

static bool
skip_text(struct rest *rest)
{
	uint16_t len;

	return take_two(rest, &len) && skip(rest, len);
}

/* ---- properties ---- */

#define BIT(id) (UINT64_C(1) << (id))
#define REASON_AND_PAIRS (BIT(0x1F) | BIT(0x26))

static const uint64_t of_connack = REASON_AND_PAIRS | BIT(0x11) | BIT(0x12) | BIT(0x13) |
    BIT(0x15) | BIT(0x16) | BIT(0x1A) | BIT(0x1C) | BIT(0x21) | BIT(0x22) | BIT(0x24) | BIT(0x25) |
    BIT(0x27) | BIT(0x28) | BIT(0x29) | BIT(0x2A);
static const uint64_t of_publish =
    BIT(0x01) | BIT(0x02) | BIT(0x03) | BIT(0x08) | BIT(0x09) | BIT(0x0B) | BIT(0x26);
static const uint64_t of_acknowledgement = REASON_AND_PAIRS;
static const uint64_t of_disconnect = REASON_AND_PAIRS | BIT(0x1C);

static bool
skip_value(struct rest *rest, uint32_t id)
{
	uint32_t number;

	switch (id) {
	case 0x01: /* payload format */
	case 0x24: /* the highest QoS */
	case 0x25: /* retained messages */
	case 0x28: /* wildcards */
	case 0x29: /* subscription identifiers */
	case 0x2A: /* shared subscriptions */ return skip(rest, 1);
	case 0x13: /* keep alive */
	case 0x21: /* the most at once */
	case 0x22: /* topic aliases */ return skip(rest, 2);
	case 0x02: /* when a message expires */
	case 0x11: /* when the session does */
	case 0x27: /* the largest packet */ return skip(rest, 4);
	case 0x0B: /* a subscription's identifier */ return take_number(rest, &number) > 0;
	case 0x26: /* a pair of the user's */ return skip_text(rest) && skip_text(rest);
	default: /* a text, or bytes with their length before them */ return skip_text(rest);
	}
}

static const char *
check_properties(struct rest *rest, uint64_t allowed)
{
	struct rest inside;
	uint32_t len, id;

	if (take_number(rest, &len) <= 0 || left(rest) < len)
		return "properties that go on past its end";
	inside = (struct rest){ rest->at, rest->at + len };
	rest->at += len;
	while (left(&inside) > 0) {
		/* The standard's identifiers are one byte each. */
		if (take_number(&inside, &id) != 1 || id >= 64 || (allowed & BIT(id)) == 0)
			return "a property that it may not have";
		if (!skip_value(&inside, id))
			return "a property that goes on past its end";
	}
	return NULL;
}

/* ---- packets: NULL, or what is wrong ---- */

static const char *
check_connack(struct rest *rest)
{
	uint16_t answer;

	if (!take_two(rest, &answer) || (answer & 0xFE00) != 0)
		return "a CONNACK without an answer";
	/* A broker of before MQTT 5 refuses us without properties. */
	if (left(rest) == 0)
		return (answer & 0xFF) != 0 ? NULL : "a CONNACK of an older MQTT";
	return check_properties(rest, of_connack);
}

static const char *
check_publish(struct rest *rest, bool acknowledged)
{
	uint16_t len, id = 1;

	if (!take_two(rest, &len) || len == 0 || !skip(rest, len))
		return "a message without a topic";
	if (acknowledged && (!take_two(rest, &id) || id == 0))
		return "a message without an identifier";
	return check_properties(rest, of_publish);
}

static const char *
check_identifier(struct rest *rest)
{
	uint16_t id;

	return take_two(rest, &id) && id != 0 ? NULL : "an acknowledgement of nothing";
}

static const char *
check_puback(struct rest *rest)
{
	const char *why = check_identifier(rest);

	if (why != NULL || !skip(rest, 1) || left(rest) == 0)
		return why;
	return check_properties(rest, of_acknowledgement);
}

/* Of a subscription, or of its end: an answer for each topic. */
static const char *
check_suback(struct rest *rest)
{
	const char *why = check_identifier(rest);

	if (why == NULL)
		why = check_properties(rest, of_acknowledgement);
	if (why == NULL && left(rest) == 0)
		why = "an acknowledgement without an answer";
	rest->at = rest->end;
	return why;
}

static const char *
check_disconnect(struct rest *rest)
{
	if (!skip(rest, 1) || left(rest) == 0)
		return NULL;
	return check_properties(rest, of_disconnect);
}

static const char *
check_body(uint8_t first, struct rest *rest)
{
	switch (first >> 4) {
	case 2: return check_connack(rest);
	case 3: return check_publish(rest, (first >> 1 & 3) > 0);
	case 4: return check_puback(rest);
	case 9:
	case 11: return check_suback(rest);
	case 14: return check_disconnect(rest);
	default: /* PINGRESP */ return NULL;
	}
}

/* By its first byte: what cannot be good is not waited for. */
static const char *
check_kind(uint8_t first, bool greeted)
{
	if ((first == 0x20) == greeted)
		return greeted ? "a second CONNACK" : "a packet before the CONNACK";
	if (first >> 4 == 3)
		return (first & 6) == 6 ? "a message of QoS 3"
		    : (first & 6) == 4	? "a message of QoS 2, which we never asked for"
					: NULL;
	switch (first) {
	case 0x20:
	case 0x40:
	case 0x90:
	case 0xB0:
	case 0xD0:
	case 0xE0: return NULL;
	default: return "a packet that is not a broker's to send";
	}
}

static const char *
check_whole(uint8_t first, struct rest *rest)
{
	const char *why = check_body(first, rest);

	if (why == NULL && first >> 4 != 3 && left(rest) > 0)
		why = "a packet that is longer than what is in it";
	return why;
}

int64_t
mqtt_packet_check(const uint8_t *bytes, size_t len, bool *greeted, const char **ret_why)
{
	struct rest rest = { bytes, bytes + len };
	uint32_t body = 0;
	int head;

	if (!skip(&rest, 1))
		return 0;
	*ret_why = check_kind(bytes[0], *greeted);
	if (*ret_why != NULL)
		return AISLE_E_INVALID;
	head = take_number(&rest, &body);
	if (head == 0)
		return 0;
	if (head < 0)
		*ret_why = "a packet whose length has no end";
	else if (1 + (size_t)head + body > MQTT_PACKET_BYTES_MAX)
		*ret_why = "a packet of more than 128 KiB";
	if (*ret_why != NULL)
		return AISLE_E_INVALID;
	if (left(&rest) < body)
		return 0;
	rest.end = rest.at + body;
	*ret_why = check_whole(bytes[0], &rest);
	if (*ret_why != NULL)
		return AISLE_E_INVALID;
	*greeted = true;
	return 1 + head + (int64_t)body;
}
