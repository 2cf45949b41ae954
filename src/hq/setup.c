/* SPDX-License-Identifier: Apache-2.0
 *
 * setup.c - headquarters in one folder: what was said when it was made, the broker's files, its users.
 *
 * DESIGN
 *   The broker is mosquitto as it is packaged, and so is what makes its passwords. A store has a user of its own with
 *   its own topics, named one by one, so that a store that is given up is one section less.
 */
#include "hq/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "core/json_write.h"

void
setup_path(const struct setup *setup, const char *name, char out[static SETUP_PATH_SIZE])
{
	CHECK(snprintf(out, SETUP_PATH_SIZE, "%s/%s", setup->dir, name) < SETUP_PATH_SIZE);
}

int
setup_save(const struct setup *setup, struct err *err)
{
	char path[SETUP_PATH_SIZE];
	struct buf text = { 0 };
	struct json_writer *w = JSON_OBJECT(&text);
	int rc;

	json_add_str(w, "host", setup->host);
	json_add_int(w, "port", setup->port);
	json_add_int(w, "local_port", setup->local_port);
	json_add_bool(w, "plain", setup->plain);
	json_end(w);
	buf_adds(&text, "\n");
	setup_path(setup, "hq.json", path);
	rc = file_write(path, text.data, text.len, 0644, true, err);
	buf_done(&text);
	return rc;
}

/* What root writes here the broker, which is not root, cannot read: it would let nobody in any more. */
static int
check_owner(const char *dir, struct err *err)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return err_set(err, AISLE_E_IO, "%s: %s", dir, strerror(errno));
	if (st.st_uid == geteuid())
		return 0;
	const struct passwd *owner = getpwuid(st.st_uid);

	return err_set(err, AISLE_E_REFUSED,
	    "%s belongs to %s, expected to be run as that user%s%s", dir,
	    owner != NULL ? owner->pw_name : "somebody else", owner != NULL ? ": sudo -u " : "",
	    owner != NULL ? owner->pw_name : "");
}

int
setup_load(const char *dir, struct setup *ret, struct err *err)
{
	struct setup setup = { 0 };
	char path[SETUP_PATH_SIZE];
	int64_t port = 0, local = 0;
	const char *host;
	json_t *json;

	if (realpath(dir, setup.dir) == NULL || strlen(setup.dir) > SETUP_PATH_SIZE - 300)
		return err_set(err, AISLE_E_NONE, "%s: no such folder: aislectl hq init makes one",
		    dir);
	if (check_owner(setup.dir, err) != 0)
		return err->code;
	setup_path(&setup, "hq.json", path);
	json = json_read_file(path, 4096, err);
	if (json == NULL)
		return err->code;
	host = json_string_value(json_object_get(json, "host"));
	if (host == NULL || strlen(host) >= sizeof(setup.host) ||
	    !json_int(json_object_get(json, "port"), &port) || port < 1 || port > 65535 ||
	    !json_int(json_object_get(json, "local_port"), &local) || local < 1 || local > 65535) {
		json_decref(json);
		return err_set(err, AISLE_E_INVALID, "%s: expected host, port and local_port",
		    path);
	}
	snprintf(setup.host, sizeof(setup.host), "%s", host);
	setup.port = (int)port;
	setup.local_port = (int)local;
	setup.plain = json_is_true(json_object_get(json, "plain"));
	json_decref(json);
	*ret = setup;
	return 0;
}

int
setup_lock(const struct setup *setup, const char *part, int *ret_fd, struct err *err)
{
	char path[SETUP_PATH_SIZE];
	int fd, error;

	setup_path(setup, part, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0) {
		*ret_fd = fd;
		return 0;
	}
	error = errno;
	if (fd >= 0)
		close(fd);
	return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(error));
}

/* ---- the broker ---- */

static const char rights_collector[] = "topic read aisle/v1/hq/store/+/up/#\n"
				       "topic write aisle/v1/hq/store/+/ack/#\n";
static const char rights_publisher[] = "topic readwrite aisle/v1/hq/root/+\n"
				       "topic readwrite aisle/v1/hq/release/+\n"
				       "topic readwrite aisle/v1/hq/stop\n"
				       "topic readwrite aisle/v1/hq/artifact/#\n"
				       "topic readwrite aisle/v1/hq/store/+/release\n"
				       "topic readwrite aisle/v1/hq/store/+/order\n"
				       "topic read aisle/v1/hq/store/+/want\n"
				       "topic write aisle/v1/hq/store/+/chunk/#\n";

static const char *
own_name(void)
{
	const struct passwd *user = getpwuid(geteuid());

	return user != NULL ? user->pw_name : "mosquitto";
}

static void
broker_conf(const struct setup *setup, struct buf *out)
{
	const char *dir = setup->dir;

	buf_addf(out,
	    "# Headquarters' broker, started by aislectl hq run.\n"
	    "user %s\n"
	    "allow_anonymous false\npassword_file %s/broker/passwd\nacl_file %s/broker/acl\n\n"
	    "# What runs on this machine.\nlistener %d 127.0.0.1\n\n"
	    "# Stores.\nlistener %d\n",
	    own_name(), dir, dir, setup->local_port, setup->port);
	if (!setup->plain)
		buf_addf(out,
		    "certfile %s/broker/tls.pem\nkeyfile %s/broker/tls.key\n"
		    "tls_version tlsv1.2\n",
		    dir, dir);
	buf_addf(out,
	    "\n# What waits for the collector while it is away is bounded by bytes.\n"
	    "max_queued_messages 0\nmax_queued_bytes 268435456\nmax_inflight_messages 256\n"
	    "message_size_limit 1048576\nset_tcp_nodelay true\n"
	    "persistence true\npersistence_location %s/broker/\nautosave_interval 5\n"
	    "log_dest stderr\nlog_type error\nlog_type warning\nconnection_messages false\n",
	    dir);
}

static int
write_in(const struct setup *setup, const char *name, const struct buf *text, int mode,
    struct err *err)
{
	char path[SETUP_PATH_SIZE];

	setup_path(setup, name, path);
	return file_write(path, text->data, text->len, mode, false, err);
}

int
setup_broker(const struct setup *setup, struct err *err)
{
	char password[SETUP_PATH_SIZE];
	struct buf text = { 0 };
	int rc;

	broker_conf(setup, &text);
	rc = write_in(setup, "broker/mosquitto.conf", &text, 0644, err);
	buf_clear(&text);
	buf_adds(&text,
	    "# Who may say and hear what; aislectl hq add-store adds a section a store.\n");
	if (rc == 0)
		rc = write_in(setup, "broker/acl", &text, 0600, err);
	buf_clear(&text);
	if (rc == 0)
		rc = write_in(setup, "broker/passwd", &text, 0600, err);
	buf_done(&text);
	setup_path(setup, "broker/collector.password", password);
	if (rc == 0)
		rc = setup_user(setup, "collector", password, rights_collector, err);
	setup_path(setup, "broker/publisher.password", password);
	if (rc == 0)
		rc = setup_user(setup, "publisher", password, rights_publisher, err);
	return rc;
}

/* ---- users ---- */

int
setup_random_file(const char *path, size_t bytes, struct err *err)
{
	uint8_t random[64];
	char hex[130];
	int rc;

	CHECK(bytes <= sizeof(random));
	randombytes_buf(random, bytes);
	sodium_bin2hex(hex, sizeof(hex), random, bytes);
	hex[2 * bytes] = '\n';
	rc = file_write(path, hex, 2 * bytes + 1, 0600, true, err);
	sodium_memzero(random, sizeof(random));
	sodium_memzero(hex, sizeof(hex));
	return rc;
}

/* "name:password" in a file becomes "name:hash": mosquitto's own tool, which is given no password in its arguments. */
static int
hash_password(const char *path, struct err *err)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("mosquitto_passwd", "mosquitto_passwd", "-U", path, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(err, AISLE_E_IO,
	    "mosquitto_passwd does not run, expected mosquitto to be installed");
}

static int
append(const struct setup *setup, const char *name, const char *more, size_t len, int mode,
    struct err *err)
{
	char path[SETUP_PATH_SIZE];
	struct buf text = { 0 };
	int rc;

	setup_path(setup, name, path);
	rc = file_read(path, 64u << 20, &text, err);
	if (rc == 0) {
		buf_add(&text, more, len);
		rc = file_write(path, text.data, text.len, mode, false, err);
	}
	buf_done(&text);
	return rc;
}

/* The user's line of the broker's file, of a new password in password_file. */
static int
make_password(const struct setup *setup, const char *user, const char *password_file,
    struct buf *ret_line, struct err *err)
{
	char path[SETUP_PATH_SIZE];
	struct buf line = { 0 };
	int rc = setup_random_file(password_file, 24, err);

	setup_path(setup, "broker/passwd.new", path);
	buf_addf(&line, "%s:", user);
	if (rc == 0)
		rc = file_read(password_file, 256, &line, err);
	if (rc == 0)
		rc = file_write(path, line.data, line.len, 0600, false, err);
	buf_wipe(&line);
	if (rc == 0)
		rc = hash_password(path, err);
	if (rc == 0)
		rc = file_read(path, 4096, ret_line, err);
	unlink(path);
	return rc;
}

int
setup_user(const struct setup *setup, const char *user, const char *password_file,
    const char *rights, struct err *err)
{
	struct buf section = { 0 }, line = { 0 };
	int rc;

	/* What an attempt that failed left: nobody has it. */
	unlink(password_file);
	rc = make_password(setup, user, password_file, &line, err);
	buf_addf(&section, "\nuser %s\n%s", user, rights);
	/* The password last: with it the user is there, and has rights then. */
	if (rc == 0)
		rc = append(setup, "broker/acl", section.data, section.len, 0600, err);
	if (rc == 0)
		rc = append(setup, "broker/passwd", line.data, line.len, 0600, err);
	buf_done(&section);
	buf_done(&line);
	return rc;
}

bool
setup_has_user(const struct setup *setup, const char *user)
{
	char path[SETUP_PATH_SIZE];
	struct buf text = { 0 }, line = { 0 };
	bool has;

	setup_path(setup, "broker/passwd", path);
	buf_adds(&text, "\n");
	buf_addf(&line, "\n%s:", user);
	has = file_read(path, 64u << 20, &text, NULL) == 0 && strstr(text.data, line.data) != NULL;
	buf_done(&text);
	buf_done(&line);
	return has;
}
