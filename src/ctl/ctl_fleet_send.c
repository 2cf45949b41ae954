/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_fleet_send.c - aislectl fleet roll, hold, back, stop, lift: a signed file is made and goes the way that publish goes.
 *
 * DESIGN
 *   Nothing here is another way into a store: what comes out is a release or an order like any other, with the next
 *   sequence, signed with the keys that were given. Where the root asks for more signatures than there are it waits
 *   beside the folder until a second person has signed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "core/random.h"
#include "ctl/ctl_brokers.h"
#include "ctl/ctl_fleet.h"
#include "ctl/ctl_sign.h"
#include "hq/publish_goods.h"

#define RELEASE_DAYS "90d"
#define ORDER_DAYS "365d"
#define ORDER_NAME_SIZE 80

struct sending {
	const char *dir, *keys, *output, *sequence;
	int64_t expires_ms, now_ms;
	struct goods goods; /* of dir */
	struct root root;   /* the newest of dir; version 0: none */
	bool has_broker;
	struct ctl_brokers brokers;
};

/* ---- what was given ---- */

static int
newest_root(struct sending *s)
{
	struct err err = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->goods.root_count; i++) {
		const struct goods_text *file = &s->goods.roots[i].file;

		rc = i == 0
		    ? root_open(file->text, file->len, file->path, &s->root, NULL, &err)
		    : root_next(&s->root, file->text, file->len, file->path, &s->root, NULL, &err);
	}
	return rc == 0 ? EX_OK : ctl_fail_err(&err);
}

static bool
has_option(const struct ctl *ctl, const char *name)
{
	for (int i = 0; i < ctl->argc; i++)
		if (strcmp(ctl->argv[i], name) == 0)
			return true;
	return false;
}

static int
begin(struct ctl *ctl, struct sending *s, const char *expires, int words)
{
	const char *until = ctl_option(ctl, "--expires");
	struct publish_options options = { 0 };
	struct err err = { 0 };
	int rc;

	s->dir = options.dir = ctl_option(ctl, "--dir");
	s->keys = ctl_option(ctl, "--key");
	s->output = ctl_option(ctl, "-o");
	s->sequence = ctl_option(ctl, "--sequence");
	s->now_ms = ctl_now_ms();
	s->has_broker = has_option(ctl, "--broker");
	rc = s->has_broker ? ctl_brokers(ctl, &s->brokers) : EX_OK;
	if (rc == EX_OK)
		rc = ctl_words(ctl, words, words);
	if (rc == EX_OK && (s->keys == NULL || (s->dir == NULL && s->output == NULL)))
		rc = ctl_usage(ctl);
	if (rc == EX_OK)
		rc = ctl_expires(until != NULL ? until : expires, s->now_ms, &s->expires_ms);
	if (rc == EX_OK && s->dir != NULL && goods_folder(s->dir, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK &&
	    (random_begin(&err) != 0 ||
		(s->dir != NULL && goods_read(&options, NULL, &s->goods, &err) != 0)))
		rc = ctl_fail_err(&err);
	return rc == EX_OK ? newest_root(s) : rc;
}

static void
end(struct sending *s)
{
	goods_done(&s->goods);
	if (s->has_broker)
		ctl_brokers_done(&s->brokers);
	free(s);
}

/* ---- what was made ---- */

static int
publish(struct sending *s, const char *path)
{
	const char *const files[] = { path };
	struct publish_options options = {
		.broker = s->brokers.options, .files = files, .file_count = 1, .dir = s->dir
	};
	struct err err = { 0 };

	if (!s->has_broker)
		return EX_OK;
	/* In the folder it is read with all that is there. */
	if (s->output == NULL)
		options.file_count = 0;
	if (publish_run(&options, &err) == 0)
		return EX_OK;
	return err.code == AISLE_E_IO ? (ctl_fail_err(&err), EX_UNAVAILABLE) : ctl_fail_err(&err);
}

/* Does it verify as a store would have it? */
static int
verifies(const struct sending *s, const struct buf *text, bool is_release,
    enum refusal *ret_refusal, struct err *err)
{
	struct release release;
	struct order order;
	int rc;

	if (!is_release)
		return order_open(&s->root, text->data, text->len, "order", s->now_ms, &order,
		    ret_refusal, err);
	rc = release_open(&s->root, text->data, text->len, "release", s->now_ms, &release,
	    ret_refusal, err);
	if (rc == 0)
		release_done(&release);
	return rc;
}

/* Into the folder when it is whole, beside it when somebody else has to sign, too. */
static int
place(struct sending *s, const struct signed_text *envelope, bool is_release, const char *name)
{
	enum refusal refusal = REFUSED_NONE;
	char path[4096];
	struct buf text = { 0 };
	struct err err = { 0 };
	bool whole = true;
	int rc = EX_OK;

	signed_write(envelope, &text);
	if (s->root.version > 0 && verifies(s, &text, is_release, &refusal, &err) != 0) {
		whole = false;
		if (refusal != REFUSED_THRESHOLD)
			rc = ctl_fail_err(&err);
	}
	buf_done(&text);
	if (s->output != NULL)
		snprintf(path, sizeof(path), "%s", s->output);
	else
		snprintf(path, sizeof(path), "%s/%s%s.json", s->dir,
		    !whole	     ? ""
			: is_release ? "releases/"
				     : "orders/",
		    name);
	if (rc == EX_OK && access(path, F_OK) == 0)
		rc = ctl_fail(EX_NOPERM, "%s: there is one already", path);
	if (rc == EX_OK)
		rc = ctl_envelope_write(path, envelope);
	if (rc != EX_OK)
		return rc;
	if (!whole) {
		printf("%s needs another signature: aislectl %s sign %s --key K.key, then move it "
		       "to "
		       "%s/%s\n",
		    path, is_release ? "release" : "order", path, s->dir,
		    is_release ? "releases" : "orders");
		return EX_OK;
	}
	printf("%s\n", path);
	return publish(s, path);
}

static int
sign_and_place(struct sending *s, const struct buf *manifest, bool is_release, const char *what,
    const char *name)
{
	struct signed_text envelope;
	int rc;

	signed_init(&envelope, manifest->data, manifest->len);
	rc = ctl_sign_with(s->keys, what, &envelope);
	if (rc == EX_OK)
		rc = place(s, &envelope, is_release, name);
	signed_done(&envelope);
	return rc;
}

/* ---- releases ---- */

static int
read_release(const char *path, struct release *ret)
{
	struct signed_text envelope = { 0 };
	struct err err = { 0 };
	int rc = signed_read_file(path, &envelope, NULL, &err);

	if (rc == 0) {
		rc = release_parse(envelope.manifest, envelope.len, path, ret, NULL, &err);
		signed_done(&envelope);
	}
	return rc == 0 ? EX_OK : ctl_fail_err(&err);
}

static int
next_sequence(const struct sending *s, const char *channel, int64_t than, int64_t *ret)
{
	*ret = than + 1;
	if (s->sequence != NULL)
		return ctl_number("--sequence", s->sequence, than + 1, SEQUENCE_MAX, ret);
	for (size_t i = 0; i < s->goods.release_count; i++) {
		const struct release *release = &s->goods.releases[i].release;

		if (strcmp(release->channel, channel) == 0 && !release_is_own(release) &&
		    release->sequence >= *ret)
			*ret = release->sequence + 1;
	}
	if (s->dir == NULL)
		return ctl_fail(EX_USAGE,
		    "--sequence N is expected, or --dir with all releases of the channel");
	return EX_OK;
}

static void
everybody(struct release *release)
{
	free(release->stores);
	release->stores = NULL;
	release->store_count = release->ring_count = 0;
	release->has_percent = false;
}

static int
read_rings(const char *text, struct release *release)
{
	char *copy = mem_strdup(text), *items[RELEASE_RINGS_MAX];
	int count = ctl_list(copy, items, RELEASE_RINGS_MAX), rc = EX_OK;

	for (int i = 0; i < count && rc == EX_OK; i++) {
		if (!trust_name_ok(items[i]))
			rc = ctl_fail(EX_USAGE, "--ring: \"%s\" is no name", items[i]);
		else
			snprintf(release->rings[release->ring_count++], TRUST_NAME_SIZE, "%s",
			    items[i]);
	}
	if (count < 0)
		rc = ctl_fail(EX_USAGE, "--ring %s: expected at most %d names", text,
		    RELEASE_RINGS_MAX);
	free(copy);
	return rc;
}

/* A share of the stores: with another salt each time, so that not the same stores are first. */
static int
read_percent(const char *text, struct release *release)
{
	char *end;

	release->percent = strtod(text, &end);
	release->has_percent = true;
	randombytes_buf(release->salt, sizeof(release->salt));
	return end != text && (*end == '\0' || strcmp(end, "%") == 0) && release->percent >= 0 &&
		release->percent <= 100
	    ? EX_OK
	    : ctl_fail(EX_USAGE, "--percent %s: expected 0 to 100", text);
}

static int
send_release(struct sending *s, struct release *release)
{
	struct buf manifest = { 0 };
	char what[80], name[80];
	int rc = next_sequence(s, release->channel, release->sequence, &release->sequence);

	release->issued_ms = s->now_ms;
	release->expires_ms = s->expires_ms;
	snprintf(what, sizeof(what), "release %s %" PRId64, release->channel, release->sequence);
	snprintf(name, sizeof(name), "%s-%" PRId64, release->channel, release->sequence);
	release_write(release, &manifest);
	if (rc == EX_OK)
		rc = sign_and_place(s, &manifest, true, what, name);
	buf_done(&manifest);
	return rc;
}

/* hold: for nobody more. Whoever has it stays with it. */
static int
roll(struct ctl *ctl, bool hold)
{
	const char *ring = hold ? NULL : ctl_option(ctl, "--ring"),
		   *percent = hold ? "0" : ctl_option(ctl, "--percent");
	struct sending *s = mem_zero(sizeof(*s));
	struct release release;
	int rc = begin(ctl, s, RELEASE_DAYS, 1);

	release_init(&release);
	if (rc == EX_OK)
		rc = read_release(ctl->argv[0], &release);
	if (rc == EX_OK && release_is_own(&release))
		rc = ctl_fail(EX_DATAERR, "%s: is for one store alone", ctl->argv[0]);
	everybody(&release);
	if (rc == EX_OK && ring != NULL)
		rc = read_rings(ring, &release);
	for (size_t i = 0; rc == EX_OK && i < release.ring_count; i++)
		ctl_warn_of_nobody(s->dir, NULL, release.rings[i]);
	if (rc == EX_OK && percent != NULL)
		rc = read_percent(percent, &release);
	if (rc == EX_OK)
		rc = send_release(s, &release);
	release_done(&release);
	end(s);
	return rc;
}

int
ctl_fleet_roll(struct ctl *ctl)
{
	return roll(ctl, false);
}

int
ctl_fleet_hold(struct ctl *ctl)
{
	return roll(ctl, true);
}

/* The bundles of an older release, for all, under a new sequence. */
int
ctl_fleet_back(struct ctl *ctl)
{
	if (has_option(ctl, "--ring") || has_option(ctl, "--percent"))
		return ctl_fail(EX_USAGE, "back is for all; fleet roll takes --ring and --percent");
	return roll(ctl, false);
}

/* ---- stops ---- */

static int
next_order(const struct sending *s, const char *target, int64_t *ret)
{
	*ret = 1;
	if (s->sequence != NULL)
		return ctl_number("--sequence", s->sequence, 1, SEQUENCE_MAX, ret);
	for (size_t i = 0; i < s->goods.order_count; i++)
		if (strcmp(s->goods.orders[i].order.target, target) == 0 &&
		    s->goods.orders[i].order.sequence >= *ret)
			*ret = s->goods.orders[i].order.sequence + 1;
	return s->dir != NULL
	    ? EX_OK
	    : ctl_fail(EX_USAGE,
		  "--sequence N is expected, or --dir with all orders that were given");
}

static int
read_target(const char *ring, const char *store, struct order *order)
{
	if (ring != NULL && store != NULL)
		return ctl_fail(EX_USAGE, "--ring or --store, not both");
	if ((ring != NULL && !trust_name_ok(ring)) || (store != NULL && !trust_name_ok(store)))
		return ctl_fail(EX_USAGE,
		    "--ring, --store: expected 1 to 32 letters, digits, - and _");
	snprintf(order->target, sizeof(order->target), "%s%s", ring != NULL ? "ring:" : "",
	    ring != NULL	? ring
		: store != NULL ? store
				: "all");
	return EX_OK;
}

static bool
is_taken(const struct sending *s, const char *sub, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s%s.json", s->dir, sub, name);
	return access(path, F_OK) == 0;
}

/* ring:early 7 is ring-early-7. One that waits for a signature, or cannot be read, has its number, too: a stop takes the next. */
static void
order_name(const struct sending *s, struct order *order, char out[static ORDER_NAME_SIZE])
{
	for (;; order->sequence++) {
		snprintf(out, ORDER_NAME_SIZE, "%s-%" PRId64, order->target, order->sequence);
		for (char *at = out; *at != '\0'; at++)
			if (*at == ':')
				*at = '-';
		if (s->dir == NULL || s->sequence != NULL ||
		    (!is_taken(s, "", out) && !is_taken(s, "orders/", out)))
			return;
	}
}

static int
send_order(struct ctl *ctl, enum order_type type)
{
	const char *ring = ctl_option(ctl, "--ring"), *store = ctl_option(ctl, "--store");
	struct sending *s = mem_zero(sizeof(*s));
	struct order order = { .type = type };
	struct buf manifest = { 0 };
	char what[100], name[ORDER_NAME_SIZE];
	int rc = begin(ctl, s, ORDER_DAYS, 1);

	if (rc == EX_OK)
		rc = read_target(ring, store, &order);
	if (rc == EX_OK)
		rc = next_order(s, order.target, &order.sequence);
	if (rc == EX_OK && strlen(ctl->argv[0]) >= sizeof(order.object))
		rc = ctl_fail(EX_USAGE, "%s: is no action", ctl->argv[0]);
	if (rc == EX_OK)
		rc = ctl_known_action(&s->goods, s->dir, ctl->argv[0]);
	if (rc == EX_OK)
		ctl_warn_of_nobody(s->dir, store, ring);
	if (rc == EX_OK) {
		snprintf(order.object, sizeof(order.object), "%s", ctl->argv[0]);
		order.issued_ms = s->now_ms;
		order.expires_ms = s->expires_ms;
		order_name(s, &order, name);
		snprintf(what, sizeof(what), "order %s %" PRId64 " %s", order.target,
		    order.sequence, order_type_name(type));
		order_write(&order, &manifest);
		rc = sign_and_place(s, &manifest, false, what, name);
	}
	buf_done(&manifest);
	end(s);
	return rc;
}

int
ctl_fleet_stop(struct ctl *ctl)
{
	return send_order(ctl, ORDER_STOP);
}

int
ctl_fleet_lift(struct ctl *ctl)
{
	return send_order(ctl, ORDER_LIFT);
}
