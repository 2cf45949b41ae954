/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_profiles.c - profiles, built at headquarters; the store's own key that they are encrypted to.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/conf_table.h"
#include "core/file.h"
#include "core/id.h"
#include "core/when.h"
#include "ctl/ctl.h"
#include "ctl/ctl_sign.h"
#include "profile/profiles.h"
#include "trust/device.h"

#define VERSION_MAX INT64_C(1000000000000)

/* "--version 7" and the like; 0: absent. */
static int
read_version(struct ctl *ctl, const char *name, int64_t *ret)
{
	const char *text = ctl_option(ctl, name);
	char *end = NULL;

	*ret = 0;
	if (text == NULL)
		return EX_OK;
	errno = 0;
	*ret = text[0] >= '0' && text[0] <= '9' ? strtoll(text, &end, 10) : 0;
	if (end == NULL || *end != '\0' || errno != 0 || *ret < 1 || *ret > VERSION_MAX)
		return ctl_fail(EX_USAGE, "%s: \"%s\", expected a whole number from 1", name, text);
	return EX_OK;
}

/* DEVICE.pub; its signature is looked at where --config names a root. */
static int
read_device(const char *path, const struct conf *conf, const char *store, struct device *ret)
{
	struct root *root = conf->hq_root != NULL ? mem_alloc(sizeof(*root)) : NULL;
	struct buf text = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	CHECK(store != NULL);
	if ((root != NULL && root_open_file(conf->hq_root, root, NULL, &err) != 0) ||
	    file_read(path, SIGNED_BYTES_MAX, &text, &err) != 0 ||
	    device_open(root, text.data, text.len, path, ctl_now_ms(), ret, NULL, &err) != 0)
		rc = ctl_fail_err(&err);
	else if (strcmp(ret->store, store) != 0)
		rc = ctl_fail(EX_NOPERM, "%s: the key of store %s, expected %s", path, ret->store,
		    store);
	buf_done(&text);
	free(root);
	return rc;
}

static int
check_versions(const struct profiles_build *what)
{
	if (what->from > 0 && what->version <= what->from)
		return ctl_fail(EX_USAGE,
		    "--from %" PRId64 ": a delta leads to a later version, expected --version over "
		    "it",
		    what->from);
	return EX_OK;
}

static int
build(struct ctl *ctl, struct profiles_build *what, const char *pepper_file, const char *to)
{
	struct conf *conf = mem_alloc(sizeof(*conf));
	struct device device = { 0 };
	uint8_t pepper[32];
	struct err err = { 0 };
	int64_t rows = 0;
	bool has_pepper = false;
	int rc = ctl_conf(ctl, false, conf);

	if (rc == EX_OK && to != NULL)
		rc = read_device(to, conf, what->store, &device);
	if (rc == EX_OK)
		rc = ctl_pepper(ctl, pepper_file != NULL ? pepper_file : conf->pepper_file, pepper,
		    &has_pepper);
	what->input = ctl->argv[0];
	what->pepper = has_pepper ? pepper : NULL;
	what->to = to != NULL ? device.key : NULL;
	if (rc == EX_OK && profiles_build(what, &rows, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK)
		printf("%s %lld profiles\n", what->output, (long long)rows);
	what->pepper = what->to = NULL;
	explicit_bzero(pepper, sizeof(pepper));
	conf_done(conf);
	free(conf);
	return rc;
}

int
ctl_profiles_build(struct ctl *ctl)
{
	struct profiles_build what = { .store = ctl_option(ctl, "--store"),
		.output = ctl_option(ctl, "-o"),
		.somebody = true };
	const char *pepper_file = ctl_option(ctl, "--pepper"), *to = ctl_option(ctl, "--to");
	int rc = read_version(ctl, "--from", &what.from);

	if (rc == EX_OK)
		rc = read_version(ctl, "--version", &what.version);
	if (rc == EX_OK)
		rc = ctl_words(ctl, 1, 1);
	if (rc == EX_OK && (what.store == NULL || what.output == NULL))
		rc = ctl_usage(ctl);
	if (rc == EX_OK && !conf_is_id(what.store))
		rc = ctl_fail(EX_USAGE,
		    "--store: \"%s\", expected 1 to 32 letters, digits, - and _", what.store);
	if (rc == EX_OK)
		rc = check_versions(&what);
	return rc == EX_OK ? build(ctl, &what, pepper_file, to) : rc;
}

/* ---- enroll ---- */

static int
write_request(const char *path, const json_t *reply)
{
	struct device device = { 0 };
	struct buf text = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	snprintf(device.store, sizeof(device.store), "%s", ctl_text(reply, "store"));
	if (!hash_unhex(device.key, sizeof(device.key), ctl_text(reply, "key")) ||
	    !when_parse(ctl_text(reply, "at"), &device.at_ms))
		return ctl_fail(EX_SOFTWARE, "the daemon's answer is not a key");
	device_request_write(&device, &text);
	if (file_write(path, text.data, text.len, 0644, false, &err) != 0)
		rc = ctl_fail_err(&err);
	buf_done(&text);
	return rc;
}

int
ctl_enroll(struct ctl *ctl)
{
	const char *output = ctl_option(ctl, "-o");
	json_t *request, *reply = NULL;
	int rc = ctl_words(ctl, 0, 0);

	if (rc == EX_OK && output == NULL)
		rc = ctl_usage(ctl);
	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s}", "command", "enroll");
	rc = ctl_ask(ctl, request, NULL, &reply);
	if (rc == EX_OK)
		rc = write_request(output, reply);
	json_decref(request);
	json_decref(reply);
	return rc;
}
