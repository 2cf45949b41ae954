/* SPDX-License-Identifier: Apache-2.0
 *
 * collect_name.c - what a collector is called by its brokers.
 *
 * DESIGN
 *   A broker keeps what comes while we are away under our name, and cuts the connection of
 *   one name that comes twice. So it is made of host, database and the lowest number
 *   that no other collector on this host holds: a name in the abstract
 *   socket space, which the kernel frees when its holder dies. 22 characters, as
 *   old brokers want it.
 */
#include "hq/collect_name.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/id.h"

#define COLLECTORS_MAX 256

static void
name_of_number(const char *into, int number, char out[static 24])
{
	char host[256] = "", hex[9];
	uint8_t digest[4];
	struct buf text = { 0 };
	gethostname(host, sizeof(host) - 1);
	buf_addf(&text, "%s %s", host, into);
	if (number > 0)
		buf_addf(&text, " %d", number);
	hash_bytes(digest, sizeof(digest), text.data, text.len, NULL, 0);
	hash_hex(hex, digest, sizeof(digest));
	snprintf(out, 24, "aisle-collect-%s", hex);
	buf_done(&text);
}

int
collect_name_take(const char *into, struct collect_name *name, struct err *err)
{
	for (int number = 0; number < COLLECTORS_MAX; number++) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		name_of_number(into, number, name->text);
		snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name->text);
		name->lock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (name->lock < 0)
			return err_set(err, AISLE_E_IO, "no socket for the collector's name");
		if (bind(name->lock, (struct sockaddr *)&address, sizeof(address)) == 0)
			return 0;
		close(name->lock);
	}
	name->lock = -1;
	return err_set(err, AISLE_E_FULL, "%d collectors into %s run on this host already",
	    COLLECTORS_MAX, into);
}

void
collect_name_done(struct collect_name *name)
{
	if (name->lock >= 0)
		close(name->lock);
	name->lock = -1;
}
