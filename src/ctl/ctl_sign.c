/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_sign.c - envelopes signed, taken apart and written; lists, times and numbers of the commands that do it.
 */
#include "ctl/ctl_sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "core/file.h"
#include "core/when.h"

int64_t
ctl_now_ms(void)
{
	return (int64_t)time(NULL) * S_MS;
}

int
ctl_list(char *text, char **items, int most)
{
	int count = 0;

	for (char *item; (item = strsep(&text, ",")) != NULL;) {
		if (item[0] == '\0' || count == most)
			return -1;
		items[count++] = item;
	}
	return count;
}

int
ctl_expires(const char *text, int64_t now_ms, int64_t *ret_ms)
{
	int64_t span;

	if (text == NULL)
		return ctl_fail(EX_USAGE, "--expires T is expected: until when it may be taken");
	if (when_duration(text, &span) && span > 0)
		*ret_ms = now_ms + span;
	else if (!when_parse(text, ret_ms))
		return ctl_fail(EX_USAGE,
		    "--expires %s: expected a time as 2026-12-24T20:00:00Z, or 30d from now on",
		    text);
	if (*ret_ms <= now_ms)
		return ctl_fail(EX_DATAERR, "--expires %s: is over, expected a time to come", text);
	return EX_OK;
}

int
ctl_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *ret)
{
	char *end;

	if (text == NULL)
		return ctl_fail(EX_USAGE, "%s N is expected", name);
	long long number = strtoll(text, &end, 10);

	if (end == text || *end != '\0' || number < least || number > most)
		return ctl_fail(EX_USAGE, "%s %s: expected an integer from %" PRId64 " to %" PRId64,
		    name, text, least, most);
	*ret = number;
	return EX_OK;
}

int
ctl_sign_one(const struct minisign_secret *secret, const char *what, struct signed_text *envelope,
    struct err *err)
{
	char comment[200], id[MINISIGN_ID_TEXT];
	struct minisig sig;

	snprintf(comment, sizeof(comment), "timestamp:%lld\t%s", (long long)time(NULL), what);
	minisign_sign(secret, envelope->manifest, envelope->len, comment, &sig);
	int rc = signed_add(envelope, &sig, err);

	minisign_id_text(sig.id, id);
	if (rc == 0)
		fprintf(stderr, "%s: signed with key %s\n", what, id);
	return rc;
}

static int
sign_with_file(const char *path, const char *what, struct signed_text *envelope)
{
	struct minisign_secret *secret;
	struct err err = { 0 };
	int rc = ctl_secret(path, &secret);

	if (rc != EX_OK)
		return rc;
	if (ctl_sign_one(secret, what, envelope, &err) != 0)
		rc = ctl_fail_err(&err);
	minisign_secret_free(secret);
	return rc;
}

int
ctl_sign_with(const char *paths, const char *what, struct signed_text *envelope)
{
	char *copy = mem_strdup(paths), *items[CTL_KEYS_MAX];
	int count = ctl_list(copy, items, CTL_KEYS_MAX), rc = EX_OK;

	if (count < 0)
		rc = ctl_fail(EX_USAGE, "--key %s: expected at most %d files, with commas between",
		    paths, CTL_KEYS_MAX);
	for (int i = 0; i < count && rc == EX_OK; i++)
		rc = sign_with_file(items[i], what, envelope);
	free(copy);
	return rc;
}

int
ctl_sign_attach(const char *path, struct signed_text *envelope)
{
	struct buf text = { 0 };
	struct minisig sig;
	struct err err = { 0 };
	int rc = EX_OK;

	if (file_read(path, MINISIGN_FILE_MAX, &text, &err) != 0 ||
	    minisign_sig_read(text.data, text.len, path, &sig, &err) != 0 ||
	    signed_add(envelope, &sig, &err) != 0)
		rc = ctl_fail_err(&err);
	buf_done(&text);
	return rc;
}

static int
write_text(const char *path, const struct buf *text)
{
	struct err err = { 0 };

	return file_write(path, text->data, text->len, 0644, false, &err) == 0 ? EX_OK
									       : ctl_fail_err(&err);
}

int
ctl_envelope_write(const char *path, const struct signed_text *envelope)
{
	struct buf text = { 0 };

	signed_write(envelope, &text);
	int rc = text.len <= SIGNED_BYTES_MAX
	    ? write_text(path, &text)
	    : ctl_fail(EX_DATAERR, "%s: would have %zu bytes, expected at most %u", path, text.len,
		  SIGNED_BYTES_MAX);

	buf_done(&text);
	return rc;
}

int
ctl_envelope_parts(const struct signed_text *envelope, const char *manifest_path,
    const char *signature_path)
{
	struct buf path = { 0 }, text = { 0 };
	int rc = EX_OK;

	if (manifest_path != NULL) {
		buf_add(&text, envelope->manifest, envelope->len);
		rc = write_text(manifest_path, &text);
	}
	if (rc == EX_OK && signature_path != NULL && envelope->count == 0)
		rc = ctl_fail(EX_NOPERM, "--signature %s: there is none", signature_path);
	for (size_t i = 0; i < envelope->count && signature_path != NULL && rc == EX_OK; i++) {
		buf_clear(&path);
		buf_clear(&text);
		buf_adds(&path, signature_path);
		if (i > 0)
			buf_addf(&path, ".%zu", i + 1);
		minisign_sig_write(&envelope->signatures[i], &text);
		rc = write_text(path.data, &text);
	}
	buf_done(&path);
	buf_done(&text);
	return rc;
}

void
ctl_add_signatures(struct json_writer *w, const struct signed_text *envelope)
{
	json_add_list(w, "signatures");
	for (size_t i = 0; i < envelope->count; i++) {
		char id[MINISIGN_ID_TEXT];

		minisign_id_text(envelope->signatures[i].id, id);
		json_add_object(w, NULL);
		json_add_str(w, "key", id);
		json_add_str(w, "comment", envelope->signatures[i].comment);
		json_end(w);
	}
	json_end(w);
}

void
ctl_print_signatures(const struct signed_text *envelope)
{
	if (envelope->count == 0)
		puts("signatures  none");
	for (size_t i = 0; i < envelope->count; i++) {
		char id[MINISIGN_ID_TEXT];

		minisign_id_text(envelope->signatures[i].id, id);
		printf("%-11s key %s, %s\n", i == 0 ? "signatures" : "", id,
		    envelope->signatures[i].comment);
	}
}
