/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_inspect.c - what is in a catalog, for people and as JSON; what a store finds in it.
 */
#include "sync/catalog.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/json_write.h"

static const char *const mark_names[] = { "none", "no-promotion", "sensitive" };

static void
inspect_json(const struct bundle *bundle, const struct catalog *catalog, const struct err *err,
    struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "kind", "catalog");
	json_add_str(w, "name", bundle_meta(bundle, "name"));
	if (catalog != NULL)
		json_add_int(w, "version", catalog_is(catalog)->version);
	else
		json_add_str(w, "version", bundle_meta(bundle, "version"));
	json_add_str(w, "hash", bundle_hash(bundle));
	json_add_int(w, "bytes", bundle_bytes(bundle));
	if (catalog != NULL) {
		json_add_int(w, "articles", (int64_t)catalog_count(catalog));
		json_add_int(w, "codes", (int64_t)catalog_codes(catalog));
		json_add_int(w, "images", (int64_t)catalog_pictures(catalog));
		json_add_int(w, "table", (int64_t)catalog_bytes(catalog));
	} else {
		json_add_str(w, "refused", err->text);
	}
	json_end(w);
	buf_addc(out, '\n');
}

static void
inspect_text(const struct bundle *bundle, const struct catalog *catalog, const struct err *err,
    struct buf *out)
{
	buf_addf(out, "catalog %s version %s\nhash      %s\nbytes     %" PRId64 "\n",
	    bundle_meta(bundle, "name"), bundle_meta(bundle, "version"), bundle_hash(bundle),
	    bundle_bytes(bundle));
	if (catalog != NULL)
		buf_addf(out, "articles  %zu\ncodes     %zu\nimages    %zu\ntable     %zu bytes\n",
		    catalog_count(catalog), catalog_codes(catalog), catalog_pictures(catalog),
		    catalog_bytes(catalog));
	else
		buf_addf(out, "no store takes it: %s\n", err->text);
}

void
catalog_inspect(const struct bundle *bundle, bool json, struct buf *out)
{
	struct catalog *catalog = NULL;
	struct err err = { 0 };

	/* One that is refused is still shown. */
	if (catalog_of_bundle(bundle, NULL, &catalog, &err) != 0)
		catalog = NULL;
	if (json)
		inspect_json(bundle, catalog, &err, out);
	else
		inspect_text(bundle, catalog, &err, out);
	catalog_free(catalog);
}

/* ---- what a store finds ---- */

static void
margin_text(const struct catalog_article *found, char out[static 32])
{
	int64_t share = found->margin;

	if (found->margin_kind == CATALOG_MARGIN_SHARE)
		snprintf(out, 32, "%s%" PRId64 ".%03" PRId64 "%%", share < 0 ? "-" : "",
		    (share < 0 ? -share : share) / 1000, (share < 0 ? -share : share) % 1000);
	else
		snprintf(out, 32, "%d", found->margin);
}

static void
show_json(const struct catalog_article *found, bool is, const char *code, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	char margin[32];

	margin_text(found, margin);
	json_add_str(w, "code", code);
	json_add_bool(w, "found", is);
	if (found->name != NULL)
		json_add_str(w, "name", found->name);
	if (found->category != NULL)
		json_add_str(w, "category", found->category);
	if (found->brand != NULL)
		json_add_str(w, "brand", found->brand);
	if (found->margin_kind != CATALOG_MARGIN_NONE)
		json_add_str(w, "margin", margin);
	if (found->mark != MARK_NONE)
		json_add_str(w, "mark", NAME_OF(mark_names, found->mark));
	json_end(w);
	buf_addc(out, '\n');
}

static const char *
or_none(const char *text)
{
	return text != NULL ? text : "-";
}

static void
show_text(const struct catalog_article *found, bool is, const char *code, struct buf *out)
{
	char margin[32];

	margin_text(found, margin);
	if (!is) {
		buf_addf(out, "%-14s is not in it\n", code);
		return;
	}
	buf_addf(out, "%-14s %s · %s · %s · margin %s", code, or_none(found->name),
	    or_none(found->category), or_none(found->brand),
	    found->margin_kind != CATALOG_MARGIN_NONE ? margin : "-");
	if (found->mark != MARK_NONE)
		buf_addf(out, " · %s", NAME_OF(mark_names, found->mark));
	buf_addc(out, '\n');
}

int
catalog_show(const char *path, const char *country, const char *const *codes, size_t count,
    bool json, struct buf *out, struct err *err)
{
	struct catalog *catalog;
	int rc = catalog_load(path, country, &catalog, err);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < count; i++) {
		struct catalog_article found = { 0 };
		bool is = catalog_find(catalog, codes[i], &found);

		(json ? show_json : show_text)(&found, is, codes[i], out);
	}
	catalog_free(catalog);
	return 0;
}
