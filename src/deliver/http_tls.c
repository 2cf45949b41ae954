/* SPDX-License-Identifier: Apache-2.0
 *
 * http_tls.c - certificate and key, through libevent's OpenSSL bufferevents.
 */
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "deliver/http_private.h"

static int
tls_error(struct err *err, const char *what, const char *file)
{
	char reason[160] = "";

	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	ERR_clear_error();
	return err_set(err, AISLE_E_CONFIG, "[http] %s: %s: %s", what, file, reason);
}

int
http_tls_init(struct http *http, struct err *err)
{
	const char *cert = http->conf->http_cert, *key = http->conf->http_key;

	if (cert == NULL && key == NULL)
		return 0;
	if (cert == NULL || key == NULL)
		return err_set(err, AISLE_E_CONFIG,
		    "[http] cert and key belong together: %s is missing",
		    cert == NULL ? "cert" : "key");
	if ((http->tls = SSL_CTX_new(TLS_server_method())) == NULL)
		return err_set(err, AISLE_E_IO, "http: out of memory");
	SSL_CTX_set_min_proto_version(http->tls, TLS1_2_VERSION);
	/* Old parameters are refused by the other side's renegotiation too; idle connections keep
	 * no buffers. */
	SSL_CTX_set_options(http->tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(http->tls, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_use_certificate_chain_file(http->tls, cert) != 1)
		return tls_error(err, "cert", cert);
	if (SSL_CTX_use_PrivateKey_file(http->tls, key, SSL_FILETYPE_PEM) != 1)
		return tls_error(err, "key", key);
	if (SSL_CTX_check_private_key(http->tls) != 1)
		return tls_error(err, "key does not belong to cert", key);
	return 0;
}

void
http_tls_done(struct http *http)
{
	SSL_CTX_free(http->tls);
}

struct bufferevent *
http_tls_bufferevent(struct http *http)
{
	SSL *ssl = SSL_new(http->tls);
	struct bufferevent *bev;

	if (ssl == NULL)
		return NULL;
	bev = bufferevent_openssl_socket_new(http->base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
	    BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		SSL_free(ssl);
	else /* browsers leave without saying good-bye */
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

bool
http_tls_names(const struct http *http, const char *host)
{
	X509 *cert = http->tls != NULL ? SSL_CTX_get0_certificate(http->tls) : NULL;

	return cert != NULL && X509_check_host(cert, host, 0, 0, NULL) == 1;
}
