/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_hq_init.c - aislectl hq init: from nothing to a headquarters with keys, a root, a policy and a first release.
 *
 * DESIGN
 *   Everything is in one folder, made in the order in which the next step needs it; a folder that has
 *   something in it is left alone, and of one that did not become whole nothing stays. Secret keys are in secret/ and nothing that runs reads them: they can be taken away.
 */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "core/file.h"
#include "core/random.h"
#include "ctl/ctl_sign.h"
#include "hq/setup.h"
#include "sync/bundle.h"
#include "trust/release.h"

#define STARTER "/usr/share/aisle/starter"
#define ROOT_YEARS_MS (INT64_C(730) * D_MS)
#define RELEASE_YEAR_MS (INT64_C(365) * D_MS)

struct making {
	struct setup setup;
	const char *policy, *currency;
	char password[CTL_PASSWORD_SIZE];
	struct minisign_secret *secrets[ROLE_COUNT];
	bool made_dir;
	size_t made; /* of folders[] */
	struct err err;
};

/* ---- Ctrl-C ---- */

/* Keys under a password take a while, and somebody changes their mind: that is a failure like any other. */
static volatile sig_atomic_t stopped;

static void
on_stop(int number)
{
	stopped = number;
}

static int
go_on(struct making *m)
{
	return stopped == 0 ? 0 : err_set(&m->err, AISLE_E_IO, "stopped: nothing was made");
}

/* ---- folders ---- */

static const char *const folders[] = { "secret", "keys", "root", "releases", "orders", "artifacts",
	"stores", "broker", "policy" };

static int
make_folders(struct making *m, const char *dir)
{
	char path[SETUP_PATH_SIZE];

	m->made_dir = mkdir(dir, 0700) == 0;
	if (!m->made_dir && errno != EEXIST)
		return err_set(&m->err, AISLE_E_IO, "%s: %s", dir, strerror(errno));
	if (realpath(dir, m->setup.dir) == NULL || strlen(m->setup.dir) > SETUP_PATH_SIZE - 300)
		return err_set(&m->err, AISLE_E_IO, "%s: is no folder of this machine", dir);
	for (; m->made < ARRAY_LEN(folders); m->made++) {
		setup_path(&m->setup, folders[m->made], path);
		/* Others read nothing here; the publisher's parts hold no secret. */
		if (mkdir(path, 0700) != 0)
			return err_set(&m->err, errno == EEXIST ? AISLE_E_REFUSED : AISLE_E_IO,
			    "%s: %s, expected a folder with nothing in it", path, strerror(errno));
	}
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* What was made, and no more. */
static void
take_back(const struct making *m, const char *dir)
{
	char path[SETUP_PATH_SIZE];

	for (size_t i = 0; i < m->made; i++) {
		setup_path(&m->setup, folders[i], path);
		(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	if (m->made_dir)
		(void)rmdir(dir);
}

/* ---- keys and root ---- */

static int
make_key(struct making *m, enum role role)
{
	struct buf locked = { 0 }, text = { 0 };
	char path[SETUP_PATH_SIZE], name[64];
	struct minisign_pub pub;
	struct err err = { .code = AISLE_E_FULL };
	int rc = AISLE_E_FULL;

	m->secrets[role] = minisign_generate();
	minisign_secret_pub(m->secrets[role], &pub);
	minisign_pub_write(&pub, &text);
	/* With less memory the password is less work to try, but there is one. */
	for (int work = 0; rc == AISLE_E_FULL && work <= 6; work++) {
		err = (struct err){ 0 };
		rc = minisign_secret_write(m->secrets[role],
		    m->password[0] != '\0' ? m->password : NULL, work, &locked, &err);
	}
	if (rc != 0)
		m->err = err;
	snprintf(name, sizeof(name), "secret/%s.key", role_name(role));
	setup_path(&m->setup, name, path);
	if (rc == 0)
		rc = file_write(path, locked.data, locked.len, 0600, true, &m->err);
	snprintf(name, sizeof(name), "keys/%s.pub", role_name(role));
	setup_path(&m->setup, name, path);
	if (rc == 0)
		rc = file_write(path, text.data, text.len, 0644, true, &m->err);
	buf_wipe(&locked);
	buf_done(&text);
	return rc;
}

/* Signs with the release key, and writes it. */
static int
write_signed(struct making *m, const struct buf *manifest, const char *what, const char *name)
{
	struct signed_text envelope;
	struct buf text = { 0 };
	char path[SETUP_PATH_SIZE];
	int rc;

	signed_init(&envelope, manifest->data, manifest->len);
	rc = ctl_sign_one(m->secrets[ROLE_RELEASE], what, &envelope, &m->err);
	signed_write(&envelope, &text);
	setup_path(&m->setup, name, path);
	if (rc == 0)
		rc = file_write(path, text.data, text.len, 0644, true, &m->err);
	buf_done(&text);
	signed_done(&envelope);
	return rc;
}

static int
make_root(struct making *m)
{
	struct root *root = mem_zero(sizeof(*root));
	struct buf manifest = { 0 };
	int rc = 0;

	for (int role = 0; rc == 0 && role < ROLE_COUNT; role++) {
		rc = make_key(m, (enum role)role);
		if (rc == 0)
			rc = go_on(m);
		if (rc == 0)
			minisign_secret_pub(m->secrets[role], &root->keys[role][0]);
		root->key_count[role] = 1;
	}
	root->version = root->threshold = 1;
	root->issued_ms = ctl_now_ms();
	root->expires_ms = root->issued_ms + ROOT_YEARS_MS;
	root_write(root, &manifest);
	if (rc == 0)
		rc = write_signed(m, &manifest, "root 1", "root/1.json");
	buf_done(&manifest);
	free(root);
	return rc;
}

/* ---- policy and release ---- */

/* The starter's salts are in public: a chain has its own. */
static void
renew_salts(json_t *policy)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(policy, "salts"), name, value) {
		uint8_t random[32];
		char hex[65];

		randombytes_buf(random, sizeof(random));
		sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
		json_string_set(value, hex);
	}
}

static int
adapt_policy(struct making *m)
{
	char path[SETUP_PATH_SIZE], *text;
	json_t *policy;
	int rc;

	setup_path(&m->setup, "policy/policy.json", path);
	policy = json_read_file(path, 1u << 20, &m->err);
	if (policy == NULL)
		return m->err.code;
	renew_salts(policy);
	json_object_set_new(policy, "version", json_integer(1));
	/* The starter's are those of its own stores: without, a bundle has the rules of every zone. */
	json_object_del(policy, "zones");
	if (m->currency != NULL)
		json_object_set_new(policy, "currency", json_string(m->currency));
	text = json_dumps(policy, JSON_INDENT(2));
	CHECK(text != NULL);
	rc = file_write(path, text, strlen(text), 0644, false, &m->err);
	free(text);
	json_decref(policy);
	return rc;
}

static int
make_bundle(struct making *m, char path[static SETUP_PATH_SIZE])
{
	char policy[SETUP_PATH_SIZE];
	struct buf report = { 0 };
	int rc;

	setup_path(&m->setup, "policy", policy);
	setup_path(&m->setup, "artifacts/policy-1.bundle", path);
	rc = bundle_build(policy, path, &report, &m->err);
	if (report.len > 0)
		fputs(report.data, stderr);
	if (rc != 0 && m->err.code == 0)
		err_set(&m->err, rc, "%s: has mistakes", policy);
	buf_done(&report);
	return rc;
}

static int
make_release(struct making *m)
{
	char path[SETUP_PATH_SIZE];
	struct bundle_look look;
	struct release release;
	struct buf manifest = { 0 };
	int rc = make_bundle(m, path);

	if (rc == 0)
		rc = bundle_look(path, &look, &m->err);
	if (rc != 0)
		return rc;
	release_init(&release);
	snprintf(release.channel, sizeof(release.channel), "stable");
	release.sequence = 1;
	release.issued_ms = ctl_now_ms();
	release.expires_ms = release.issued_ms + RELEASE_YEAR_MS;
	release.bundles[BUNDLE_POLICY] =
	    (struct release_bundle){ .named = true, .bytes = look.bytes, .chunk = RELEASE_CHUNK };
	memcpy(release.bundles[BUNDLE_POLICY].name, look.name, sizeof(look.name));
	memcpy(release.bundles[BUNDLE_POLICY].version, look.version, sizeof(look.version));
	memcpy(release.bundles[BUNDLE_POLICY].hash, look.hash, sizeof(look.hash));
	release_write(&release, &manifest);
	rc = write_signed(m, &manifest, "release stable 1", "releases/stable-1.json");
	buf_done(&manifest);
	return rc;
}

/* ---- all of it ---- */

static int
make(struct making *m, const char *dir)
{
	char path[SETUP_PATH_SIZE];
	int rc = make_folders(m, dir);

	if (rc == 0) {
		setup_path(&m->setup, "policy", path);
		rc = setup_copy_folder(m->policy, path, &m->err);
	}
	if (rc == 0)
		rc = adapt_policy(m);
	if (rc == 0)
		rc = make_root(m);
	if (rc == 0) {
		setup_path(&m->setup, "secret/pepper", path);
		rc = setup_random_file(path, 32, &m->err);
	}
	if (rc == 0)
		rc = make_release(m);
	if (rc == 0 && !m->setup.plain)
		rc = setup_tls(&m->setup, &m->err);
	if (rc == 0)
		rc = setup_broker(&m->setup, &m->err);
	if (rc == 0)
		rc = go_on(m);
	/* The last: with it the folder is whole. */
	return rc == 0 ? setup_save(&m->setup, &m->err) : rc;
}

static void
say_what_next(const struct making *m)
{
	const char *dir = m->setup.dir;

	printf("%s is ready: stores will connect to %s, port %d%s.\n\n"
	       "  %s/secret holds the keys that every store obeys: release.key, order.key, "
	       "erase.key%s.\n"
	       "  Copy that folder to two USB sticks, lock them away, and delete the three .key "
	       "files here.\n"
	       "  Nothing that runs needs them; whoever signs brings a stick.\n\n"
	       "  aislectl hq add-store %s 0042     what the gateway of store 0042 needs\n"
	       "  aislectl hq run %s                broker, collector and publisher, until it is "
	       "stopped\n",
	    dir, m->setup.host, m->setup.port, m->setup.plain ? ", WITHOUT TLS" : "", dir,
	    m->password[0] != '\0' ? ", under your password" : ", without a password", dir, dir);
}

/* It goes into the certificate and into each gateway's configuration: a URL or a slip would only be found there. */
static int
check_host(const char *host)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t len = strlen(host);

	return len > 0 && len < sizeof(((struct setup *)0)->host) && strspn(host, letters) == len &&
		host[0] != '-' && host[0] != '.'
	    ? EX_OK
	    : ctl_fail(EX_USAGE,
		  "--host %s: expected the name or the address that stores reach this machine "
		  "under, as hq.example.com; its port is --port",
		  host);
}

int
ctl_hq_init(struct ctl *ctl)
{
	struct making *m = mem_zero(sizeof(*m));
	const char *host = ctl_option(ctl, "--host"), *policy = ctl_option(ctl, "--policy"),
		   *port = ctl_option(ctl, "--port"), *local = ctl_option(ctl, "--local-port");
	int64_t number = 0;
	int rc;

	m->setup.plain = ctl_flag(ctl, "--plain");
	m->currency = ctl_option(ctl, "--currency");
	m->policy = policy != NULL ? policy : STARTER;
	rc = ctl_words(ctl, 1, 1);
	if (rc == EX_OK)
		rc = host == NULL ? ctl_usage(ctl) : check_host(host);
	if (rc == EX_OK)
		rc = ctl_number("--port",
		    port != NULL	 ? port
			: m->setup.plain ? "1884"
					 : "8883",
		    1, 65535, &number);
	m->setup.port = (int)number;
	if (rc == EX_OK)
		rc = ctl_number("--local-port", local != NULL ? local : "1883", 1, 65535, &number);
	m->setup.local_port = (int)number;
	if (rc == EX_OK && random_begin(&m->err) != 0)
		rc = ctl_fail_err(&m->err);
	if (rc == EX_OK)
		rc = ctl_new_password("password for the secret keys (empty: none)", m->password);
	if (rc == EX_OK) {
		struct sigaction action = { .sa_handler = on_stop };

		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		snprintf(m->setup.host, sizeof(m->setup.host), "%s", host);
		if (make(m, ctl->argv[0]) != 0) {
			rc = ctl_fail_err(&m->err);
			take_back(m, ctl->argv[0]);
		} else {
			say_what_next(m);
		}
	}
	for (int role = 0; role < ROLE_COUNT; role++)
		minisign_secret_free(m->secrets[role]);
	sodium_memzero(m->password, sizeof(m->password));
	free(m);
	return rc;
}
