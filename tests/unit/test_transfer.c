/* SPDX-License-Identifier: Apache-2.0
 *
 * test_transfer.c - an artifact comes in chunks, in any order, over restarts and power cuts; what is false is refused.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zstd.h>

#include "core/buf.h"
#include "core/id.h"
#include "core/random.h"
#include "sync/transfer.h"
#include "trust/refusal.h"

#define CHUNK 4096
#define CHUNKS 11
#define BYTES ((CHUNKS - 1) * CHUNK + 777)

static char dir[] = "/tmp/aisle-transfer-XXXXXX";
static uint8_t file[BYTES];
static char hash[65];
static enum refusal refusal;
static struct err err;

/* ---- calls that write, by a counter: at the last one the process is gone, with half of what it wrote ---- */

static int calls_left = -1; /* < 0: none is counted */

static bool
last_call(void)
{
	return calls_left >= 0 && calls_left-- == 0;
}

static void
be_killed(void)
{
	kill(getpid(), SIGKILL);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at);
ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
	bool last = last_call();
	struct iovec part = { (void *)(uintptr_t)bytes, last ? len / 2 : len };
	ssize_t put = pwritev(fd, &part, 1, at);
	if (last)
		be_killed();
	return put;
}

int ftruncate64(int fd, off64_t len);
int
ftruncate64(int fd, off64_t len)
{
	if (last_call())
		be_killed();
	int (*real)(int, off64_t);
	*(void **)&real = dlsym(RTLD_NEXT, "ftruncate64");
	return real(fd, len);
}

int
fdatasync(int fd)
{
	if (last_call())
		be_killed();
	return (int)syscall(SYS_fdatasync, fd);
}

int
unlink(const char *path)
{
	if (last_call())
		be_killed();
	return unlinkat(AT_FDCWD, path, 0);
}

/* ---- the artifact ---- */

static void
make_file(void)
{
	uint8_t digest[32];
	uint64_t x = 7;
	for (size_t i = 0; i < BYTES; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		file[i] =
		    i / CHUNK == 3 ? 0 : (uint8_t)(x >> 60); /* one chunk is zeros, as a hole is */
	}
	hash_bytes(digest, 32, file, BYTES, NULL, 0);
	hash_hex(hash, digest, 32);
}

static size_t
length_of(int number)
{
	return number == CHUNKS - 1 ? BYTES - (CHUNKS - 1) * CHUNK : CHUNK;
}

static size_t
zip(const void *content, size_t len, struct buf *out)
{
	buf_clear(out);
	buf_reserve(out, ZSTD_compressBound(len));
	out->len = ZSTD_compress(out->data, ZSTD_compressBound(len), content, len, 3);
	assert_false(ZSTD_isError(out->len));
	return out->len;
}

static struct transfer *
open_it(void)
{
	struct transfer *transfer = NULL;
	refusal = REFUSED_NONE;
	err = (struct err){ 0 };
	if (transfer_open(dir, hash, BYTES, CHUNK, 1000, &transfer, &refusal, &err) != 0)
		fail_msg("%s", err.text);
	return transfer;
}

/* Until it waits for somebody. */
static int
step(struct transfer *transfer)
{
	int rc;
	refusal = REFUSED_NONE;
	err = (struct err){ 0 };
	do
		rc = transfer_step(transfer, &refusal, &err);
	while (rc == TRANSFER_WORKS);
	return rc;
}

static int
give(struct transfer *transfer, int64_t number, const void *frame, size_t len)
{
	bool is_new;
	refusal = REFUSED_NONE;
	err = (struct err){ 0 };
	int rc = transfer_chunk(transfer, number, frame, len, &is_new, &refusal, &err);
	return rc == 0 ? is_new : rc;
}

static int
give_good(struct transfer *transfer, int number)
{
	struct buf frame = { 0 };
	zip(file + number * CHUNK, length_of(number), &frame);
	int rc = give(transfer, number, frame.data, frame.len);
	buf_done(&frame);
	return rc;
}

static void
give_missing(struct transfer *transfer)
{
	for (int n; (n = transfer_missing(transfer, 0)) >= 0;)
		assert_int_equal(give_good(transfer, n), 1);
}

static void
is_whole(struct transfer *transfer)
{
	uint8_t found[BYTES + 1];
	assert_int_equal(step(transfer), TRANSFER_WHOLE);
	assert_int_equal(transfer_have_bytes(transfer), BYTES);
	FILE *in = fopen(transfer_path(transfer), "rb");
	assert_non_null(in);
	assert_int_equal(fread(found, 1, sizeof(found), in), BYTES);
	fclose(in);
	assert_memory_equal(found, file, BYTES);
}

static size_t
files_there(void)
{
	DIR *entries = opendir(dir);
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(entries);
	return count;
}

static void
path_to(const char *tail, char out[static 200])
{
	snprintf(out, 200, "%s/%s%s", dir, hash, tail);
}

static int
empty(void **state)
{
	(void)state;
	DIR *entries = opendir(dir);
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	return 0;
}

/* ---- as it should be ---- */

static void
chunks_come_in_any_order_and_twice(void **state)
{
	(void)state;
	struct transfer *transfer = open_it();
	assert_int_equal(give_good(transfer, 0), 0); /* it is not known yet what is here */
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	assert_int_equal(transfer_chunks(transfer), CHUNKS);
	for (int i = 0; i < CHUNKS; i++) {
		int number = i * 7 % CHUNKS;
		assert_int_equal(transfer_missing(transfer, number), number);
		assert_int_equal(give_good(transfer, number), 1);
		assert_int_not_equal(transfer_missing(transfer, number), number);
		assert_int_equal(give_good(transfer, number), 0);
	}
	assert_int_equal(transfer_missing(transfer, 0), -1);
	is_whole(transfer);
	assert_int_equal(give_good(transfer, 0), 0);
	transfer_remove(transfer);
	assert_int_equal(files_there(), 0);
}

static void
it_goes_on_at_every_chunk(void **state)
{
	(void)state;
	int64_t bytes = 0;
	for (int i = 0; i < CHUNKS; i++) {
		struct transfer *transfer = open_it();
		int number = i * 3 % CHUNKS;
		assert_int_equal(step(transfer), TRANSFER_WAITS);
		assert_int_equal(transfer_have_bytes(transfer), bytes);
		assert_int_equal(give_good(transfer, number), 1);
		bytes += (int64_t)length_of(number);
		transfer_close(transfer);
	}
	struct transfer *transfer = open_it();
	is_whole(transfer);
	/* And again: what is whole stays so. */
	transfer_close(transfer);
	transfer = open_it();
	is_whole(transfer);
	transfer_remove(transfer);
}

static void
the_time_since_when_it_is_wanted_is_the_first_one(void **state)
{
	(void)state;
	struct transfer *transfer = open_it();
	transfer_close(transfer);
	assert_int_equal(transfer_open(dir, hash, BYTES, CHUNK, INT64_C(1795256100123), &transfer,
			     &refusal, &err),
	    0);
	assert_int_equal(transfer_since_ms(transfer), 1000);
	transfer_remove(transfer);
	assert_int_equal(transfer_open(dir, hash, BYTES, CHUNK, INT64_C(1795256100123), &transfer,
			     &refusal, &err),
	    0);
	transfer_close(transfer);
	transfer = open_it();
	assert_int_equal(transfer_since_ms(transfer), INT64_C(1795256100123));
	transfer_remove(transfer);
}

static void
what_was_renamed_stays_when_it_is_removed(void **state)
{
	(void)state;
	char to[200];
	struct transfer *transfer = open_it();
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	give_missing(transfer);
	is_whole(transfer);
	path_to(".mine", to);
	assert_int_equal(rename(transfer_path(transfer), to), 0);
	transfer_remove(transfer);
	assert_int_equal(files_there(), 1);
}

static void
work_is_done_in_slices(void **state)
{
	(void)state;
	enum { BIG = 5 * TRANSFER_SLICE_BYTES + 1, BIG_CHUNK = 64 << 10 };
	uint8_t *big = mem_calloc(BIG, 1), digest[32];
	char name[65];
	struct buf frame = { 0 };
	struct transfer *transfer;
	int slices = 0, rc;
	for (int i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i / 1000);
	hash_bytes(digest, 32, big, BIG, NULL, 0);
	hash_hex(name, digest, 32);
	assert_int_equal(transfer_open(dir, name, BIG, BIG_CHUNK, 0, &transfer, &refusal, &err), 0);
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	for (int n; (n = transfer_missing(transfer, 0)) >= 0;) {
		size_t rest = (size_t)(BIG - n * BIG_CHUNK);
		zip(big + n * BIG_CHUNK, rest < BIG_CHUNK ? rest : BIG_CHUNK, &frame);
		assert_int_equal(give(transfer, n, frame.data, frame.len), 1);
	}
	while ((rc = transfer_step(transfer, &refusal, &err)) == TRANSFER_WORKS)
		slices++;
	assert_int_equal(rc, TRANSFER_WHOLE);
	assert_int_equal(slices, 5);
	transfer_close(transfer);
	/* The same of what is found here. */
	assert_int_equal(transfer_open(dir, name, BIG, BIG_CHUNK, 0, &transfer, &refusal, &err), 0);
	for (slices = 0; (rc = transfer_step(transfer, &refusal, &err)) == TRANSFER_WORKS;)
		slices++;
	assert_int_equal(rc, TRANSFER_WHOLE);
	assert_in_range(slices, 10, 12);
	transfer_remove(transfer);
	buf_done(&frame);
	free(big);
}

/* ---- the power goes ---- */

static void
a_process_killed_at_any_call_that_writes_goes_on_afterwards(void **state)
{
	(void)state;
	int killed = 0;
	for (int calls = 0;; calls++) {
		fflush(NULL);
		pid_t child = fork();
		if (child == 0) {
			calls_left = calls;
			struct transfer *transfer = open_it();
			(void)step(transfer);
			for (int n; (n = transfer_missing(transfer, 0)) >= 0;)
				(void)give_good(transfer, n);
			(void)step(transfer);
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		struct transfer *transfer = open_it();
		int rc = step(transfer);
		assert_true(rc == TRANSFER_WAITS || rc == TRANSFER_WHOLE);
		give_missing(transfer);
		is_whole(transfer);
		transfer_remove(transfer);
		if (!WIFSIGNALED(status))
			break;
		killed++;
	}
	/* Two files made, two writes a chunk, the sync at the end. */
	assert_in_range(killed, 2 * CHUNKS + 4, 2 * CHUNKS + 6);
}

static void
damage(const char *tail, int64_t at, const void *bytes, size_t len)
{
	char path[200];
	path_to(tail, path);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0 && pwrite(fd, bytes, len, at) == (ssize_t)len);
	close(fd);
}

static void
here_are(int count)
{
	struct transfer *transfer = open_it();
	int missing = 0;
	assert_true(step(transfer) >= 0);
	for (int n = -1; (n = transfer_missing(transfer, n + 1)) >= 0;)
		missing++;
	assert_int_equal(CHUNKS - missing, count);
	if (missing > 0)
		give_missing(transfer);
	is_whole(transfer);
	transfer_close(transfer);
}

static void
a_chunk_counts_only_if_its_bytes_are_there(void **state)
{
	(void)state;
	static const char zeros[CHUNK];
	char path[200];
	struct transfer *transfer = open_it();
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	give_missing(transfer);
	transfer_close(transfer);
	here_are(CHUNKS);
	damage(".part", 5 * CHUNK, zeros, CHUNK); /* the tag came to the disk, the page did not */
	here_are(CHUNKS - 1);
	damage(".part", 2 * CHUNK - 1, file + 3, 1);
	damage(".part", BYTES - 1, "x", 1);
	here_are(CHUNKS - 2);
	damage(".map", 32 + 8 * 4, zeros, 8); /* the page came, its tag did not */
	here_are(CHUNKS - 1);
	damage(".map", 32 + 8 * 4, "abc", 3);
	here_are(CHUNKS - 1);
	path_to(".map", path);
	assert_int_equal(truncate(path, 32 + 8 * 7), 0);
	here_are(0); /* half a map is none */
	assert_int_equal(truncate(path, 31), 0);
	here_are(0);
	damage(".map", 0, "B", 1);
	here_are(0);
	damage(".map", 8, "B", 1); /* of another length */
	here_are(0);
	damage(".map", 17, "B", 1); /* of other chunks */
	here_are(0);
	path_to(".part", path);
	assert_int_equal(truncate(path, BYTES - 1), 0);
	here_are(0);
	unlink(path);
	here_are(0);
	here_are(CHUNKS);
}

static void
the_same_hash_of_another_size_begins_anew(void **state)
{
	(void)state;
	struct transfer *transfer = open_it();
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	assert_int_equal(give_good(transfer, 0), 1);
	transfer_close(transfer);
	assert_int_equal(transfer_open(dir, hash, BYTES + 1, CHUNK, 0, &transfer, &refusal, &err),
	    0);
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	assert_int_equal(transfer_have_bytes(transfer), 0);
	transfer_close(transfer);
	here_are(0);
}

/* ---- what is false ---- */

static void
refuses(struct transfer *transfer, int64_t number, const void *frame, size_t len, enum refusal why)
{
	int64_t counted = refusal_count(why), have = transfer_have_bytes(transfer);
	assert_int_equal(give(transfer, number, frame, len), AISLE_E_REFUSED);
	if (refusal != why)
		fail_msg("%s, expected %s: %s", refusal_name(refusal), refusal_name(why), err.text);
	assert_int_equal(refusal_count(why), counted + 1);
	assert_int_equal(transfer_have_bytes(transfer), have);
}

/* Of len zeros, without its length in the head. */
static void
zip_stream(size_t len, struct buf *out)
{
	static char zeros[1 << 16];
	ZSTD_CCtx *zip_ctx = ZSTD_createCCtx();
	ZSTD_outBuffer to = { 0 };
	buf_clear(out);
	buf_reserve(out, 1 << 20);
	to.dst = out->data;
	to.size = 1 << 20;
	while (len > 0) {
		size_t part = len < sizeof(zeros) ? len : sizeof(zeros);
		ZSTD_inBuffer from = { zeros, part, 0 };
		while (from.pos < from.size)
			assert_false(ZSTD_isError(ZSTD_compressStream2(zip_ctx, &to, &from,
			    ZSTD_e_continue)));
		len -= part;
	}
	ZSTD_inBuffer end = { 0 };
	assert_int_equal(ZSTD_compressStream2(zip_ctx, &to, &end, ZSTD_e_end), 0);
	out->len = to.pos;
	ZSTD_freeCCtx(zip_ctx);
	assert_true(ZSTD_getFrameContentSize(out->data, out->len) == ZSTD_CONTENTSIZE_UNKNOWN);
}

static void
a_false_chunk_is_refused_and_nothing_changes(void **state)
{
	(void)state;
	static char zeros[64 << 20];
	char map[200], part[200];
	struct buf frame = { 0 };
	struct stat before[2], after[2];
	struct transfer *transfer = open_it();
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	path_to(".map", map);
	path_to(".part", part);
	assert_int_equal(stat(map, &before[0]) + stat(part, &before[1]), 0);

	zip(zeros, sizeof(zeros), &frame);
	refuses(transfer, 1, frame.data, frame.len, REFUSED_BOMB);
	zip_stream(sizeof(zeros), &frame);
	refuses(transfer, 1, frame.data, frame.len, REFUSED_BOMB);
	zip_stream(CHUNK + 1, &frame);
	refuses(transfer, 1, frame.data, frame.len, REFUSED_BOMB);
	zip(file, CHUNK + 1, &frame);
	refuses(transfer, 0, frame.data, frame.len, REFUSED_BOMB);
	zip(file, CHUNK - 1, &frame);
	refuses(transfer, 0, frame.data, frame.len, REFUSED_WRONG_SIZE);
	zip_stream(CHUNK - 1, &frame);
	refuses(transfer, 0, frame.data, frame.len, REFUSED_WRONG_SIZE);
	zip(file, 0, &frame);
	refuses(transfer, 0, frame.data, frame.len, REFUSED_BAD_CHUNK);
	/* The last one has its own length. */
	zip(file, CHUNK, &frame);
	refuses(transfer, CHUNKS - 1, frame.data, frame.len, REFUSED_WRONG_SIZE);
	/* Which there is not. */
	refuses(transfer, CHUNKS, frame.data, frame.len, REFUSED_BAD_CHUNK);
	refuses(transfer, INT64_C(1) << 40, frame.data, frame.len, REFUSED_BAD_CHUNK);
	refuses(transfer, -1, frame.data, frame.len, REFUSED_BAD_CHUNK);
	/* More than a frame, less than one, none. */
	buf_addc(&frame, 'x');
	refuses(transfer, 0, frame.data, frame.len, REFUSED_BAD_CHUNK);
	for (size_t len = 0; len < frame.len - 1; len += len < 20 ? 1 : 97)
		refuses(transfer, 0, frame.data, len, REFUSED_BAD_CHUNK);
	zip(file, CHUNK / 2, &frame);
	struct buf two = { 0 };
	buf_add(&two, frame.data, frame.len);
	buf_add(&two, frame.data, frame.len);
	refuses(transfer, 0, two.data, two.len, REFUSED_BAD_CHUNK);
	refuses(transfer, 0, "\x50\x2a\x4d\x18\x04\0\0\0abcd", 12, REFUSED_BAD_CHUNK);
	refuses(transfer, 0, file, CHUNK, REFUSED_BAD_CHUNK);
	buf_done(&two);
	buf_done(&frame);

	assert_int_equal(stat(map, &after[0]) + stat(part, &after[1]), 0);
	for (int i = 0; i < 2; i++)
		assert_memory_equal(&before[i].st_mtim, &after[i].st_mtim,
		    sizeof(after[i].st_mtim));
	give_missing(transfer);
	is_whole(transfer);
	transfer_remove(transfer);
}

/* Any bit of a frame may be another: it is refused, or changes nothing, or the hash of the whole says so. */
static void
a_flipped_bit_never_becomes_part_of_a_whole(void **state)
{
	(void)state;
	struct buf frame = { 0 };
	int refused = 0, taken = 0;
	zip(file + (CHUNKS - 1) * CHUNK, length_of(CHUNKS - 1), &frame);
	for (size_t bit = 0; bit < frame.len * 8; bit += 5) {
		struct transfer *transfer = open_it();
		assert_int_equal(step(transfer), TRANSFER_WAITS);
		for (int n = 0; n < CHUNKS - 1; n++)
			assert_int_equal(give_good(transfer, n), 1);
		frame.data[bit / 8] ^= (char)(1 << bit % 8);
		int rc = give(transfer, CHUNKS - 1, frame.data, frame.len);
		frame.data[bit / 8] ^= (char)(1 << bit % 8);
		if (rc == AISLE_E_REFUSED) {
			refused++;
		} else {
			rc = step(transfer);
			assert_true(rc == TRANSFER_AGAIN || rc == TRANSFER_WHOLE);
			if (rc == TRANSFER_WHOLE)
				is_whole(transfer);
			taken++;
		}
		transfer_remove(transfer);
	}
	assert_true(refused > 0 && refused + taken == (int)((frame.len * 8 + 4) / 5));
	buf_done(&frame);
}

static void
a_whole_that_is_another_comes_twice_again_and_is_refused(void **state)
{
	(void)state;
	struct buf wrong = { 0 };
	uint8_t content[CHUNK];
	struct transfer *transfer = open_it();
	memcpy(content, file, CHUNK);
	content[17] ^= 1;
	zip(content, CHUNK, &wrong);
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	int64_t counted = refusal_count(REFUSED_WRONG_HASH);
	for (int try = 1; try <= TRANSFER_TRIES; try++) {
		assert_int_equal(give(transfer, 0, wrong.data, wrong.len), 1);
		give_missing(transfer);
		int rc = step(transfer);
		assert_int_equal(refusal, REFUSED_WRONG_HASH);
		assert_int_equal(refusal_count(REFUSED_WRONG_HASH), counted + try);
		assert_int_equal(rc, try < TRANSFER_TRIES ? TRANSFER_AGAIN : AISLE_E_REFUSED);
		assert_int_equal(files_there(), try < TRANSFER_TRIES ? 2 : 0);
		assert_int_equal(transfer_have_bytes(transfer), 0);
	}
	transfer_remove(transfer);
	/* What came between is not mixed with what comes then. */
	transfer = open_it();
	assert_int_equal(step(transfer), TRANSFER_WAITS);
	assert_int_equal(give(transfer, 0, wrong.data, wrong.len), 1);
	give_missing(transfer);
	assert_int_equal(step(transfer), TRANSFER_AGAIN);
	give_missing(transfer);
	is_whole(transfer);
	transfer_remove(transfer);
	buf_done(&wrong);
}

static void
is_refused(const char *name, int64_t bytes, int chunk, enum refusal why)
{
	struct transfer *transfer = NULL;
	int64_t counted = refusal_count(why);
	err = (struct err){ 0 };
	assert_int_equal(transfer_open(dir, name, bytes, chunk, 0, &transfer, &refusal, &err),
	    AISLE_E_REFUSED);
	assert_int_equal(refusal, why);
	assert_int_equal(refusal_count(why), counted + 1);
	assert_int_equal(files_there(), 0);
}

static void
is_accepted(int64_t bytes, int chunk)
{
	struct transfer *transfer = NULL;
	err = (struct err){ 0 };
	if (transfer_open(dir, hash, bytes, chunk, 0, &transfer, &refusal, &err) != 0)
		fail_msg("%s", err.text);
	transfer_remove(transfer);
}

static void
sizes_end_where_they_say(void **state)
{
	(void)state;
	is_refused("../x", BYTES, CHUNK, REFUSED_MALFORMED);
	is_refused("", BYTES, CHUNK, REFUSED_MALFORMED);
	is_refused("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", BYTES, CHUNK,
	    REFUSED_MALFORMED);
	is_refused(hash, 0, CHUNK, REFUSED_WRONG_SIZE);
	is_refused(hash, -1, CHUNK, REFUSED_WRONG_SIZE);
	is_refused(hash, TRANSFER_BYTES_MAX + 1, 65536, REFUSED_WRONG_SIZE);
	is_refused(hash, BYTES, 0, REFUSED_WRONG_SIZE);
	is_refused(hash, BYTES, TRANSFER_CHUNK_MIN - 1, REFUSED_WRONG_SIZE);
	is_refused(hash, BYTES, TRANSFER_CHUNK_MAX + 1, REFUSED_WRONG_SIZE);
	is_refused(hash, INT64_C(1024) * TRANSFER_CHUNKS_MAX + 1, 1024, REFUSED_WRONG_SIZE);
	is_accepted(1, CHUNK);
	is_accepted(INT64_C(1024) * TRANSFER_CHUNKS_MAX, 1024);
	is_accepted(BYTES, TRANSFER_CHUNK_MIN);
	is_accepted(BYTES, TRANSFER_CHUNK_MAX);
}

static void
a_disk_without_room_is_told_at_once_and_nothing_is_left(void **state)
{
	(void)state;
	struct rlimit limit, small;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = (struct rlimit){ .rlim_cur = BYTES - 1, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	is_refused(hash, BYTES, CHUNK, REFUSED_DISK_FULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	is_accepted(BYTES, CHUNK);
}

/* ---- what lies there is bounded ---- */

static void
put(const char digit, const char *tail, off_t bytes, time_t when)
{
	char path[200], name[65];
	memset(name, digit, 64);
	name[64] = '\0';
	snprintf(path, sizeof(path), "%s/%s%s", dir, name, tail);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	assert_true(fd >= 0 && ftruncate(fd, bytes) == 0 && futimens(fd, times) == 0);
	close(fd);
}

static bool
there(const char digit)
{
	char part[200], map[200], name[65];
	memset(name, digit, 64);
	name[64] = '\0';
	snprintf(part, sizeof(part), "%s/%s.part", dir, name);
	snprintf(map, sizeof(map), "%s/%s.map", dir, name);
	bool has = access(part, F_OK) == 0;
	assert_true(has == (access(map, F_OK) == 0));
	return has;
}

static void
put_both(const char digit, off_t bytes, time_t when)
{
	put(digit, ".part", bytes, when);
	put(digit, ".map", 100, when);
}

static void
what_is_not_wanted_is_swept_the_oldest_first(void **state)
{
	(void)state;
	static const char *const a[] = {
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	};
	put_both('1', 10, 1000);
	put_both('2', 10, 3000);
	put_both('3', 10, 2000);
	put_both('7', 10, 2500);
	put_both('a', 10, 1);
	put('4', ".part", 10, 9000); /* without its map: it was half removed */
	put('5', ".map", 10, 9000);
	put('6', ".tmp", 10, 9000);
	put('2', ".part.image", 10, 9000);
	put('a', ".part.image", 10, 1); /* what was made of one that is wanted */
	transfer_sweep(dir, a, 1, 10);
	assert_true(there('a') && there('2') && there('7'));
	assert_int_equal(files_there(), 7);
	put_both('b', 10, 1);
	transfer_sweep(dir, a, 2, 20);
	assert_true(there('a') && there('b') && there('2'));
	assert_int_equal(files_there(), 7);
	/* By their bytes: those that will be, and those that are. */
	empty(NULL);
	put_both('2', 20 << 20, 3000);
	transfer_sweep(dir, a, 1, TRANSFER_FOLDER_BYTES_MAX - (20 << 20));
	assert_true(there('2'));
	transfer_sweep(dir, a, 1, TRANSFER_FOLDER_BYTES_MAX - (20 << 20) + 1);
	assert_false(there('2'));
	transfer_sweep("/nonexistent/x", a, 1, 10);
}

#define FRESH(f) cmocka_unit_test_setup_teardown(f, empty, empty)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(chunks_come_in_any_order_and_twice),
		FRESH(it_goes_on_at_every_chunk),
		FRESH(the_time_since_when_it_is_wanted_is_the_first_one),
		FRESH(what_was_renamed_stays_when_it_is_removed),
		FRESH(work_is_done_in_slices),
		FRESH(a_process_killed_at_any_call_that_writes_goes_on_afterwards),
		FRESH(a_chunk_counts_only_if_its_bytes_are_there),
		FRESH(the_same_hash_of_another_size_begins_anew),
		FRESH(a_false_chunk_is_refused_and_nothing_changes),
		FRESH(a_flipped_bit_never_becomes_part_of_a_whole),
		FRESH(a_whole_that_is_another_comes_twice_again_and_is_refused),
		FRESH(sizes_end_where_they_say),
		FRESH(a_disk_without_room_is_told_at_once_and_nothing_is_left),
		FRESH(what_is_not_wanted_is_swept_the_oldest_first),
	};
	if (random_begin(&err) != 0 || mkdtemp(dir) == NULL)
		return 1;
	make_file();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
