/* SPDX-License-Identifier: Apache-2.0
 *
 * aisled_wire.c - read(), write() and close() of the broker's socket, or SSL_read() of it, lead to ingest/mqtt_wire.c.
 *
 * The daemon's own definitions stand before the C library's for all that is linked, as free() does in
 * aisled_heap.c; what is not that socket goes to the kernel as it did. Linked into aisled alone.
 */
#undef _FORTIFY_SOURCE /* its read() is inline */
#include <dlfcn.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "ingest/mqtt_wire.h"

ssize_t
read(int fd, void *at, size_t size)
{
	return fd >= 0 && fd == mqtt_wire_fd() ? mqtt_wire_read(at, size)
					       : syscall(SYS_read, fd, at, size);
}

ssize_t
write(int fd, const void *bytes, size_t size)
{
	return fd >= 0 && fd == mqtt_wire_fd() ? mqtt_wire_write(bytes, size)
					       : syscall(SYS_write, fd, bytes, size);
}

/* The library closes it where it meets an error, and the next file that is opened may have its number. */
int
close(int fd)
{
	if (fd >= 0 && (fd == mqtt_wire_fd() || fd == mqtt_wire_tls_fd()))
		mqtt_wire_close();
	return (int)syscall(SYS_close, fd);
}

/* ---- TLS ---- */

static int (*real_read)(SSL *ssl, void *at, int size);

static int
read_on(void *ssl, void *at, int size)
{
	return real_read(ssl, at, size);
}

int
SSL_read(SSL *ssl, void *at, int size)
{
	int fd = mqtt_wire_tls_fd();

	return fd >= 0 && fd == SSL_get_fd(ssl) ? mqtt_wire_tls_read(read_on, ssl, at, size)
						: real_read(ssl, at, size);
}

/* Do those who ask for it find ours, and we theirs? Before main(), which may already read something in TLS. */
__attribute__((constructor)) static void
find_real(void)
{
	void *found = dlsym(RTLD_DEFAULT, "SSL_read"), *real = dlsym(RTLD_NEXT, "SSL_read");
	int (*own)(SSL *, void *, int) = SSL_read;

	memcpy(&real_read, &real, sizeof(real));
	if (real != NULL && memcmp(&found, &own, sizeof(found)) == 0)
		mqtt_wire_has_tls();
}
