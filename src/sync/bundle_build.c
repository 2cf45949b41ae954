/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_build.c - a folder to a bundle file: the same bytes for the same folder.
 *
 * DESIGN
 *   Rows go in in order of name, in one transaction, into a fresh file with fixed
 *   settings, so that SQLite lays the pages out alike each time. The only place
 *   where two SQLite versions differ is the number of the version that wrote last
 *   (header, offset 96); nothing reads it, and a fixed one is written over it.
 */
#include "sync/bundle_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "policy/policy_tables.h"
#include "score/model.h"

/* ---- folder to parts ---- */

static int
add_zones(struct folder *folder, struct buf *report, struct err *err)
{
	struct buf zones = { 0 };
	int status = 0;

	for (size_t i = 0; status == 0 && i < folder->parts.count; i++)
		if (strcmp(folder->parts.part[i].name, "zones.json") == 0)
			status = err_at(err, AISLE_E_INVALID, "zones.json", 1, 1,
			    "the build makes this file, expected the names "
			    "of zones in policy.json, \"zones\"");
	if (status == 0)
		status = zones_build(&folder->parts, &zones, report, err);
	if (status == 0) {
		size_t len = zones.len;

		status = folder_add(folder, "zones.json", buf_steal(&zones), len, err);
		folder_sort(folder);
	}
	buf_done(&zones);
	return status;
}

int
bundle_compile(const char *dir, struct folder *folder, struct policy **ret_policy,
    struct buf *report, struct err *err)
{
	int status = folder_read(dir, folder, err);

	if (status != 0)
		return status;
	status = add_zones(folder, report, err);
	if (status == 0 && policy_compile(&folder->parts, ret_policy, report) != 0)
		status = err_at(err, AISLE_E_INVALID, dir, 0, 0,
		    "the policy has mistakes, expected none");
	if (status == 0 && exam_author(*ret_policy, &folder->parts, report) != 0) {
		policy_free(*ret_policy);
		status = err_at(err, AISLE_E_INVALID, dir, 0, 0,
		    "the policy has mistakes, expected none");
	}
	if (status != 0)
		folder_done(folder);
	return status;
}

int
policy_check_dir(const char *dir, int64_t now_ms, const struct policy_goods *goods,
    struct buf *report, struct err *err)
{
	struct folder folder = { 0 };
	struct policy *policy;
	int status = bundle_compile(dir, &folder, &policy, report, err);

	if (status == 0) {
		policy_lint(policy, &folder.parts, now_ms, goods, report);
		policy_notes(policy, &folder.parts, report);
		policy_free(policy);
		folder_done(&folder);
	}
	return status;
}

/* ---- what goes into the file ---- */

static json_t *
model_list(const struct policy *policy)
{
	return json_object_get(json_object_get(policy->source, "models"), "models");
}

/* Source texts of models are replaced by the flat form; other files of models/ that nothing names
 * stay out. */
static bool
wanted(const struct policy *policy, const char *name)
{
	json_t *list = model_list(policy), *model;
	size_t i;

	if (strcmp(name, "policy.json") == 0 || strcmp(name, "features.json") == 0 ||
	    strcmp(name, "contact.json") == 0 || strcmp(name, "experiments.json") == 0 ||
	    strcmp(name, "zones.json") == 0 || strcmp(name, "shrink.json") == 0 ||
	    strcmp(name, "models/models.json") == 0 || strcmp(name, "tables/tables.json") == 0 ||
	    strncmp(name, "images/", 7) == 0)
		return true;
	if (strncmp(name, "actions/", 8) == 0)
		return strcmp(name + strlen(name) - 5, ".json") == 0;
	if (strncmp(name, "models/", 7) != 0)
		return false;
	json_array_foreach(list, i, model) {
		const char *exam = json_string_value(json_object_get(model, "exam"));

		if (exam != NULL && strcmp(name + 7, exam) == 0)
			return true;
	}
	return false;
}

/* As they were opened: a list of pairs is one by now. */
static int
add_tables(const struct policy *policy, struct folder *ret, struct err *err)
{
	int status = 0;

	for (int f = 0; status == 0 && f < FAMILY_COUNT; f++) {
		const struct policy_table *table = policy->tables[f];
		char name[BUNDLE_NAME_MAX];
		uint8_t *copy;

		if (table == NULL)
			continue;
		snprintf(name, sizeof(name), "tables/%s.table", NAME_OF(family_names, f));
		copy = mem_alloc(table->len + 1);
		memcpy(copy, table->bytes, table->len);
		status = folder_add(ret, name, copy, table->len, err);
	}
	return status;
}

static int
choose_parts(const struct policy *policy, const struct folder *folder, struct folder *ret,
    struct err *err)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < folder->parts.count; i++) {
		const struct policy_part *part = &folder->parts.part[i];
		char *copy;

		if (!wanted(policy, part->name))
			continue;
		copy = mem_alloc(part->len + 1);
		memcpy(copy, part->bytes, part->len);
		copy[part->len] = '\0';
		status = folder_add(ret, part->name, copy, part->len, err);
	}
	for (size_t i = 0; status == 0 && i < policy->model_count; i++) {
		struct buf flat = { 0 };
		char name[BUNDLE_NAME_MAX];
		size_t len;

		snprintf(name, sizeof(name), "models/%s.model", policy->models[i].name);
		model_save(policy->models[i].model, &flat);
		len = flat.len;
		status = folder_add(ret, name, buf_steal(&flat), len, err);
	}
	if (status == 0)
		status = add_tables(policy, ret, err);
	folder_sort(ret);
	for (size_t i = 1; status == 0 && i < ret->parts.count; i++)
		if (strcmp(ret->parts.part[i - 1].name, ret->parts.part[i].name) == 0)
			status = err_at(err, AISLE_E_INVALID, ret->parts.part[i].name, 0, 0,
			    "a file stands where the "
			    "built model goes, expected another name");
	return status;
}

/* ---- the file ---- */

static int
insert(sqlite3 *db, const char *sql, const char *name, const void *value, size_t len, bool blob)
{
	sqlite3_stmt *stmt = NULL;
	int status = AISLE_E_IO;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) == SQLITE_OK &&
	    (blob ? sqlite3_bind_blob64(stmt, 2, len > 0 ? value : "", len, SQLITE_STATIC)
		  : sqlite3_bind_text(stmt, 2, value, (int)len, SQLITE_STATIC)) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_DONE)
		status = 0;
	sqlite3_finalize(stmt);
	return status;
}

static int
write_rows(sqlite3 *db, const struct bundle_what *what, const struct policy_parts *parts)
{
	char version[32], digest[65];
	/* Ascending by name; "digest" is filled when the others are known. */
	struct bundle_meta_row meta[] = {
		{ (char[]){ "digest" }, digest },
		{ (char[]){ "kind" }, (char *)(uintptr_t)what->kind },
		{ (char[]){ "name" }, (char *)(uintptr_t)what->name },
		{ (char[]){ "version" }, version },
	};
	int status = 0;

	snprintf(version, sizeof(version), "%" PRId64, what->version);
	bundle_digest(meta, ARRAY_LEN(meta), parts, digest);
	for (size_t i = 0; status == 0 && i < ARRAY_LEN(meta); i++)
		status = insert(db, "INSERT INTO meta(name, value) VALUES(?, ?)", meta[i].name,
		    meta[i].value, strlen(meta[i].value), false);
	for (size_t i = 0; status == 0 && i < parts->count; i++)
		status = insert(db, "INSERT INTO part(name, body) VALUES(?, ?)",
		    parts->part[i].name, parts->part[i].bytes, parts->part[i].len, true);
	return status;
}

static int
write_database(const char *path, const struct bundle_what *what, const struct policy_parts *parts)
{
	static const char *const start =
	    "PRAGMA page_size=4096; PRAGMA encoding='UTF-8'; PRAGMA auto_vacuum=NONE; "
	    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; "
	    "BEGIN IMMEDIATE; PRAGMA application_id=1095324492; PRAGMA "
	    "user_version=1; " BUNDLE_META_SQL "; " BUNDLE_PART_SQL ";";
	sqlite3 *db = NULL;
	int status = AISLE_E_IO;

	_Static_assert(BUNDLE_APPLICATION_ID == 1095324492, "the pragma above takes no macro");
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, start, NULL, NULL, NULL) == SQLITE_OK &&
	    write_rows(db, what, parts) == 0 &&
	    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		status = 0;
	if (sqlite3_close(db) != SQLITE_OK)
		status = AISLE_E_IO;
	return status;
}

static int
settle(const char *temporary, const char *output)
{
	static const uint8_t writer[4] = { 0x00, 0x2e, 0x63, 0x01 }; /* 3040001 */
	int fd = open(temporary, O_RDWR | O_CLOEXEC), folder = -1;
	char *copy = mem_strdup(output);
	int status = AISLE_E_IO;

	if (fd >= 0 && pwrite(fd, writer, sizeof(writer), 96) == (ssize_t)sizeof(writer) &&
	    fchmod(fd, 0644) == 0 && fsync(fd) == 0 && rename(temporary, output) == 0) {
		folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		status = folder >= 0 && fsync(folder) == 0 ? 0 : AISLE_E_IO;
	}
	if (folder >= 0)
		close(folder);
	if (fd >= 0)
		close(fd);
	free(copy);
	return status;
}

/* AISLE_E_FULL: it is larger than it may be. */
static int
check_size(const char *temporary, const char *output, const struct bundle_what *what,
    struct err *err)
{
	struct stat st;

	if (stat(temporary, &st) != 0)
		return AISLE_E_IO;
	if ((uint64_t)st.st_size <= what->bytes_max)
		return 0;
	return err_at(err, AISLE_E_FULL, output, 0, 0,
	    "the bundle would have %lld bytes, expected at most %llu", (long long)st.st_size,
	    (unsigned long long)what->bytes_max);
}

int
bundle_write(const char *output, const struct bundle_what *what, const struct policy_parts *parts,
    struct err *err)
{
	char temporary[4096];
	int fd, status = file_replaceable(output, err);

	if (status != 0)
		return status;
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", output) >= (int)sizeof(temporary))
		return err_at(err, AISLE_E_INVALID, output, 0, 0,
		    "the name is too long, expected a shorter one");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_at(err, AISLE_E_IO, output, 0, 0, "cannot write: %s", strerror(errno));
	close(fd);
	status = write_database(temporary, what, parts);
	if (status == 0)
		status = check_size(temporary, output, what, err);
	if (status == 0)
		status = settle(temporary, output);
	if (status == 0)
		return 0;
	unlink(temporary);
	return status == AISLE_E_FULL
	    ? status
	    : err_at(err, AISLE_E_IO, output, 0, 0, "cannot write the bundle: %s", strerror(errno));
}

int
bundle_build(const char *dir, const char *output, struct buf *report, struct err *err)
{
	struct folder folder = { 0 }, chosen = { 0 };
	struct policy *policy;
	int status = bundle_compile(dir, &folder, &policy, report, err);

	if (status != 0)
		return status;
	status = choose_parts(policy, &folder, &chosen, err);
	if (status == 0)
		status = bundle_write(output,
		    &(struct bundle_what){
			"policy", policy->name, policy->version, BUNDLE_BYTES_MAX },
		    &chosen.parts, err);
	folder_done(&chosen);
	policy_free(policy);
	folder_done(&folder);
	return status;
}
