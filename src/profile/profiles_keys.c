/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_keys.c - profiles-N.keys: a random word for each row of profiles-N.db.
 *
 * DESIGN
 *   A row's key is hashed from the data key and its word. A customer is forgotten by overwriting
 *   the word: a copy of the rows, with or without the data key, is noise then. The words go with
 *   their set, so that keys.db holds keys only of customers whom the store knows itself.
 *   Rejected: keys in keys.db; 200,000 of them are inserts that the turns would have to make
 *   (the file has one writer), and they would never leave it.
 *
 * BYTES
 *   "aislekey" ‖ N as u64, little-endian ‖ 32 bytes for row index 0, 1, …; zeros: destroyed.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/id.h"
#include "profile/profiles_internal.h"

#define MAGIC "aislekey"

void
profiles_keys_head(int64_t number, uint8_t out[static PROFILES_KEYS_HEAD])
{
	memcpy(out, MAGIC, 8);
	for (int i = 0; i < 8; i++)
		out[8 + i] = (uint8_t)((uint64_t)number >> (8 * i));
}

int
profiles_keys_open(const char *path, int64_t number)
{
	uint8_t head[PROFILES_KEYS_HEAD], want[PROFILES_KEYS_HEAD];
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	profiles_keys_head(number, want);
	if (fd >= 0 &&
	    (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
		memcmp(head, want, sizeof(head)) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static off_t
place_of(uint32_t index)
{
	return PROFILES_KEYS_HEAD + (off_t)index * PROFILES_WORD;
}

void
profiles_keys_derive(const uint8_t data[static 32], const struct id *subject,
    const uint8_t word[static PROFILES_WORD], uint8_t ret_key[static 32])
{
	uint8_t bytes[8 + 16 + PROFILES_WORD] = "profiles";

	memcpy(bytes + 8, subject->b, 16);
	memcpy(bytes + 24, word, PROFILES_WORD);
	hash_bytes(ret_key, 32, bytes, sizeof(bytes), data, 32);
	sodium_memzero(bytes, sizeof(bytes));
}

int
profiles_keys_row(int fd, const uint8_t data[static 32], const struct id *subject, uint32_t index,
    uint8_t ret_key[static 32])
{
	uint8_t word[PROFILES_WORD];
	ssize_t n = pread(fd, word, sizeof(word), place_of(index));

	if (n != (ssize_t)sizeof(word))
		return n < 0 ? AISLE_E_IO : AISLE_E_DAMAGED;
	if (sodium_is_zero(word, sizeof(word)))
		return AISLE_E_NONE;
	profiles_keys_derive(data, subject, word, ret_key);
	sodium_memzero(word, sizeof(word));
	return 0;
}

int
profiles_keys_destroy(int fd, uint32_t index)
{
	static const uint8_t zeros[PROFILES_WORD];

	if (pwrite(fd, zeros, sizeof(zeros), place_of(index)) != (ssize_t)sizeof(zeros) ||
	    fdatasync(fd) < 0)
		return AISLE_E_IO;
	return 0;
}
