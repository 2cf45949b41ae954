/* SPDX-License-Identifier: Apache-2.0
 *
 * device.c - a gateway's public key, asked for and signed.
 */
#include "trust/device.h"

#include <string.h>

#include <sodium.h>

#include "core/json_write.h"
#include "trust/manifest.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define KEY_TEXT_SIZE 45 /* 32 bytes as base64, and NUL */

static void
read_device(struct manifest *m, struct device *device)
{
	char text[KEY_TEXT_SIZE];
	size_t len;

	manifest_name(m, json_object_get(m->json, "store"), "store", device->store,
	    sizeof(device->store));
	manifest_text(m, m->json, "key", text, sizeof(text));
	if (m->rc == 0 &&
	    (sodium_base642bin(device->key, sizeof(device->key), text, strlen(text), NULL, &len,
		 NULL, BASE64) != 0 ||
		len != sizeof(device->key)))
		manifest_malformed(m, "\"key\" is not 32 bytes as base64");
}

int
device_request_read(const char *text, size_t len, const char *name, struct device *ret,
    struct err *err)
{
	struct manifest m = { .name = name, .err = err };
	struct device device = { 0 };

	manifest_read(&m, text, len, "request", "request store key at");
	read_device(&m, &device);
	device.at_ms = manifest_time(&m, m.json, "at");
	manifest_done(&m);
	if (m.rc == 0)
		*ret = device;
	return m.rc;
}

static int
device_parse(const char *manifest, size_t len, const char *name, struct device *ret,
    enum refusal *ret_refusal, struct err *err)
{
	struct manifest m = { .name = name, .ret_refusal = ret_refusal, .err = err };
	struct device device = { 0 };

	manifest_read(&m, manifest, len, "device", "device store key");
	read_device(&m, &device);
	manifest_done(&m);
	if (m.rc == 0)
		*ret = device;
	return m.rc;
}

int
device_open(const struct root *root, const char *text, size_t len, const char *name, int64_t now_ms,
    struct device *ret, enum refusal *ret_refusal, struct err *err)
{
	struct signed_text envelope;
	int rc = signed_read(text, len, name, &envelope, ret_refusal, err);

	if (rc != 0)
		return rc;
	if (root != NULL)
		rc = root_in_force(root, now_ms, ret_refusal, err);
	if (rc == 0 && root != NULL) {
		struct signers signers = root_signers(root, ROLE_ORDER);

		rc = signed_verify(&envelope, &signers, ret_refusal, err);
	}
	if (rc == 0)
		rc = device_parse(envelope.manifest, envelope.len, name, ret, ret_refusal, err);
	signed_done(&envelope);
	return rc;
}

static void
add_device(const struct device *device, struct json_writer *w)
{
	char text[KEY_TEXT_SIZE];

	sodium_bin2base64(text, sizeof(text), device->key, sizeof(device->key), BASE64);
	json_add_str(w, "store", device->store);
	json_add_str(w, "key", text);
}

void
device_write(const struct device *device, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_int(w, "device", 1);
	add_device(device, w);
	json_end_all(w);
}

void
device_request_write(const struct device *device, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_int(w, "request", 1);
	add_device(device, w);
	json_add_when(w, "at", device->at_ms);
	json_end_all(w);
}
