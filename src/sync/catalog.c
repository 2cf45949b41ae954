/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog.c - a bundle of kind catalog: is all of it what it says? Its table, opened.
 */
#include "sync/catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/picture.h"

#define IMAGES "images/"

static int
wrong(struct err *err, const char *part, const char *text)
{
	return err_at(err, AISLE_E_REFUSED, part, 0, 0, "%s", text);
}

/* Named by its hash, small, an image, and some article's. */
static int
check_picture(const struct catalog *catalog, const struct policy_part *part, struct err *err)
{
	const char *name = part->name + strlen(IMAGES);
	struct picture_head head;
	uint8_t hash[32];
	char hex[65];

	if (part->len > CATALOG_PICTURE_BYTES_MAX)
		return wrong(err, part->name, "an image of more than 20 KiB, expected a smaller");
	hash_bytes(hash, sizeof(hash), part->bytes, part->len, NULL, 0);
	hash_hex(hex, hash, sizeof(hash));
	if (strcmp(hex, name) != 0)
		return wrong(err, part->name, "not the image of that name, expected its hash");
	if (!picture_read(part->bytes, part->len, &head) || head.width == 0 || head.height == 0 ||
	    head.width > PICTURE_SIDE_MAX || head.height > PICTURE_SIDE_MAX)
		return wrong(err, part->name, "not an image, expected PNG, JPEG or WebP");
	if (!catalog_has_picture(catalog, hex))
		return wrong(err, part->name, "an image of no article, expected one that is named");
	return 0;
}

static int
check_pictures(const struct catalog *catalog, const struct policy_parts *parts, struct err *err)
{
	size_t pictures = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < parts->count; i++) {
		const char *name = parts->part[i].name;

		if (strncmp(name, IMAGES, strlen(IMAGES)) == 0) {
			rc = check_picture(catalog, &parts->part[i], err);
			pictures++;
		} else if (strcmp(name, "articles") != 0) {
			rc = wrong(err, name, "a part that no catalog has");
		}
	}
	if (rc == 0 && pictures != catalog_pictures(catalog))
		rc = wrong(err, "articles", "an article names an image that is not there");
	return rc;
}

static const struct policy_part *
part_named(const struct policy_parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->count; i++) {
		if (strcmp(parts->part[i].name, name) == 0)
			return &parts->part[i];
	}
	return NULL;
}

/* Digits, no zero before them, below 2^63. */
static bool
read_version(const char *text, int64_t *ret)
{
	char again[32];

	*ret = strtoll(text, NULL, 10);
	snprintf(again, sizeof(again), "%" PRId64, *ret);
	return *ret > 0 && strcmp(text, again) == 0;
}

static int
name_it(const struct bundle *bundle, struct catalog *catalog, struct err *err)
{
	struct catalog_is is = { 0 };
	const char *name = bundle_meta(bundle, "name");

	if (name[0] == '\0' || strlen(name) >= sizeof(is.name) ||
	    !read_version(bundle_meta(bundle, "version"), &is.version))
		return err_set(err, AISLE_E_REFUSED,
		    "the catalog's name or version is none, expected a short name and a number "
		    "from 1");
	snprintf(is.name, sizeof(is.name), "%s", name);
	snprintf(is.hash, sizeof(is.hash), "%s", bundle_hash(bundle));
	catalog_name(catalog, &is);
	return 0;
}

int
catalog_of_bundle(const struct bundle *bundle, const char *country, struct catalog **ret,
    struct err *err)
{
	const struct policy_parts *parts = bundle_parts(bundle);
	const struct policy_part *articles = part_named(parts, "articles");
	struct catalog *catalog = NULL;
	int rc;

	if (bundle_bytes(bundle) > CATALOG_BYTES_MAX)
		return err_set(err, AISLE_E_REFUSED, "a catalog of %lld bytes, expected at most %u",
		    (long long)bundle_bytes(bundle), CATALOG_BYTES_MAX);
	if (articles == NULL)
		return err_set(err, AISLE_E_REFUSED, "the catalog has no articles, expected them");
	rc = catalog_open(articles->bytes, articles->len, country, NULL, &catalog, err);
	if (rc == 0)
		rc = name_it(bundle, catalog, err);
	if (rc == 0)
		rc = check_pictures(catalog, parts, err);
	if (rc == 0)
		*ret = catalog;
	else
		catalog_free(catalog);
	return rc;
}

bool
catalog_is_in(const char *path)
{
	struct bundle *bundle;
	struct err err = { 0 };

	if (bundle_open(path, "catalog", &bundle, &err) != 0)
		return false;
	bundle_close(bundle);
	return true;
}

static void
release(const void *bytes, size_t len)
{
	(void)len;
	free((void *)(uintptr_t)bytes);
}

int
catalog_load(const char *path, const char *country, struct catalog **ret, struct err *err)
{
	struct bundle *bundle = NULL;
	struct catalog *checked = NULL;
	int rc = bundle_open(path, "catalog", &bundle, err);

	if (rc == 0)
		rc = catalog_of_bundle(bundle, country, &checked, err);
	if (rc == 0) {
		size_t len = catalog_bytes(checked);
		void *bytes = mem_alloc(len);

		memcpy(bytes, catalog_table(checked), len);
		rc = catalog_open_again(bytes, len, country, release, ret, err);
		CHECK(rc == 0);
		catalog_name(*ret, catalog_is(checked));
	}
	catalog_free(checked);
	bundle_close(bundle);
	return rc;
}
