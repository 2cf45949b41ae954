/* SPDX-License-Identifier: Apache-2.0
 *
 * test_hq_orders.c - an order that cannot be carried out now is asked for again, whatever other lists come meanwhile.
 *
 * The loop, the link and the engine are played here.
 */
#include "store_fixture.h"
#include "trust_rig.h"

#include "daemon/daemon.h"

static struct {
	struct rig *rig;
	struct fixture *fixture;
	hq_fn own, all;
	int asked;  /* subscriptions */
	int status; /* of the next customer that is to be forgotten */
	int64_t mono_ms;
	int erased;
} world;

int64_t
daemon_mono_ms(void)
{
	return world.mono_ms;
}

int64_t
daemon_now_ms(struct daemon *daemon)
{
	(void)daemon;
	return NOW_MS;
}

const struct root *
daemon_root(const struct daemon *daemon)
{
	(void)daemon;
	return &world.rig->root;
}

bool
daemon_trusts(const struct daemon *daemon)
{
	(void)daemon;
	return true;
}

struct trust_self
daemon_trust_self(const struct daemon *daemon)
{
	(void)daemon;
	return (struct trust_self){ .store = "0417", .channel = "stable" };
}

struct sequences *
daemon_seen(struct daemon *daemon)
{
	(void)daemon;
	return &world.rig->seen;
}

int
daemon_seen_save(struct daemon *daemon)
{
	(void)daemon;
	return 0;
}

void
daemon_hq_hear(struct daemon *daemon, const char *words, bool own, hq_fn take)
{
	(void)daemon;
	(void)words;
	*(own ? &world.own : &world.all) = take;
}

void
daemon_hq_subscribe(struct daemon *daemon, const char *topic)
{
	(void)daemon;
	(void)topic;
	world.asked++;
}

void
daemon_hq_refused(struct daemon *daemon, const char *format, ...)
{
	(void)daemon;
	fail_msg("refused: %s", format);
}

void
daemon_forget(struct daemon *daemon, const struct id *subject, reply_fn reply, void *ctx)
{
	struct reply said = { .status = world.status, .detail = "" };

	(void)daemon;
	(void)subject;
	world.erased += world.status == 200;
	reply(ctx, &said);
}

int
daemon_revoke(struct daemon *daemon, const char *name, size_t *ret_count, struct buf *near)
{
	(void)daemon;
	(void)name;
	(void)near;
	*ret_count = 1;
	return 0;
}

bool
daemon_queue(struct daemon *daemon, const struct input *input)
{
	struct reply said = { .status = 200, .detail = "" };

	(void)daemon;
	if (input->reply != NULL)
		input->reply(input->reply_ctx, &said);
	return true;
}

void
daemon_turn(struct daemon *daemon)
{
	(void)daemon;
}

struct store *
engine_store(const struct engine *engine)
{
	(void)engine;
	return world.fixture->store;
}

const char *const *
engine_stopped(const struct engine *engine, size_t *ret_count)
{
	(void)engine;
	*ret_count = 0;
	return NULL;
}

const struct stop *
engine_stop(const struct engine *engine, size_t i)
{
	(void)engine;
	fail_msg("stop %zu is none", i);
	return NULL;
}

static void
put(struct daemon *daemon, hq_fn take, const char *topic, const struct order *order, int key)
{
	struct buf text = rig_signed_order(world.rig, order, key, key + 1), list = { 0 };

	order_list_add(&list, text.data, text.len);
	take(daemon, topic, list.data, list.len);
	buf_done(&text);
	buf_done(&list);
}

static void
an_order_that_waits_is_asked_for_again_whatever_comes_meanwhile(void **state)
{
	struct daemon daemon = { .conf.store_id = (char *)(uintptr_t) "0417" };
	struct order erase = rig_order("0417", 1), stop = rig_order("all", 1);
	struct err err = { 0 };

	(void)state;
	erase.type = ORDER_ERASE;
	erase.object[0] = '\0';
	assert_int_equal(daemon_orders_start(&daemon, &err), 0);
	world.asked = 0;
	world.status = 500; /* a full disk */
	put(&daemon, world.own, "aisle/v1/hq/store/0417/order", &erase, 4);
	assert_int_equal(world.erased, 0);
	/* The chain's list comes right behind it, and there is nothing to wait for in it. */
	put(&daemon, world.all, "aisle/v1/hq/stop", &stop, 2);
	daemon_orders_look(&daemon);
	assert_int_equal(world.asked, 0);
	world.mono_ms += MIN_MS;
	daemon_orders_look(&daemon);
	assert_int_equal(world.asked, 2);
	world.status = 200;
	put(&daemon, world.own, "aisle/v1/hq/store/0417/order", &erase, 4);
	assert_int_equal(world.erased, 1);
	/* Carried out: it is not asked for any more. */
	world.mono_ms += MIN_MS;
	daemon_orders_look(&daemon);
	assert_int_equal(world.asked, 2);
}

static int
set_up(void **state)
{
	void *rig = NULL, *fixture = NULL;
	int rc = rig_open(&rig);

	(void)state;
	world.rig = rig;
	if (rc == 0)
		rc = fixture_setup(&fixture);
	world.fixture = fixture;
	return rc;
}

static int
tear_down(void **state)
{
	void *rig = world.rig, *fixture = world.fixture;

	(void)state;
	return rig_close(&rig) + fixture_teardown(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    an_order_that_waits_is_asked_for_again_whatever_comes_meanwhile, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
