/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_build.c - a table of articles and a folder of images to a bundle of kind catalog.
 */
#include "sync/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "nouns/picture.h"
#include "sync/bundle_internal.h"
#include "sync/catalog_table.h"

#define TABLE_BYTES_MAX (256u << 20)

/* All of a file, and a zero byte behind it. */
static int
read_file(const char *path, size_t max, char **ret_bytes, size_t *ret_len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st = { 0 };
	char *bytes = NULL;
	size_t done = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) != 0)
		err_at(err, errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO, path, 0, 0,
		    "cannot read: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err_at(err, AISLE_E_INVALID, path, 0, 0, "not a regular file, expected one");
	else if ((uint64_t)st.st_size > max)
		err_at(err, AISLE_E_FULL, path, 0, 0, "%lld bytes, expected at most %zu",
		    (long long)st.st_size, max);
	if (err->code == 0) {
		bytes = mem_alloc((size_t)st.st_size + 1);
		while (done < (size_t)st.st_size && n > 0) {
			n = read(fd, bytes + done, (size_t)st.st_size - done);
			done += n > 0 ? (size_t)n : 0;
		}
		if (done < (size_t)st.st_size)
			err_at(err, AISLE_E_IO, path, 0, 0, "cannot read in full");
	}
	if (fd >= 0)
		close(fd);
	if (err->code != 0) {
		free(bytes);
		return err->code;
	}
	CHECK(bytes != NULL);
	bytes[done] = '\0';
	*ret_bytes = bytes;
	*ret_len = done;
	return 0;
}

/* ---- images ---- */

/* An article whose image a card of the policy names. */
struct wanted {
	uint64_t key;
	const char *item, *action;
	bool found;
};
struct wanted_list {
	struct wanted *of; /* in order of key; NULL: no policy was named, all are wanted */
	size_t count;
	bool all; /* a card shows whatever a table names */
};

static int
compare_keys(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return x->key != y->key ? (x->key < y->key ? -1 : 1) : strcmp(x->action, y->action);
}

static void
want(struct arena *arena, const struct policy *policy, struct wanted_list *ret)
{
	size_t room = 1;

	for (size_t i = 0; i < policy->action_count; i++)
		room += policy->actions[i].treatment_count;
	ret->of = arena_alloc(arena, room * sizeof(*ret->of));
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];

		for (size_t t = 0; t < action->treatment_count; t++) {
			const char *item = action->treatments[t].image_of;

			ret->all = ret->all || action->treatments[t].image_of_item;
			if (item != NULL)
				ret->of[ret->count++] =
				    (struct wanted){ catalog_key(item), item, action->id, false };
		}
	}
	qsort(ret->of, ret->count, sizeof(*ret->of), compare_keys);
}

static bool
is_wanted(struct wanted_list *list, const char *code)
{
	uint64_t key = catalog_key(code);
	size_t from = 0, to = list->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (list->of[middle].key < key)
			from = middle + 1;
		else
			to = middle;
	}
	for (to = from; to < list->count && list->of[to].key == key; to++)
		list->of[to].found = true;
	return to > from;
}

/* By its sku, or one of its GTINs in any writing. */
static bool
may_show(struct wanted_list *list, const struct catalog_row *row)
{
	bool shown = list->of == NULL || list->all;

	if (row->sku != NULL && is_wanted(list, row->sku))
		shown = true;
	for (size_t i = 0; i < row->gtin_count; i++) {
		if (is_wanted(list, row->gtins[i]))
			shown = true;
	}
	return shown;
}

/* A card would stand there without it, and nobody would know why. */
static void
warn_of_missing(const struct catalog_table *table, const struct wanted_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct wanted *one = &list->of[i];

		if (one->found || (i > 0 && compare_keys(one, one - 1) == 0))
			continue;
		buf_addf(table->report,
		    "%s: warning: no image of %.64s, which a card of %s names\n", table->name,
		    one->item, one->action);
	}
}

static bool
is_picture(struct catalog_table *table, size_t row, const char *bytes, size_t len)
{
	struct picture_head head;
	int line = table->lines[row], column = table->image_columns[row];
	const char *name = table->images[row];

	if (!picture_read(bytes, len, &head)) {
		catalog_mistake(table, line, column,
		    "image: %.64s is no image, expected PNG, JPEG or WebP", name);
		return false;
	}
	if (head.width == 0 || head.height == 0 || head.width > PICTURE_SIDE_MAX ||
	    head.height > PICTURE_SIDE_MAX) {
		catalog_mistake(table, line, column,
		    "image: %.64s has %u x %u pixels, expected sides of 1 to %d", name, head.width,
		    head.height, PICTURE_SIDE_MAX);
		return false;
	}
	return true;
}

/* Once, however many articles have it. Takes over bytes. */
static int
add_picture(struct catalog_table *table, size_t row, struct folder *folder, char *bytes, size_t len,
    struct err *err)
{
	uint8_t *hash = arena_alloc(table->arena, 32);
	char name[72] = "images/";

	hash_bytes(hash, 32, bytes, len, NULL, 0);
	hash_hex(name + 7, hash, 32);
	table->rows[row].picture = hash;
	for (size_t i = 0; i < folder->parts.count; i++) {
		if (strcmp(folder->parts.part[i].name, name) == 0) {
			free(bytes);
			return 0;
		}
	}
	return folder_add(folder, name, bytes, len, err);
}

static int
take_picture(const struct catalog_build *what, struct catalog_table *table, size_t row,
    struct folder *folder, struct err *err)
{
	int line = table->lines[row], column = table->image_columns[row];
	struct err not_read = { 0 };
	char path[4096], *bytes;
	size_t len;

	if (what->images == NULL) {
		catalog_mistake(table, line, column,
		    "image: %.64s, and no folder of images was named, expected one",
		    table->images[row]);
		return 0;
	}
	snprintf(path, sizeof(path), "%s/%s", what->images, table->images[row]);
	if (read_file(path, CATALOG_PICTURE_BYTES_MAX, &bytes, &len, &not_read) != 0) {
		catalog_mistake(table, line, column, "image: %.64s: %s", table->images[row],
		    not_read.text);
		return 0;
	}
	if (!is_picture(table, row, bytes, len)) {
		free(bytes);
		return 0;
	}
	return add_picture(table, row, folder, bytes, len, err);
}

static int
take_pictures(const struct catalog_build *what, const struct policy *policy,
    struct catalog_table *table, struct folder *folder, struct catalog_built *built,
    struct err *err)
{
	struct wanted_list wanted = { 0 };
	int rc = 0;

	if (policy != NULL)
		want(table->arena, policy, &wanted);
	for (size_t i = 0; rc == 0 && i < table->count; i++) {
		if (table->images[i] == NULL)
			continue;
		if (may_show(&wanted, &table->rows[i]))
			rc = take_picture(what, table, i, folder, err);
		else
			built->left_out++;
	}
	warn_of_missing(table, &wanted);
	built->pictures = folder->parts.count;
	return rc;
}

/* ---- all of it ---- */

static int
take_articles(struct catalog_table *table, struct folder *folder, struct err *err)
{
	struct catalog_clash clash = { 0 };
	struct buf packed = { 0 };
	size_t len;
	int rc = catalog_pack(table->rows, table->count, &packed, &clash, err);

	if (rc == AISLE_E_INVALID) {
		catalog_mistake(table, table->lines[clash.row], 0,
		    "the code %.64s is the article's of line %d, expected it once", clash.code,
		    table->lines[clash.former]);
	}
	if (rc != 0) {
		buf_done(&packed);
		return rc;
	}
	len = packed.len;
	rc = folder_add(folder, "articles", buf_steal(&packed), len, err);
	folder_sort(folder);
	return rc;
}

static int
read_table(const struct catalog_build *what, struct catalog_table *table, struct err *err)
{
	size_t len;
	char *text;
	int rc = read_file(what->table, TABLE_BYTES_MAX, &text, &len, err);

	if (rc != 0)
		return rc;
	catalog_table_read(table, text, len);
	free(text);
	return 0;
}

static int
with_mistakes(const struct catalog_build *what, struct err *err)
{
	return err_at(err, AISLE_E_INVALID, what->table, 0, 0,
	    "the table has mistakes, expected none");
}

static int
build(const struct catalog_build *what, const struct policy *policy, struct catalog_table *table,
    struct catalog_built *ret, struct err *err)
{
	struct folder folder = { 0 };
	int rc = read_table(what, table, err);

	if (rc == 0)
		rc = take_pictures(what, policy, table, &folder, ret, err);
	if (rc == 0 && table->mistakes > 0)
		rc = with_mistakes(what, err);
	if (rc == 0)
		rc = take_articles(table, &folder, err);
	if (rc == 0)
		rc = bundle_write(what->output,
		    &(struct bundle_what){
			"catalog", what->name, what->version, CATALOG_BYTES_MAX },
		    &folder.parts, err);
	ret->articles = table->count;
	folder_done(&folder);
	return rc;
}

int
catalog_build(const struct catalog_build *what, struct catalog_built *ret, struct buf *report,
    struct err *err)
{
	struct catalog_table table = { .report = report, .name = what->table };
	struct folder folder = { 0 };
	struct policy *policy = NULL;
	int rc = 0;

	*ret = (struct catalog_built){ 0 };
	if (what->policy != NULL)
		rc = bundle_compile(what->policy, &folder, &policy, report, err);
	if (rc == 0) {
		table.arena = arena_new();
		rc = build(what, policy, &table, ret, err);
		catalog_table_done(&table);
		arena_free(table.arena);
	}
	policy_free(policy);
	folder_done(&folder);
	return rc;
}
