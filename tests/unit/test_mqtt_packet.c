/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mqtt_packet.c - what a broker may send goes on, and nothing else, however it is cut.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ingest/mqtt_packet.h"

struct row {
	const char *hex;
	bool greeted;
	const char *why; /* NULL: it goes on */
};

#define ALIEN "a packet that is not a broker's to send"
#define LONG "a packet that is longer than what is in it"
#define PAST "properties that go on past its end"
#define VALUE_PAST "a property that goes on past its end"
#define MAY_NOT "a property that it may not have"

static const struct row rows[] = {
	/* CONNACK: with properties, with those of a large broker, and of an older one that refuses. */
	{ "2003000000", false, NULL },
	{ "2003010000", false, NULL },
	{ "200b0000082100142200002700", false, VALUE_PAST },
	{ "200900000621001422000a", false, NULL },
	{ "20020001", false, NULL },
	{ "20020000", false, "a CONNACK of an older MQTT" },
	{ "20020200", false, "a CONNACK without an answer" },
	{ "200100", false, "a CONNACK without an answer" },
	{ "2000", false, "a CONNACK without an answer" },
	/* What libmosquitto 2.0.11 ends the process for: a property that it does not know. */
	{ "200500000204aa", false, MAY_NOT },
	{ "2005000002fe01", false, MAY_NOT },
	{ "200500000223aa", false, MAY_NOT },
	{ "200400000500", false, PAST },
	{ "2103000000", false, "a packet before the CONNACK" },
	{ "2003000000", true, "a second CONNACK" },
	{ "d000", false, "a packet before the CONNACK" },
	/* PUBLISH: topic a, of QoS 0 and 1, again and retained; with properties; without a payload. */
	{ "30050001610078", true, NULL },
	{ "300400016100", true, NULL },
	{ "3206000161000100", true, NULL },
	{ "3b0700016100010078", true, NULL },
	{ "300c00016107260001620001637a", true, NULL },
	{ "3009000161050300026a6b", true, NULL },
	{ "30070001610302000000", true, VALUE_PAST },
	{ "30070001610323000178", true, MAY_NOT },
	{ "300600016102047a", true, MAY_NOT },
	{ "3206000161000000", true, "a message without an identifier" },
	{ "320400016100", true, "a message without an identifier" },
	{ "3003000000", true, "a message without a topic" },
	{ "3003000561", true, "a message without a topic" },
	{ "3000", true, "a message without a topic" },
	{ "3003000161", true, PAST },
	{ "30050001618078", true, PAST },
	{ "3406000161000100", true, "a message of QoS 2, which we never asked for" },
	{ "3606000161000100", true, "a message of QoS 3" },
	{ "3e06000161000100", true, "a message of QoS 3" },
	/* Acknowledgements of what we sent, and of what we asked for. */
	{ "40020001", true, NULL },
	{ "4003000110", true, NULL },
	{ "400400011000", true, NULL },
	{ "40080001100426000000", true, VALUE_PAST },
	{ "400a00011005260000000000", true, LONG },
	{ "40020000", true, "an acknowledgement of nothing" },
	{ "400101", true, "an acknowledgement of nothing" },
	{ "40050001000104", true, MAY_NOT },
	{ "410200010000", true, ALIEN },
	{ "900400010001", true, NULL },
	{ "90060001000100 80", true, NULL },
	{ "9003000100", true, "an acknowledgement without an answer" },
	{ "90020001", true, PAST },
	{ "b00400010011", true, NULL },
	{ "d000", true, NULL },
	{ "d00100", true, LONG },
	{ "e000", true, NULL },
	{ "e0018e", true, NULL },
	{ "e0028e00", true, NULL },
	{ "e0098e071f000474657374", true, NULL },
	{ "e0048e020400", true, MAY_NOT },
	{ "e0078e051100000000", true, MAY_NOT },
	/* What a client says, and what only QoS 2 needs. */
	{ "1000", true, ALIEN },
	{ "50020001", true, ALIEN },
	{ "62020001", true, ALIEN },
	{ "70020001", true, ALIEN },
	{ "8205000100016100", true, ALIEN },
	{ "c000", true, ALIEN },
	{ "f00118", true, ALIEN },
	{ "0000", true, ALIEN },
	/* Lengths: of five bytes, of 256 MiB, one more than what we take. */
	{ "30ffffffff01", true, "a packet whose length has no end" },
	{ "30ffffff7f", true, "a packet of more than 128 KiB" },
	{ "308d8008", true, "a packet of more than 128 KiB" },
};

static size_t
from_hex(const char *hex, uint8_t *out)
{
	size_t len = 0;

	for (; *hex != '\0'; hex += *hex == ' ' ? 1 : 2) {
		char two[3] = { hex[0], hex[1], '\0' };

		if (*hex != ' ')
			out[len++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return len;
}

/* From a copy of exactly that length: what is read behind it is found. */
static int64_t
check(const uint8_t *bytes, size_t len, bool *greeted, const char **ret_why)
{
	uint8_t *copy = malloc(len + (len == 0));
	int64_t took;

	memcpy(copy, bytes, len);
	took = mqtt_packet_check(copy, len, greeted, ret_why);
	free(copy);
	return took;
}

static void
a_packet_goes_on_or_is_refused_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[64];
		size_t len = from_hex(rows[i].hex, bytes);
		bool greeted = rows[i].greeted;
		const char *why = NULL;
		int64_t took = check(bytes, len, &greeted, &why);

		if (rows[i].why == NULL && (took != (int64_t)len || !greeted))
			fail_msg("%s: %lld, %s", rows[i].hex, (long long)took, why);
		if (rows[i].why != NULL &&
		    (took != AISLE_E_INVALID || strcmp(why, rows[i].why) != 0))
			fail_msg("%s: %lld, %s, expected %s", rows[i].hex, (long long)took, why,
			    rows[i].why);
		if (rows[i].why != NULL && greeted != rows[i].greeted)
			fail_msg("%s: greeted by what is refused", rows[i].hex);
	}
}

static void
a_packet_that_is_cut_anywhere_is_waited_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[64];
		size_t len = from_hex(rows[i].hex, bytes);

		for (size_t cut = 0; rows[i].why == NULL && cut < len; cut++) {
			bool greeted = rows[i].greeted;
			const char *why = NULL;

			assert_int_equal(check(bytes, cut, &greeted, &why), 0);
			assert_true(greeted == rows[i].greeted);
		}
	}
}

static void
the_largest_packet_goes_on_and_one_byte_more_does_not(void **state)
{
	static uint8_t bytes[MQTT_PACKET_BYTES_MAX + 1] = { 0x30, 0, 0, 0, 0, 1, 'a', 0 };
	bool greeted = true;
	const char *why;

	(void)state;
	for (uint32_t more = 0; more < 2; more++) {
		uint32_t body = MQTT_PACKET_BYTES_MAX - 4 + more;

		for (int i = 0; i < 3; i++)
			bytes[1 + i] = (uint8_t)((body >> 7 * i & 127) | (i < 2 ? 128 : 0));
		assert_int_equal(check(bytes, 4 + body, &greeted, &why),
		    more == 0 ? 4 + (int64_t)body : AISLE_E_INVALID);
	}
	assert_string_equal(why, "a packet of more than 128 KiB");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_goes_on_or_is_refused_by_its_name),
		cmocka_unit_test(a_packet_that_is_cut_anywhere_is_waited_for),
		cmocka_unit_test(the_largest_packet_goes_on_and_one_byte_more_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
