/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_recording.c - what the running store was told, as a file for replay.
 *
 * The store gives it out a piece at a time. The file is written beside its place, for nobody else to read, and is there
 * whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/file.h"
#include "core/when.h"
#include "ctl/ctl.h"

struct recording {
	const char *from, *to, *path;
	char *beside;
	FILE *file;
	int64_t last, upto, inputs, holes;
	bool more, whole;
	char until[WHEN_TEXT_SIZE];
};

static int64_t
number(const json_t *reply, const char *name)
{
	return json_integer_value(json_object_get(reply, name));
}

static json_t *
request_of(const struct recording *r, bool first)
{
	json_t *request = json_pack("{s:s,s:s*,s:s*,s:I}", "command", "recording", "from", r->from,
	    "to", first ? r->to : r->until, "after", (json_int_t)r->last);

	if (!first)
		json_object_set_new(request, "upto", json_integer(r->upto));
	return request;
}

static int
take_piece(struct ctl *ctl, struct recording *r, bool first)
{
	json_t *request = request_of(r, first), *reply = NULL;
	int rc = ctl_ask(ctl, request, NULL, &reply);
	const char *lines = json_string_value(json_object_get(reply, "lines"));
	bool more;

	json_decref(request);
	if (rc != EX_OK)
		return rc;
	more = json_is_true(json_object_get(reply, "more"));
	if (lines == NULL || (more && number(reply, "last") <= r->last)) {
		json_decref(reply);
		return ctl_fail(EX_PROTOCOL, "the store's answer is none that is known here");
	}
	r->whole = r->whole || json_is_true(json_object_get(reply, "began"));
	r->last = number(reply, "last");
	r->upto = number(reply, "upto");
	r->inputs += number(reply, "inputs");
	r->holes += number(reply, "holes");
	r->more = more;
	snprintf(r->until, sizeof(r->until), "%s", ctl_text(reply, "to"));
	if (fputs(lines, r->file) < 0)
		rc = ctl_fail(EX_IOERR, "%s: %s", r->path, strerror(errno));
	json_decref(reply);
	return rc;
}

static int
open_file(struct recording *r)
{
	struct err err = { 0 };
	struct buf name = { 0 };
	int fd;

	if (file_replaceable(r->path, &err) != 0)
		return ctl_fail_err(&err);
	buf_addf(&name, "%s.part", r->path);
	r->beside = buf_steal(&name);
	(void)unlink(r->beside);
	fd = open(r->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (r->file != NULL)
		return EX_OK;
	if (fd >= 0)
		close(fd);
	return ctl_fail(EX_CANTCREAT, "%s: %s", r->beside, strerror(errno));
}

static int
close_file(struct recording *r, int rc)
{
	struct err err = { 0 };

	if (r->file != NULL && fclose(r->file) != 0 && rc == EX_OK)
		rc = ctl_fail(EX_IOERR, "%s: %s", r->path, strerror(errno));
	if (rc == EX_OK && file_move(r->beside, r->path, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc != EX_OK && r->file != NULL)
		(void)unlink(r->beside);
	free(r->beside);
	return rc;
}

static void
say(const struct ctl *ctl, const struct recording *r)
{
	if (ctl->json) {
		json_t *json = json_pack("{s:I,s:I,s:s,s:b}", "inputs", (json_int_t)r->inputs,
		    "holes", (json_int_t)r->holes, "until", r->until, "whole", r->whole);

		ctl_print_json(json);
		json_decref(json);
		return;
	}
	printf("%lld inputs until %s, %s\n", (long long)r->inputs, r->until,
	    r->whole
		? "from the begin of the state"
		: "not from the begin of the state: replay it with --after a copy of the state");
	if (r->holes > 0)
		printf("%lld more are holes: of customers who were forgotten, or of damaged rows\n",
		    (long long)r->holes);
}

int
ctl_recording(struct ctl *ctl)
{
	struct recording r = { .from = ctl_option(ctl, "--from"),
		.to = ctl_option(ctl, "--to"),
		.path = ctl_option(ctl, "-o") };
	int64_t ms;
	int rc = ctl_words(ctl, 0, 0);

	if (rc != EX_OK)
		return rc;
	if (r.path == NULL)
		return ctl_usage(ctl);
	if ((r.from != NULL && !when_parse(r.from, &ms)) ||
	    (r.to != NULL && !when_parse(r.to, &ms)))
		return ctl_fail(EX_USAGE,
		    "--from, --to: expected a time with a zone, as 2026-11-21T08:00:00Z");
	rc = open_file(&r);
	for (bool first = true; rc == EX_OK && (first || r.more); first = false)
		rc = take_piece(ctl, &r, first);
	rc = close_file(&r, rc);
	if (rc == EX_OK)
		say(ctl, &r);
	return rc;
}
