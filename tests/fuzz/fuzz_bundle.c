/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_bundle.c - a good bundle with changed bytes, any pages as one, and any texts as the parts of one. The first byte
 * chooses.
 *
 * What must hold: refused with a reason, or its parts are those that it was built from; a look at it and the bundle itself
 * say the same.
 */
#include "fuzz.h"
#include "sync/bundle_internal.h"

#define PARTS_MAX 16
#define PAGE 4096

static char path[FUZZ_PATH_SIZE];
static struct buf good;

static int
build(const struct policy_parts *parts, struct err *err)
{
	return bundle_write(path, &(struct bundle_what){ "policy", "spring", 12, 1 << 20 }, parts,
	    err);
}

static void
set_up(void)
{
	static struct policy_part part[] = { { "actions/a.json", "{\"action\":\"a\"}", 14 },
		{ "empty", "", 0 }, { "policy.json", "{\"name\":\"spring\"}", 17 } };
	struct err err = { 0 };

	if (good.len > 0)
		return;
	fuzz_path("bundle", path);
	CHECK(build(&(struct policy_parts){ .part = part, .count = ARRAY_LEN(part) }, &err) == 0);
	fuzz_read(path, &good);
}

/* NULL: refused. */
static struct bundle *
look_at(void)
{
	struct bundle *bundle = NULL;
	struct bundle_look look;
	struct err err[2] = { { 0 }, { 0 } };
	struct buf told = { 0 };
	int rc = bundle_open(path, "policy", &bundle, &err[0]);
	int rc_look = bundle_look(path, &look, &err[1]);

	CHECK((rc == 0) == (bundle != NULL) && (rc == 0) == (err[0].text[0] == '\0'));
	CHECK((rc_look == 0) == (err[1].text[0] == '\0'));
	if (rc != 0)
		return NULL;
	CHECK(rc_look == 0 && strcmp(look.kind, "policy") == 0);
	CHECK(strcmp(look.hash, bundle_hash(bundle)) == 0 && look.bytes == bundle_bytes(bundle));
	CHECK(strcmp(look.name, bundle_meta(bundle, "name")) == 0);
	bundle_inspect(bundle, true, &told);
	buf_done(&told);
	return bundle;
}

static void
as_changed(const uint8_t *data, size_t size)
{
	struct buf bytes = { 0 };
	struct bundle *bundle;

	(void)fuzz_edit(&good, data, size, &bytes);
	fuzz_write(path, bytes.data, bytes.len);
	bundle = look_at();
	if (bundle != NULL) {
		const struct policy_parts *parts = bundle_parts(bundle);

		CHECK(parts->count == 3 && parts->part[1].len == 0 && parts->part[2].len == 17);
		CHECK(memcmp(parts->part[2].bytes, "{\"name\":\"spring\"}", 17) == 0);
	}
	bundle_close(bundle);
	buf_done(&bytes);
}

/* As many pages as that is, and a header that says so. */
static void
as_pages(const uint8_t *data, size_t size)
{
	size_t len = (size / PAGE + 1) * PAGE;
	uint8_t *bytes = mem_zero(len);
	uint8_t pages = (uint8_t)(len / PAGE);

	memcpy(bytes, data, size);
	memcpy(bytes, good.data, 100);
	bytes[31] = pages;
	fuzz_write(path, bytes, len);
	bundle_close(look_at());
	free(bytes);
}

/* Each part: a name's length, its bytes' length, both. */
static void
as_parts(const uint8_t *data, size_t size)
{
	struct policy_part part[PARTS_MAX];
	struct policy_parts parts = { .part = part };
	char names[PARTS_MAX][24];
	struct bundle *bundle;
	struct err err = { 0 };
	size_t at = 0;

	while (parts.count < PARTS_MAX && at + 2 <= size) {
		size_t name = 1 + data[at] % 4, len = data[at + 1];
		char *out = names[parts.count];

		if (at + 2 + len > size)
			break;
		/* Ascending, each once, as a folder gives them. */
		snprintf(out, sizeof(names[0]), "%02zu-%.*s", parts.count, (int)name, "part");
		part[parts.count++] = (struct policy_part){ out, data + at + 2, len };
		at += 2 + len;
	}
	CHECK(build(&parts, &err) == 0);
	bundle = look_at();
	CHECK(bundle != NULL && bundle_parts(bundle)->count == parts.count);
	for (size_t i = 0; i < parts.count; i++) {
		const struct policy_part *read = &bundle_parts(bundle)->part[i];

		CHECK(strcmp(read->name, part[i].name) == 0 && read->len == part[i].len);
		CHECK(read->len == 0 || memcmp(read->bytes, part[i].bytes, read->len) == 0);
	}
	bundle_close(bundle);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	if (size < 1 || size > 1u << 15)
		return 0;
	if (data[0] < 144)
		as_changed(data + 1, size - 1);
	else if (data[0] < 240)
		as_pages(data + 1, size - 1);
	else
		as_parts(data + 1, size - 1);
	return 0;
}
