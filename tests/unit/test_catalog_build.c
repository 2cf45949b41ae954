/* SPDX-License-Identifier: Apache-2.0
 *
 * test_catalog_build.c - a table of articles becomes a bundle, or says what is wrong in which line;
 * and a bundle that is not sound is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "policy_fixture.h"
#include "sync/bundle_internal.h"
#include "sync/catalog.h"

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\x10\0\x08\2\0\0\0abcd"

static char dir[] = "/tmp/aisle-catalog-XXXXXX";
static char table_path[64], images_path[64], out_path[64], again_path[64], policy_path[64];

static void
write_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static uint8_t *
read_bytes(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	bytes = malloc((size_t)st.st_size + 1);
	*ret_len = fread(bytes, 1, (size_t)st.st_size, file);
	assert_int_equal(*ret_len, st.st_size);
	fclose(file);
	return bytes;
}

static void
write_image(const char *name, size_t len)
{
	char *bytes = mem_zero(len);
	char path[200];

	memcpy(bytes, PNG, len < sizeof(PNG) - 1 ? len : sizeof(PNG) - 1);
	snprintf(path, sizeof(path), "%s/%s", images_path, name);
	write_bytes(path, bytes, len);
	free(bytes);
}

static int
set_up(void **state)
{
	char path[200];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(table_path, sizeof(table_path), "%s/t.csv", dir);
	snprintf(images_path, sizeof(images_path), "%s/images", dir);
	snprintf(out_path, sizeof(out_path), "%s/t.catalog", dir);
	snprintf(again_path, sizeof(again_path), "%s/again.catalog", dir);
	snprintf(policy_path, sizeof(policy_path), "%s/policy", dir);
	mkdir(images_path, 0755);
	mkdir(policy_path, 0755);
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		if (strcmp(good_parts[i].name, "zones.json") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", policy_path, good_parts[i].name);
		*strrchr(path, '/') = '\0';
		mkdir(path, 0755);
		snprintf(path, sizeof(path), "%s/%s", policy_path, good_parts[i].name);
		write_bytes(path, good_parts[i].text, strlen(good_parts[i].text));
	}
	return 0;
}

static int
tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static int
build(const char *text, const char *policy, struct buf *report, struct catalog_built *built)
{
	struct catalog_build what = { .table = table_path,
		.images = images_path,
		.policy = policy,
		.name = "range",
		.version = 7,
		.output = out_path };
	struct err err = { 0 };

	write_bytes(table_path, text, strlen(text));
	buf_clear(report);
	return catalog_build(&what, built, report, &err);
}

static void
must_build(const char *text)
{
	struct catalog_built built;
	struct buf report = { 0 };

	if (build(text, NULL, &report, &built) != 0)
		fail_msg("%s", report.len > 0 ? report.data : "no report");
	buf_done(&report);
}

/* of the table, "t.csv:" left out */
static void
says(const char *text, const char *expected)
{
	struct catalog_built built;
	struct buf report = { 0 };
	char line[700];

	assert_int_equal(build(text, NULL, &report, &built), AISLE_E_INVALID);
	snprintf(line, sizeof(line), "%s:%s", table_path, expected);
	if (report.len == 0 || strstr(report.data, line) == NULL)
		fail_msg("%s\nexpected %s", report.len > 0 ? report.data : "nothing", line);
	buf_done(&report);
}

static void
a_table_becomes_a_bundle_and_the_same_one_each_time(void **state)
{
	static const char text[] = "\xef\xbb\xbfgtin,category,brand,name,margin,marks,sku\r\n"
				   "4006381333931 96385074, Grocery/Coffee ,ACME,\"Coffee, 500 g\","
				   "23.5%,,C-1\r\n"
				   "\r\n"
				   ",,,Banana,120,sensitive@DE no-promotion,4011\n";
	struct catalog *catalog;
	struct catalog_article found;
	struct err err = { 0 };
	uint8_t *once, *again;
	size_t len, again_len;

	(void)state;
	must_build(text);
	once = read_bytes(out_path, &len);
	must_build(text);
	again = read_bytes(out_path, &again_len);
	assert_int_equal(len, again_len);
	assert_memory_equal(once, again, len);
	assert_int_equal(catalog_load(out_path, "FR", &catalog, &err), 0);
	assert_string_equal(catalog_is(catalog)->name, "range");
	assert_int_equal(catalog_is(catalog)->version, 7);
	assert_true(catalog_find(catalog, "00000096385074", &found));
	assert_string_equal(found.category, "grocery/coffee");
	assert_string_equal(found.brand, "acme");
	assert_string_equal(found.name, "Coffee, 500 g");
	assert_int_equal(found.margin, 23500);
	assert_int_equal(found.margin_kind, CATALOG_MARGIN_SHARE);
	assert_true(catalog_find(catalog, "4011", &found));
	assert_int_equal(found.margin_kind, CATALOG_MARGIN_PIECE);
	assert_int_equal(found.margin, 120);
	assert_int_equal(found.mark, MARK_NO_PROMOTION);
	catalog_free(catalog);
	free(once);
	free(again);
}

static void
each_mistake_has_its_line_and_column(void **state)
{
	char long_sku[300], most[700];

	(void)state;
	says("", "1:1: no header");
	says("sku,price\n", "1:5: the column price is not known");
	says("sku,name,sku\n", "1:10: the column sku is there twice");
	says("name,category\n", "1:1: no column sku or gtin");
	says("sku,name\nA\n", "2:1: 1 fields, expected 2");
	says("sku,name\nA,\"x\n", "2:");
	says("sku,name\n,x\n", "2:1: no sku and no gtin");
	says("sku,name\nA,x\n\xff,y\n", "3:1: sku: not UTF-8");
	says("sku,name\nA,\"x\ty\"\n", "2:3: name: a control character");
	says("sku,gtin\nA,4006381333932\n", "2:3: gtin: 4006381333932, expected 8, 12, 13 or 14");
	says("sku,gtin\nA,4006381333931 12\n", "2:3: gtin: 12, expected");
	says("sku,category\nA,/x\n", "2:3: category: /x, expected names joined");
	says("sku,category\nA,x//y\n", "2:3: category: x//y");
	says("sku,category\nA,x/\n", "2:3: category: x/");
	says("sku,margin\nA,1.5\n", "2:3: margin: 1.5, expected minor units");
	says("sku,margin\nA,23.5555%\n", "2:3: margin: 23.5555%");
	says("sku,margin\nA,100.001%\n", "2:3: margin");
	says("sku,margin\nA,-1000.001%\n", "2:3: margin");
	says("sku,margin\nA,100000001\n", "2:3: margin");
	says("sku,margin\nA,%\n", "2:3: margin");
	says("sku,margin\nA,-\n", "2:3: margin");
	says("sku,margin\nA,.5%\n", "2:3: margin");
	says("sku,margin\nA,99999999999999999999999%\n", "2:3: margin");
	says("sku,marks\nA,secret\n", "2:3: marks: secret, expected sensitive or no-promotion");
	says("sku,marks\nA,sensitive@XX\n", "2:3: marks: sensitive@XX");
	says("sku,marks\nA,sensitive@DEU\n", "2:3: marks: sensitive@DEU");
	says("sku,marks\nA,sensitive@\n", "2:3: marks: sensitive@");
	says("sku,image\nA,../x.png\n", "2:3: image: ../x.png, expected the name of a file");
	says("sku,image\nA,none.png\n", "2:3: image: none.png: cannot read");
	says("sku\nA\nB\nA\n", "4: the code A is the article's of line 2");
	says("sku,gtin\nA,4006381333931\n04006381333931,\n",
	    "3: the code 04006381333931 is the article's of line 2");
	memset(long_sku, 's', CATALOG_TEXT_MAX + 1);
	long_sku[CATALOG_TEXT_MAX + 1] = '\0';
	snprintf(most, sizeof(most), "sku\nA\n%s\n", long_sku);
	says(most, "3:1: sku: 257 bytes, expected at most 256");
	long_sku[CATALOG_TEXT_MAX] = '\0';
	snprintf(most, sizeof(most), "sku\nA\n%s\n", long_sku);
	must_build(most);
	must_build("sku,margin\nA,100%\nB,-1000%\nC,100000000\nD,-100000000\nE,0\nF,0.001%\nG,\n");
}

static void
of_very_many_mistakes_the_first_are_told(void **state)
{
	struct catalog_built built;
	struct buf text = { 0 }, report = { 0 };
	size_t lines = 0;

	(void)state;
	buf_adds(&text, "sku,margin\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "s%d,dear\n", i);
	assert_int_equal(build(text.data, NULL, &report, &built), AISLE_E_INVALID);
	for (size_t i = 0; i < report.len; i++)
		lines += report.data[i] == '\n';
	assert_int_equal(lines, 101);
	assert_non_null(strstr(report.data, "more mistakes are not shown"));
	buf_done(&text);
	buf_done(&report);
}

/* ---- images ---- */

static void
an_image_is_small_and_one_and_kept_once(void **state)
{
	struct catalog_built built;
	struct buf report = { 0 };
	struct catalog *catalog;
	struct err err = { 0 };

	(void)state;
	write_image("big.png", CATALOG_PICTURE_BYTES_MAX + 1);
	write_image("most.png", CATALOG_PICTURE_BYTES_MAX);
	write_image("same.png", CATALOG_PICTURE_BYTES_MAX);
	write_image("cut.png", 12);
	says("sku,image\nA,big.png\n", "2:3: image: big.png: 20481 bytes, expected at most 20480");
	says("sku,image\nA,cut.png\n", "2:3: image: cut.png is no image");
	assert_int_equal(build("sku,image\nA,most.png\nB,same.png\nC,\n", NULL, &report, &built),
	    0);
	assert_int_equal(built.articles, 3);
	assert_int_equal(catalog_load(out_path, NULL, &catalog, &err), 0);
	assert_int_equal(catalog_pictures(catalog), 1);
	catalog_free(catalog);
	buf_done(&report);
}

static void
with_a_policy_only_images_that_its_cards_name_go_in(void **state)
{
	static const char card[] =
	    "{\"action\":\"%s\",\"kind\":\"inform\",\"issue\":\"i\",\"group\":\"g\","
	    "\"on\":[\"aisle.basket.opened\"],\"personal\":false,\"propensity\":0.5,"
	    "\"incremental\":1,\"margin\":1,\"outcome\":{\"is\":\"none\"},"
	    "\"placements\":[\"tablet\"],\"gate\":\"none\",\"expires\":\"60s\",\"treatments\":["
	    "{\"treatment\":\"a\",\"language\":\"en\",\"headline\":\"A\",\"image\":{\"item\":\"%"
	    "s\"}},"
	    "{\"treatment\":\"b\",\"language\":\"en\",\"headline\":\"B\",\"image\":{\"item\":\"%"
	    "s\"}}]}";
	static const char *const items[][2] = { { "4006381333931", "A" },
		{ "036000291452", "gone" }, { "gone", "gone" } };
	struct catalog_built built;
	struct buf report = { 0 };
	char path[3][200], text[1024];

	(void)state;
	for (int i = 0; i < 3; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/actions/card-%d.json", policy_path, i);
		snprintf(text, sizeof(text), card,
		    (const char *[]){ "card-0", "card-1", "card-2" }[i], items[i][0], items[i][1]);
		write_bytes(path[i], text, strlen(text));
	}
	write_image("a.png", 100);
	write_image("b.png", 200);
	write_image("c.png", 300);
	if (build("sku,gtin,category,image\nA,,,a.png\nB,96385074 "
		  "04006381333931,grocery/coffee,b.png\n"
		  "C,00036000291452,,c.png\nD,,grocery/coffee,nowhere.png\nE,,,\n",
		policy_path, &report, &built) != 0)
		fail_msg("%s", report.len > 0 ? report.data : "no report");
	assert_int_equal(built.pictures, 3);
	assert_int_equal(built.left_out, 1);
	/* Each once of an action. */
	assert_non_null(strstr(report.data,
	    "t.csv: warning: no image of gone, which a card of card-1 names\n"));
	assert_non_null(strstr(report.data, "no image of gone, which a card of card-2 names\n"));
	assert_int_equal(strlen(report.data),
	    2 *
		(strlen(table_path) +
		    strlen(": warning: no image of gone, which a card of card-1 names\n")));
	for (int i = 0; i < 3; i++)
		unlink(path[i]);
	buf_done(&report);
}

static void
more_than_sixteen_mebibytes_are_no_artifact(void **state)
{
	struct catalog_build what = { .table = table_path,
		.images = images_path,
		.name = "range",
		.version = 1,
		.output = again_path };
	struct catalog_built built;
	struct buf text = { 0 }, report = { 0 };
	struct err err = { 0 };
	char name[40], path[200];

	(void)state;
	buf_adds(&text, "sku,image\n");
	for (int i = 0; i < 830; i++) {
		snprintf(name, sizeof(name), "n%d.png", i);
		write_image(name, CATALOG_PICTURE_BYTES_MAX - (size_t)i);
		buf_addf(&text, "s%d,%s\n", i, name);
	}
	write_bytes(table_path, text.data, text.len);
	assert_int_equal(catalog_build(&what, &built, &report, &err), AISLE_E_FULL);
	assert_non_null(strstr(err.text, "expected at most 16777216"));
	assert_int_equal(access(again_path, F_OK), -1);
	for (int i = 0; i < 830; i++) {
		snprintf(path, sizeof(path), "%s/n%d.png", images_path, i);
		unlink(path);
	}
	buf_done(&text);
	buf_done(&report);
}

/* ---- bundles that are not sound ---- */

static int
loads(struct err *err)
{
	struct catalog *catalog;
	int rc;

	*err = (struct err){ 0 };
	rc = catalog_load(again_path, "DE", &catalog, err);
	if (rc == 0)
		catalog_free(catalog);
	return rc;
}

/* The parts of the bundle that was built last, with one more or other bytes in one, under another
 * name: written as a bundle, with its digest right. */
static void
refused_with(const char *part, const void *bytes, size_t len, const char *name, const char *what)
{
	struct bundle *bundle;
	struct folder folder = { 0 };
	struct err err = { 0 };
	bool there = false;

	assert_int_equal(bundle_open(out_path, "catalog", &bundle, &err), 0);
	for (size_t i = 0; i < bundle_parts(bundle)->count; i++) {
		const struct policy_part *from = &bundle_parts(bundle)->part[i];
		bool is = strcmp(from->name, part) == 0;
		size_t from_len = is ? len : from->len;
		char *copy = mem_alloc(from_len + 1);

		there = there || is;
		if (is && bytes == NULL) {
			free(copy);
			continue;
		}
		memcpy(copy, is ? bytes : from->bytes, from_len);
		assert_int_equal(folder_add(&folder, from->name, copy, from_len, &err), 0);
	}
	if (!there) {
		char *copy = mem_alloc(len + 1);

		memcpy(copy, bytes, len);
		assert_int_equal(folder_add(&folder, part, copy, len, &err), 0);
	}
	folder_sort(&folder);
	assert_int_equal(bundle_write(again_path,
			     &(struct bundle_what){ "catalog", name, 7, CATALOG_BYTES_MAX },
			     &folder.parts, &err),
	    0);
	folder_done(&folder);
	bundle_close(bundle);
	assert_int_not_equal(loads(&err), 0);
	if (strstr(err.text, what) == NULL)
		fail_msg("%s, expected %s", err.text, what);
}

static void
image_name(const void *bytes, size_t len, char out[static 80])
{
	uint8_t hash[32];

	hash_bytes(hash, sizeof(hash), bytes, len, NULL, 0);
	snprintf(out, 80, "images/");
	hash_hex(out + 7, hash, sizeof(hash));
}

static void
a_bundle_with_other_parts_than_a_catalog_has_is_refused(void **state)
{
	struct bundle *bundle;
	struct err err = { 0 };
	char picture[80];

	(void)state;
	write_image("cup.png", 100);
	must_build("sku,image\nA,cup.png\n");
	assert_int_equal(bundle_open(out_path, "catalog", &bundle, &err), 0);
	snprintf(picture, sizeof(picture), "%s", bundle_parts(bundle)->part[1].name);
	bundle_close(bundle);
	assert_memory_equal(picture, "images/", 7);
	refused_with("notes", "x", 1, "range", "a part that no catalog has");
	refused_with("images/x", "x", 1, "range", "not the image of that name");
	refused_with("articles", NULL, 0, "range", "has no articles");
	refused_with("articles", "AISLART1", 8, "range", "not a table of articles");
	refused_with(picture, "x", 1, "range", "not the image of that name");
	refused_with(picture, NULL, 0, "range", "names an image that is not there");
	image_name("x", 1, picture);
	refused_with(picture, "x", 1, "range", "not an image");
	image_name(PNG, sizeof(PNG) - 1, picture);
	refused_with(picture, PNG, sizeof(PNG) - 1, "range", "an image of no article");
	refused_with("other", "x", 1, "", "name or version is none");
}

static void
a_bundle_with_any_byte_turned_is_refused_or_has_the_same_table(void **state)
{
	struct catalog *was, *is;
	uint8_t *bytes;
	size_t len, taken = 0;
	struct err err = { 0 };

	(void)state;
	write_image("cup.png", 100);
	must_build("sku,name,category,marks,image\nA,Coffee,grocery/coffee,sensitive,cup.png\n");
	assert_int_equal(catalog_load(out_path, "DE", &was, &err), 0);
	bytes = read_bytes(out_path, &len);
	for (size_t i = 0; i < len; i++) {
		/* Most of it is empty. */
		if (i >= 100 && bytes[i] == 0 && i % 16 != 0)
			continue;
		bytes[i] ^= 0x5a;
		write_bytes(again_path, bytes, len);
		bytes[i] ^= 0x5a;
		err = (struct err){ 0 };
		if (catalog_load(again_path, "DE", &is, &err) != 0)
			continue;
		/* What SQLite does not read, as the count of changes. */
		taken++;
		assert_int_equal(catalog_bytes(is), catalog_bytes(was));
		assert_memory_equal(catalog_table(is), catalog_table(was), catalog_bytes(was));
		assert_string_not_equal(catalog_is(is)->hash, catalog_is(was)->hash);
		catalog_free(is);
	}
	assert_true(taken < len);
	catalog_free(was);
	free(bytes);
}

/* ---- the child ---- */

static void
a_child_opens_it_and_hands_over_the_table(void **state)
{
	struct catalog_job job;
	struct catalog *catalog;
	struct catalog_article found;
	struct err err = { 0 };

	(void)state;
	must_build("sku,name,marks\nA,Coffee,sensitive@DE\n");
	assert_int_equal(catalog_job_start(out_path, 20000, &job, &err), 0);
	assert_int_equal(catalog_job_finish(&job, "DE", &catalog, &err), 0);
	assert_true(catalog_find(catalog, "A", &found));
	assert_string_equal(found.name, "Coffee");
	assert_int_equal(found.mark, MARK_SENSITIVE);
	assert_string_equal(catalog_is(catalog)->name, "range");
	assert_int_equal(strlen(catalog_is(catalog)->hash), 64);
	catalog_free(catalog);
	write_bytes(again_path, "no bundle", 9);
	assert_int_equal(catalog_job_start(again_path, 20000, &job, &err), 0);
	assert_int_equal(catalog_job_finish(&job, "DE", &catalog, &err), AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "expected a bundle"));
	assert_int_equal(catalog_job_start(out_path, 20000, &job, &err), 0);
	catalog_job_stop(&job);
	assert_null(job.shared);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_becomes_a_bundle_and_the_same_one_each_time),
		cmocka_unit_test(each_mistake_has_its_line_and_column),
		cmocka_unit_test(of_very_many_mistakes_the_first_are_told),
		cmocka_unit_test(an_image_is_small_and_one_and_kept_once),
		cmocka_unit_test(with_a_policy_only_images_that_its_cards_name_go_in),
		cmocka_unit_test(more_than_sixteen_mebibytes_are_no_artifact),
		cmocka_unit_test(a_bundle_with_other_parts_than_a_catalog_has_is_refused),
		cmocka_unit_test(a_bundle_with_any_byte_turned_is_refused_or_has_the_same_table),
		cmocka_unit_test(a_child_opens_it_and_hands_over_the_table),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
