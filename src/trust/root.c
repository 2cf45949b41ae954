/* SPDX-License-Identifier: Apache-2.0
 *
 * root.c - the chain of roots, after The Update Framework, section 5.3.
 *
 * DESIGN
 *   A root names keys by role, not people. A new version is signed by enough keys of the one before, so that nobody else
 *   can hand over, and by enough of its own, so that it cannot name keys that nobody has. Expiry is asked where something
 *   else is to be taken, not along the chain: a store that slept through two roots walks over them.
 *
 *   The threshold is of the release keys; a role with fewer keys asks for all of them, and one without any can sign
 *   nothing.
 */
#include "trust/root.h"

#include <string.h>

#include "core/file.h"
#include "core/id.h"
#include "core/json_write.h"
#include "core/when.h"
#include "trust/manifest.h"

static const char *const names[ROLE_COUNT] = { "release", "order", "erase" };

const char *
role_name(enum role role)
{
	return NAME_OF(names, role);
}

static void
read_keys(struct manifest *m, enum role role, struct root *root)
{
	const json_t *list =
	    manifest_list(m, m->json, names[role], role == ROLE_RELEASE, ROOT_KEYS_MAX);
	struct minisign_pub *keys = root->keys[role];
	size_t count = json_array_size(list);

	for (size_t i = 0; i < count && m->rc == 0; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL || strlen(text) != MINISIGN_PUB_TEXT - 1 ||
		    minisign_pub_read(text, strlen(text), NULL, &keys[i], NULL) != 0)
			manifest_malformed(m, "\"%s\" has no public key at place %zu", names[role],
			    i + 1);
		/* One person is one key, whatever it calls itself. */
		for (size_t k = 0; k < i && m->rc == 0; k++)
			if (memcmp(keys[k].id, keys[i].id, sizeof(keys[k].id)) == 0 ||
			    memcmp(keys[k].key, keys[i].key, sizeof(keys[k].key)) == 0)
				manifest_malformed(m,
				    "\"%s\" has a key twice, at places %zu and %zu", names[role],
				    k + 1, i + 1);
	}
	root->key_count[role] = m->rc == 0 ? count : 0;
}

int
root_parse(const char *manifest, size_t len, const char *name, struct root *ret,
    enum refusal *ret_refusal, struct err *err)
{
	struct manifest m = { .name = name, .ret_refusal = ret_refusal, .err = err };
	struct root root = { 0 };

	manifest_read(&m, manifest, len, "root",
	    "root version issued expires threshold release order erase");
	root.version = manifest_int(&m, m.json, "version", 1, ROOT_VERSION_MAX);
	manifest_times(&m, &root.issued_ms, &root.expires_ms);
	root.threshold = (int)manifest_int(&m, m.json, "threshold", 1, ROOT_KEYS_MAX);
	for (int role = 0; role < ROLE_COUNT; role++)
		read_keys(&m, (enum role)role, &root);
	if (m.rc == 0 && (size_t)root.threshold > root.key_count[ROLE_RELEASE])
		manifest_malformed(&m, "\"threshold\" is %d, expected at most its %zu release keys",
		    root.threshold, root.key_count[ROLE_RELEASE]);
	manifest_done(&m);
	if (m.rc == 0) {
		hash_bytes(root.digest, sizeof(root.digest), manifest, len, NULL, 0);
		*ret = root;
	}
	return m.rc;
}

struct signers
root_signers(const struct root *root, enum role role)
{
	int count = (int)root->key_count[role];

	CHECK(role < ROLE_COUNT && root->threshold >= 1);
	return (struct signers){
		.keys = root->keys[role],
		.count = root->key_count[role],
		.revoked = root->revoked,
		.revoked_count = root->revoked_count,
		.threshold = count >= 1 && count < root->threshold ? count : root->threshold,
		.whose = names[role],
	};
}

/* Has it the key, in any role? */
static bool
has_key(const struct root *root, const struct minisign_pub *key)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		for (size_t i = 0; i < root->key_count[role]; i++)
			if (minisign_pub_same(&root->keys[role][i], key))
				return true;
	return false;
}

static void
revoke_one(struct root *root, const struct minisign_pub *key)
{
	if (has_key(root, key))
		return;
	for (size_t i = 0; i < root->revoked_count; i++)
		if (minisign_pub_same(&root->revoked[i], key))
			return;
	if (root->revoked_count == ROOT_REVOKED_MAX)
		memmove(root->revoked, root->revoked + 1,
		    --root->revoked_count * sizeof(*root->revoked));
	root->revoked[root->revoked_count++] = *key;
}

void
root_revoke(struct root *root, const struct root *older)
{
	for (size_t i = 0; i < older->revoked_count; i++)
		revoke_one(root, &older->revoked[i]);
	for (int role = 0; role < ROLE_COUNT; role++)
		for (size_t i = 0; i < older->key_count[role]; i++)
			revoke_one(root, &older->keys[role][i]);
}

/* Of how many different release keys of root are there signatures? *ret_hold: they verify, all of them. */
static int
count_signers(const struct signed_text *envelope, const struct root *root,
    bool known[static SIGNED_SIGNATURES_MAX], bool *ret_hold)
{
	bool counted[ROOT_KEYS_MAX] = { false };
	int different = 0;

	for (size_t i = 0; i < envelope->count; i++) {
		const struct minisig *sig = &envelope->signatures[i];

		for (size_t k = 0; k < root->key_count[ROLE_RELEASE]; k++) {
			const struct minisign_pub *key = &root->keys[ROLE_RELEASE][k];

			if (memcmp(key->id, sig->id, sizeof(key->id)) != 0)
				continue;
			*ret_hold = *ret_hold &&
			    minisign_verify(key, sig, envelope->manifest, envelope->len);
			known[i] = true;
			different += !counted[k];
			counted[k] = true;
		}
	}
	return different;
}

static int
too_few(const struct root *root, const char *whose, int signers, enum refusal *ret_refusal,
    struct err *err)
{
	return refusal_say(REFUSED_THRESHOLD, ret_refusal, err,
	    "signed with %d of the %s root's release keys, expected %d", signers, whose,
	    root->threshold);
}

/* By the old one (NULL: it is where trust begins, and what others signed of it is not looked at) and by itself. */
static int
check_signatures(const struct signed_text *envelope, const struct root *old,
    const struct root *root, enum refusal *ret_refusal, struct err *err)
{
	bool known[SIGNED_SIGNATURES_MAX] = { false }, hold = true;
	int own = count_signers(envelope, root, known, &hold);
	int before = old != NULL ? count_signers(envelope, old, known, &hold) : 0;

	if (envelope->count == 0)
		return refusal_say(REFUSED_UNSIGNED, ret_refusal, err,
		    "no signature, expected one with a release key");
	if (!hold)
		return refusal_say(REFUSED_BAD_SIGNATURE, ret_refusal, err,
		    "a signature is not of these bytes and this comment, expected that all verify");
	for (size_t i = 0; old != NULL && i < envelope->count; i++) {
		struct signers signers = root_signers(old, ROLE_RELEASE);

		if (!known[i])
			return signed_stranger(&signers, &envelope->signatures[i], ret_refusal,
			    err);
	}
	if (old != NULL && before < old->threshold)
		return too_few(old, "old", before, ret_refusal, err);
	return own < root->threshold ? too_few(root, "new", own, ret_refusal, err) : 0;
}

int
root_open(const char *text, size_t len, const char *name, struct root *ret,
    enum refusal *ret_refusal, struct err *err)
{
	struct signed_text envelope;
	struct root root = { 0 };
	int rc = signed_read(text, len, name, &envelope, ret_refusal, err);

	if (rc != 0)
		return rc;
	rc = root_parse(envelope.manifest, envelope.len, name, &root, ret_refusal, err);
	if (rc == 0)
		rc = check_signatures(&envelope, NULL, &root, ret_refusal, err);
	signed_done(&envelope);
	if (rc == 0)
		*ret = root;
	return rc;
}

int
root_open_file(const char *path, struct root *ret, enum refusal *ret_refusal, struct err *err)
{
	struct buf text = { 0 };
	int rc = file_read(path, SIGNED_BYTES_MAX, &text, err);

	if (rc == 0)
		rc = root_open(text.data, text.len, path, ret, ret_refusal, err);
	buf_done(&text);
	return rc;
}

static int
check_version(const struct root *old, const struct root *root, const char *name,
    enum refusal *ret_refusal, struct err *err)
{
	if (root->version <= old->version)
		return refusal_say(REFUSED_ROOT_OLDER, ret_refusal, err,
		    "%s: version %lld, expected %lld", name, (long long)root->version,
		    (long long)old->version + 1);
	if (root->version > old->version + 1)
		return refusal_say(REFUSED_ROOT_GAP, ret_refusal, err,
		    "%s: version %lld, expected %lld", name, (long long)root->version,
		    (long long)old->version + 1);
	return 0;
}

int
root_next(const struct root *old, const char *text, size_t len, const char *name, struct root *ret,
    enum refusal *ret_refusal, struct err *err)
{
	struct signed_text envelope;
	struct root root = { 0 };
	int rc = signed_read(text, len, name, &envelope, ret_refusal, err);

	if (rc != 0)
		return rc;
	rc = root_parse(envelope.manifest, envelope.len, name, &root, ret_refusal, err);
	if (rc == 0)
		rc = check_signatures(&envelope, old, &root, ret_refusal, err);
	if (rc == 0)
		rc = check_version(old, &root, name, ret_refusal, err);
	signed_done(&envelope);
	if (rc != 0)
		return rc;
	root_revoke(&root, old);
	*ret = root;
	return 0;
}

int
root_in_force(const struct root *root, int64_t now_ms, enum refusal *ret_refusal, struct err *err)
{
	char text[WHEN_TEXT_SIZE];

	if (now_ms < root->expires_ms)
		return 0;
	when_text(root->expires_ms, text);
	return refusal_say(REFUSED_ROOT_EXPIRED, ret_refusal, err,
	    "root %lld was in force until %s, expected a next one", (long long)root->version, text);
}

void
root_write(const struct root *root, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_int(w, "root", 1);
	json_add_int(w, "version", root->version);
	json_add_when(w, "issued", root->issued_ms);
	json_add_when(w, "expires", root->expires_ms);
	json_add_int(w, "threshold", root->threshold);
	for (int role = 0; role < ROLE_COUNT; role++) {
		json_add_list(w, names[role]);
		for (size_t i = 0; i < root->key_count[role]; i++) {
			char text[MINISIGN_PUB_TEXT];

			minisign_pub_text(&root->keys[role][i], text);
			json_add_str(w, NULL, text);
		}
		json_end(w);
	}
	json_end_all(w);
}
