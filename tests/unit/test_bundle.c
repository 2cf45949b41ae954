/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bundle.c - a folder becomes one file, the file becomes the policy again, and nothing else
 * gets in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/json.h"
#include "policy_fixture.h"
#include "sync/bundle.h"

struct bench {
	char dir[64]; /* everything of this test program */
	char source[80], file[80];
	uint8_t *bytes; /* of file, as built */
	size_t len;
};

static void
write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static uint8_t *
read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	long len;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	len = ftell(file);
	rewind(file);
	bytes = malloc((size_t)len + 1);
	assert_int_equal(fread(bytes, 1, (size_t)len, file), (size_t)len);
	fclose(file);
	*ret_len = (size_t)len;
	return bytes;
}

/* The good policy as a folder; zones.json is what the build makes. */
static void
write_folder(const char *dir, bool backwards)
{
	static const char *const subs[] = { "", "/actions", "/models" };
	char path[300];

	for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, subs[i]);
		mkdir(path, 0755);
	}
	for (size_t n = 0; n < GOOD_COUNT; n++) {
		size_t i = backwards ? GOOD_COUNT - 1 - n : n;

		if (strcmp(good_parts[i].name, "zones.json") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, good_parts[i].name);
		write_file(path, good_parts[i].text, strlen(good_parts[i].text));
	}
	snprintf(path, sizeof(path), "%s/README.md", dir);
	write_file(path, "notes\n", 6);
}

static void
build(const char *dir, const char *output)
{
	struct buf report = { 0 };
	struct err err = { 0 };

	if (bundle_build(dir, output, &report, &err) != 0)
		fail_msg("%s\n%s", err.text, report.data);
	buf_done(&report);
}

static int
set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	snprintf(bench->dir, sizeof(bench->dir), "/tmp/aisle-bundle-XXXXXX");
	assert_non_null(mkdtemp(bench->dir));
	snprintf(bench->source, sizeof(bench->source), "%s/policy", bench->dir);
	snprintf(bench->file, sizeof(bench->file), "%s/good.bundle", bench->dir);
	write_folder(bench->source, false);
	build(bench->source, bench->file);
	bench->bytes = read_file(bench->file, &bench->len);
	*state = bench;
	return 0;
}

static void
remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char below[400];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (unlink(below) != 0)
			remove_tree(below);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

static int
tear_down(void **state)
{
	struct bench *bench = *state;

	remove_tree(bench->dir);
	free(bench->bytes);
	free(bench);
	return 0;
}

/* Opens these bytes as a bundle: 0, or why not. */
static int
open_bytes(struct bench *bench, const void *bytes, size_t len, struct bundle **ret, struct err *err)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/hostile.bundle", bench->dir);
	write_file(path, bytes, len);
	*err = (struct err){ 0 };
	return bundle_open(path, "policy", ret, err);
}

/* A copy of the good bundle on which some SQL was run. */
static int
open_changed(struct bench *bench, const char *sql, struct err *err)
{
	struct bundle *bundle = NULL;
	char path[100];
	sqlite3 *db;
	int status;

	snprintf(path, sizeof(path), "%s/changed.bundle", bench->dir);
	write_file(path, bench->bytes, bench->len);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	*err = (struct err){ 0 };
	status = bundle_open(path, "policy", &bundle, err);
	if (status == 0)
		bundle_close(bundle);
	return status;
}

static void
a_folder_comes_back_as_the_same_policy(void **state)
{
	struct bench *bench = *state;
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };

	assert_int_equal(bundle_open(bench->file, "policy", &bundle, &err), 0);
	assert_string_equal(bundle_meta(bundle, "kind"), "policy");
	assert_string_equal(bundle_meta(bundle, "name"), "spring");
	assert_string_equal(bundle_meta(bundle, "version"), "12");
	assert_null(bundle_meta(bundle, "nothing"));
	assert_int_equal(bundle_bytes(bundle), bench->len);
	assert_int_equal(strlen(bundle_hash(bundle)), 64);
	assert_int_equal(bundle_policy(bundle, &policy, &report), 0);
	assert_string_equal(policy->hash, bundle_hash(bundle));
	assert_int_equal(policy->action_count, 4);
	assert_int_equal(policy->model_count, 2);
	assert_string_equal(policy_zone(policy, "Europe/Berlin"), "CET-1CEST,M3.5.0,M10.5.0/3");
	bundle_close(bundle);
	assert_string_equal(policy_action(policy, "coffee-off")->offer.funder,
	    "acme"); /* stands without the bundle */
	policy_free(policy);
	buf_done(&report);
}

static void
models_travel_in_the_flat_form_and_notes_stay_at_home(void **state)
{
	struct bench *bench = *state;
	struct bundle *bundle = NULL;
	struct err err = { 0 };
	const struct policy_parts *parts;
	int flat = 0;

	assert_int_equal(bundle_open(bench->file, NULL, &bundle, &err), 0);
	parts = bundle_parts(bundle);
	for (size_t i = 0; i < parts->count; i++) {
		assert_null(strstr(parts->part[i].name, "linear.json"));
		assert_null(strstr(parts->part[i].name, "README"));
		flat += strcmp(parts->part[i].name, "models/churn.model") == 0;
		flat += strcmp(parts->part[i].name, "models/coffee.model") == 0;
		if (i > 0)
			assert_true(strcmp(parts->part[i - 1].name, parts->part[i].name) < 0);
	}
	assert_int_equal(flat, 2);
	bundle_close(bundle);
}

static void
the_same_folder_gives_the_same_bytes_wherever_it_stands(void **state)
{
	struct bench *bench = *state;
	char other[100], file[100];
	uint8_t *bytes;
	size_t len;

	snprintf(other, sizeof(other), "%s/elsewhere-with-a-longer-name", bench->dir);
	snprintf(file, sizeof(file), "%s/second.bundle", bench->dir);
	write_folder(other, true);
	build(other, file);
	bytes = read_file(file, &len);
	assert_int_equal(len, bench->len);
	assert_memory_equal(bytes, bench->bytes, len);
	free(bytes);
	build(bench->source, file); /* over an existing one */
	bytes = read_file(file, &len);
	assert_int_equal(len, bench->len);
	assert_memory_equal(bytes, bench->bytes, len);
	free(bytes);
}

static void
another_folder_gives_another_hash(void **state)
{
	struct bench *bench = *state;
	struct bundle *a = NULL, *b = NULL;
	struct err err = { 0 };
	char path[200], file[100];

	snprintf(path, sizeof(path), "%s/third", bench->dir);
	snprintf(file, sizeof(file), "%s/third.bundle", bench->dir);
	write_folder(path, false);
	snprintf(path, sizeof(path), "%s/third/contact.json", bench->dir);
	write_file(path, "{}", 2);
	snprintf(path, sizeof(path), "%s/third", bench->dir);
	build(path, file);
	assert_int_equal(bundle_open(bench->file, NULL, &a, &err), 0);
	assert_int_equal(bundle_open(file, NULL, &b, &err), 0);
	assert_string_not_equal(bundle_hash(a), bundle_hash(b));
	bundle_close(a);
	bundle_close(b);
}

static void
a_folder_with_a_mistake_builds_nothing(void **state)
{
	struct bench *bench = *state;
	struct buf report = { 0 };
	struct err err = { 0 };
	char dir[100], path[200], file[100];

	snprintf(dir, sizeof(dir), "%s/bad", bench->dir);
	snprintf(path, sizeof(path), "%s/bad/contact.json", bench->dir);
	snprintf(file, sizeof(file), "%s/bad.bundle", bench->dir);
	write_folder(dir, false);
	write_file(path, "{\n \"cap\":[]}", 12);
	assert_int_equal(policy_check_dir(dir, 0, NULL, &report, &err), AISLE_E_INVALID);
	assert_non_null(strstr(report.data, "contact.json:2:2: unknown member \"cap\""));
	buf_clear(&report);
	err = (struct err){ 0 };
	assert_int_equal(bundle_build(dir, file, &report, &err), AISLE_E_INVALID);
	assert_int_equal(access(file, F_OK), -1);
	buf_done(&report);
}

static void
a_folder_that_is_not_there_is_said_to_be_so(void **state)
{
	struct buf report = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(policy_check_dir("/nonexistent/policy", 0, NULL, &report, &err),
	    AISLE_E_NONE);
	assert_string_equal(err.file, "/nonexistent/policy");
	buf_done(&report);
}

static void
listed_zones_travel_alone_and_unknown_ones_are_refused(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture;
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };
	char dir[100], path[200], file[100];

	snprintf(dir, sizeof(dir), "%s/zones", bench->dir);
	snprintf(path, sizeof(path), "%s/zones/policy.json", bench->dir);
	snprintf(file, sizeof(file), "%s/zones.bundle", bench->dir);
	write_folder(dir, false);
	fixture_init(&fixture);
	fixture_replace(&fixture, "policy.json", "\"interrupt\":3",
	    "\"zones\":[\"America/New_York\"]");
	write_file(path, fixture.changed, strlen(fixture.changed));
	build(dir, file);
	assert_int_equal(bundle_open(file, NULL, &bundle, &err), 0);
	assert_int_equal(bundle_policy(bundle, &policy, &report), 0);
	assert_string_equal(policy_zone(policy, "America/New_York"), "EST5EDT,M3.2.0,M11.1.0");
	assert_string_equal(policy_zone(policy, "UTC"), "UTC0");
	assert_null(policy_zone(policy, "Europe/Berlin"));
	policy_free(policy);
	bundle_close(bundle);
	fixture_done(&fixture);
	fixture_init(&fixture);
	fixture_replace(&fixture, "policy.json", "\"interrupt\":3",
	    "\"zones\":[\"Europe/Atlantis\"]");
	write_file(path, fixture.changed, strlen(fixture.changed));
	assert_int_equal(policy_check_dir(dir, 0, NULL, &report, &err), AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "Europe/Atlantis"));
	fixture_done(&fixture);
	buf_done(&report);
}

/* ---- ladders ---- */

static void
a_chance_that_falls_with_depth_builds_no_ladder(void **state)
{
	struct bench *bench = *state;
	struct fixture fixture;
	struct buf report = { 0 };
	struct err err = { 0 };
	char dir[100], path[200];
	static const char *const falls =
	    "{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":-2,"
	    "\"weights\":{\"tier=gold\":0.5,\"depth\":-0.125}}\n";
	static const char *const exam = "tier,depth,margin\ngold,8,-2.5\n";

	snprintf(dir, sizeof(dir), "%s/ladder", bench->dir);
	write_folder(dir, false);
	fixture_init(&fixture);
	fixture_replace(&fixture, "actions/coffee-off.json", "\"depth\":10", "\"ladder\":[10,20]");
	snprintf(path, sizeof(path), "%s/actions/coffee-off.json", dir);
	write_file(path, fixture.changed, strlen(fixture.changed));
	assert_int_equal(policy_check_dir(dir, 0, NULL, &report, &err), 0); /* p1 rises */
	snprintf(path, sizeof(path), "%s/models/coffee.linear.json", dir);
	write_file(path, falls, strlen(falls));
	snprintf(path, sizeof(path), "%s/models/coffee.exam.csv", dir);
	write_file(path, exam, strlen(exam));
	buf_clear(&report);
	assert_int_equal(policy_check_dir(dir, 0, NULL, &report, &err), AISLE_E_INVALID);
	assert_non_null(strstr(report.data, "actions/coffee-off.json:10:28: p1 falls"));
	fixture_done(&fixture);
	buf_done(&report);
}

/* ---- hostile files ---- */

static void
a_bundle_of_another_kind_is_refused(void **state)
{
	struct bench *bench = *state;
	struct bundle *bundle = NULL;
	struct err err = { 0 };

	assert_int_equal(bundle_open(bench->file, "catalog", &bundle, &err), AISLE_E_INVALID);
	assert_null(bundle);
	assert_int_equal(bundle_open("/nonexistent.bundle", "policy", &bundle, &err), AISLE_E_NONE);
}

static void
a_file_that_holds_more_than_two_tables_is_refused(void **state)
{
	static const char *const additions[] = {
		"CREATE TRIGGER t AFTER INSERT ON meta BEGIN SELECT 1; END",
		"CREATE VIEW v AS SELECT * FROM part",
		"CREATE INDEX i ON part(body)",
		"CREATE TABLE extra(a)",
		"CREATE VIRTUAL TABLE f USING fts5(a)",
		"DROP TABLE part; CREATE VIEW part AS SELECT name, value AS body FROM meta",
		"DROP TABLE part",
		"DROP TABLE part; CREATE TABLE part(name TEXT PRIMARY KEY, body BLOB)",
		"ALTER TABLE part ADD COLUMN c",
		"ANALYZE",
	};
	struct bench *bench = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(additions); i++) {
		if (strstr(additions[i], "fts5") != NULL &&
		    !sqlite3_compileoption_used("ENABLE_FTS5"))
			continue;
		assert_int_equal(open_changed(bench, additions[i], &err), AISLE_E_INVALID);
		assert_non_null(strstr(err.text, "schema"));
	}
}

static void
a_file_of_another_application_or_format_is_refused(void **state)
{
	struct bench *bench = *state;
	struct err err;

	assert_int_equal(open_changed(bench, "PRAGMA application_id=1095324491", &err),
	    AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "application_id"));
	assert_int_equal(open_changed(bench, "PRAGMA user_version=2", &err), AISLE_E_INVALID);
	assert_int_equal(open_changed(bench, "PRAGMA user_version=0", &err), AISLE_E_INVALID);
	assert_int_equal(open_changed(bench, "PRAGMA journal_mode=WAL", &err), AISLE_E_INVALID);
	assert_int_equal(open_changed(bench, "PRAGMA page_size=8192; VACUUM", &err),
	    AISLE_E_INVALID);
}

static void
a_changed_part_is_refused(void **state)
{
	static const char *const changes[] = {
		("UPDATE part SET body = CAST(replace(CAST(body AS TEXT), '120s', '121s') AS BLOB) "
		 "WHERE name LIKE 'actions/c%'"),
		"UPDATE part SET name = 'contacts.json' WHERE name = 'contact.json'",
		"DELETE FROM part WHERE name = 'contact.json'",
		"INSERT INTO part VALUES('images/x.png', x'00')",
		"UPDATE meta SET value = '13' WHERE name = 'version'",
		"DELETE FROM meta WHERE name = 'digest'",
		"UPDATE meta SET value = upper(value) WHERE name = 'digest'",
		"INSERT INTO meta VALUES('note', 'x')",
		"UPDATE part SET body = 'text' WHERE name = 'contact.json'",
		"UPDATE part SET body = NULL WHERE name = 'contact.json'",
		"UPDATE meta SET value = x'00' WHERE name = 'version'",
	};
	struct bench *bench = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		assert_int_equal(open_changed(bench, changes[i], &err), AISLE_E_DAMAGED);
}

static void
a_file_cut_at_any_place_is_refused(void **state)
{
	struct bench *bench = *state;
	struct bundle *bundle = NULL;
	struct err err;

	for (size_t i = 0; i < 200; i++)
		assert_int_not_equal(open_bytes(bench, bench->bytes, bench->len * i / 200, &bundle,
					 &err),
		    0);
	assert_int_not_equal(open_bytes(bench, bench->bytes, bench->len - 1, &bundle, &err), 0);
	assert_int_equal(open_bytes(bench, bench->bytes, bench->len, &bundle, &err), 0);
	bundle_close(bundle);
}

static bool
same_parts(const struct policy_parts *a, const struct policy_parts *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->part[i].name, b->part[i].name) != 0 ||
		    a->part[i].len != b->part[i].len ||
		    memcmp(a->part[i].bytes, b->part[i].bytes, a->part[i].len) != 0)
			return false;
	return true;
}

/* A bit in an unused place of a page changes nothing that is read; anywhere else it is found. The
 * hash differs always. */
static void
a_flipped_bit_is_found_or_changes_nothing(void **state)
{
	struct bench *bench = *state;
	struct bundle *good = NULL, *bundle = NULL;
	struct err err = { 0 };
	uint32_t seed = 12345;
	int refused = 0;

	assert_int_equal(bundle_open(bench->file, "policy", &good, &err), 0);
	for (int i = 0; i < 1500; i++) {
		size_t at;
		uint8_t bit;

		seed = seed * 1664525u + 1013904223u;
		at = i < 800 ? (size_t)i / 8 : (seed >> 4) % bench->len; /* the header in full */
		bit = (uint8_t)(1u << (i < 800 ? i % 8 : (int)(seed & 7)));
		bench->bytes[at] ^= bit;
		if (open_bytes(bench, bench->bytes, bench->len, &bundle, &err) != 0)
			refused++;
		else {
			assert_true(same_parts(bundle_parts(good), bundle_parts(bundle)));
			assert_string_equal(bundle_meta(bundle, "version"), "12");
			assert_string_not_equal(bundle_hash(good), bundle_hash(bundle));
			bundle_close(bundle);
		}
		bench->bytes[at] ^= bit;
	}
	assert_true(refused > 600);
	bundle_close(good);
}

static void
files_that_are_no_database_are_refused(void **state)
{
	struct bench *bench = *state;
	struct bundle *bundle = NULL;
	struct err err;
	uint8_t zeros[4096] = { 0 };

	assert_int_equal(open_bytes(bench, "", 0, &bundle, &err), AISLE_E_INVALID);
	assert_int_equal(open_bytes(bench, zeros, sizeof(zeros), &bundle, &err), AISLE_E_INVALID);
	assert_int_equal(open_bytes(bench, "{\"kind\":\"policy\"}", 17, &bundle, &err),
	    AISLE_E_INVALID);
	err = (struct err){ 0 };
	assert_int_equal(bundle_open(bench->dir, "policy", &bundle, &err), AISLE_E_INVALID);
	assert_int_equal(mkfifo(strcat(strcpy((char[100]){ 0 }, bench->dir), "/fifo"), 0600), 0);
	err = (struct err){ 0 };
	assert_int_equal(bundle_open(strcat(strcpy((char[100]){ 0 }, bench->dir), "/fifo"),
			     "policy", &bundle, &err),
	    AISLE_E_INVALID);
}

static void
inspecting_names_what_is_inside(void **state)
{
	struct bench *bench = *state;
	struct bundle *bundle = NULL;
	struct buf text = { 0 }, json = { 0 };
	struct err err = { 0 };
	json_t *tree;

	assert_int_equal(bundle_open(bench->file, NULL, &bundle, &err), 0);
	bundle_inspect(bundle, false, &text);
	assert_non_null(strstr(text.data, "spring version 12"));
	assert_non_null(strstr(text.data, bundle_hash(bundle)));
	assert_non_null(strstr(text.data, "coffee-off"));
	bundle_inspect(bundle, true, &json);
	tree = json_read(json.data, json.len, "inspect", &err);
	assert_non_null(tree);
	assert_string_equal(json_string_value(json_object_get(tree, "kind")), "policy");
	assert_int_equal(json_integer_value(json_object_get(tree, "version")), 12);
	assert_string_equal(json_string_value(json_object_get(tree, "hash")), bundle_hash(bundle));
	assert_int_equal(json_integer_value(json_object_get(tree, "bytes")), bench->len);
	assert_int_equal(json_array_size(json_object_get(tree, "actions")), 4);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(tree,
										 "actions"),
								  0),
				"kind")),
	    "offer");
	assert_int_equal(json_array_size(json_object_get(tree, "models")), 2);
	assert_int_equal(json_array_size(json_object_get(tree, "languages")), 2);
	json_decref(tree);
	bundle_close(bundle);
	buf_done(&text);
	buf_done(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_comes_back_as_the_same_policy),
		cmocka_unit_test(models_travel_in_the_flat_form_and_notes_stay_at_home),
		cmocka_unit_test(the_same_folder_gives_the_same_bytes_wherever_it_stands),
		cmocka_unit_test(another_folder_gives_another_hash),
		cmocka_unit_test(a_folder_with_a_mistake_builds_nothing),
		cmocka_unit_test(a_folder_that_is_not_there_is_said_to_be_so),
		cmocka_unit_test(listed_zones_travel_alone_and_unknown_ones_are_refused),
		cmocka_unit_test(a_chance_that_falls_with_depth_builds_no_ladder),
		cmocka_unit_test(a_bundle_of_another_kind_is_refused),
		cmocka_unit_test(a_file_that_holds_more_than_two_tables_is_refused),
		cmocka_unit_test(a_file_of_another_application_or_format_is_refused),
		cmocka_unit_test(a_changed_part_is_refused),
		cmocka_unit_test(a_file_cut_at_any_place_is_refused),
		cmocka_unit_test(a_flipped_bit_is_found_or_changes_nothing),
		cmocka_unit_test(files_that_are_no_database_are_refused),
		cmocka_unit_test(inspecting_names_what_is_inside),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
