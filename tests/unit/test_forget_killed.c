/* SPDX-License-Identifier: Apache-2.0
 *
 * test_forget_killed.c - the gateway dies while a customer is forgotten: what they were before they were known does not
 * come back.
 */
#include "spine_rig.h"

#include <dirent.h>
#include <unistd.h>

#include "core/id.h"
#include "profile/keys.h"

#define ANNA "9780000000001"

static struct id
anna(void)
{
	return subject_of_card(keys_pepper(engine_keys(rig.engine)), ANNA, strlen(ANNA));
}

static void
remove_all(const char *dir)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

/* As a kill leaves it. */
static void
copy_all(const char *from, const char *to)
{
	char command[300];

	snprintf(command, sizeof(command), "cp %s/* %s/", from, to);
	assert_int_equal(system(command), 0);
}

static void
order(enum input_kind kind)
{
	struct input input = { .kind = kind, .now_ms = rig.now_ms, .subject = anna() };

	assert_int_equal(turn_run(rig.engine, &input, 1), 0);
}

/* Is anything to be read of a basket of before there was a card in it? */
static int
count_any(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	(void)key, (void)subject, (void)at_ms, (void)body, (void)len;
	++*(int *)ctx;
	return 0;
}

static void
a_basket_that_was_anonymous_before_does_not_open_again(void **state)
{
	char dir[] = "/tmp/aisle-forget-XXXXXX", left[] = "/tmp/aisle-forget-XXXXXX";
	int visits = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(mkdtemp(left));
	rig_open(dir);
	assert_int_equal(rig_send("pos/7/event", "basket.opened",
			     "{\"basket\":\"b\",\"terminal\":\"7\"}"),
	    0);
	assert_int_equal(rig_send("pos/7/event", "customer.identified",
			     "{\"basket\":\"b\",\"station\":\"7\",\"card\":\"" ANNA "\"}"),
	    0);
	assert_int_equal(rig_send("pos/7/event", "basket.closed",
			     "{\"basket\":\"b\",\"total\":0,\"currency\":\"EUR\"}"),
	    0);
	order(INPUT_LEAVE);
	engine_before_key_goes(rig.engine);
	struct id subject = anna();
	assert_int_equal(keys_destroy(engine_keys(rig.engine), &subject), 0);
	copy_all(dir, left);
	rig_close();
	rig_open(left);
	assert_int_equal(engine_visit_count(rig.engine), 0);
	assert_int_equal(store_each(engine_store(rig.engine), STORE_VISIT, -1, count_any, &visits),
	    0);
	assert_int_equal(visits, 0);
	rig_close();
	remove_all(dir);
	remove_all(left);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_basket_that_was_anonymous_before_does_not_open_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
