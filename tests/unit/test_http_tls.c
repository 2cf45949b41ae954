/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_tls.c - the same server over TLS, asked by an OpenSSL client in a process of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "http_rig.h"

struct files {
	char dir[64], cert[96], key[96];
};

static void
write_certificate(const struct files *files)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *san =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:store.example");
	FILE *file;

	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"store.example",
	    -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, san, -1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	file = fopen(files->cert, "w");
	PEM_write_X509(file, cert);
	fclose(file);
	file = fopen(files->key, "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	X509_EXTENSION_free(san);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static int
setup(void **state)
{
	static struct files files;
	struct rig *rig = rig_new();

	snprintf(files.dir, sizeof(files.dir), "/tmp/aisle-tls-%d", (int)getpid());
	assert_int_equal(mkdir(files.dir, 0700), 0);
	snprintf(files.cert, sizeof(files.cert), "%s/cert.pem", files.dir);
	snprintf(files.key, sizeof(files.key), "%s/key.pem", files.dir);
	write_certificate(&files);
	http_free(rig->http);
	rig->conf.http_cert = files.cert;
	rig->conf.http_key = files.key;
	rig_start(rig);
	*state = rig;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *rig = *state;

	unlink(rig->conf.http_cert);
	unlink(rig->conf.http_key);
	*strrchr(rig->conf.http_cert, '/') = '\0';
	rmdir(rig->conf.http_cert);
	rig_free(rig);
	return 0;
}

/* In the child: one request, and what came back until `want` or the end, to out. */
static void
client(uint16_t port, const char *request, const char *want, int out)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 5 };
	SSL *ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
	int fd = socket(AF_INET, SOCK_STREAM, 0), n;
	static char text[65536];
	size_t len = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0 && SSL_set_fd(ssl, fd) &&
	    SSL_connect(ssl) == 1 && SSL_write(ssl, request, (int)strlen(request)) > 0)
		while (strstr(text, want) == NULL && len < sizeof(text) - 1 &&
		    (n = SSL_read(ssl, text + len, (int)(sizeof(text) - 1 - len))) > 0)
			len += (size_t)n;
	if (write(out, text, len) < 0)
		_exit(1);
	_exit(0);
}

static void
ask(struct rig *rig, const char *request, const char *want, struct buf *out)
{
	int pipes[2], status;
	char chunk[4096];
	ssize_t n;
	pid_t pid;

	buf_clear(out);
	buf_adds(out, "");
	assert_int_equal(pipe(pipes), 0);
	if ((pid = fork()) == 0)
		client(rig->port, request, want, pipes[1]);
	close(pipes[1]);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		rig_pump(rig, 3);
		if (http_streams(rig->http) > 0 && rig->last_id < 1000)
			http_stream(rig->http, "7", ++rig->last_id + 1, "guidance",
			    "{\"live\":true}", 13);
		poll(NULL, 0, 1);
	}
	while ((n = read(pipes[0], chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	close(pipes[0]);
	rig_pump(rig, 5);
}

static void
pages_streams_and_refusals_are_the_same_over_tls(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };

	ask(rig, "GET /app.js HTTP/1.1\r\nHost: store.example\r\nConnection: close\r\n\r\n",
	    "never", &out);
	assert_int_equal(strncmp(out.data, "HTTP/1.1 200", 12), 0);
	ask(rig, "GET /app.js HTTP/1.1\r\nHost: evil.example\r\n\r\n", "}\n", &out);
	assert_int_equal(strncmp(out.data, "HTTP/1.1 421", 12), 0);
	ask(rig, "rubbish\r\n\r\n", "never", &out);
	assert_int_equal(strncmp(out.data, "HTTP/1.1 400", 12), 0);
	assert_non_null(strstr(out.data, "application/problem+json"));
	assert_null(strstr(out.data + 1, "HTTP/1.1")); /* once, and nothing of libevent's */
	assert_null(strstr(out.data, "<HTML>"));
	ask(rig, "GET /v1/stations/7/stream HTTP/1.1\r\nHost: store.example\r\n" AUTH "\r\n",
	    "{\"live\":true}", &out);
	assert_non_null(strstr(out.data, "event: status"));
	assert_non_null(strstr(out.data, "{\"live\":true}"));
	assert_int_equal(rig->http->client_count, 0);
	assert_int_equal(http_streams(rig->http), 0);
	assert_int_equal(http_counts(rig->http)->malformed, 2);
	buf_done(&out);
}

static void
the_cookie_is_secure_and_plain_text_gets_no_answer(void **state)
{
	struct rig *rig = *state;
	struct buf out = { 0 };
	char code[7], request[256];
	int64_t expires_ms;

	http_pair(rig->http, "", code, &expires_ms);
	snprintf(request, sizeof(request),
	    "POST /v1/pair HTTP/1.1\r\nHost: store.example\r\nOrigin: https://store.example\r\n"
	    "Content-Length: 28\r\n\r\n{\"code\":\"%s\",\"name\":\"t\"}\n\n",
	    code);
	ask(rig, request, "\"name\":\"t\"}", &out);
	assert_non_null(strstr(out.data, "SameSite=Strict; Secure\r\n"));
	assert_int_equal(rig_get(rig, "/app.js", "", NULL), 0);
	buf_done(&out);
}

static int
check_of(const char *cert, const char *key, const char *said)
{
	struct conf conf = { .http_cert = (char *)(uintptr_t)cert,
		.http_key = (char *)(uintptr_t)key };
	struct err err = { 0 };
	int error = http_check(&conf, &err);

	if (said != NULL && strstr(err.text, said) == NULL)
		fail_msg("%s", err.text);
	return error;
}

static void
a_certificate_and_its_key_belong_together(void **state)
{
	const struct rig *rig = *state;
	const char *cert = rig->conf.http_cert, *key = rig->conf.http_key;
	struct files other = { 0 };

	snprintf(other.cert, sizeof(other.cert), "%.80s.2", cert);
	snprintf(other.key, sizeof(other.key), "%.80s.2", key);
	write_certificate(&other);
	assert_int_equal(check_of(NULL, NULL, NULL), 0);
	assert_int_equal(check_of(cert, key, NULL), 0);
	assert_int_equal(check_of(other.cert, other.key, NULL), 0);
	assert_int_equal(check_of(cert, NULL, "key is missing"), AISLE_E_CONFIG);
	assert_int_equal(check_of(NULL, key, "cert is missing"), AISLE_E_CONFIG);
	assert_int_equal(check_of(key, key, key), AISLE_E_CONFIG);
	assert_int_equal(check_of(cert, cert, cert), AISLE_E_CONFIG);
	assert_int_equal(check_of(cert, other.key, other.key), AISLE_E_CONFIG);
	assert_int_equal(check_of(other.cert, key, key), AISLE_E_CONFIG);
	unlink(other.cert);
	unlink(other.key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages_streams_and_refusals_are_the_same_over_tls,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(the_cookie_is_secure_and_plain_text_gets_no_answer,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(a_certificate_and_its_key_belong_together, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
