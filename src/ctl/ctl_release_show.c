/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_release_show.c - what a release says, and its parts for stock minisign.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/when.h"
#include "ctl/ctl_sign.h"
#include "trust/release.h"

static void
print_whom(const struct release *release)
{
	printf("for         ");
	if (release->store_count == 0 && !release->has_percent && release->ring_count == 0)
		printf("all stores of the channel");
	for (size_t i = 0; i < release->store_count && i < 8; i++)
		printf("%s%s", i > 0 ? ", " : "", release->stores[i]);
	if (release->store_count > 8)
		printf(" and %zu more", release->store_count - 8);
	if (release->has_percent) {
		char salt[17];

		hash_hex(salt, release->salt, sizeof(release->salt));
		printf("%s%g %% of the stores (salt %s)",
		    release->store_count > 0 ? ", of these " : "", release->percent, salt);
	}
	for (size_t i = 0; i < release->ring_count; i++)
		printf("%s%s",
		    i == 0 ? (release->store_count > 0 || release->has_percent ? ", in ring "
									       : "ring ")
			   : ", ",
		    release->rings[i]);
	putchar('\n');
}

static void
print_terms(const struct release *release)
{
	const struct fetch_terms *fetch = &release->fetch;

	printf("fetched     ");
	if (fetch->from_min != fetch->to_min)
		printf("%02d:%02d-%02d:%02d", fetch->from_min / 60, fetch->from_min % 60,
		    fetch->to_min / 60, fetch->to_min % 60);
	else
		printf("at any time");
	if (fetch->jitter_s > 0)
		printf(", within %" PRId64 " s", fetch->jitter_s);
	if (fetch->rate_kib_s > 0)
		printf(", at most %" PRId64 " KiB/s", fetch->rate_kib_s);
	printf("\nbounds     ");
#define X(member, type, standard, least, most) \
	printf(" " #member "=%g", (double)release->bounds.member);
	RELEASE_BOUNDS(X)
#undef X
	putchar('\n');
}

static void
print_release(const struct release *release)
{
	char issued[WHEN_TEXT_SIZE], expires[WHEN_TEXT_SIZE];

	when_text(release->issued_ms, issued);
	when_text(release->expires_ms, expires);
	printf("release     %s %" PRId64 ", %s to %s\n", release->channel, release->sequence,
	    issued, expires);
	print_whom(release);
	print_terms(release);
	for (int kind = 0; kind < BUNDLE_KINDS; kind++) {
		const struct release_bundle *bundle = &release->bundles[kind];

		if (bundle->named)
			printf("%-11s %s %s, %" PRId64 " bytes, %s\n",
			    bundle_kind_name((enum bundle_kind)kind), bundle->name, bundle->version,
			    bundle->bytes, bundle->hash);
	}
}

int
ctl_release_show(struct ctl *ctl)
{
	const char *manifest = ctl_option(ctl, "--manifest"),
		   *signature = ctl_option(ctl, "--signature");
	struct signed_text envelope = { 0 };
	struct release release = { 0 };
	struct buf out = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (signed_read_file(ctl->argv[0], &envelope, NULL, &err) != 0 ||
	    release_parse(envelope.manifest, envelope.len, ctl->argv[0], &release, NULL, &err) !=
		0) {
		rc = ctl_fail_err(&err);
	} else if (manifest != NULL || signature != NULL) {
		rc = ctl_envelope_parts(&envelope, manifest, signature);
	} else if (ctl->json) {
		struct json_writer *w = JSON_OBJECT(&out);

		json_add_members(w, envelope.manifest, envelope.len);
		ctl_add_signatures(w, &envelope);
		json_end_all(w);
		puts(out.data);
	} else {
		print_release(&release);
		ctl_print_signatures(&envelope);
	}
	release_done(&release);
	signed_done(&envelope);
	buf_done(&out);
	return rc;
}
