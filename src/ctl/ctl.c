/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl.c - what the commands share: words and options, the configuration, a running store's answer.
 */
#include "ctl/ctl_sign.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/near.h"
#include "daemon/control.h"
#include "profile/keys.h"

#define CONF_DEFAULT "/etc/aisle/aisled.conf"

int
ctl_fail(int exit_code, const char *format, ...)
{
	va_list args;

	fputs("aislectl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return exit_code;
}

int
ctl_fail_err(const struct err *err)
{
	char text[640];

	err_format(err, text, sizeof(text));
	fprintf(stderr, "%s\n", text);
	switch (err->code) {
	case AISLE_E_IO:
	case AISLE_E_FULL: return EX_IOERR;
	case AISLE_E_NONE: return EX_NOINPUT;
	case AISLE_E_REFUSED: return EX_NOPERM;
	case AISLE_E_CONFIG: return EX_CONFIG;
	default: return EX_DATAERR;
	}
}

int
ctl_usage(const struct ctl *ctl)
{
	fprintf(stderr, "usage: aislectl %s\n", ctl->usage);
	return EX_USAGE;
}

static void
take_out(struct ctl *ctl, int at, int count)
{
	memmove(ctl->argv + at, ctl->argv + at + count,
	    (size_t)(ctl->argc - at - count) * sizeof(char *));
	ctl->argc -= count;
}

const char *
ctl_option(struct ctl *ctl, const char *name)
{
	for (int i = 0; i + 1 < ctl->argc; i++) {
		const char *value = ctl->argv[i + 1];

		if (strcmp(ctl->argv[i], name) != 0)
			continue;
		take_out(ctl, i, 2);
		return value;
	}
	return NULL;
}

bool
ctl_flag(struct ctl *ctl, const char *name)
{
	for (int i = 0; i < ctl->argc; i++) {
		if (strcmp(ctl->argv[i], name) == 0) {
			take_out(ctl, i, 1);
			return true;
		}
	}
	return false;
}

/* "--percent P": something stands behind it in the usage. */
static bool
takes_value(const char *in_usage, size_t len)
{
	return in_usage[len] == ' ' && strchr("[-|", in_usage[len + 1]) == NULL;
}

/* The options that the usage names are those that there are; last: nothing was given behind this one. */
static void
unknown_option(const struct ctl *ctl, const char *option, bool last)
{
	struct near near = near_to(option);
	struct buf meant = { 0 };
	bool known = false, needs = false;

	near_offer(&near, "--json");
	near_offer(&near, "--help");
	for (const char *at = strchr(ctl->usage, '-'); at != NULL; at = strchr(at, '-')) {
		size_t len = strspn(at, "-abcdefghijklmnopqrstuvwxyz");
		char name[NEAR_NAME_MAX];

		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		known = known || strcmp(name, option) == 0;
		needs = needs || (strcmp(name, option) == 0 && takes_value(at, len));
		near_offer(&near, name);
		at += len;
	}
	near_say(&near, &meant);
	if (known)
		ctl_fail(EX_USAGE, "%s%s", option,
		    last && needs ? ": its value is missing" : " is given twice");
	else
		ctl_fail(EX_USAGE, "unknown option %s%s", option, meant.len > 0 ? meant.data : "");
	buf_done(&meant);
}

int
ctl_words(struct ctl *ctl, int min, int max)
{
	for (int i = 0; i < ctl->argc; i++) {
		if (ctl->argv[i][0] == '-' && ctl->argv[i][1] != '\0') {
			unknown_option(ctl, ctl->argv[i], i + 1 == ctl->argc);
			return ctl_usage(ctl);
		}
	}
	return ctl->argc < min || ctl->argc > max ? ctl_usage(ctl) : EX_OK;
}

const char *
ctl_conf_path(const struct ctl *ctl)
{
	return ctl->conf_path != NULL ? ctl->conf_path : CONF_DEFAULT;
}

int
ctl_conf(struct ctl *ctl, bool must, struct conf *conf)
{
	struct buf report = { 0 };
	const char *path = ctl_conf_path(ctl);

	conf_init(conf);
	if (ctl->conf_path == NULL && !must)
		return EX_OK;
	conf_done(conf);
	if (conf_load(conf, path, &report) != 0) {
		fputs(report.data, stderr);
		buf_done(&report);
		return EX_CONFIG;
	}
	buf_done(&report);
	return EX_OK;
}

int
ctl_ask(struct ctl *ctl, const json_t *request, const char *body_path, json_t **ret_reply)
{
	struct conf *conf = mem_alloc(sizeof(*conf));
	struct err err = { 0 };
	json_t *reply = NULL;
	int rc = ctl_conf(ctl, true, conf);

	if (rc == EX_OK && request == NULL)
		rc = ctl_fail(EX_DATAERR, "what was given is not UTF-8 text");
	if (rc == EX_OK &&
	    control_ask(conf->state_control, request, body_path, &reply, &err) != 0) {
		ctl_fail(EX_UNAVAILABLE, "%s", err.text);
		rc = err.code == AISLE_E_NONE ? EX_NOINPUT : EX_UNAVAILABLE;
	}
	if (rc == EX_OK && !json_is_true(json_object_get(reply, "ok"))) {
		ctl_fail(EX_SOFTWARE, "%s", json_string_value(json_object_get(reply, "error")));
		rc = (int)json_integer_value(json_object_get(reply, "exit"));
		json_decref(reply);
	} else if (rc == EX_OK) {
		json_object_del(reply, "ok");
		*ret_reply = reply;
	}
	conf_done(conf);
	free(conf);
	return rc;
}

void
ctl_print_json(const json_t *json)
{
	struct buf out = { 0 };

	json_write(json, &out);
	puts(out.data);
	buf_done(&out);
}

const char *
ctl_text(const json_t *json, const char *name)
{
	const char *value = json_string_value(json_object_get(json, name));

	return value != NULL ? value : "-";
}

int
ctl_stdin_line(char *out, size_t size)
{
	if (fgets(out, (int)size, stdin) == NULL)
		return ctl_fail(EX_NOINPUT, "expected a line on stdin");
	out[strcspn(out, "\r\n")] = '\0';
	return out[0] != '\0' ? EX_OK : ctl_fail(EX_DATAERR, "the line on stdin is empty");
}

int
ctl_secret_line(const char *prompt, bool new, char *out, size_t size)
{
	char typed[CTL_PASSWORD_SIZE];

	if (!isatty(STDIN_FILENO))
		return ctl_stdin_line(out, size);
	int rc = new ? ctl_new_password(prompt, typed) : ctl_password(prompt, typed);

	if (rc == EX_OK && typed[0] == '\0')
		rc = ctl_fail(EX_DATAERR, "%s: nothing was typed", prompt);
	if (rc == EX_OK && strlen(typed) >= size)
		rc = ctl_fail(EX_DATAERR, "%s: too long, expected at most %zu bytes", prompt,
		    size - 1);
	if (rc == EX_OK)
		memcpy(out, typed, strlen(typed) + 1);
	explicit_bzero(typed, sizeof(typed));
	return rc;
}

int
ctl_card(char *out, size_t size)
{
	return ctl_secret_line("card number", false, out, size);
}

int
ctl_pepper(struct ctl *ctl, const char *file, uint8_t pepper[static 32], bool *ret_has)
{
	struct err err = { 0 };

	(void)ctl;
	if (file != NULL && keys_read_pepper(file, pepper, &err) != 0)
		return ctl_fail_err(&err);
	*ret_has = file != NULL;
	return EX_OK;
}
