/* SPDX-License-Identifier: Apache-2.0
 *
 * test_archive.c - an archive's entries: whole, half, with a bit turned; who was forgotten is rewritten out of them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "hq/archive_internal.h"
#include "hq/erased.h"

#define ANNA "6f0d3c1f5a8e4b7792d0c8a1e5b3f604"
#define LINE(seq, body) \
	"{\"epoch\":\"00112233aabbccdd\",\"seq\":" seq ",\"type\":\"sale\",\"at\":" \
	"\"2026-11-30T05:00:00.000Z\",\"body\":" body "}\n"

static char dir[] = "/tmp/aisle-archive-XXXXXX";

static void
pack(const char *lines, struct buf *out)
{
	size_t most = ZSTD_compressBound(strlen(lines));
	buf_reserve(out, most);
	out->len = ZSTD_compress(out->data, most, lines, strlen(lines), 3);
	assert_false(ZSTD_isError(out->len));
}

static int
count_entries(const struct buf *file)
{
	char topic[ARCHIVE_TOPIC_SIZE];
	const void *payload;
	size_t len, at = 0;
	int count = 0;
	while (archive_next(file, &at, topic, &payload, &len))
		count++;
	return count;
}

static void
an_entry_is_read_whole_or_not_at_all(void **state)
{
	struct buf file = { 0 };
	char topic[ARCHIVE_TOPIC_SIZE];
	const void *payload;
	size_t len, at = 0;
	(void)state;
	archive_entry("aisle/v1/hq/store/0042/up/money", "abc", 3, &file);
	assert_true(archive_next(&file, &at, topic, &payload, &len));
	assert_string_equal(topic, "aisle/v1/hq/store/0042/up/money");
	assert_int_equal(len, 3);
	assert_memory_equal(payload, "abc", 3);
	assert_int_equal(at, file.len);
	assert_false(archive_next(&file, &at, topic, &payload, &len));
	for (size_t cut = 0; cut < file.len; cut++) {
		struct buf part = { file.data, cut, cut };
		assert_int_equal(count_entries(&part), 0);
	}
	for (size_t i = 0; i < file.len; i++) {
		const char *store = strstr(file.data + 8, "0042");
		file.data[i] ^= 1;
		/* The topic alone has no hash: a batch says itself what it holds. */
		if (i < 8 || &file.data[i] < store - 30 || &file.data[i] > store + 20)
			assert_int_equal(count_entries(&file), 0);
		file.data[i] ^= 1;
	}
	buf_done(&file);
}

static int
count_batch(void *ctx, const char *topic, const void *payload, size_t len, struct err *err)
{
	(void)payload;
	(void)err;
	assert_string_equal(topic, "aisle/v1/hq/store/0042/up/money");
	*(size_t *)ctx += len;
	return 0;
}

static int
add(struct archive *archive, const struct buf *payload, const struct erasures *erasures)
{
	struct batch batch;
	struct err err = { 0 };
	assert_int_equal(batch_read("aisle/v1/hq/store/0042/up/money", payload->data, payload->len,
			     &batch, &err),
	    0);
	int rc = archive_add(archive, &batch, payload, erasures, &err);
	batch_done(&batch);
	return rc;
}

static void
what_was_written_is_read_and_who_was_forgotten_is_not_in_it(void **state)
{
	struct archive *archive;
	struct erasures erasures = { .items = NULL }, none = { .items = NULL };
	struct buf with = { 0 }, without = { 0 };
	struct err err = { 0 };
	size_t bytes = 0;
	long long records;
	(void)state;
	pack(LINE("1", "{\"subject\":\"" ANNA "\",\"gross\":1}") LINE("2", "{\"gross\":2}"), &with);
	pack(LINE("3", "{\"gross\":3}"), &without);
	assert_int_equal(archive_open(dir, "test", &archive, &err), 0);
	assert_int_equal(archive_begin(archive, &err), 0);
	assert_int_equal(add(archive, &with, &none), 0);
	assert_int_equal(add(archive, &without, &none), 0);
	assert_int_equal(archive_end(archive, &err), 0);
	assert_int_equal(archive_each(dir, count_batch, &bytes, &err), 0);
	assert_int_equal(bytes, with.len + without.len);

	erasures_add(&erasures, ANNA, INT64_MAX);
	assert_int_equal(archive_erase(dir, &erasures, &records, &err), 0);
	assert_int_equal(records, 1);
	assert_int_equal(archive_erase(dir, &erasures, &records, &err), 0);
	assert_int_equal(records, 0);
	/* The collector goes on in the new file. */
	assert_int_equal(archive_begin(archive, &err), 0);
	assert_int_equal(add(archive, &without, &none), 0);
	assert_int_equal(archive_end(archive, &err), 0);
	size_t more = 0;
	assert_int_equal(archive_each(dir, count_batch, &more, &err), 0);
	assert_true(more > 2 * without.len);
	/* A batch that comes late is kept without them. */
	assert_int_equal(archive_begin(archive, &err), 0);
	assert_int_equal(add(archive, &with, &erasures), 0);
	assert_int_equal(archive_end(archive, &err), 0);
	assert_int_equal(archive_erase(dir, &erasures, &records, &err), 0);
	assert_int_equal(records, 0);
	archive_close(archive);
	erasures_done(&erasures);
	buf_done(&with);
	buf_done(&without);
}

static void
the_file_of_those_who_were_forgotten_survives_a_cut(void **state)
{
	struct erasures erasures = { .items = NULL };
	struct erasure anna = { ANNA, 1000 }, bert = { "00000000000000000000000000000001", 2000 };
	struct err err = { 0 };
	char path[80];
	(void)state;
	snprintf(path, sizeof(path), "%s/erased", dir);
	assert_int_equal(erased_read(path, &erasures, &err), 0);
	assert_int_equal(erasures.count, 0);
	assert_int_equal(erased_add(path, &anna, &err), 0);
	FILE *file = fopen(path, "a");
	fputs("{\"subject\":\"1234", file);
	fclose(file);
	assert_int_equal(erased_add(path, &bert, &err), 0);
	assert_int_equal(erased_read(path, &erasures, &err), 0);
	assert_int_equal(erasures.count, 2);
	assert_int_equal(erasures_find(&erasures, ANNA)->at_ms, 1000);
	erasures_done(&erasures);
	file = fopen(path, "a");
	fputs("\n{\"subject\":\"anna\",\"at\":\"2026-11-30T05:00:00Z\"}\n", file);
	fclose(file);
	assert_int_equal(erased_read(path, &erasures, &err), AISLE_E_INVALID);
	erasures_done(&erasures);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
remove_dir(void **state)
{
	char command[80];
	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_read_whole_or_not_at_all),
		cmocka_unit_test(what_was_written_is_read_and_who_was_forgotten_is_not_in_it),
		cmocka_unit_test(the_file_of_those_who_were_forgotten_survives_a_cut),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
