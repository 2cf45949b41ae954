/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_image.c - the image of a policy bundle with changed bytes, cut short, or any bytes as one. The first byte chooses.
 *
 * What must hold: any difference and it is none, said as that; without one it is the policy. Its bytes become pointers, so
 * nothing else may ever be taken.
 */
#include "../unit/policy_fixture.h"
#include "fuzz.h"
#include "sync/bundle_image.h"
#include "sync/bundle_internal.h"

static const uint8_t key[32] = "this device's";
static char bundle[FUZZ_PATH_SIZE], image[FUZZ_PATH_SIZE];
static struct buf good;

/* A policy as small as it goes: what is examined here is the image, not what is in it. */
static const struct fixture_part small_parts[] = {
	{ "actions/bag.json",
	    "{\"action\":\"bag\",\"kind\":\"service\",\"issue\":\"care\",\"group\":\"bag\","
	    "\"personal\":false,\"on\":[\"aisle.basket.opened\"],\"propensity\":0.5,"
	    "\"incremental\":1,\"margin\":5,\"outcome\":{\"is\":\"none\"},"
	    "\"placements\":[\"tablet\"],\"gate\":\"associate\",\"expires\":\"90s\","
	    "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\","
	    "\"headline\":\"A bag?\"}]}" },
	{ "features.json", "{\"features\":[]}" },
	{ "policy.json",
	    "{\"name\":\"small\",\"version\":1,\"currency\":\"EUR\",\"languages\":[\"en\"],"
	    "\"salts\":{\"id\":\"" SALT_A "\",\"control\":\"" SALT_B "\",\"explore\":\"" SALT_A
	    "\"},\"placements\":{\"tablet\":{\"slots\":1}},"
	    "\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8}}" },
	{ "zones.json", "{\"UTC\":\"UTC0\"}" },
};

static void
set_up(void)
{
	struct policy_part part[ARRAY_LEN(small_parts)];
	struct policy_parts parts = { .part = part, .count = ARRAY_LEN(small_parts) };
	struct bundle_what what = { "policy", "small", 1, 1 << 20 };
	enum refusal why = REFUSED_NONE;
	struct err err = { 0 };
	char hash[65];

	if (good.len > 0)
		return;
	fuzz_path("policy", bundle);
	fuzz_path("policy" BUNDLE_IMAGE_TAIL, image);
	for (size_t i = 0; i < parts.count; i++)
		part[i] = (struct policy_part){ small_parts[i].name, small_parts[i].text,
			strlen(small_parts[i].text) };
	if (bundle_write(bundle, &what, &parts, &err) != 0 ||
	    bundle_image_make(bundle, key, hash, &why, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	fuzz_read(image, &good);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf bytes = { 0 };
	struct policy *policy = NULL;
	struct err err = { 0 };
	bool differs;

	set_up();
	if (size < 1)
		return 0;
	differs = fuzz_edit(&good, data + 1, data[0] < 192 ? size - 1 : 0, &bytes);
	if (data[0] >= 224) {
		buf_clear(&bytes);
		buf_add(&bytes, data + 1, size - 1);
		differs = true;
	} else if (data[0] >= 192 && size > 2) {
		bytes.len = (size_t)(data[1] << 8 | data[2]) % bytes.len;
		differs = true;
	}
	fuzz_write(image, bytes.data != NULL ? bytes.data : "", bytes.len);
	int rc = bundle_image_open(bundle, key, &policy, &err);

	CHECK(rc == (differs ? AISLE_E_NONE : 0) && (policy != NULL) == !differs);
	CHECK((err.text[0] != '\0') == differs);
	policy_free(policy);
	buf_done(&bytes);
	return 0;
}
