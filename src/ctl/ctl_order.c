/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_order.c - orders: made, signed, shown, verified. A file has one envelope, or a list of them: one for each store.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "core/file.h"
#include "core/id.h"
#include "core/json_write.h"
#include "core/when.h"
#include "ctl/ctl_sign.h"
#include "trust/order.h"

/* A file of orders, taken apart. */
struct orders {
	struct signed_text envelopes[ORDERS_CHAIN_MAX];
	struct order orders[ORDERS_CHAIN_MAX];
	size_t count;
	const char *path;
	struct err err;
	bool list; /* more than one, or so written */
};

static void
read_one(void *ctx, const char *text, size_t len, size_t at)
{
	struct orders *orders = ctx;
	struct signed_text *envelope = &orders->envelopes[at];

	if (orders->err.code != 0 ||
	    signed_read(text, len, orders->path, envelope, NULL, &orders->err) != 0)
		return;
	orders->count++;
	(void)!order_parse(envelope->manifest, envelope->len, orders->path, &orders->orders[at],
	    NULL, &orders->err);
}

static void
orders_free(struct orders *orders)
{
	for (size_t i = 0; i < orders->count; i++)
		signed_done(&orders->envelopes[i]);
	free(orders);
}

static int
orders_read(const char *path, struct orders **ret)
{
	struct orders *orders = mem_zero(sizeof(*orders));
	struct buf text = { 0 };
	int rc = EX_OK;

	orders->path = path;
	if (file_read(path, ORDERS_BYTES_MAX, &text, &orders->err) == 0) {
		orders->list = text.len > 0 && text.data[0] == '[';
		if (!orders->list)
			read_one(orders, text.data, text.len, 0);
		else
			(void)!order_list_each(text.data, text.len, ORDERS_CHAIN_MAX, path,
			    read_one, orders, NULL, &orders->err);
	}
	buf_done(&text);
	if (orders->err.code != 0) {
		rc = ctl_fail_err(&orders->err);
		orders_free(orders);
		return rc;
	}
	*ret = orders;
	return EX_OK;
}

static int
orders_write(const char *path, const struct orders *orders)
{
	struct buf list = { 0 }, one = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	for (size_t i = 0; i < orders->count; i++) {
		buf_clear(&one);
		signed_write(&orders->envelopes[i], &one);
		if (orders->list)
			order_list_add(&list, one.data, one.len);
		else
			buf_add(&list, one.data, one.len);
	}
	if (list.len > ORDERS_BYTES_MAX)
		rc = ctl_fail(EX_DATAERR, "%s: would have %zu bytes, expected at most %u", path,
		    list.len, ORDERS_BYTES_MAX);
	else if (file_write(path, list.data, list.len, 0644, false, &err) != 0)
		rc = ctl_fail_err(&err);
	buf_done(&list);
	buf_done(&one);
	return rc;
}

/* ---- order make ---- */

static int
read_type(const char *text, struct order *order)
{
	for (int type = 0; text != NULL && type < ORDER_TYPE_COUNT; type++) {
		order->type = (enum order_type)type;
		if (strcmp(text, order_type_name(order->type)) == 0)
			return EX_OK;
	}
	return ctl_fail(EX_USAGE, "--type %s: expected erase, snapshot, revoke, stop or lift",
	    text != NULL ? text : "T");
}

/* The one member that its type has. */
static int
read_object(struct ctl *ctl, struct order *order)
{
	const char *subject = ctl_option(ctl, "--subject"), *tablet = ctl_option(ctl, "--tablet");
	const char *action = ctl_option(ctl, "--action"), *object = NULL;
	bool erase = order->type == ORDER_ERASE, revoke = order->type == ORDER_REVOKE;
	bool stop = order->type == ORDER_STOP || order->type == ORDER_LIFT;

	if ((subject != NULL) != erase || (tablet != NULL) != revoke || (action != NULL) != stop)
		return ctl_fail(EX_USAGE,
		    "--subject S goes with erase, --tablet NAME with revoke, --action A with stop "
		    "and lift: each with its own alone");
	object = revoke ? tablet : stop ? action : "";
	if (erase && !subject_parse(subject, &order->subject))
		return ctl_fail(EX_USAGE, "--subject %s: expected 32 lower-case hex digits",
		    subject);
	if (strlen(object) >= sizeof(order->object))
		return ctl_fail(EX_USAGE, "\"%s\" is too long, expected at most %zu bytes", object,
		    sizeof(order->object) - 1);
	memcpy(order->object, object, strlen(object) + 1);
	return EX_OK;
}

static int
add_order(struct orders *orders, struct order *order, const char *target, const char *path)
{
	struct buf manifest = { 0 };
	struct order read;
	struct err err = { 0 };
	bool chain = strcmp(target, "all") == 0 || strncmp(target, "ring:", 5) == 0;
	int rc = EX_OK;

	if (!order_target_ok(target))
		return ctl_fail(EX_USAGE,
		    "--store %s: expected store ids, with commas between, all, or ring:NAME",
		    target);
	if (chain && order->type != ORDER_STOP && order->type != ORDER_LIFT)
		return ctl_fail(EX_USAGE,
		    "--store %s goes with stop and lift, expected the ids of stores for %s", target,
		    order_type_name(order->type));
	memcpy(order->target, target, strlen(target) + 1);
	order_write(order, &manifest);
	if (order_parse(manifest.data, manifest.len, path, &read, NULL, &err) != 0)
		rc = ctl_fail_err(&err);
	else
		signed_init(&orders->envelopes[orders->count++], manifest.data, manifest.len);
	buf_done(&manifest);
	return rc;
}

static int
make_orders(struct order *order, const char *stores, const char *output)
{
	struct orders *orders = mem_zero(sizeof(*orders));
	char *copy = mem_strdup(stores), *items[ORDERS_CHAIN_MAX];
	int count = ctl_list(copy, items, ORDERS_CHAIN_MAX), rc = EX_OK;

	if (count < 0)
		rc = ctl_fail(EX_USAGE,
		    "--store: expected at most %d store ids, with commas between",
		    ORDERS_CHAIN_MAX);
	orders->list = count > 1;
	for (int i = 0; i < count && rc == EX_OK; i++)
		rc = add_order(orders, order, items[i], output);
	if (rc == EX_OK)
		rc = orders_write(output, orders);
	orders_free(orders);
	free(copy);
	return rc;
}

int
ctl_order_make(struct ctl *ctl)
{
	const char *output = ctl_option(ctl, "-o"), *stores = ctl_option(ctl, "--store"),
		   *type = ctl_option(ctl, "--type");
	const char *sequence = ctl_option(ctl, "--sequence"),
		   *expires = ctl_option(ctl, "--expires");
	struct order order = { .issued_ms = ctl_now_ms() };
	int rc = output == NULL || stores == NULL ? ctl_usage(ctl) : read_type(type, &order);

	if (rc == EX_OK)
		rc = read_object(ctl, &order);
	if (rc == EX_OK)
		rc = ctl_words(ctl, 0, 0);
	if (rc == EX_OK)
		rc = ctl_number("--sequence", sequence, 1, SEQUENCE_MAX, &order.sequence);
	if (rc == EX_OK)
		rc = ctl_expires(expires, order.issued_ms, &order.expires_ms);
	return rc == EX_OK ? make_orders(&order, stores, output) : rc;
}

/* ---- order sign, verify, show ---- */

/* Each key is asked for once, whatever the number of orders. */
static int
sign_orders(struct orders *orders, const char *path)
{
	struct minisign_secret *secret;
	struct err err = { 0 };
	int rc = ctl_secret(path, &secret);

	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < orders->count && rc == EX_OK; i++) {
		const struct order *order = &orders->orders[i];
		char what[120];

		snprintf(what, sizeof(what), "order %s %" PRId64 " %s", order->target,
		    order->sequence, order_type_name(order->type));
		if (ctl_sign_one(secret, what, &orders->envelopes[i], &err) != 0)
			rc = ctl_fail_err(&err);
	}
	minisign_secret_free(secret);
	return rc;
}

int
ctl_order_sign(struct ctl *ctl)
{
	const char *keys = ctl_option(ctl, "--key"), *signature = ctl_option(ctl, "--signature");
	char *copy = NULL, *items[CTL_KEYS_MAX];
	struct orders *orders = NULL;
	int count = 0, rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK && keys == NULL && signature == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK)
		rc = orders_read(ctl->argv[0], &orders);
	if (rc != EX_OK)
		return rc;
	CHECK(orders != NULL);
	if (keys != NULL) {
		copy = mem_strdup(keys);
		count = ctl_list(copy, items, CTL_KEYS_MAX);
	}
	if (count < 0)
		rc = ctl_fail(EX_USAGE, "--key %s: expected at most %d files, with commas between",
		    keys, CTL_KEYS_MAX);
	for (int i = 0; i < count && rc == EX_OK; i++)
		rc = sign_orders(orders, items[i]);
	if (rc == EX_OK && signature != NULL)
		rc = orders->count == 1
		    ? ctl_sign_attach(signature, &orders->envelopes[0])
		    : ctl_fail(EX_USAGE, "--signature goes with one order, %s has %zu",
			  ctl->argv[0], orders->count);
	if (rc == EX_OK)
		rc = orders_write(ctl->argv[0], orders);
	free(copy);
	orders_free(orders);
	return rc;
}

int
ctl_order_verify(struct ctl *ctl)
{
	const char *root_path = ctl_option(ctl, "--root");
	struct root *root = mem_zero(sizeof(*root));
	struct orders *orders = NULL;
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK && root_path == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK && root_open_file(root_path, root, NULL, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK)
		rc = orders_read(ctl->argv[0], &orders);
	CHECK(rc != EX_OK || orders != NULL);
	for (size_t i = 0; rc == EX_OK && i < orders->count; i++) {
		struct buf text = { 0 };
		struct order order;

		signed_write(&orders->envelopes[i], &text);
		if (order_open(root, text.data, text.len, ctl->argv[0], ctl_now_ms(), &order, NULL,
			&err) != 0 ||
		    order_in_time(&order, ctl_now_ms(), NULL, &err) != 0)
			rc = ctl_fail_err(&err);
		else
			printf("order %s %" PRId64 " to %s is signed as root %" PRId64 " asks\n",
			    order.target, order.sequence, order_type_name(order.type),
			    root->version);
		buf_done(&text);
	}
	if (orders != NULL)
		orders_free(orders);
	free(root);
	return rc;
}

static void
print_order(const struct order *order, const struct signed_text *envelope)
{
	char issued[WHEN_TEXT_SIZE], expires[WHEN_TEXT_SIZE], subject[SUBJECT_TEXT_SIZE];

	when_text(order->issued_ms, issued);
	when_text(order->expires_ms, expires);
	subject_text(&order->subject, subject);
	printf("order       %s %" PRId64 ", %s to %s\n%-11s %s\n", order->target, order->sequence,
	    issued, expires, order_type_name(order->type),
	    order->type == ORDER_ERASE ? subject : order->object);
	ctl_print_signatures(envelope);
}

int
ctl_order_show(struct ctl *ctl)
{
	const char *manifest = ctl_option(ctl, "--manifest"),
		   *signature = ctl_option(ctl, "--signature");
	struct orders *orders = NULL;
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK)
		rc = orders_read(ctl->argv[0], &orders);
	if (rc != EX_OK)
		return rc;
	CHECK(orders != NULL);
	if ((manifest != NULL || signature != NULL) && orders->count == 1)
		rc = ctl_envelope_parts(&orders->envelopes[0], manifest, signature);
	else if (manifest != NULL || signature != NULL)
		rc = ctl_fail(EX_USAGE, "%s has %zu orders, expected one to take apart",
		    ctl->argv[0], orders->count);
	for (size_t i = 0; i < orders->count && manifest == NULL && signature == NULL; i++) {
		struct buf out = { 0 };

		if (ctl->json) {
			struct json_writer *w = JSON_OBJECT(&out);

			json_add_members(w, orders->envelopes[i].manifest,
			    orders->envelopes[i].len);
			ctl_add_signatures(w, &orders->envelopes[i]);
			json_end_all(w);
			puts(out.data);
		} else {
			print_order(&orders->orders[i], &orders->envelopes[i]);
		}
		buf_done(&out);
	}
	orders_free(orders);
	return rc;
}
