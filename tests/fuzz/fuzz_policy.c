/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_policy.c - any bytes in the place of one part of a good policy.
 *
 * The first byte chooses the part; the rest is its text. Around it is only what that part may speak of: experiments
 * compile all of it again for each arm, so they are there when they are what is tried.
 *
 * What must hold: compiled, or refused with a reason; freed without a trace.
 */
#include <stdint.h>

#include "../unit/policy_fixture.h"
#include "fuzz_tokens.h"

#define COFFEE_OFF "actions/coffee-off.json" /* a lever and the experiment name it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_needed(const char *name, const char *tried)
{
	if (strcmp(name, tried) == 0 || strcmp(name, COFFEE_OFF) == 0)
		return true;
	return strncmp(name, "actions/", 8) != 0 && strcmp(name, "experiments.json") != 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_part part[GOOD_COUNT];
	struct policy_parts parts = { .part = part };
	struct policy *policy = NULL;
	struct buf report = { 0 };

	if (size < 1 || size > 1u << 16)
		return 0;
	const char *tried = good_parts[data[0] % GOOD_COUNT].name;
	char *text = mem_alloc(size);

	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		const char *name = good_parts[i].name;

		if (name == tried)
			part[parts.count++] = (struct policy_part){ name, text, size - 1 };
		else if (is_needed(name, tried))
			part[parts.count++] = (struct policy_part){ name, good_parts[i].text,
				strlen(good_parts[i].text) };
	}
	int rc = policy_compile(&parts, &policy, &report);

	CHECK((rc == 0) == (policy != NULL) && (rc == 0 || report.len > 0));
	policy_free(policy);
	buf_done(&report);
	free(text);
	return 0;
}
