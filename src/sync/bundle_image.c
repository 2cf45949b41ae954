/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_image.c - what a policy bundle compiled to, kept beside it for the next start.
 *
 * DESIGN
 *   A bundle is hashed, parsed, compiled and examined once, when it is activated. The
 *   result is a file that the same program on the same gateway can read back in
 *   milliseconds. It is only a cache: one that is missing, stale, damaged or of
 *   another build is made again from the bundle.
 *
 *   Its bytes become pointers, so they are believed only if this device wrote them:
 *   a one-time authenticator (Poly1305) under a key that is derived from the device's
 *   data key and a nonce of the file's own. What was authenticated is what is used:
 *   the file is read, not mapped, so nobody can change it afterwards.
 *
 * BYTES
 *   struct head, the policy's memory, the rest (policy/policy_image.c); see there.
 */
#include "sync/bundle_image.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <sodium.h>

#include "core/arena.h"
#include "core/id.h"
#include "policy/policy_image.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"

#define MAGIC "aisleimg"
#define IMAGE_BYTES_MAX (512u << 20)

struct head {
	char magic[8];
	uint8_t build[32];     /* of the program that wrote it */
	uint64_t inode, bytes; /* of the bundle: another file in its place has no image */
	int64_t changed_ns;
	uint64_t memory_len, rest_len;
	uint8_t nonce[32];
	uint8_t tag[crypto_onetimeauth_BYTES];
};

/* ---- whose image it is ---- */

/* The linker's identity of the program, in its note; any other build lays structs out otherwise. */
static int
take_build_id(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct buf *out = ctx;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		const uint8_t *at = (const uint8_t *)info->dlpi_addr + part->p_vaddr;
		size_t left = part->p_type == PT_NOTE ? part->p_memsz : 0;

		while (left >= sizeof(ElfW(Nhdr))) {
			const ElfW(Nhdr) *note = (const void *)at;
			size_t name = (note->n_namesz + 3u) & ~3u;
			size_t len = sizeof(*note) + name + ((note->n_descsz + 3u) & ~3u);

			if (len > left)
				break;
			if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
			    memcmp(note + 1, "GNU", 4) == 0)
				buf_add(out, (const uint8_t *)(note + 1) + name, note->n_descsz);
			at += len;
			left -= len;
		}
	}
	return 1; /* the first is the program; libraries are not asked */
}

static bool
build_of_program(uint8_t ret_build[static 32])
{
	struct buf id = { 0 };
	bool found;

	dl_iterate_phdr(take_build_id, &id);
	found = id.len > 0;
	if (found)
		hash_bytes(ret_build, 32, id.data, id.len, NULL, 0);
	buf_done(&id);
	return found;
}

static bool
head_of_bundle(const char *path, struct head *ret_head)
{
	struct stat st;

	*ret_head = (struct head){ .magic = MAGIC };
	if (stat(path, &st) != 0 || !build_of_program(ret_head->build))
		return false;
	ret_head->inode = (uint64_t)st.st_ino;
	ret_head->bytes = (uint64_t)st.st_size;
	ret_head->changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return true;
}

/* Over everything before the tag, and everything behind the head. */
static void
authenticate(const struct head *head, const struct iovec body[static 2],
    const uint8_t key[static 32], uint8_t ret_tag[static crypto_onetimeauth_BYTES])
{
	static const char purpose[] = "policy image";
	uint8_t named[sizeof(purpose) + sizeof(head->nonce)], once[crypto_onetimeauth_KEYBYTES];
	crypto_onetimeauth_state state;

	memcpy(named, purpose, sizeof(purpose));
	memcpy(named + sizeof(purpose), head->nonce, sizeof(head->nonce));
	hash_bytes(once, sizeof(once), named, sizeof(named), key, 32);
	crypto_onetimeauth_init(&state, once);
	crypto_onetimeauth_update(&state, (const uint8_t *)head, offsetof(struct head, tag));
	for (int i = 0; i < 2; i++)
		crypto_onetimeauth_update(&state, body[i].iov_base, body[i].iov_len);
	crypto_onetimeauth_final(&state, ret_tag);
	sodium_memzero(once, sizeof(once));
	sodium_memzero(&state, sizeof(state));
}

static void
image_path(const char *path, char out[static 4096])
{
	snprintf(out, 4096, "%s" BUNDLE_IMAGE_TAIL, path);
}

/* ---- read ---- */

static bool
read_whole(int fd, void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, (uint8_t *)bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Is it this program's, for this file? */
static bool
head_fits(const struct head *head, const char *path)
{
	struct head want;

	return head_of_bundle(path, &want) &&
	    memcmp(head, &want, offsetof(struct head, memory_len)) == 0;
}

/* Nobody vouches for its lengths yet: room is made for what is there. */
static bool
lengths_fit(int fd, const struct head *head)
{
	struct stat st;

	return head->memory_len <= IMAGE_BYTES_MAX && head->rest_len <= IMAGE_BYTES_MAX &&
	    fstat(fd, &st) == 0 &&
	    (uint64_t)st.st_size == sizeof(*head) + head->memory_len + head->rest_len;
}

static int
read_body(int fd, const struct head *head, const uint8_t key[static 32], struct policy **ret_policy,
    struct err *err)
{
	struct arena *arena = arena_new();
	struct iovec body[2] = {
		{ arena_room(arena, (size_t)head->memory_len), (size_t)head->memory_len },
		{ mem_alloc((size_t)head->rest_len + 1), (size_t)head->rest_len },
	};
	uint8_t tag[crypto_onetimeauth_BYTES];
	int status;

	if (!read_whole(fd, body[0].iov_base, body[0].iov_len) ||
	    !read_whole(fd, body[1].iov_base, body[1].iov_len)) {
		arena_free(arena);
		status = err_set(err, AISLE_E_NONE, "the image is cut short");
	} else if (authenticate(head, body, key, tag),
	    sodium_memcmp(tag, head->tag, sizeof(tag)) != 0) {
		arena_free(arena);
		status = err_set(err, AISLE_E_NONE, "the image is not one that this device wrote");
	} else if (policy_image_read(arena, body[0].iov_base, body[0].iov_len, body[1].iov_base,
		       body[1].iov_len, ret_policy, err) != 0) {
		status = AISLE_E_NONE;
	} else {
		status = 0;
	}
	free(body[1].iov_base);
	return status;
}

int
bundle_image_open(const char *path, const uint8_t key[static 32], struct policy **ret_policy,
    struct err *err)
{
	char name[4096];
	struct head head;
	int fd, status;

	image_path(path, name);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(err, AISLE_E_NONE, "%s: %s", name, strerror(errno));
	if (!read_whole(fd, &head, sizeof(head)) || !head_fits(&head, path))
		status =
		    err_set(err, AISLE_E_NONE, "the image is of another bundle or another build");
	else if (!lengths_fit(fd, &head))
		status = err_set(err, AISLE_E_NONE, "the image is not as long as it says");
	else
		status = read_body(fd, &head, key, ret_policy, err);
	close(fd);
	return status;
}

/* ---- write ---- */

static bool
write_whole(int fd, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const uint8_t *)bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Not synced: after a power cut it is missing, or is found not to be authentic. */
static int
write_file(const char *path, const struct head *head, const struct iovec body[static 2],
    struct err *err)
{
	char name[4096], temporary[4096 + 8];
	bool written;
	int fd;

	image_path(path, name);
	snprintf(temporary, sizeof(temporary), "%s.tmp", name);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", temporary, strerror(errno));
	written = write_whole(fd, head, sizeof(*head)) &&
	    write_whole(fd, body[0].iov_base, body[0].iov_len) &&
	    write_whole(fd, body[1].iov_base, body[1].iov_len);
	close(fd);
	if (written && rename(temporary, name) == 0)
		return 0;
	unlink(temporary);
	return err_set(err, AISLE_E_IO, "%s: cannot be written", name);
}

static int
write_image(const char *path, const uint8_t key[static 32], const struct policy *a,
    const struct policy *b, struct err *err)
{
	struct buf memory = { 0 }, rest = { 0 };
	struct head head;
	int status;

	if (!head_of_bundle(path, &head))
		return err_set(err, AISLE_E_IO,
		    "no build id in this program, so none of its images would be known again");
	status = policy_image_write(a, b, &memory, &rest, err);
	if (status == 0) {
		struct iovec body[2] = { { memory.data, memory.len }, { rest.data, rest.len } };

		head.memory_len = memory.len;
		head.rest_len = rest.len;
		randombytes_buf(head.nonce, sizeof(head.nonce));
		authenticate(&head, body, key, head.tag);
		status = write_file(path, &head, body, err);
	}
	buf_done(&memory);
	buf_done(&rest);
	return status;
}

/* ---- make ---- */

/* It says that it is another kind of bundle. */
static bool
is_other_kind(const char *path)
{
	struct bundle_look look;
	struct err err = { 0 };

	return bundle_look(path, &look, &err) == 0 && strcmp(look.kind, "policy") != 0;
}

static int
open_and_compile(const char *path, struct bundle **ret_bundle, struct policy **ret_policy,
    enum refusal *ret_why, struct err *err)
{
	struct buf report = { 0 };
	int status = bundle_open(path, "policy", ret_bundle, err);

	if (status == AISLE_E_NONE)
		status = err->code = AISLE_E_IO; /* to us a file that is not there is no image */
	if (status == 0)
		*ret_why = REFUSED_POLICY;
	else if (status == AISLE_E_IO)
		*ret_why = REFUSED_IO;
	else
		*ret_why = is_other_kind(path) ? REFUSED_WRONG_KIND : REFUSED_SCHEMA;
	if (status == 0 && bundle_policy(*ret_bundle, ret_policy, &report) != 0)
		status = err_set(err, AISLE_E_REFUSED, "%.300s", report.data);
	buf_done(&report);
	return status;
}

int
bundle_image_make(const char *path, const uint8_t key[static 32], char ret_hash[static 65],
    enum refusal *ret_why, struct err *err)
{
	/* Two of everything, so that no pointer into the first can stand in the second. */
	struct bundle *bundle[2] = { NULL, NULL };
	struct policy *policy[2] = { NULL, NULL };
	struct buf report = { 0 };
	int status = open_and_compile(path, &bundle[0], &policy[0], ret_why, err);

	if (status == 0) {
		*ret_why = REFUSED_EXAM;
		status = bundle_examine_policy(bundle[0], policy[0], &report, err);
	}
	if (status == 0)
		status = open_and_compile(path, &bundle[1], &policy[1], ret_why, err);
	if (status == 0) {
		*ret_why = REFUSED_NONE;
		memcpy(ret_hash, bundle_hash(bundle[0]), 65);
		if (write_image(path, key, policy[0], policy[1], err) != 0)
			status = err->code = AISLE_E_NONE;
	}
	for (int i = 0; i < 2; i++) {
		policy_free(policy[i]);
		bundle_close(bundle[i]);
	}
	buf_done(&report);
	return status;
}
