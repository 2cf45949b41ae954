/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_keys_show.c - what a file of keys is: a public key, a secret one, a root, a gateway's key.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/file.h"
#include "core/json_write.h"
#include "core/when.h"
#include "ctl/ctl_sign.h"
#include "trust/device.h"

static void
print(struct buf *out)
{
	puts(out->data);
	buf_done(out);
}

static void
show_pub(struct ctl *ctl, const struct minisign_pub *pub)
{
	char id[MINISIGN_ID_TEXT], line[MINISIGN_PUB_TEXT];
	struct buf out = { 0 };

	minisign_id_text(pub->id, id);
	minisign_pub_text(pub, line);
	if (ctl->json) {
		struct json_writer *w = JSON_OBJECT(&out);

		json_add_str(w, "kind", "public");
		json_add_str(w, "key", id);
		json_add_str(w, "public", line);
		json_end_all(w);
		print(&out);
	} else {
		printf("public key %s\n%s\n", id, line);
	}
}

/* Of a secret key nothing but that it is one. */
static void
show_secret(struct ctl *ctl, bool locked)
{
	struct buf out = { 0 };

	if (ctl->json) {
		struct json_writer *w = JSON_OBJECT(&out);

		json_add_str(w, "kind", "secret");
		json_add_bool(w, "password", locked);
		json_end_all(w);
		print(&out);
	} else {
		printf("secret key, %s a password\n", locked ? "under" : "without");
	}
}

static void
add_root(struct json_writer *w, const struct root *root)
{
	json_add_str(w, "kind", "root");
	json_add_int(w, "version", root->version);
	json_add_when(w, "issued", root->issued_ms);
	json_add_when(w, "expires", root->expires_ms);
	json_add_int(w, "threshold", root->threshold);
	for (int role = 0; role < ROLE_COUNT; role++) {
		json_add_list(w, role_name((enum role)role));
		for (size_t i = 0; i < root->key_count[role]; i++) {
			char id[MINISIGN_ID_TEXT];

			minisign_id_text(root->keys[role][i].id, id);
			json_add_str(w, NULL, id);
		}
		json_end(w);
	}
}

static void
print_root(const struct root *root)
{
	char issued[WHEN_TEXT_SIZE], expires[WHEN_TEXT_SIZE];

	when_text(root->issued_ms, issued);
	when_text(root->expires_ms, expires);
	printf("root        version %" PRId64 ", %s to %s\n", root->version, issued, expires);
	for (int role = 0; role < ROLE_COUNT; role++) {
		struct signers signers = root_signers(root, (enum role)role);

		if (signers.count == 0)
			printf("%-11s no key: nothing of this kind is taken", signers.whose);
		else
			printf("%-11s %d of", signers.whose, signers.threshold);
		for (size_t i = 0; i < signers.count; i++) {
			char id[MINISIGN_ID_TEXT];

			minisign_id_text(signers.keys[i].id, id);
			printf("%s %s", i > 0 ? "," : "", id);
		}
		putchar('\n');
	}
}

static void
show_root(struct ctl *ctl, const struct root *root, const struct signed_text *envelope)
{
	struct buf out = { 0 };

	if (ctl->json) {
		struct json_writer *w = JSON_OBJECT(&out);

		add_root(w, root);
		ctl_add_signatures(w, envelope);
		json_end_all(w);
		print(&out);
	} else {
		print_root(root);
		ctl_print_signatures(envelope);
	}
}

static void
show_device(struct ctl *ctl, const struct device *device, const struct signed_text *envelope)
{
	struct buf out = { 0 };

	if (ctl->json) {
		struct json_writer *w = JSON_OBJECT(&out);

		json_add_str(w, "kind", "device");
		json_add_str(w, "store", device->store);
		ctl_add_signatures(w, envelope);
		json_end_all(w);
		print(&out);
	} else {
		printf("gateway     of store %s\n", device->store);
		ctl_print_signatures(envelope);
	}
}

static int
show_envelope(struct ctl *ctl, const struct buf *text, const char *path)
{
	struct signed_text envelope = { 0 };
	struct root *root = mem_zero(sizeof(*root));
	struct device device;
	struct err err = { 0 };
	enum refusal refusal = REFUSED_NONE;
	int rc = EX_OK;

	if (signed_read(text->data, text->len, path, &envelope, NULL, &err) != 0)
		rc = ctl_fail_err(&err);
	else if (root_parse(envelope.manifest, envelope.len, path, root, &refusal, &err) == 0)
		show_root(ctl, root, &envelope);
	else if (refusal == REFUSED_WRONG_KIND &&
	    device_open(NULL, text->data, text->len, path, 0, &device, NULL, NULL) == 0)
		show_device(ctl, &device, &envelope);
	else
		rc = ctl_fail_err(&err);
	signed_done(&envelope);
	free(root);
	return rc;
}

int
ctl_keys_show(struct ctl *ctl)
{
	struct minisign_pub pub;
	struct buf text = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (file_read(ctl->argv[0], SIGNED_BYTES_MAX, &text, &err) != 0) {
		rc = ctl_fail_err(&err);
	} else if (text.len > 0 && text.data[0] == '{') {
		rc = show_envelope(ctl, &text, ctl->argv[0]);
	} else if (minisign_protected(text.data, text.len) >= 0) {
		show_secret(ctl, minisign_protected(text.data, text.len) == 1);
	} else if (minisign_pub_read(text.data, text.len, ctl->argv[0], &pub, NULL) == 0) {
		show_pub(ctl, &pub);
	} else {
		rc = ctl_fail(EX_DATAERR,
		    "%s: expected a key of minisign's, a root, or a gateway's signed key",
		    ctl->argv[0]);
	}
	buf_wipe(&text);
	return rc;
}
