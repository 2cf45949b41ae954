/* SPDX-License-Identifier: Apache-2.0
 *
 * test_doctor.c - what can be wrong with a store's files.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/json.h"
#include "daemon/doctor.h"

#define NOW_S INT64_C(1795255200)

static char dir[] = "/tmp/aisle-doctor-XXXXXX";

static const char *
in_dir(const char *name)
{
	static char path[4][64];
	static int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", dir, name);
	return path[n];
}

static void
put_file(const char *name, const char *text, mode_t mode)
{
	FILE *file = fopen(in_dir(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(in_dir(name), mode), 0);
}

/* A certificate of its own that ends so many seconds after NOW_S. */
static void
put_cert(const char *name, long ends_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *file = fopen(in_dir(name), "w");

	assert_true(key != NULL && cert != NULL && file != NULL);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(NOW_S - 86400 * 400)));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(NOW_S + ends_s)));
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(file, cert), 1);
	fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* "state check: says\n" of those that have this check */
static const char *
told(const char *conf, const char *check)
{
	static char text[2048];
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);
	const json_t *one;
	json_t *json;
	size_t i;

	put_file("aisled.conf", conf, 0600);
	json_add_list(w, "checks");
	doctor_files(in_dir("aisled.conf"), NOW_S * 1000, w);
	json_end_all(w);
	json = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(json);
	text[0] = '\0';
	json_array_foreach(json_object_get(json, "checks"), i, one) {
		const char *state = json_string_value(json_object_get(one, "state"));

		if (strcmp(json_string_value(json_object_get(one, "check")), check) != 0)
			continue;
		assert_int_equal(json_object_get(one, "mend") != NULL, strcmp(state, "ok") != 0);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %s\n", state,
		    json_string_value(json_object_get(one, "says")));
	}
	json_decref(json);
	buf_done(&out);
	return text;
}

static const char *
conf_with(const char *more)
{
	static char text[1024];

	snprintf(text, sizeof(text), "[store]\nid = 1\n[state]\ndir = %s\n%s", dir, more);
	return text;
}

static void
a_sound_configuration_is_said_to_be_and_of_another_the_first_mistake(void **state)
{
	(void)state;
	assert_non_null(strstr(told(conf_with(""), "configuration"), "ok "));
	assert_non_null(strstr(told("[store]\nid = hq\n[log]\nlevel = loud\n", "configuration"),
	    "aisled.conf:2: bad value for id"));
	assert_string_equal(told("[store]\nid = hq\n", "permissions"), "");
}

static void
a_secret_that_everybody_may_read_is_bad(void **state)
{
	char more[200], expected[300];

	(void)state;
	put_file("password", "x\n", 0640);
	snprintf(more, sizeof(more), "[mqtt]\npassword_file = %s\n", in_dir("password"));
	snprintf(expected, sizeof(expected), "ok [mqtt] password_file %s\n", in_dir("password"));
	assert_non_null(strstr(told(conf_with(more), "permissions"), expected));
	assert_int_equal(chmod(in_dir("password"), 0644), 0);
	snprintf(expected, sizeof(expected),
	    "bad [mqtt] password_file %s: everybody on this machine may read it\n",
	    in_dir("password"));
	assert_non_null(strstr(told(conf_with(more), "permissions"), expected));
	put_file("keys.db", "", 0604);
	assert_non_null(strstr(told(conf_with(""), "permissions"), "bad keys "));
	put_file("keys.db", "", 0600);
	assert_non_null(strstr(told(conf_with(""), "permissions"), "ok keys "));
	assert_int_equal(unlink(in_dir("keys.db")), 0);
}

static const char *
of_cert(const char *conf, long ends_s)
{
	put_cert("ca.pem", ends_s);
	return told(conf, "certificate");
}

static void
a_state_that_root_has_restored_is_bad(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* nobody else gives a file away */
	put_file("state.db", "s", 0600);
	assert_null(strstr(told(conf_with(""), "permissions"), "bad "));
	assert_int_equal(chown(in_dir("state.db"), 65534, 65534), 0);
	assert_non_null(strstr(told(conf_with(""), "permissions"),
	    "/state.db belongs to another user than its folder: aisled may not get at it\n"));
	assert_int_equal(unlink(in_dir("state.db")), 0);
}

static void
a_certificate_warns_a_month_before_its_end(void **state)
{
	char conf[1200];

	(void)state;
	snprintf(conf, sizeof(conf), "%s[mqtt]\nca = %s\n", conf_with(""), in_dir("ca.pem"));
	assert_non_null(strstr(of_cert(conf, 86400 * 30), "ok [mqtt] ca "));
	assert_non_null(strstr(of_cert(conf, 86400 * 30), " ends in 30 days\n"));
	assert_non_null(strstr(of_cert(conf, 86400 * 30 - 1), "warn [mqtt] ca "));
	assert_non_null(strstr(of_cert(conf, 1), " ends in 0 days\n"));
	assert_non_null(strstr(of_cert(conf, -1), "bad [mqtt] ca "));
	assert_non_null(strstr(of_cert(conf, -86400 * 3), " ended 3 days ago\n"));
	put_file("ca.pem", "nothing\n", 0644);
	assert_non_null(strstr(told(conf, "certificate"), ": not a certificate (PEM)\n"));
	assert_string_equal(told(conf_with(""), "certificate"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_sound_configuration_is_said_to_be_and_of_another_the_first_mistake),
		cmocka_unit_test(a_secret_that_everybody_may_read_is_bad),
		cmocka_unit_test(a_state_that_root_has_restored_is_bad),
		cmocka_unit_test(a_certificate_warns_a_month_before_its_end),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(in_dir("aisled.conf"));
	(void)unlink(in_dir("password"));
	(void)unlink(in_dir("ca.pem"));
	(void)rmdir(dir);
	return rc;
}
