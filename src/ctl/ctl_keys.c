/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_keys.c - keys and roots; a gateway's key signed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "core/file.h"
#include "core/json_write.h"
#include "core/when.h"
#include "ctl/ctl_sign.h"
#include "trust/device.h"

/* What each try of a password takes: as minisign has it, or so much less. */
#define MEMORY_MIB 1024
#define MEMORY_MIB_MIN 16

/* ---- keys generate ---- */

static int
write_pair(const char *name, const struct minisign_secret *secret, const struct buf *locked)
{
	struct buf key = { 0 }, pub = { 0 }, text = { 0 };
	char id[MINISIGN_ID_TEXT], line[MINISIGN_PUB_TEXT];
	struct minisign_pub public;
	struct err err = { 0 };
	int rc = EX_OK;

	minisign_secret_pub(secret, &public);
	minisign_pub_write(&public, &text);
	minisign_id_text(public.id, id);
	minisign_pub_text(&public, line);
	buf_addf(&key, "%s.key", name);
	buf_addf(&pub, "%s.pub", name);
	if (access(pub.data, F_OK) == 0)
		err_at(&err, AISLE_E_REFUSED, pub.data, 0, 0,
		    "there is one already, expected a new name");
	else if (file_write(key.data, locked->data, locked->len, 0600, true, &err) == 0 &&
	    file_write(pub.data, text.data, text.len, 0644, true, &err) != 0)
		unlink(key.data);
	if (err.code != 0)
		rc = ctl_fail_err(&err);
	else
		printf("%s (keep it secret), %s\nkey %s\n%s\n", key.data, pub.data, id, line);
	buf_done(&key);
	buf_done(&pub);
	buf_done(&text);
	return rc;
}

/* --memory MIB → halvings of 1 GiB. */
static int
read_work(const char *memory, int *ret)
{
	int64_t mib = MEMORY_MIB;
	int rc = memory != NULL ? ctl_number("--memory", memory, MEMORY_MIB_MIN, MEMORY_MIB, &mib)
				: EX_OK;

	for (*ret = 0; rc == EX_OK && MEMORY_MIB >> *ret > mib;)
		++*ret;
	return rc;
}

int
ctl_keys_generate(struct ctl *ctl)
{
	const char *name = ctl_option(ctl, "-o"), *memory = ctl_option(ctl, "--memory");
	char password[CTL_PASSWORD_SIZE] = "";
	struct buf locked = { 0 };
	struct err err = { 0 };
	int work = 0, rc = ctl_words(ctl, 0, 0);

	if (rc == EX_OK && name == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK)
		rc = read_work(memory, &work);
	if (rc == EX_OK)
		rc = ctl_new_password("password (empty: none)", password);
	if (rc == EX_OK) {
		struct minisign_secret *secret = minisign_generate();

		if (minisign_secret_write(secret, password[0] != '\0' ? password : NULL, work,
			&locked, &err) != 0)
			rc = ctl_fail_err(&err);
		else
			rc = write_pair(name, secret, &locked);
		minisign_secret_free(secret);
	}
	sodium_memzero(password, sizeof(password));
	buf_wipe(&locked);
	return rc;
}

/* ---- keys root ---- */

static int
read_pub(const char *path, struct minisign_pub *ret)
{
	struct buf text = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	if (file_read(path, MINISIGN_FILE_MAX, &text, &err) != 0 ||
	    minisign_pub_read(text.data, text.len, path, ret, &err) != 0)
		rc = ctl_fail_err(&err);
	buf_done(&text);
	return rc;
}

/* --release, --order, --erase A.pub,… */
static int
read_role(struct root *root, enum role role, const char *paths)
{
	char *copy, *items[ROOT_KEYS_MAX];
	int rc = EX_OK;

	if (paths == NULL)
		return EX_OK;
	copy = mem_strdup(paths);
	int count = ctl_list(copy, items, ROOT_KEYS_MAX);

	if (count < 0)
		rc = ctl_fail(EX_USAGE, "--%s %s: expected at most %d files, with commas between",
		    role_name(role), paths, ROOT_KEYS_MAX);
	for (int i = 0; i < count && rc == EX_OK; i++)
		rc = read_pub(items[i], &root->keys[role][i]);
	root->key_count[role] = rc == EX_OK ? (size_t)count : 0;
	free(copy);
	return rc;
}

/* It need not be whole yet: at a ceremony of several people each adds a signature. */
static int
say_what_lacks(const struct signed_text *envelope, const char *path, const char *previous)
{
	struct buf text = { 0 };
	struct err err = { 0 };
	struct root root, old;
	enum refusal refusal = REFUSED_NONE;
	int rc;

	signed_write(envelope, &text);
	rc = previous != NULL ? root_open_file(previous, &old, NULL, &err) : 0;
	if (rc == 0 && previous != NULL)
		rc = root_next(&old, text.data, text.len, path, &root, &refusal, &err);
	else if (rc == 0)
		rc = root_open(text.data, text.len, path, &root, &refusal, &err);
	buf_done(&text);
	if (rc == 0 || (refusal != REFUSED_THRESHOLD && refusal != REFUSED_UNSIGNED))
		return rc == 0 ? EX_OK : ctl_fail_err(&err);
	fprintf(stderr, "%s is not whole yet: %s\n", path, err.text);
	return EX_OK;
}

/* Said before anybody signs: at a ceremony the last would find out. */
static int
check_version(const struct root *root, const char *previous)
{
	struct root *old = mem_zero(sizeof(*old));
	struct err err = { 0 };
	int rc = EX_OK;

	if (previous != NULL && root_open_file(previous, old, NULL, &err) != 0)
		rc = ctl_fail_err(&err);
	else if (previous != NULL && root->version != old->version + 1)
		rc = ctl_fail(EX_NOPERM, "%s: --version %" PRId64 " behind %s, expected %" PRId64,
		    root->version > old->version ? "root-gap" : "root-older", root->version,
		    previous, old->version + 1);
	free(old);
	return rc;
}

static int
make_root(struct root *root, const char *keys, const char *previous, const char *path)
{
	struct signed_text envelope = { 0 };
	struct buf manifest = { 0 };
	struct root read;
	struct err err = { 0 };
	char what[64];
	int rc = EX_OK;

	root_write(root, &manifest);
	signed_init(&envelope, manifest.data, manifest.len);
	snprintf(what, sizeof(what), "root %" PRId64, root->version);
	if (root_parse(manifest.data, manifest.len, path, &read, NULL, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK && keys != NULL)
		rc = ctl_sign_with(keys, what, &envelope);
	if (rc == EX_OK)
		rc = say_what_lacks(&envelope, path, previous);
	if (rc == EX_OK)
		rc = ctl_envelope_write(path, &envelope);
	signed_done(&envelope);
	buf_done(&manifest);
	return rc;
}

int
ctl_keys_root(struct ctl *ctl)
{
	const char *version = ctl_option(ctl, "--version"),
		   *threshold = ctl_option(ctl, "--threshold");
	const char *expires = ctl_option(ctl, "--expires"),
		   *previous = ctl_option(ctl, "--previous");
	const char *keys = ctl_option(ctl, "--key"), *output = ctl_option(ctl, "-o"),
		   *roles[ROLE_COUNT];
	struct root *root = mem_zero(sizeof(*root));
	int64_t number = 0;
	int rc;

	for (int role = 0; role < ROLE_COUNT; role++) {
		char option[16];

		snprintf(option, sizeof(option), "--%s", role_name((enum role)role));
		roles[role] = ctl_option(ctl, option);
	}
	root->issued_ms = ctl_now_ms();
	rc = ctl_words(ctl, 0, 0);
	if (rc == EX_OK && (output == NULL || roles[ROLE_RELEASE] == NULL))
		rc = ctl_usage(ctl);
	if (rc == EX_OK)
		rc = ctl_number("--version", version, 1, ROOT_VERSION_MAX, &root->version);
	if (rc == EX_OK)
		rc = ctl_number("--threshold", threshold, 1, ROOT_KEYS_MAX, &number);
	root->threshold = (int)number;
	if (rc == EX_OK)
		rc = ctl_expires(expires, root->issued_ms, &root->expires_ms);
	for (int role = 0; role < ROLE_COUNT && rc == EX_OK; role++)
		rc = read_role(root, (enum role)role, roles[role]);
	if (rc == EX_OK)
		rc = check_version(root, previous);
	if (rc == EX_OK)
		rc = make_root(root, keys, previous, output);
	free(root);
	return rc;
}

/* Another signature of a root; --previous, to say whether that makes it whole. */
int
ctl_keys_sign(struct ctl *ctl)
{
	const char *keys = ctl_option(ctl, "--key"), *previous = ctl_option(ctl, "--previous");
	const char *signature = ctl_option(ctl, "--signature");
	struct signed_text envelope = { 0 };
	struct root *root = mem_zero(sizeof(*root));
	struct err err = { 0 };
	char what[64];
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK && keys == NULL && signature == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK &&
	    (signed_read_file(ctl->argv[0], &envelope, NULL, &err) != 0 ||
		root_parse(envelope.manifest, envelope.len, ctl->argv[0], root, NULL, &err) != 0))
		rc = ctl_fail_err(&err);
	snprintf(what, sizeof(what), "root %" PRId64, root->version);
	if (rc == EX_OK && keys != NULL)
		rc = ctl_sign_with(keys, what, &envelope);
	if (rc == EX_OK && signature != NULL)
		rc = ctl_sign_attach(signature, &envelope);
	if (rc == EX_OK)
		rc = say_what_lacks(&envelope, ctl->argv[0], previous);
	if (rc == EX_OK)
		rc = ctl_envelope_write(ctl->argv[0], &envelope);
	signed_done(&envelope);
	free(root);
	return rc;
}

/* ---- enroll sign ---- */

int
ctl_enroll_sign(struct ctl *ctl)
{
	const char *keys = ctl_option(ctl, "--key"), *output = ctl_option(ctl, "-o");
	struct signed_text envelope = { 0 };
	struct buf text = { 0 }, manifest = { 0 };
	struct device device;
	struct err err = { 0 };
	char what[64];
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK && (keys == NULL || output == NULL))
		rc = ctl_usage(ctl);
	if (rc == EX_OK &&
	    (file_read(ctl->argv[0], MINISIGN_FILE_MAX, &text, &err) != 0 ||
		device_request_read(text.data, text.len, ctl->argv[0], &device, &err) != 0))
		rc = ctl_fail_err(&err);
	if (rc == EX_OK) {
		device_write(&device, &manifest);
		signed_init(&envelope, manifest.data, manifest.len);
		snprintf(what, sizeof(what), "device of store %s", device.store);
		rc = ctl_sign_with(keys, what, &envelope);
	}
	if (rc == EX_OK)
		rc = ctl_envelope_write(output, &envelope);
	signed_done(&envelope);
	buf_done(&manifest);
	buf_done(&text);
	return rc;
}
