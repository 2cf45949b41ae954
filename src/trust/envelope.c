/* SPDX-License-Identifier: Apache-2.0
 *
 * envelope.c - a manifest's exact bytes and their signatures, as one text.
 *
 * DESIGN
 *   A manifest travels as base64 of its bytes: no reader has to agree with another on how JSON is written. The envelope
 *   itself has one spelling for each content, and any other is refused: what was read is written again and compared. So
 *   there is no byte in it that could be changed and nobody would notice, not even in a signature's untrusted comment.
 *
 *   Every signature in it must hold. One that does not is no harm to the threshold, but nobody who may sign made it.
 */
#include "trust/envelope.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/file.h"
#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL

static int
malformed(const char *name, const char *why, enum refusal *ret_refusal, struct err *err)
{
	return refusal_say(REFUSED_MALFORMED, ret_refusal, err,
	    "%s: %s, expected an object of manifest (base64) and signatures (a list), without "
	    "white space",
	    name, why);
}

static const char *
read_manifest(const json_t *json, struct signed_text *ret)
{
	const char *base64 = json_string_value(json_object_get(json, "manifest"));

	if (base64 == NULL)
		return "no manifest in it";
	size_t len = strlen(base64);

	ret->manifest = mem_alloc(len + 1);
	if (sodium_base642bin((uint8_t *)ret->manifest, len, base64, len, NULL, &ret->len, NULL,
		BASE64) != 0)
		return "its manifest is not base64";
	ret->manifest[ret->len] = '\0';
	return NULL;
}

static const char *
read_signatures(const json_t *json, struct signed_text *ret)
{
	const json_t *list = json_object_get(json, "signatures");

	if (!json_is_array(list) || json_object_size(json) != 2)
		return "its members are others";
	if (json_array_size(list) > SIGNED_SIGNATURES_MAX)
		return "more than 16 signatures in it";
	ret->signatures = mem_calloc(json_array_size(list), sizeof(*ret->signatures));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL ||
		    minisign_sig_read(text, strlen(text), NULL, &ret->signatures[i], NULL) != 0)
			return "a signature in it is none of minisign's";
		ret->count++;
	}
	return NULL;
}

/* A line feed behind it is an editor's. */
static bool
same_again(const struct signed_text *envelope, const char *text, size_t len)
{
	struct buf again = { 0 };

	signed_write(envelope, &again);
	bool same =
	    (len == again.len || len + 1 == again.len) && memcmp(text, again.data, len) == 0;

	buf_done(&again);
	return same;
}

int
signed_read(const char *text, size_t len, const char *name, struct signed_text *ret,
    enum refusal *ret_refusal, struct err *err)
{
	struct signed_text envelope = { 0 };
	const char *why = NULL;
	json_t *json = NULL;

	if (len > SIGNED_BYTES_MAX)
		return refusal_say(REFUSED_MALFORMED, ret_refusal, err,
		    "%s: %zu bytes, expected at most %u", name, len, SIGNED_BYTES_MAX);
	json = json_read(text, len, name, NULL);
	if (json == NULL || !json_is_object(json))
		why = "not JSON";
	if (why == NULL)
		why = read_manifest(json, &envelope);
	if (why == NULL)
		why = read_signatures(json, &envelope);
	if (why == NULL && !same_again(&envelope, text, len))
		why = "not as it is written";
	json_decref(json);
	if (why != NULL) {
		signed_done(&envelope);
		return malformed(name, why, ret_refusal, err);
	}
	*ret = envelope;
	return 0;
}

int
signed_read_file(const char *path, struct signed_text *ret, enum refusal *ret_refusal,
    struct err *err)
{
	struct buf text = { 0 };
	int rc = file_read(path, SIGNED_BYTES_MAX, &text, err);

	if (rc == 0)
		rc = signed_read(text.data, text.len, path, ret, ret_refusal, err);
	buf_done(&text);
	return rc;
}

void
signed_init(struct signed_text *envelope, const void *manifest, size_t len)
{
	*envelope = (struct signed_text){ .manifest = mem_alloc(len + 1), .len = len };
	memcpy(envelope->manifest, manifest, len);
	envelope->manifest[len] = '\0';
}

void
signed_done(struct signed_text *envelope)
{
	free(envelope->manifest);
	free(envelope->signatures);
	*envelope = (struct signed_text){ 0 };
}

int
signed_add(struct signed_text *envelope, const struct minisig *sig, struct err *err)
{
	size_t at = 0;

	while (at < envelope->count &&
	    memcmp(envelope->signatures[at].id, sig->id, sizeof(sig->id)) != 0)
		at++;
	if (at == SIGNED_SIGNATURES_MAX)
		return err_set(err, AISLE_E_FULL, "it has %d signatures, expected no more",
		    SIGNED_SIGNATURES_MAX);
	if (at == envelope->count) {
		envelope->signatures =
		    mem_realloc(envelope->signatures, (at + 1) * sizeof(*envelope->signatures));
		envelope->count++;
	}
	envelope->signatures[at] = *sig;
	return 0;
}

void
signed_write(const struct signed_text *envelope, struct buf *out)
{
	size_t size = sodium_base64_encoded_len(envelope->len, BASE64);
	char *base64 = mem_alloc(size);
	struct json_writer *w = JSON_OBJECT(out);

	sodium_bin2base64(base64, size, (const uint8_t *)envelope->manifest, envelope->len, BASE64);
	json_add_str(w, "manifest", base64);
	free(base64);
	json_add_list(w, "signatures");
	for (size_t i = 0; i < envelope->count; i++) {
		struct buf text = { 0 };

		minisign_sig_write(&envelope->signatures[i], &text);
		json_add_str(w, NULL, text.data);
		buf_done(&text);
	}
	json_end_all(w);
	buf_addc(out, '\n');
}

void
signed_digest(const struct signed_text *envelope, uint8_t ret[static 32])
{
	hash_bytes(ret, 32, envelope->manifest, envelope->len, NULL, 0);
}

static const struct minisign_pub *
by_id(const struct minisign_pub *keys, size_t count, const uint8_t id[static 8])
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(keys[i].id, id, 8) == 0)
			return &keys[i];
	return NULL;
}

int
signed_stranger(const struct signers *signers, const struct minisig *sig, enum refusal *ret_refusal,
    struct err *err)
{
	char text[MINISIGN_ID_TEXT];

	minisign_id_text(sig->id, text);
	if (by_id(signers->revoked, signers->revoked_count, sig->id) != NULL)
		return refusal_say(REFUSED_REVOKED_KEY, ret_refusal, err,
		    "signed with key %s, which was one and is none any more, expected a %s key of "
		    "the root in force",
		    text, signers->whose);
	return refusal_say(REFUSED_WRONG_KEY, ret_refusal, err,
	    "signed with key %s, expected a %s key of the root in force", text, signers->whose);
}

int
signed_verify(const struct signed_text *envelope, const struct signers *signers,
    enum refusal *ret_refusal, struct err *err)
{
	bool signed_by[SIGNED_SIGNATURES_MAX] = { false };
	int different = 0;

	CHECK(signers->count <= ARRAY_LEN(signed_by) && signers->threshold >= 1);
	if (envelope->count == 0)
		return refusal_say(REFUSED_UNSIGNED, ret_refusal, err,
		    "no signature, expected one with a %s key", signers->whose);
	for (size_t i = 0; i < envelope->count; i++) {
		const struct minisig *sig = &envelope->signatures[i];
		const struct minisign_pub *key = by_id(signers->keys, signers->count, sig->id);

		if (key == NULL)
			return signed_stranger(signers, sig, ret_refusal, err);
		if (!minisign_verify(key, sig, envelope->manifest, envelope->len))
			return refusal_say(REFUSED_BAD_SIGNATURE, ret_refusal, err,
			    "signature %zu is not of these bytes and this comment, expected one "
			    "that verifies",
			    i + 1);
		different += !signed_by[key - signers->keys];
		signed_by[key - signers->keys] = true;
	}
	if (different < signers->threshold)
		return refusal_say(REFUSED_THRESHOLD, ret_refusal, err,
		    "signed with %d %s key%s, expected %d different ones", different,
		    signers->whose, different == 1 ? "" : "s", signers->threshold);
	return 0;
}
