/* SPDX-License-Identifier: Apache-2.0
 *
 * release.c - what a release says to the store that looks at it: is it HQ's, is it for us, is it new, is it in time.
 *
 * Each question is a function of its arguments; the order in which they are asked is release_accept().
 */
#include "trust/release.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/when.h"

int
release_open(const struct root *root, const char *text, size_t len, const char *name,
    int64_t now_ms, struct release *ret, enum refusal *ret_refusal, struct err *err)
{
	struct signers signers = root_signers(root, ROLE_RELEASE);
	struct signed_text envelope;
	int rc = signed_read(text, len, name, &envelope, ret_refusal, err);

	if (rc != 0)
		return rc;
	rc = root_in_force(root, now_ms, ret_refusal, err);
	if (rc == 0)
		rc = signed_verify(&envelope, &signers, ret_refusal, err);
	if (rc == 0)
		rc = release_parse(envelope.manifest, envelope.len, name, ret, ret_refusal, err);
	signed_done(&envelope);
	return rc;
}

int
release_in_time(const struct release *release, int64_t now_ms, enum refusal *ret_refusal,
    struct err *err)
{
	char text[WHEN_TEXT_SIZE];

	if (now_ms < release->expires_ms)
		return 0;
	when_text(release->expires_ms, text);
	return refusal_say(REFUSED_EXPIRED, ret_refusal, err,
	    "release %" PRId64 " was to be installed until %s, expected a later one",
	    release->sequence, text);
}

static bool
names_store(const struct release *release, const char *store)
{
	for (size_t i = 0; i < release->store_count; i++)
		if (strcmp(release->stores[i], store) == 0)
			return true;
	return false;
}

static bool
names_ring(const struct release *release, const char *ring)
{
	for (size_t i = 0; ring != NULL && i < release->ring_count; i++)
		if (strcmp(release->rings[i], ring) == 0)
			return true;
	return false;
}

double
release_share(const uint8_t salt[static 8], const char *store)
{
	uint8_t hash[32];
	uint64_t n = 0;

	hash_bytes(hash, sizeof(hash), store, strlen(store), salt, 8);
	for (int i = 7; i >= 0; i--)
		n = n << 8 | hash[i];
	return (double)(n >> 11) * 0x1p-53;
}

int
release_for_us(const struct release *release, const struct trust_self *self,
    enum refusal *ret_refusal, struct err *err)
{
	if (strcmp(release->channel, self->channel) != 0)
		return refusal_say(REFUSED_OTHER_CHANNEL, ret_refusal, err,
		    "a release of channel %s, expected %s", release->channel, self->channel);
	if (release->store_count > 0 && !names_store(release, self->store))
		return refusal_say(REFUSED_NOT_FOR_US, ret_refusal, err,
		    "for %zu stores, expected %s among them", release->store_count, self->store);
	if (release->ring_count > 0 && !names_ring(release, self->ring))
		return refusal_say(REFUSED_NOT_FOR_US, ret_refusal, err,
		    "for the ring %s%s, expected %s", release->rings[0],
		    release->ring_count > 1 ? " and others" : "",
		    self->ring != NULL ? self->ring
				       : "one that names no ring, as this store is in none");
	if (release->has_percent &&
	    release_share(release->salt, self->store) >= release->percent / 100)
		return refusal_say(REFUSED_NOT_FOR_US, ret_refusal, err,
		    "for %g %% of the stores, this one is at %.3f %%", release->percent,
		    100 * release_share(release->salt, self->store));
	return 0;
}

int
release_topic(const struct release *release, const struct trust_self *self, bool own,
    enum refusal *ret_refusal, struct err *err)
{
	if (own && (release->store_count != 1 || !names_store(release, self->store)))
		return refusal_say(REFUSED_OTHER_STORE, ret_refusal, err,
		    "for %s%s, expected %s alone",
		    release->store_count > 0 ? release->stores[0] : "no store by name",
		    release->store_count > 1 ? " and others" : "", self->store);
	for (int kind = 0; kind < BUNDLE_KINDS; kind++)
		if (release->bundles[kind].named && own != (kind == BUNDLE_PROFILES))
			return refusal_say(REFUSED_WRONG_KIND, ret_refusal, err,
			    "a bundle of the kind %s on %s, expected %s",
			    bundle_kind_name((enum bundle_kind)kind),
			    own ? "a store's own topic" : "a channel's topic",
			    own ? "profiles" : "policy or catalog");
	return 0;
}

void
release_counter(const struct release *release, bool own, char out[static SEQUENCES_NAME_SIZE])
{
	snprintf(out, SEQUENCES_NAME_SIZE, "%s:%s", own ? "own" : "release", release->channel);
}

int
release_accept(const struct root *root, const struct sequences *seen, const struct trust_self *self,
    bool own, const char *text, size_t len, const char *name, int64_t now_ms, struct release *ret,
    bool *ret_new, enum refusal *ret_refusal, struct err *err)
{
	char counter[SEQUENCES_NAME_SIZE];
	struct release release;
	bool is_new;
	int rc = release_open(root, text, len, name, now_ms, &release, ret_refusal, err);

	if (rc != 0)
		return rc;
	release_counter(&release, own, counter);
	rc = release_topic(&release, self, own, ret_refusal, err);
	if (rc == 0)
		rc = release_for_us(&release, self, ret_refusal, err);
	if (rc == 0)
		rc = sequences_check(seen, counter, release.sequence, release.digest, false,
		    &is_new, ret_refusal, err);
	/* What was taken in time is no worse for being shown again. */
	if (rc == 0 && is_new)
		rc = release_in_time(&release, now_ms, ret_refusal, err);
	if (rc != 0) {
		release_done(&release);
		return rc;
	}
	*ret = release;
	*ret_new = is_new;
	return 0;
}
