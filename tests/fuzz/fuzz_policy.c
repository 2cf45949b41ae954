/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_policy.c - libFuzzer target: any bytes in the place of one part of a good policy.
 *
 * The first byte chooses the part; the rest is its text. What compiles must also
 * compile with its own arms, and be freed without a trace.
 */
#include <stdint.h>

#include "../unit/policy_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	char *text;

	if (size < 1 || size > 1u << 16)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	fixture_init(&fixture);
	fixture.part[data[0] % GOOD_COUNT].bytes = text;
	fixture.part[data[0] % GOOD_COUNT].len = size - 1;
	if (policy_compile(&fixture.parts, &policy, &report) == 0)
		policy_free(policy);
	else if (report.len == 0)
		abort(); /* refused without a word */
	buf_done(&report);
	free(text);
	return 0;
}
