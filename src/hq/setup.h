/* SPDX-License-Identifier: Apache-2.0
 *
 * setup.h - headquarters in one folder: the broker's files, its certificate, passwords; and what keeps it running.
 */
#ifndef AISLE_HQ_SETUP_H
#define AISLE_HQ_SETUP_H

#include "core/buf.h"

#define SETUP_PATH_SIZE 4096

/* DIR/hq.json: what was said when the folder was made. */
struct setup {
	char dir[SETUP_PATH_SIZE]; /* absolute */
	char host[256];		   /* as stores reach it */
	int port, local_port;	   /* for stores; for what runs here, on 127.0.0.1 */
	bool plain;		   /* without TLS: for a network that is closed by other means */
};
int setup_save(const struct setup *setup, struct err *err) AISLE_MUST_CHECK;
/* AISLE_E_REFUSED: it is another user's. */
int setup_load(const char *dir, struct setup *ret, struct err *err) AISLE_MUST_CHECK;
/* DIR/name; CHECKs that it fits. */
void setup_path(const struct setup *setup, const char *name, char out[static SETUP_PATH_SIZE]);

/* One at a time in this part of the folder, until the descriptor is closed or its process ends. */
int setup_lock(const struct setup *setup, const char *part, int *ret_fd, struct err *err)
    AISLE_MUST_CHECK;
/* The broker's configuration, rights and users of its own. */
int setup_broker(const struct setup *setup, struct err *err) AISLE_MUST_CHECK;
/* A key, and a certificate for the host that stores are to trust: DIR/broker/tls.key, DIR/broker/tls.pem. */
int setup_tls(const struct setup *setup, struct err *err) AISLE_MUST_CHECK;
/* A user with a new password, which is left in password_file (0600), and what they may do. rights: lines of the ACL. */
int setup_user(const struct setup *setup, const char *user, const char *password_file,
    const char *rights, struct err *err) AISLE_MUST_CHECK;
bool setup_has_user(const struct setup *setup, const char *user);
/* A store: its user, and DIR/stores/ID with all that its gateway needs. at: where that folder will be on the gateway;
 * ring, channel: NULL: none, "stable". AISLE_E_REFUSED: there is one of that id. */
int setup_store(const struct setup *setup, const char *store, const char *ring, const char *channel,
    const char *at, struct err *err) AISLE_MUST_CHECK;
/* A policy's folder, into a new or an empty one. */
int setup_copy_folder(const char *from, const char *to, struct err *err) AISLE_MUST_CHECK;
/* So many random bytes as hex into a new file, 0600. */
int setup_random_file(const char *path, size_t bytes, struct err *err) AISLE_MUST_CHECK;

/* The broker, collect and publish --serve, until SIGTERM; one that ends is started again. program: aislectl's own path.
 * AISLE_E_REFUSED: it is run already. */
int setup_run(const struct setup *setup, const char *program, struct err *err) AISLE_MUST_CHECK;

#endif
