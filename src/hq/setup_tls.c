/* SPDX-License-Identifier: Apache-2.0
 *
 * setup_tls.c - the broker's key and certificate, which stores trust as it is: there is no other authority that could be
 * stolen, and none that has to be asked.
 */
#include "hq/setup.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"

#define DAYS 3650

static bool
is_address(const char *host)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool
extend(X509 *certificate, int what, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool done;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
	done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

static bool
fill(X509 *certificate, EVP_PKEY *key, const char *host)
{
	char names[300];
	X509_NAME *name = X509_get_subject_name(certificate);
	uint64_t serial = 0;

	snprintf(names, sizeof(names), "%s:%s", is_address(host) ? "IP" : "DNS", host);
	return RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1 &&
	    X509_set_version(certificate, 2) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(certificate), DAYS, 0, NULL) != NULL &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		(const unsigned char *)"aisle headquarters", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(certificate, name) == 1 &&
	    X509_set_pubkey(certificate, key) == 1 &&
	    extend(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
	    extend(certificate, NID_subject_alt_name, names) &&
	    X509_sign(certificate, key, EVP_sha256()) > 0;
}

static int
write_pem(const struct setup *setup, const char *name, BIO *pem, int mode, struct err *err)
{
	char path[SETUP_PATH_SIZE], *bytes;
	long len = BIO_get_mem_data(pem, &bytes);

	setup_path(setup, name, path);
	return file_write(path, bytes, (size_t)len, mode, true, err);
}

int
setup_tls(const struct setup *setup, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *key_pem = BIO_new(BIO_s_secmem()), *pem = BIO_new(BIO_s_mem());
	int rc = AISLE_E_IO;

	if (key == NULL || certificate == NULL || key_pem == NULL || pem == NULL ||
	    !fill(certificate, key, setup->host) ||
	    PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_X509(pem, certificate) != 1)
		err_set(err, AISLE_E_IO, "no certificate can be made for %s", setup->host);
	else
		rc = write_pem(setup, "broker/tls.key", key_pem, 0600, err);
	if (rc == 0)
		rc = write_pem(setup, "broker/tls.pem", pem, 0644, err);
	BIO_free(key_pem);
	BIO_free(pem);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return rc;
}
