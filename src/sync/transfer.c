/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer.c - one artifact of headquarters on its way in.
 *
 * DESIGN
 *   A chunk counts if its bytes are what their tag in the map says, and that is looked at when the
 *   file is opened. So nothing has to reach the disk in any order, and nothing is synced until the
 *   whole is there: a power cut costs the chunks of the last seconds, a card is not worn by a sync
 *   for each of thousands, and a page of zeros is not taken for a chunk. (Rejected: a bit for each
 *   chunk, which is true only if its bytes are synced before it.)
 *
 *   The tags are against accidents; who sends false chunks is found out by the hash of the whole.
 *
 *   Whatever takes longer with the size of the artifact goes in slices. Each chunk is handed to the
 *   disk as it comes, so that at the end there is little left to wait for.
 *
 * BYTES
 *   {hash}.map: "AISLMAP1", u64 bytes, u32 chunk, u32 0, u64 ms since when it is wanted, then 8
 *   bytes for each chunk: BLAKE2b-64 of its content, or zeros.
 */
#include "sync/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/file.h"
#include "core/id.h"
#include "sync/chunk.h"
#include "trust/refusal.h"

#define HEAD_BYTES 32
#define TAG_BYTES 8
#define RESERVE_BYTES (INT64_C(16) << 20) /* that an artifact leaves free on the disk */

static const char magic[8] = "AISLMAP1";

enum phase {
	CHECKS,	 /* which chunks are here? */
	FETCHES, /* some are missing */
	PROVES,	 /* all are here: is it what its hash says? */
	PROVEN
};

struct transfer {
	char hash[65];
	char *dir, *part_path, *map_path;
	int64_t bytes, since_ms;
	int chunk, count;
	int part, map; /* descriptors; -1 */
	enum phase phase;
	int at; /* the chunk that is checked or proved next */
	uint8_t (*tags)[TAG_BYTES];
	bool *have;
	int have_count;
	int64_t have_bytes;
	int tries;
	crypto_generichash_state digest;
	uint8_t *content; /* of a chunk */
	ZSTD_DCtx *unzip;
};

/* ---- files ---- */

static int
say_io(const char *path, enum refusal *ret_refusal, struct err *err)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	const char *why = strerror(errno);

	if (full)
		return refusal_say(REFUSED_DISK_FULL, ret_refusal, err, "%s: %s", path, why);
	(void)refusal_say(REFUSED_IO, ret_refusal, NULL, "%s: %s", path, why);
	return err_set(err, AISLE_E_IO, "%s: %s", path, why);
}

static size_t
length_of(const struct transfer *transfer, int number)
{
	int64_t rest = transfer->bytes - (int64_t)number * transfer->chunk;

	return (size_t)(rest < transfer->chunk ? rest : transfer->chunk);
}

static void
make_head(const struct transfer *transfer, struct buf *head)
{
	buf_add(head, magic, sizeof(magic));
	buf_u32(head, (uint32_t)transfer->bytes);
	buf_u32(head, (uint32_t)(transfer->bytes >> 32));
	buf_u32(head, (uint32_t)transfer->chunk);
	buf_u32(head, 0);
	buf_u32(head, (uint32_t)transfer->since_ms);
	buf_u32(head, (uint32_t)(transfer->since_ms >> 32));
	CHECK(head->len == HEAD_BYTES);
}

/* The tags that were written, if the map is of this very artifact; else none. */
static bool
read_map(struct transfer *transfer)
{
	struct buf expected = { 0 };
	uint8_t head[HEAD_BYTES];
	struct stat info;
	size_t len = (size_t)transfer->count * TAG_BYTES;

	make_head(transfer, &expected);
	bool ok = fstat(transfer->part, &info) == 0 && info.st_size == transfer->bytes &&
	    file_read_at(transfer->map, head, HEAD_BYTES, 0) &&
	    memcmp(head, expected.data, HEAD_BYTES - 8) == 0;
	buf_done(&expected);
	if (!ok)
		return false;
	struct rd rd = rd_init(head + HEAD_BYTES - 8, 8);
	uint64_t low = rd_u32(&rd), high = rd_u32(&rd);
	transfer->since_ms = (int64_t)(low | high << 32);
	/* A map that was cut has no tags there. */
	if (!file_read_at(transfer->map, transfer->tags, len, HEAD_BYTES))
		memset(transfer->tags, 0, len);
	return true;
}

static bool
has_room(const struct transfer *transfer)
{
	struct statvfs fs;

	if (statvfs(transfer->dir, &fs) != 0)
		return true; /* whoever writes is told */
	return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize >= transfer->bytes + RESERVE_BYTES;
}

/* An empty map and a file of the whole length, whose room is reserved: it cannot run out half way. */
static int
begin_files(struct transfer *transfer, enum refusal *ret_refusal, struct err *err)
{
	struct buf head = { 0 };
	size_t len = (size_t)transfer->count * TAG_BYTES;

	memset(transfer->tags, 0, len);
	make_head(transfer, &head);
	buf_add(&head, transfer->tags, len);
	errno = 0;
	bool ok = ftruncate(transfer->map, 0) == 0 && ftruncate(transfer->part, 0) == 0;
	if (ok && !has_room(transfer)) {
		errno = ENOSPC;
		ok = false;
	}
	if (ok && fallocate(transfer->part, 0, 0, (off_t)transfer->bytes) != 0)
		ok = errno == EOPNOTSUPP && ftruncate(transfer->part, (off_t)transfer->bytes) == 0;
	ok = ok && file_write_at(transfer->map, head.data, head.len, 0);
	int rc = ok ? 0 : say_io(transfer->part_path, ret_refusal, err);
	buf_done(&head);
	return rc;
}

static int
open_file(const char *path, enum refusal *ret_refusal, struct err *err, int *ret_fd)
{
	*ret_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *ret_fd >= 0 ? 0 : say_io(path, ret_refusal, err);
}

static char *
path_of(const char *dir, const char *hash, const char *tail)
{
	struct buf path = { 0 };

	buf_addf(&path, "%s/%s%s", dir, hash, tail);
	return buf_steal(&path);
}

static bool
is_hash(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static int
check_size(const char *hash, int64_t bytes, int chunk, enum refusal *ret_refusal, struct err *err)
{
	if (!is_hash(hash))
		return refusal_say(REFUSED_MALFORMED, ret_refusal, err,
		    "artifact %.80s, expected 64 lower-case hex digits", hash);
	if (bytes < 1 || bytes > TRANSFER_BYTES_MAX)
		return refusal_say(REFUSED_WRONG_SIZE, ret_refusal, err,
		    "artifact of %lld bytes, expected 1 to %lld", (long long)bytes,
		    (long long)TRANSFER_BYTES_MAX);
	if (chunk < TRANSFER_CHUNK_MIN || chunk > TRANSFER_CHUNK_MAX ||
	    (bytes - 1) / chunk >= TRANSFER_CHUNKS_MAX)
		return refusal_say(REFUSED_WRONG_SIZE, ret_refusal, err,
		    "chunks of %d bytes, expected %d to %d, and at most %d chunks", chunk,
		    TRANSFER_CHUNK_MIN, TRANSFER_CHUNK_MAX, TRANSFER_CHUNKS_MAX);
	return 0;
}

int
transfer_open(const char *dir, const char *hash, int64_t bytes, int chunk, int64_t now_ms,
    struct transfer **ret, enum refusal *ret_refusal, struct err *err)
{
	int rc = check_size(hash, bytes, chunk, ret_refusal, err);
	if (rc != 0)
		return rc;
	(void)mkdir(dir, 0700);
	struct transfer *transfer = mem_zero(sizeof(*transfer));
	memcpy(transfer->hash, hash, sizeof(transfer->hash));
	transfer->dir = mem_strdup(dir);
	transfer->part_path = path_of(dir, hash, ".part");
	transfer->map_path = path_of(dir, hash, ".map");
	transfer->part = transfer->map = -1;
	transfer->bytes = bytes;
	transfer->chunk = chunk;
	transfer->count = (int)((bytes + chunk - 1) / chunk);
	transfer->since_ms = now_ms;
	transfer->tags = mem_calloc((size_t)transfer->count, TAG_BYTES);
	transfer->have = mem_calloc((size_t)transfer->count, sizeof(*transfer->have));
	transfer->content = mem_alloc((size_t)chunk);
	transfer->unzip = ZSTD_createDCtx();
	CHECK(transfer->unzip != NULL);
	rc = open_file(transfer->part_path, ret_refusal, err, &transfer->part);
	if (rc == 0)
		rc = open_file(transfer->map_path, ret_refusal, err, &transfer->map);
	if (rc == 0 && !read_map(transfer))
		rc = begin_files(transfer, ret_refusal, err);
	if (rc != 0) {
		transfer_remove(transfer);
		return rc;
	}
	*ret = transfer;
	return 0;
}

void
transfer_close(struct transfer *transfer)
{
	if (transfer == NULL)
		return;
	if (transfer->part >= 0)
		close(transfer->part);
	if (transfer->map >= 0)
		close(transfer->map);
	ZSTD_freeDCtx(transfer->unzip);
	free(transfer->content);
	free(transfer->have);
	free(transfer->tags);
	free(transfer->map_path);
	free(transfer->part_path);
	free(transfer->dir);
	free(transfer);
}

void
transfer_remove(struct transfer *transfer)
{
	if (transfer == NULL)
		return;
	(void)unlink(transfer->map_path);
	(void)unlink(transfer->part_path);
	transfer_close(transfer);
}

/* ---- what takes its time ---- */

static void
make_tag(const void *content, size_t len, uint8_t tag[static TAG_BYTES])
{
	static const uint8_t none[TAG_BYTES];

	hash_bytes(tag, TAG_BYTES, content, len, NULL, 0);
	if (memcmp(tag, none, TAG_BYTES) == 0)
		tag[0] = 1;
}

static void
have_chunk(struct transfer *transfer, int number)
{
	transfer->have[number] = true;
	transfer->have_count++;
	transfer->have_bytes += (int64_t)length_of(transfer, number);
}

static void
begin_phase(struct transfer *transfer, enum phase phase)
{
	transfer->phase = phase;
	transfer->at = 0;
	if (phase == PROVES)
		crypto_generichash_init(&transfer->digest, NULL, 0, 32);
}

static void
fetch_or_prove(struct transfer *transfer)
{
	begin_phase(transfer, transfer->have_count == transfer->count ? PROVES : FETCHES);
}

static int
check_chunk(struct transfer *transfer, enum refusal *ret_refusal, struct err *err)
{
	static const uint8_t none[TAG_BYTES];
	int number = transfer->at++;
	size_t len = length_of(transfer, number);
	uint8_t tag[TAG_BYTES];

	if (memcmp(transfer->tags[number], none, TAG_BYTES) == 0)
		return 0;
	if (!file_read_at(transfer->part, transfer->content, len,
		(int64_t)number * transfer->chunk))
		return errno == 0 ? 0 : say_io(transfer->part_path, ret_refusal, err);
	make_tag(transfer->content, len, tag);
	if (memcmp(tag, transfer->tags[number], TAG_BYTES) == 0)
		have_chunk(transfer, number);
	return 0;
}

static int
prove_chunk(struct transfer *transfer, enum refusal *ret_refusal, struct err *err)
{
	int number = transfer->at++;
	size_t len = length_of(transfer, number);
	int64_t at = (int64_t)number * transfer->chunk;

	if (!file_read_at(transfer->part, transfer->content, len, at)) {
		errno = errno != 0 ? errno : EIO; /* it was cut */
		return say_io(transfer->part_path, ret_refusal, err);
	}
	crypto_generichash_update(&transfer->digest, transfer->content, len);
	/* A file system that cannot do it in pieces does it at once, at the end. */
	(void)sync_file_range(transfer->part, at, (off_t)len,
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	return 0;
}

/* All of it was read. */
static int
judge(struct transfer *transfer, enum refusal *ret_refusal, struct err *err)
{
	uint8_t digest[32];
	char hex[65];
	int rc;

	crypto_generichash_final(&transfer->digest, digest, sizeof(digest));
	hash_hex(hex, digest, sizeof(digest));
	if (strcmp(hex, transfer->hash) == 0) {
		if (fdatasync(transfer->part) != 0)
			return say_io(transfer->part_path, ret_refusal, err);
		transfer->phase = PROVEN;
		return TRANSFER_WHOLE;
	}
	rc = refusal_say(REFUSED_WRONG_HASH, ret_refusal, err, "%s: its BLAKE2b-256 is %s",
	    transfer->part_path, hex);
	memset(transfer->have, 0, (size_t)transfer->count * sizeof(*transfer->have));
	transfer->have_count = 0;
	transfer->have_bytes = 0;
	if (++transfer->tries == TRANSFER_TRIES) {
		(void)unlink(transfer->map_path);
		(void)unlink(transfer->part_path);
		return rc;
	}
	begin_phase(transfer, FETCHES);
	rc = begin_files(transfer, ret_refusal, err);
	return rc != 0 ? rc : TRANSFER_AGAIN;
}

int
transfer_step(struct transfer *transfer, enum refusal *ret_refusal, struct err *err)
{
	int64_t read = 0;
	int rc = 0;

	if (transfer->phase == PROVEN)
		return TRANSFER_WHOLE;
	while (rc == 0 && read < TRANSFER_SLICE_BYTES && transfer->phase != FETCHES) {
		if (transfer->at == transfer->count) {
			if (transfer->phase == PROVES)
				return judge(transfer, ret_refusal, err);
			fetch_or_prove(transfer);
			continue;
		}
		read += (int64_t)length_of(transfer, transfer->at);
		rc = transfer->phase == CHECKS ? check_chunk(transfer, ret_refusal, err)
					       : prove_chunk(transfer, ret_refusal, err);
	}
	if (rc != 0)
		return rc;
	return transfer->phase == FETCHES ? TRANSFER_WAITS : TRANSFER_WORKS;
}

/* ---- a chunk ---- */

/* First its bytes, then its tag; the other way round would do as well. */
static int
keep_chunk(struct transfer *transfer, int number, enum refusal *ret_refusal, struct err *err)
{
	size_t len = length_of(transfer, number);
	int64_t at = (int64_t)number * transfer->chunk;

	make_tag(transfer->content, len, transfer->tags[number]);
	if (!file_write_at(transfer->part, transfer->content, len, at))
		return say_io(transfer->part_path, ret_refusal, err);
	if (!file_write_at(transfer->map, transfer->tags[number], TAG_BYTES,
		HEAD_BYTES + (int64_t)number * TAG_BYTES))
		return say_io(transfer->map_path, ret_refusal, err);
	(void)sync_file_range(transfer->part, at, (off_t)len, SYNC_FILE_RANGE_WRITE);
	have_chunk(transfer, number);
	return 0;
}

int
transfer_chunk(struct transfer *transfer, int64_t number, const void *frame, size_t len,
    bool *ret_new, enum refusal *ret_refusal, struct err *err)
{
	*ret_new = false;
	if (number < 0 || number >= transfer->count)
		return refusal_say(REFUSED_BAD_CHUNK, ret_refusal, err,
		    "chunk %lld, expected 0 to %d", (long long)number, transfer->count - 1);
	if (transfer->phase != FETCHES || transfer->have[number])
		return 0;
	int rc = chunk_unzip(transfer->unzip, number, frame, len, transfer->content,
	    (size_t)transfer->chunk, length_of(transfer, (int)number), ret_refusal, err);
	if (rc == 0)
		rc = keep_chunk(transfer, (int)number, ret_refusal, err);
	if (rc != 0)
		return rc;
	*ret_new = true;
	if (transfer->have_count == transfer->count)
		begin_phase(transfer, PROVES);
	return 0;
}

/* ---- what is asked of it ---- */

int
transfer_missing(const struct transfer *transfer, int from)
{
	for (int i = from; i < transfer->count; i++)
		if (!transfer->have[i])
			return i;
	return -1;
}

int
transfer_chunks(const struct transfer *transfer)
{
	return transfer->count;
}

int64_t
transfer_have_bytes(const struct transfer *transfer)
{
	return transfer->have_bytes;
}

int64_t
transfer_since_ms(const struct transfer *transfer)
{
	return transfer->since_ms;
}

const char *
transfer_path(const struct transfer *transfer)
{
	return transfer->part_path;
}
