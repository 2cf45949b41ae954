/* SPDX-License-Identifier: Apache-2.0
 *
 * orders.c - what operators and managers order: an action stopped or allowed again, a lever moved.
 *
 * From aislectl over the control socket, and from a manager's session over HTTP: the same members,
 * the same checks, and a status that is an exit code there.
 */
#include "daemon/daemon.h"

#include <string.h>
#include <sysexits.h>

#include "core/json.h"
#include "core/near.h"
#include "core/when.h"
#include "decide/decide.h"
#include "policy/policy_load.h"

bool
daemon_has_action(struct daemon *daemon, const char *action, struct buf *says)
{
	const struct policy *policy = engine_policy(daemon->engine);
	struct near near = near_to(action);

	if (policy == NULL) {
		buf_adds(says, "no policy is in force");
		return false;
	}
	if (policy_action(policy, action) != NULL)
		return true;
	for (size_t i = 0; i < policy->action_count; i++)
		near_offer(&near, policy->actions[i].id);
	buf_addf(says, "the policy in force has no action \"%s\"", action);
	near_say(&near, says);
	return false;
}

/* A misspelt stop would let a recalled article go on being offered, and nobody would know. */
static int
look_at_stop(struct daemon *daemon, const struct input *input, struct buf *says)
{
	size_t count, i = 0;
	const char *const *stopped = engine_stopped(daemon->engine, &count);

	while (i < count && strcmp(stopped[i], input->text) != 0)
		i++;
	if (!input->flag && (i == count || !engine_stop(daemon->engine, i)->here)) {
		buf_adds(says,
		    i == count ? "it is not stopped"
			       : "headquarters stopped it, and only headquarters allows it again");
		return 409;
	}
	if (input->flag && engine_policy(daemon->engine) != NULL &&
	    strcmp(input->text, ACTION_EVERYTHING) != 0 &&
	    !daemon_has_action(daemon, input->text, says))
		return 404;
	return 0;
}

/* "until" of the body. false: it is no time to come. */
static bool
read_until(const json_t *body, struct input *input)
{
	const json_t *until = json_object_get(body, "until");

	return until == NULL ||
	    (json_is_string(until) && when_parse(json_string_value(until), &input->until_ms) &&
		input->until_ms > input->now_ms);
}

/* Fills the input; 0, or a status and why. */
static int
read_stop(struct daemon *daemon, const json_t *body, struct input *input, struct buf *says)
{
	input->text = json_string_value(json_object_get(body, "action"));
	if (!daemon_is_printable(input->text, 1, 128)) {
		buf_adds(says, "expected an action's id, or * for all of them");
		return 400;
	}
	if (!read_until(body, input)) {
		buf_adds(says, "until: a time to come is expected, as 2026-11-21T22:00:00Z");
		return 400;
	}
	return look_at_stop(daemon, input, says);
}

static int
read_lever(struct daemon *daemon, const json_t *body, struct input *input, struct buf *says)
{
	const json_t *value = json_object_get(body, "value");

	(void)daemon;
	input->text = json_string_value(json_object_get(body, "name"));
	input->value = json_number_value(value);
	if (input->text == NULL || strlen(input->text) > 140)
		buf_adds(says, "name: a lever of the policy is expected, as issue:retain");
	else if (!json_is_number(value))
		buf_adds(says, "value: a number is expected");
	else if (json_object_get(body, "until") == NULL || !read_until(body, input))
		buf_adds(says, "until: a time to come is expected, as 2026-11-21T22:00:00Z");
	else
		return 0;
	return 400;
}

static int
read_order(struct daemon *daemon, const char *order, const json_t *body, struct input *input,
    struct buf *says)
{
	bool lever = strcmp(order, "lever") == 0;

	input->kind = lever ? INPUT_LEVER : INPUT_STOP;
	input->now_ms = daemon_now_ms(daemon);
	input->flag = strcmp(order, "stop") == 0;
	return (lever ? read_lever : read_stop)(daemon, body, input, says);
}

/* ---- over the control socket ---- */

static int
exit_of(int status)
{
	switch (status) {
	case 403: return EX_NOPERM;
	case 404: return EX_NOINPUT;
	case 400:
	case 409: return EX_DATAERR;
	default: return EX_IOERR;
	}
}

static void
on_ordered(void *ctx, const struct reply *reply)
{
	struct control_request *request = ctx;

	if (reply->status >= 400)
		control_fail(request, exit_of(reply->status), reply->detail);
	else
		control_reply(request, NULL);
}

static void
order(struct daemon *daemon, struct control_request *request, const char *name)
{
	struct input input = { .reply = on_ordered, .reply_ctx = request };
	struct buf says = { 0 };
	int status = read_order(daemon, name, control_json(request), &input, &says);

	if (status != 0)
		control_fail(request, exit_of(status), says.data);
	else {
		daemon_queue(daemon, &input);
		daemon_turn(daemon);
	}
	buf_done(&says);
}

void
daemon_order_stop(struct daemon *daemon, struct control_request *request)
{
	order(daemon, request,
	    json_is_true(json_object_get(control_json(request), "lift")) ? "lift" : "stop");
}

void
daemon_order_lever(struct daemon *daemon, struct control_request *request)
{
	order(daemon, request, "lever");
}

/* ---- of a manager, over HTTP ---- */

void
daemon_manager_orders(void *ctx, const char *manager, const char *name, const struct json_t *body,
    reply_fn reply, void *reply_ctx)
{
	struct daemon *daemon = ctx;
	struct input input = { .manager = manager, .reply = reply, .reply_ctx = reply_ctx };
	struct buf says = { 0 };
	int status = read_order(daemon, name, body, &input, &says);

	if (status != 0) {
		struct reply no = { .status = status, .detail = says.data };

		reply(reply_ctx, &no);
	} else {
		daemon_queue(daemon, &input);
		daemon_soon(daemon);
	}
	buf_done(&says);
}
