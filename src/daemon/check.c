/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c - all that a start would refuse, and what would let it run and never be heard: aisled --check.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/control.h"
#include "daemon/daemon.h"
#include "deliver/http.h"
#include "profile/keys.h"

/* What a check found, a line of the report. */
static void
say(const struct conf *conf, int rc, const struct err *err, struct buf *report)
{
	char text[sizeof(err->file) + sizeof(err->text) + 32];

	if (rc == 0)
		return;
	err_format(err, text, sizeof(text));
	buf_addf(report, "%s: %s\n", conf->file, text);
}

static int
wrong_file(struct err *err, const char *section, const char *key, const char *path)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	return err_set(err, AISLE_E_CONFIG, "[%s] %s %s: %s", section, key, path,
	    reason != NULL ? reason : "not PEM");
}

/* A client that cannot read its own files says "connection lost" for ever. */
static int
check_client(const char *section, const char *ca, const char *cert, const char *key,
    struct err *err)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	int rc = 0;

	CHECK(tls != NULL);
	ERR_clear_error();
	if (ca != NULL && SSL_CTX_load_verify_locations(tls, ca, NULL) != 1)
		rc = wrong_file(err, section, "ca", ca);
	else if (cert != NULL && SSL_CTX_use_certificate_chain_file(tls, cert) != 1)
		rc = wrong_file(err, section, "cert", cert);
	else if (key != NULL && SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		rc = wrong_file(err, section, "key", key);
	SSL_CTX_free(tls);
	return rc;
}

/* Of an empty first line a client says "not authorised" for ever. */
static int
check_password(const char *section, const char *path, struct err *err)
{
	FILE *file = path != NULL ? fopen(path, "re") : NULL;
	int first = '\n';

	if (path == NULL)
		return 0;
	if (file != NULL) {
		setvbuf(file, NULL, _IONBF, 0);
		first = getc(file);
		fclose(file);
	}
	if (first != EOF && first != '\r' && first != '\n')
		return 0;
	return err_set(err, AISLE_E_CONFIG,
	    "[%s] password_file %s: empty, expected the password in its first line", section, path);
}

static int
check_root(const struct conf *conf, struct err *err)
{
	struct root *root;
	char text[sizeof(err->text)];
	int rc;

	if (conf->hq_root == NULL)
		return 0;
	root = mem_alloc(sizeof(*root));
	rc = root_open_file(conf->hq_root, root, NULL, err);
	free(root);
	if (rc == 0)
		return 0;
	snprintf(text, sizeof(text), "%s", err->text);
	return err_set(err, AISLE_E_CONFIG, "[hq] root %s", text);
}

static int
check_pepper(const struct conf *conf, struct err *err)
{
	uint8_t pepper[32];
	int rc = 0;

	if (conf->pepper_file != NULL)
		rc = keys_read_pepper(conf->pepper_file, pepper, err);
	explicit_bzero(pepper, sizeof(pepper));
	return rc;
}

/* What is the link's may be readable to the link alone. */
static const char *
seen(const char *path)
{
	return path != NULL && access(path, R_OK) == 0 ? path : NULL;
}

static void
check_rest(const struct conf *conf, struct buf *report)
{
	struct mappings mappings = { 0 };
	struct err err = { 0 };

	say(conf, http_check(conf, &err), &err, report);
	say(conf, check_client("mqtt", conf->mqtt_ca, conf->mqtt_cert, conf->mqtt_key, &err), &err,
	    report);
	say(conf,
	    check_client("hq", seen(conf->hq_ca), seen(conf->hq_cert), seen(conf->hq_key), &err),
	    &err, report);
	say(conf, check_password("mqtt", conf->mqtt_password_file, &err), &err, report);
	say(conf, check_password("hq", seen(conf->hq_password_file), &err), &err, report);
	say(conf, check_root(conf, &err), &err, report);
	say(conf, check_pepper(conf, &err), &err, report);
	say(conf, control_check(conf->state_control, &err), &err, report);
	if (daemon_mappings_load(conf, conf, &mappings, report) == 0)
		daemon_mappings_free(&mappings);
}

int
daemon_check(const char *conf_path, struct buf *report)
{
	struct conf *conf = mem_alloc(sizeof(*conf));
	size_t before = report->len;

	if (conf_load(conf, conf_path, report) == 0)
		check_rest(conf, report);
	conf_done(conf);
	free(conf);
	return report->len == before ? 0 : AISLE_E_CONFIG;
}
