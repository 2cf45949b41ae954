/* SPDX-License-Identifier: Apache-2.0
 *
 * control.h - the control socket: aislectl's questions to the running store.
 *
 * One request a connection: a line of JSON {"command":…, "body":N}, then N raw
 * bytes; one line of JSON back, {"ok":true,…} or {"ok":false,"exit":77,"error":"…"}.
 */
#ifndef AISLE_DAEMON_CONTROL_H
#define AISLE_DAEMON_CONTROL_H

#include <event2/event.h>

#include "core/json.h"

#define CONTROL_LINE_MAX 65536
#define CONTROL_BODY_MAX (256u << 20)
#define CONTROL_CLIENTS_MAX 16

struct control;
struct control_request;

/* A whole request has come. Answer with control_reply or control_fail, at once or later; it is gone
 * after that. */
typedef void (*control_fn)(void *ctx, struct control_request *request);

int control_new(struct event_base *base, const char *path, const char *spool_dir, control_fn fn,
    void *ctx, struct control **ret, struct err *err) AISLE_MUST_CHECK;
void control_free(struct control *control);
/* May a socket be made there? Its folder need not be there yet: systemd makes it at the start. */
int control_check(const char *path, struct err *err) AISLE_MUST_CHECK;
/* What was asked: an object, a text member (NULL: none), the file that its body went to (NULL:
 * none; removed after the answer, unless it was moved away). */
const json_t *control_json(const struct control_request *request);
const char *control_text(const struct control_request *request, const char *name);
const char *control_body(const struct control_request *request);
/* json: an object's text, whose members come behind "ok": true; NULL: none. */
void control_reply(struct control_request *request, const char *json);
void control_fail(struct control_request *request, int exit_code, const char *error);

/* The client's side: connects, asks, waits. *ret_reply is a new reference. body_path NULL: none. */
int control_ask(const char *path, const json_t *request, const char *body_path, json_t **ret_reply,
    struct err *err) AISLE_MUST_CHECK;

#endif
