/* SPDX-License-Identifier: Apache-2.0
 *
 * aisled_wire.c - read(), write() and close() of the broker's socket lead to ingest/mqtt_wire.c.
 *
 * The daemon's own definitions stand before the C library's for all that is linked, as free() does in
 * aisled_heap.c; what is not that socket goes to the kernel as it did. Linked into aisled alone.
 */
#undef _FORTIFY_SOURCE /* its read() is inline */
#include <sys/syscall.h>
#include <unistd.h>

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
	if (fd >= 0 && fd == mqtt_wire_fd())
		mqtt_wire_close();
	return (int)syscall(SYS_close, fd);
}
