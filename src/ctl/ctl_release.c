/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_release.c - releases: made from bundles, signed, verified.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <sodium.h>

#include "core/file.h"
#include "core/id.h"
#include "core/when.h"
#include "ctl/ctl_sign.h"
#include "sync/bundle.h"
#include "trust/release.h"

/* ---- release make ---- */

/* The release would take the bundle's place. */
static bool
same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A bundle of the policy's kind is read as a store does: what no store opens is not released. */
static int
name_bundle(struct release *release, const char *path)
{
	struct bundle_look look;
	struct bundle *bundle = NULL;
	struct err err = { 0 };
	int kind = 0;

	if (bundle_look(path, &look, &err) != 0)
		return ctl_fail_err(&err);
	while (kind < BUNDLE_KINDS &&
	    strcmp(bundle_kind_name((enum bundle_kind)kind), look.kind) != 0)
		kind++;
	if (kind == BUNDLE_KINDS)
		return ctl_fail(EX_DATAERR,
		    "%s: a bundle of the kind %s, expected policy, catalog or profiles", path,
		    look.kind);
	if (release->bundles[kind].named)
		return ctl_fail(EX_DATAERR, "%s: another %s bundle, expected one of a kind", path,
		    look.kind);
	if (kind == BUNDLE_POLICY && bundle_open(path, look.kind, &bundle, &err) != 0)
		return ctl_fail_err(&err);
	bundle_close(bundle);
	struct release_bundle *named = &release->bundles[kind];

	*named =
	    (struct release_bundle){ .named = true, .bytes = look.bytes, .chunk = RELEASE_CHUNK };
	memcpy(named->name, look.name, sizeof(named->name));
	memcpy(named->version, look.version, sizeof(named->version));
	memcpy(named->hash, look.hash, sizeof(named->hash));
	return EX_OK;
}

static int
read_percent(const char *text, struct release *release)
{
	char *end;

	release->percent = strtod(text, &end);
	release->has_percent = true;
	return end != text && strcmp(end, "%") == 0 && release->percent >= 0 &&
		release->percent <= 100
	    ? EX_OK
	    : ctl_fail(EX_USAGE,
		  "--stores %s: expected store ids, with commas between, or 0%% to 100%%", text);
}

/* --stores ID,…|P% */
static int
read_stores(const char *text, struct release *release)
{
	char *copy, **items;
	int count, rc = EX_OK;

	if (text == NULL)
		return EX_OK;
	if (strchr(text, '%') != NULL)
		return read_percent(text, release);
	copy = mem_strdup(text);
	items = mem_calloc(RELEASE_STORES_MAX, sizeof(*items));
	count = ctl_list(copy, items, RELEASE_STORES_MAX);
	if (count > 0)
		release->stores = mem_calloc((size_t)count, sizeof(*release->stores));
	for (int i = 0; i < count && rc == EX_OK; i++) {
		/* No store is called so: it would be for nobody. */
		if (strcmp(items[i], "all") == 0)
			rc = ctl_fail(EX_USAGE,
			    "--stores all: a release without --stores is for all");
		else if (!trust_name_ok(items[i]))
			rc = ctl_fail(EX_USAGE,
			    "--stores: \"%s\" is no store id, expected 1 to 32 letters, digits, - "
			    "and _",
			    items[i]);
		else
			memcpy(release->stores[release->store_count++], items[i], strlen(items[i]));
	}
	if (count < 0)
		rc = ctl_fail(EX_USAGE,
		    "--stores: expected at most %d store ids, with commas between",
		    RELEASE_STORES_MAX);
	free(items);
	free(copy);
	return rc;
}

static int
read_rings(const char *text, struct release *release)
{
	char *copy, *items[RELEASE_RINGS_MAX];
	int rc = EX_OK;

	if (text == NULL)
		return EX_OK;
	copy = mem_strdup(text);
	int count = ctl_list(copy, items, RELEASE_RINGS_MAX);

	if (count < 0)
		rc = ctl_fail(EX_USAGE, "--ring %s: expected at most %d names, with commas between",
		    text, RELEASE_RINGS_MAX);
	for (int i = 0; i < count && rc == EX_OK; i++) {
		if (!trust_name_ok(items[i]))
			rc = ctl_fail(EX_USAGE,
			    "--ring: \"%s\" is no name of 1 to 32 letters, digits, - and _",
			    items[i]);
		else
			memcpy(release->rings[release->ring_count++], items[i], strlen(items[i]));
	}
	free(copy);
	return rc;
}

/* Of the same salt the stores of 5 % are among those of 20 %. */
static int
read_salt(const char *text, struct release *release)
{
	if (text == NULL)
		randombytes_buf(release->salt, sizeof(release->salt));
	else if (!release->has_percent)
		return ctl_fail(EX_USAGE, "--salt goes with --stores P%%");
	else if (!hash_unhex(release->salt, sizeof(release->salt), text))
		return ctl_fail(EX_USAGE, "--salt %s: expected 16 hex digits", text);
	return EX_OK;
}

/* --bound NAME=NUMBER; whether it is within its bounds says release_parse(). */
static int
read_bound(const char *text, struct release_bounds *bounds)
{
	const char *equals = strchr(text, '=');
	size_t len = equals != NULL ? (size_t)(equals - text) : 0;
	char *end = NULL;
	double number = equals != NULL ? strtod(equals + 1, &end) : 0;

	if (equals == NULL || end == equals + 1 || *end != '\0')
		return ctl_fail(EX_USAGE,
		    "--bound %s: expected a name and a number, as latency_ms=50", text);
#define X(member, type, standard, least, most) \
	if (strlen(#member) == len && memcmp(text, #member, len) == 0) { \
		if (!(number >= (double)(least) && number <= (double)(most))) \
			return ctl_fail(EX_USAGE, "--bound %s: expected %g to %g", text, \
			    (double)(least), (double)(most)); \
		bounds->member = (type)number; \
		return EX_OK; \
	}
	RELEASE_BOUNDS(X)
#undef X
	return ctl_fail(EX_USAGE,
	    "--bound %s: there is"
#define X(member, ...) " " #member
	    RELEASE_BOUNDS(X)
#undef X
		,
	    text);
}

static int
read_terms(struct ctl *ctl, struct release *release)
{
	const char *hours = ctl_option(ctl, "--hours"), *jitter = ctl_option(ctl, "--jitter");
	const char *rate = ctl_option(ctl, "--rate"), *bound;
	int rc = EX_OK;

	if (hours != NULL && !release_hours(hours, &release->fetch))
		rc = ctl_fail(EX_USAGE, "--hours %s: expected as 22:00-06:00", hours);
	if (rc == EX_OK && jitter != NULL)
		rc = ctl_number("--jitter", jitter, 0, RELEASE_JITTER_S_MAX,
		    &release->fetch.jitter_s);
	if (rc == EX_OK && rate != NULL)
		rc = ctl_number("--rate", rate, 1, RELEASE_RATE_KIB_S_MAX,
		    &release->fetch.rate_kib_s);
	while (rc == EX_OK && (bound = ctl_option(ctl, "--bound")) != NULL)
		rc = read_bound(bound, &release->bounds);
	return rc;
}

static int
read_head(struct ctl *ctl, struct release *release)
{
	const char *channel = ctl_option(ctl, "--channel"),
		   *sequence = ctl_option(ctl, "--sequence");
	const char *expires = ctl_option(ctl, "--expires"), *stores = ctl_option(ctl, "--stores");
	const char *salt = ctl_option(ctl, "--salt"), *rings = ctl_option(ctl, "--ring");
	int rc = EX_OK;

	release->issued_ms = ctl_now_ms();
	if (channel == NULL)
		return ctl_usage(ctl);
	if (!trust_name_ok(channel))
		rc = ctl_fail(EX_USAGE, "--channel %s: expected 1 to 32 letters, digits, - and _",
		    channel);
	else
		memcpy(release->channel, channel, strlen(channel));
	if (rc == EX_OK)
		rc = ctl_number("--sequence", sequence, 1, SEQUENCE_MAX, &release->sequence);
	if (rc == EX_OK)
		rc = ctl_expires(expires, release->issued_ms, &release->expires_ms);
	if (rc == EX_OK)
		rc = read_stores(stores, release);
	if (rc == EX_OK)
		rc = read_salt(salt, release);
	return rc == EX_OK ? read_rings(rings, release) : rc;
}

int
ctl_release_make(struct ctl *ctl)
{
	const char *output = ctl_option(ctl, "-o");
	struct signed_text envelope = { 0 };
	struct release release, read;
	struct buf manifest = { 0 };
	struct err err = { 0 };

	CHECK(sodium_init() >= 0);
	release_init(&release);
	int rc = output == NULL ? ctl_usage(ctl) : read_head(ctl, &release);

	if (rc == EX_OK)
		rc = read_terms(ctl, &release);
	if (rc == EX_OK)
		rc = ctl_words(ctl, 1, BUNDLE_KINDS);
	for (int i = 0; i < ctl->argc && rc == EX_OK; i++)
		rc = same_file(ctl->argv[i], output)
		    ? ctl_fail(EX_USAGE, "-o %s: is one of the bundles", output)
		    : name_bundle(&release, ctl->argv[i]);
	if (rc == EX_OK) {
		release_write(&release, &manifest);
		if (release_parse(manifest.data, manifest.len, output, &read, NULL, &err) != 0)
			rc = ctl_fail_err(&err);
		else
			release_done(&read);
		signed_init(&envelope, manifest.data, manifest.len);
	}
	if (rc == EX_OK)
		rc = ctl_envelope_write(output, &envelope);
	signed_done(&envelope);
	release_done(&release);
	buf_done(&manifest);
	return rc;
}

/* ---- release sign, verify ---- */

int
ctl_release_sign(struct ctl *ctl)
{
	const char *keys = ctl_option(ctl, "--key"), *signature = ctl_option(ctl, "--signature");
	struct signed_text envelope = { 0 };
	struct release release;
	struct err err = { 0 };
	char what[80];
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK && keys == NULL && signature == NULL)
		rc = ctl_usage(ctl);
	if (rc != EX_OK)
		return rc;
	if (signed_read_file(ctl->argv[0], &envelope, NULL, &err) != 0)
		return ctl_fail_err(&err);
	/* Nobody signs an order in the belief that it is a release. */
	if (release_parse(envelope.manifest, envelope.len, ctl->argv[0], &release, NULL, &err) !=
	    0) {
		signed_done(&envelope);
		return ctl_fail_err(&err);
	}
	snprintf(what, sizeof(what), "release %s %" PRId64, release.channel, release.sequence);
	if (keys != NULL)
		rc = ctl_sign_with(keys, what, &envelope);
	if (rc == EX_OK && signature != NULL)
		rc = ctl_sign_attach(signature, &envelope);
	if (rc == EX_OK)
		rc = ctl_envelope_write(ctl->argv[0], &envelope);
	release_done(&release);
	signed_done(&envelope);
	return rc;
}

int
ctl_release_verify(struct ctl *ctl)
{
	const char *root_path = ctl_option(ctl, "--root");
	struct release release = { 0 };
	struct buf text = { 0 };
	struct root *root = mem_zero(sizeof(*root));
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK && root_path == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK &&
	    (root_open_file(root_path, root, NULL, &err) != 0 ||
		file_read(ctl->argv[0], SIGNED_BYTES_MAX, &text, &err) != 0 ||
		release_open(root, text.data, text.len, ctl->argv[0], ctl_now_ms(), &release, NULL,
		    &err) != 0 ||
		release_in_time(&release, ctl_now_ms(), NULL, &err) != 0))
		rc = ctl_fail_err(&err);
	if (rc == EX_OK)
		printf("release %s %" PRId64 " is signed as root %" PRId64 " asks\n",
		    release.channel, release.sequence, root->version);
	release_done(&release);
	buf_done(&text);
	free(root);
	return rc;
}
