/* SPDX-License-Identifier: Apache-2.0
 *
 * store_wal.c - was the log of a file whole when it was left?
 *
 * DESIGN
 *   SQLite reads its log up to the first frame that does not match its sum and
 *   takes the rest for what a power cut left of the last transaction. A bit
 *   that flipped in the middle looks the same to it, and all that was
 *   committed behind is gone without a word, with numbers that headquarters
 *   has seen. But each commit is on the disk before the next one begins: a
 *   power cut leaves at most one behind the break.
 *
 *   What a cut left half is written over by who goes on, and a second cut may
 *   show its end again behind the end of a later transaction. Those are no two
 *   of one log: a frame's sum goes on from the sum that stands in the frame
 *   before it, and between them it does not. So commits are counted that follow
 *   each other, the most of them. Next to the break the sum may go on from what
 *   the one before it should be, because the bit may be in the sum itself.
 *
 *   The first frame that does not hold may have a head of two halves, where a
 *   sector ends inside it: the page and size of what lay there before, and the
 *   salt and sum that were meant. What its head should say is what is missing
 *   between the sum before it and its own, reckoned back over its page.
 *
 *   The format is SQLite's (fileformat2.html, 4): a header of 32 bytes, then
 *   frames of 24 bytes and a page; sums run over all that was before.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_internal.h"

#define MAGIC_LITTLE 0x377f0682 /* + 1: sums are of big-endian words */

struct wal {
	FILE *file;
	bool big_endian;
	uint32_t sum[2];
};

static uint32_t
word(const uint8_t *at, bool big_endian)
{
	return big_endian
	    ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
	    : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void
add_sum(struct wal *wal, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		wal->sum[0] += word(bytes + i, wal->big_endian) + wal->sum[1];
		wal->sum[1] += word(bytes + i + 4, wal->big_endian) + wal->sum[0];
	}
}

static bool
is_sum(const struct wal *wal, const uint8_t *at)
{
	return word(at, true) == wal->sum[0] && word(at + 4, true) == wal->sum[1];
}

/* By its sum and its page, no transaction ends with it, whatever its head says. */
static bool
is_no_end(const uint32_t before[static 2], const struct wal *wal, const uint8_t *frame)
{
	const uint8_t *page = frame + STORE_WAL_FRAME_HEAD;
	uint32_t sum[] = { word(frame + 16, true), word(frame + 20, true) };

	for (int i = STORE_PAGE_BYTES - 8; i >= 0; i -= 8) {
		sum[1] -= word(page + i + 4, wal->big_endian) + sum[0];
		sum[0] -= word(page + i, wal->big_endian) + sum[1];
	}
	return sum[1] - before[1] - sum[0] == 0;
}

static void
put_sum(const struct wal *wal, uint8_t out[static 8])
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(wal->sum[i / 4] >> (24 - 8 * (i % 4)));
}

static bool
read_header(struct wal *wal, uint8_t header[static STORE_WAL_HEAD])
{
	if (fread(header, STORE_WAL_HEAD, 1, wal->file) != 1)
		return false;
	wal->big_endian = (word(header, true) & 1) != 0;
	add_sum(wal, header, 24);
	return (word(header, true) | 1) == (MAGIC_LITTLE | 1) && is_sum(wal, header + 24);
}

int64_t
store_wal_frame(int64_t page_at)
{
	int64_t at = page_at - STORE_WAL_FRAME_HEAD - STORE_WAL_HEAD;
	return at >= 0 && at % STORE_WAL_FRAME == 0 ? at / STORE_WAL_FRAME : -1;
}

bool
store_wal_holds(const uint8_t before[static 8], const uint8_t *frame)
{
	/* Of the machine that wrote it: which, says the log's first word, and that both are tried costs only where damage is. */
	for (int big_endian = 0; big_endian < 2; big_endian++) {
		struct wal wal = { .big_endian = big_endian,
			.sum = { word(before, true), word(before + 4, true) } };
		add_sum(&wal, frame, 8);
		add_sum(&wal, frame + STORE_WAL_FRAME_HEAD, STORE_PAGE_BYTES);
		if (is_sum(&wal, frame + 16))
			return true;
	}
	return false;
}

int
store_wal_lost(const char *path, int64_t *ret_frames)
{
	struct wal wal = { .file = fopen(path, "re") };
	uint8_t header[STORE_WAL_HEAD] = { 0 }, frame[STORE_WAL_FRAME], salt[8], before[8] = { 0 },
		should[8] = { 0 };
	int lost = 0, run = 0; /* commits in a row */
	*ret_frames = 0;
	if (wal.file == NULL)
		return 0;
	bool whole = read_header(&wal, header);
	for (int64_t n = 0; fread(frame, sizeof(frame), 1, wal.file) == 1; n++) {
		/* A header that does not hold may have a wrong salt itself. */
		if (n == 0)
			memcpy(salt, whole ? header + 16 : frame + 8, sizeof(salt));
		bool ours = memcmp(frame + 8, salt, sizeof(salt)) == 0;
		bool end = word(frame + 4, true) != 0;
		if (whole) {
			uint32_t sum[] = { wal.sum[0], wal.sum[1] };
			add_sum(&wal, frame, 8);
			add_sum(&wal, frame + 24, STORE_PAGE_BYTES);
			whole = ours && is_sum(&wal, frame + 16);
			end = end && (whole || !is_no_end(sum, &wal, frame));
			put_sum(&wal, should);
		} else if (n > 0 && !store_wal_holds(before, frame) &&
		    !store_wal_holds(should, frame)) {
			run = 0;
		}
		memcpy(before, frame + 16, sizeof(before));
		/* The size of the file stands in the last frame of a transaction. */
		if (!end)
			continue;
		if (whole)
			*ret_frames = n + 1;
		else
			run += ours;
		lost = run > lost ? run : lost;
	}
	fclose(wal.file);
	return lost;
}
