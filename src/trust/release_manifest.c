/* SPDX-License-Identifier: Apache-2.0
 *
 * release_manifest.c - a release's manifest, read and written.
 */
#include "trust/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "trust/manifest.h"

static const char *const kinds[BUNDLE_KINDS] = { "policy", "catalog", "profiles" };

const char *
bundle_kind_name(enum bundle_kind kind)
{
	return NAME_OF(kinds, kind);
}

void
release_init(struct release *release)
{
	*release = (struct release){
		.bounds = {
#define X(member, type, standard, least, most) .member = standard,
			RELEASE_BOUNDS(X)
#undef X
		},
	};
}

void
release_done(struct release *release)
{
	free(release->stores);
	release->stores = NULL;
	release->store_count = 0;
}

/* ---- reading ---- */

static void
read_stores(struct manifest *m, struct release *release)
{
	if (!manifest_has(m->json, "stores"))
		return;
	const json_t *list = manifest_list(m, m->json, "stores", 1, RELEASE_STORES_MAX);
	size_t count = json_array_size(list);

	release->stores = mem_calloc(count, sizeof(*release->stores));
	for (size_t i = 0; i < count && m->rc == 0; i++)
		manifest_name(m, json_array_get(list, i), "stores", release->stores[i],
		    TRUST_NAME_SIZE);
	release->store_count = count;
}

static void
read_rings(struct manifest *m, struct release *release)
{
	if (!manifest_has(m->json, "rings"))
		return;
	const json_t *list = manifest_list(m, m->json, "rings", 1, RELEASE_RINGS_MAX);

	for (size_t i = 0; i < json_array_size(list) && m->rc == 0; i++)
		manifest_name(m, json_array_get(list, i), "rings",
		    release->rings[release->ring_count++], TRUST_NAME_SIZE);
}

static void
read_percent(struct manifest *m, struct release *release)
{
	release->has_percent = manifest_has(m->json, "percent");
	if (release->has_percent != manifest_has(m->json, "salt"))
		manifest_malformed(m, "\"percent\" and \"salt\" go together");
	if (!release->has_percent)
		return;
	release->percent = manifest_number(m, m->json, "percent", 0, 100);
	manifest_hex(m, m->json, "salt", release->salt, sizeof(release->salt));
}

static double
read_double(struct manifest *m, const json_t *bounds, const char *name, double least, double most)
{
	return manifest_number(m, bounds, name, least, most);
}

static int64_t
read_int64_t(struct manifest *m, const json_t *bounds, const char *name, int64_t least,
    int64_t most)
{
	return manifest_int(m, bounds, name, least, most);
}

static void
read_bounds(struct manifest *m, struct release_bounds *ret)
{
	const json_t *bounds = json_object_get(m->json, "bounds");

	if (bounds == NULL)
		return;
	manifest_members(m, bounds, "bounds",
	    ""
#define X(member, type, standard, least, most) #member "? "
	    RELEASE_BOUNDS(X)
#undef X
	);
#define X(member, type, standard, least, most) \
	if (manifest_has(bounds, #member)) \
		ret->member = read_##type(m, bounds, #member, least, most);
	RELEASE_BOUNDS(X)
#undef X
}

/* "22:00-06:00" */
bool
release_hours(const char *text, struct fetch_terms *ret)
{
	int from_h, from_m, to_h, to_m;
	char again[12];

	if (strlen(text) != 11 ||
	    sscanf(text, "%2d:%2d-%2d:%2d", &from_h, &from_m, &to_h, &to_m) != 4 || from_h < 0 ||
	    from_h > 23 || from_m < 0 || from_m > 59 || to_h < 0 || to_h > 23 || to_m < 0 ||
	    to_m > 59)
		return false;
	snprintf(again, sizeof(again), "%02d:%02d-%02d:%02d", from_h, from_m, to_h, to_m);
	ret->from_min = 60 * from_h + from_m;
	ret->to_min = 60 * to_h + to_m;
	return strcmp(again, text) == 0;
}

static void
read_fetch(struct manifest *m, struct fetch_terms *ret)
{
	const json_t *fetch = json_object_get(m->json, "fetch");

	if (fetch == NULL)
		return;
	manifest_members(m, fetch, "fetch", "hours? jitter_s? rate_kib_s?");
	if (manifest_has(fetch, "hours")) {
		char text[12];

		manifest_text(m, fetch, "hours", text, sizeof(text));
		if (m->rc == 0 && !release_hours(text, ret))
			manifest_malformed(m, "\"hours\" are none as 22:00-06:00");
	}
	if (manifest_has(fetch, "jitter_s"))
		ret->jitter_s = manifest_int(m, fetch, "jitter_s", 0, RELEASE_JITTER_S_MAX);
	if (manifest_has(fetch, "rate_kib_s"))
		ret->rate_kib_s = manifest_int(m, fetch, "rate_kib_s", 1, RELEASE_RATE_KIB_S_MAX);
}

static void
read_bundle(struct manifest *m, const json_t *json, struct release *release)
{
	struct release_bundle bundle = { .named = true };
	uint8_t hash[32];
	char kind[16];
	int at = 0;

	manifest_members(m, json, "a bundle", "kind name version bytes hash chunk");
	manifest_text(m, json, "kind", kind, sizeof(kind));
	manifest_text(m, json, "name", bundle.name, sizeof(bundle.name));
	manifest_text(m, json, "version", bundle.version, sizeof(bundle.version));
	bundle.bytes = manifest_int(m, json, "bytes", 1, RELEASE_BYTES_MAX);
	manifest_hex(m, json, "hash", hash, sizeof(hash));
	hash_hex(bundle.hash, hash, sizeof(hash));
	bundle.chunk = (int)manifest_int(m, json, "chunk", RELEASE_CHUNK, RELEASE_CHUNK);
	while (at < BUNDLE_KINDS && strcmp(kinds[at], kind) != 0)
		at++;
	if (m->rc != 0)
		return;
	if (at == BUNDLE_KINDS)
		manifest_malformed(m,
		    "a bundle of the kind \"%s\", expected policy, catalog or profiles", kind);
	else if (release->bundles[at].named)
		manifest_malformed(m, "two bundles of the kind %s, expected one", kind);
	else
		release->bundles[at] = bundle;
}

int
release_parse(const char *manifest, size_t len, const char *name, struct release *ret,
    enum refusal *ret_refusal, struct err *err)
{
	struct manifest m = { .name = name, .ret_refusal = ret_refusal, .err = err };
	struct release release;

	release_init(&release);
	manifest_read(&m, manifest, len, "release",
	    "release channel sequence issued expires stores? percent? salt? rings? bounds? fetch? "
	    "bundles");
	manifest_name(&m, json_object_get(m.json, "channel"), "channel", release.channel,
	    sizeof(release.channel));
	release.sequence = manifest_int(&m, m.json, "sequence", 1, SEQUENCE_MAX);
	manifest_times(&m, &release.issued_ms, &release.expires_ms);
	read_stores(&m, &release);
	read_percent(&m, &release);
	read_rings(&m, &release);
	read_bounds(&m, &release.bounds);
	read_fetch(&m, &release.fetch);
	const json_t *list = manifest_list(&m, m.json, "bundles", 1, BUNDLE_KINDS);

	for (size_t i = 0; i < json_array_size(list) && m.rc == 0; i++)
		read_bundle(&m, json_array_get(list, i), &release);
	manifest_done(&m);
	if (m.rc != 0) {
		release_done(&release);
		return m.rc;
	}
	hash_bytes(release.digest, sizeof(release.digest), manifest, len, NULL, 0);
	*ret = release;
	return 0;
}

/* ---- writing ---- */

static void
write_whom(const struct release *release, struct json_writer *w)
{
	if (release->store_count > 0) {
		json_add_list(w, "stores");
		for (size_t i = 0; i < release->store_count; i++)
			json_add_str(w, NULL, release->stores[i]);
		json_end(w);
	}
	if (release->has_percent) {
		char salt[2 * sizeof(release->salt) + 1];

		hash_hex(salt, release->salt, sizeof(release->salt));
		json_add_double(w, "percent", release->percent);
		json_add_str(w, "salt", salt);
	}
	if (release->ring_count > 0) {
		json_add_list(w, "rings");
		for (size_t i = 0; i < release->ring_count; i++)
			json_add_str(w, NULL, release->rings[i]);
		json_end(w);
	}
}

static void
write_double(struct json_writer *w, const char *name, double number)
{
	json_add_double(w, name, number);
}

static void
write_int64_t(struct json_writer *w, const char *name, int64_t number)
{
	json_add_int(w, name, number);
}

/* All of them: a reader need not know the defaults of the version that wrote it. */
static void
write_bounds(const struct release_bounds *bounds, struct json_writer *w)
{
	json_add_object(w, "bounds");
#define X(member, type, standard, least, most) write_##type(w, #member, bounds->member);
	RELEASE_BOUNDS(X)
#undef X
	json_end(w);
}

static void
write_fetch(const struct fetch_terms *fetch, struct json_writer *w)
{
	json_add_object(w, "fetch");
	if (fetch->from_min != fetch->to_min)
		json_addf(w, "hours", "%02d:%02d-%02d:%02d", fetch->from_min / 60,
		    fetch->from_min % 60, fetch->to_min / 60, fetch->to_min % 60);
	json_add_int(w, "jitter_s", fetch->jitter_s);
	if (fetch->rate_kib_s > 0)
		json_add_int(w, "rate_kib_s", fetch->rate_kib_s);
	json_end(w);
}

void
release_write(const struct release *release, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_int(w, "release", 1);
	json_add_str(w, "channel", release->channel);
	json_add_int(w, "sequence", release->sequence);
	json_add_when(w, "issued", release->issued_ms);
	json_add_when(w, "expires", release->expires_ms);
	write_whom(release, w);
	write_bounds(&release->bounds, w);
	write_fetch(&release->fetch, w);
	json_add_list(w, "bundles");
	for (int kind = 0; kind < BUNDLE_KINDS; kind++) {
		const struct release_bundle *bundle = &release->bundles[kind];

		if (!bundle->named)
			continue;
		json_add_object(w, NULL);
		json_add_str(w, "kind", kinds[kind]);
		json_add_str(w, "name", bundle->name);
		json_add_str(w, "version", bundle->version);
		json_add_int(w, "bytes", bundle->bytes);
		json_add_str(w, "hash", bundle->hash);
		json_add_int(w, "chunk", bundle->chunk);
		json_end(w);
	}
	json_end_all(w);
}
