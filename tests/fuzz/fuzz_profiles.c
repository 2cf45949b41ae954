/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_profiles.c - bundles of profiles with changed bytes, in the clear and encrypted, whole and as a delta; and any
 * bytes as the lines that they are built from. The first byte chooses.
 *
 * What must hold: of what is encrypted no byte may differ; rows come in their order, each once, bounded; what is built
 * in the clear and what is built encrypted have the same rows.
 */
#include "fuzz.h"
#include "profile/profiles_internal.h"

enum kind { PLAIN, SEALED, DELTA, KINDS };

static struct keys *keys;
static uint8_t device[32];
static char lines[FUZZ_PATH_SIZE], output[FUZZ_PATH_SIZE];
static struct buf good[KINDS];

static int
build(enum kind kind, struct err *err)
{
	struct profiles_build what = { .input = lines,
		.store = "0417",
		.output = output,
		.pepper = keys_pepper(keys),
		.from = kind == DELTA ? 1 : 0,
		.version = 2,
		.to = kind == SEALED ? device : NULL };
	int64_t rows = 0;

	return profiles_build(&what, &rows, err);
}

static void
set_up(void)
{
	static const char plain[] =
	    "{\"subject\":\"00112233445566778899aabbccddeeff\",\"line\":\"gold\"}\n"
	    "{\"card\":\"4711\",\"language\":\"de\"}\n";
	static const char delta[] =
	    "{\"subject\":\"00112233445566778899aabbccddeeff\",\"removed\":true}\n"
	    "{\"card\":\"4711\",\"language\":\"en\"}\n";
	struct err err = { 0 };

	if (keys != NULL)
		return;
	CHECK(keys_open(NULL, NULL, &keys, &err) == 0 && keys_make_device(keys, device) == 0);
	fuzz_path("lines", lines);
	fuzz_path("profiles", output);
	for (int kind = 0; kind < KINDS; kind++) {
		const char *text = kind == DELTA ? delta : plain;

		fuzz_write(lines, text, strlen(text));
		if (build((enum kind)kind, &err) != 0) {
			fprintf(stderr, "%s\n", err.text);
			abort();
		}
		fuzz_read(output, &good[kind]);
	}
}

/* How many rows; -1: refused. told: they, one behind the other. */
static int64_t
read_all(struct buf *told)
{
	struct profiles_install_what what = { .bundle = output, .store = "0417" };
	struct profiles_reader *reader = NULL;
	struct profiles_row row;
	struct err err = { 0 };
	int64_t count = 0;
	int rc = profiles_reader_open(&what, keys, &reader, &err);

	CHECK((rc == 0) == (reader != NULL));
	if (rc == 0)
		CHECK(profiles_reader_to(reader) > profiles_reader_from(reader));
	while (rc == 0 && (rc = profiles_reader_next(reader, &row, &err)) == 1) {
		CHECK(row.len <= PROFILES_BODY_MAX && (row.body != NULL || row.len == 0));
		buf_id(told, &row.subject);
		buf_add(told, row.body != NULL ? row.body : "", row.len);
		count++;
		rc = 0;
	}
	CHECK((rc < 0) == (err.text[0] != '\0'));
	profiles_reader_close(reader);
	return rc < 0 ? -1 : count;
}

static void
as_changed(enum kind kind, const uint8_t *data, size_t size)
{
	struct buf bytes = { 0 }, told = { 0 };
	bool differs = fuzz_edit(&good[kind], data, size, &bytes);

	fuzz_write(output, bytes.data, bytes.len);
	int64_t rows = read_all(&told);

	CHECK(differs || rows == 2);
	CHECK(!differs || kind != SEALED || rows == -1);
	buf_done(&bytes);
	buf_done(&told);
}

static void
as_lines(const uint8_t *data, size_t size)
{
	struct buf told[2] = { { 0 }, { 0 } };
	struct err err[3] = { { 0 }, { 0 }, { 0 } };
	int64_t rows;

	fuzz_write(lines, data, size);
	int rc = build(PLAIN, &err[0]);

	CHECK((rc == 0) == (err[0].text[0] == '\0'));
	if (rc == 0) {
		rows = read_all(&told[0]);
		CHECK(rows >= 0 && build(SEALED, &err[1]) == 0);
		CHECK(read_all(&told[1]) == rows && told[0].len == told[1].len);
		CHECK(rows == 0 || memcmp(told[0].data, told[1].data, told[0].len) == 0);
	}
	if (build(DELTA, &err[2]) == 0)
		CHECK(read_all(&told[0]) >= 0);
	buf_done(&told[0]);
	buf_done(&told[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	if (size < 1 || size > 1u << 16)
		return 0;
	if (data[0] % 4 < KINDS)
		as_changed((enum kind)(data[0] % 4), data + 1, size - 1);
	else
		as_lines(data + 1, size - 1);
	return 0;
}
