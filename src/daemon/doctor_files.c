/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor_files.c - what can be wrong with a store's files: configuration, who may read secrets, certificates.
 */
#include "daemon/doctor.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"

#define CERT_WARN_DAYS 30

static void
check_configuration(const char *conf_path, struct json_writer *w)
{
	struct buf report = { 0 };
	int rc = daemon_check(conf_path, &report);

	if (rc == 0)
		doctor_say(w, "configuration", HEALTH_OK, NULL, "%s is sound", conf_path);
	else
		doctor_say(w, "configuration", HEALTH_BAD,
		    "aisled --check says all that is wrong with it.", "%.*s",
		    (int)strcspn(report.data, "\n"), report.data);
	buf_done(&report);
}

/* Nobody but its owner and group may read a secret; a folder of them nobody else may enter. */
static void
check_secret(const char *what, const char *path, struct json_writer *w)
{
	struct stat info;
	char mend[4300];

	if (path == NULL || stat(path, &info) != 0)
		return; /* the configuration's check tells of a file that is not there */
	snprintf(mend, sizeof(mend), "chmod o-rwx %s; chown it to the user that %s runs as.", path,
	    strncmp(what, "[hq]", 4) == 0 ? "the link" : "aisled");
	if ((info.st_mode & 07) != 0)
		doctor_say(w, "permissions", HEALTH_BAD, mend,
		    "%s %s: everybody on this machine may read it", what, path);
	else
		doctor_say(w, "permissions", HEALTH_OK, NULL, "%s %s", what, path);
}

/* Restored by root, a file is root's in a folder of aisled's, which then cannot open it. */
static void
check_owner(const char *dir, const char *name, struct json_writer *w)
{
	struct stat folder, file;
	char path[4200], mend[8600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (stat(dir, &folder) != 0 || stat(path, &file) != 0 || file.st_uid == folder.st_uid)
		return;
	snprintf(mend, sizeof(mend),
	    "chown -R --reference=%s %s, if the folder is of aisled's user.", dir, dir);
	doctor_say(w, "permissions", HEALTH_BAD, mend,
	    "%s belongs to another user than its folder: aisled may not get at it", path);
}

static void
check_secrets(const struct conf *conf, struct json_writer *w)
{
	char keys[4200];

	check_owner(conf->state_dir, "keys.db", w);
	check_owner(conf->state_dir, "state.db", w);

	snprintf(keys, sizeof(keys), "%s/keys.db", conf->state_dir);
	check_secret("state", conf->state_dir, w);
	check_secret("keys", keys, w);
	check_secret("[privacy] pepper_file", conf->pepper_file, w);
	check_secret("[mqtt] password_file", conf->mqtt_password_file, w);
	check_secret("[hq] password_file", conf->hq_password_file, w);
	check_secret("[mqtt] key", conf->mqtt_key, w);
	check_secret("[hq] key", conf->hq_key, w);
	check_secret("[http] key", conf->http_key, w);
}

/* false: it is no certificate. */
static bool
days_left(const char *path, int64_t now_ms, int *ret_days)
{
	FILE *file = fopen(path, "re");
	X509 *cert = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)(now_ms / 1000));
	int seconds;
	bool ok = cert != NULL && now != NULL &&
	    ASN1_TIME_diff(ret_days, &seconds, now, X509_get0_notAfter(cert)) == 1;

	if (ok && seconds < 0)
		*ret_days -= 1;
	ASN1_TIME_free(now);
	X509_free(cert);
	if (file != NULL)
		fclose(file);
	return ok;
}

static void
check_certificate(const char *what, const char *path, int64_t now_ms, struct json_writer *w)
{
	static const char mend[] = "Put a new one in its place, and restart aisled.";
	int days;

	if (path == NULL || (access(path, R_OK) != 0 && errno == EACCES))
		return; /* none, or the link's alone */
	if (!days_left(path, now_ms, &days))
		doctor_say(w, "certificate", HEALTH_BAD, mend, "%s %s: not a certificate (PEM)",
		    what, path);
	else if (days < 0)
		doctor_say(w, "certificate", HEALTH_BAD, mend, "%s %s ended %d days ago", what,
		    path, -days);
	else
		doctor_say(w, "certificate", days < CERT_WARN_DAYS ? HEALTH_WARN : HEALTH_OK, mend,
		    "%s %s ends in %d days", what, path, days);
}

void
doctor_files(const char *conf_path, int64_t now_ms, struct json_writer *w)
{
	struct conf *conf = mem_alloc(sizeof(*conf));
	struct buf report = { 0 };

	check_configuration(conf_path, w);
	if (conf_load(conf, conf_path, &report) == 0) {
		check_secrets(conf, w);
		check_certificate("[http] cert", conf->http_cert, now_ms, w);
		check_certificate("[mqtt] cert", conf->mqtt_cert, now_ms, w);
		check_certificate("[mqtt] ca", conf->mqtt_ca, now_ms, w);
		check_certificate("[hq] cert", conf->hq_cert, now_ms, w);
		check_certificate("[hq] ca", conf->hq_ca, now_ms, w);
	}
	conf_done(conf);
	free(conf);
	buf_done(&report);
}
