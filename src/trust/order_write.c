/* SPDX-License-Identifier: Apache-2.0
 *
 * order_write.c - an order's manifest as text, and lists of orders taken apart.
 */
#include "trust/order.h"

#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"

void
order_write(const struct order *order, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);
	char subject[SUBJECT_TEXT_SIZE];

	json_add_int(w, "order", 1);
	json_add_str(w, "store", order->target);
	json_add_int(w, "sequence", order->sequence);
	json_add_when(w, "issued", order->issued_ms);
	json_add_when(w, "expires", order->expires_ms);
	json_add_str(w, "type", order_type_name(order->type));
	switch (order->type) {
	case ORDER_ERASE:
		subject_text(&order->subject, subject);
		json_add_str(w, "subject", subject);
		break;
	case ORDER_REVOKE: json_add_str(w, "tablet", order->object); break;
	case ORDER_STOP:
	case ORDER_LIFT: json_add_str(w, "action", order->object); break;
	case ORDER_SNAPSHOT:
	case ORDER_TYPE_COUNT: break;
	}
	json_end_all(w);
}

int
order_list_each(const char *text, size_t len, size_t most, const char *name, order_each_fn each,
    void *ctx, enum refusal *ret_refusal, struct err *err)
{
	struct err why = { 0 };
	json_t *list;

	if (len == 0)
		return 0;
	if (len > ORDERS_BYTES_MAX)
		return refusal_say(REFUSED_MALFORMED, ret_refusal, err,
		    "%s: %zu bytes, expected at most %u", name, len, ORDERS_BYTES_MAX);
	list = json_read(text, len, name, &why);
	if (!json_is_array(list) || json_array_size(list) > most) {
		json_decref(list);
		return refusal_say(REFUSED_MALFORMED, ret_refusal, err,
		    "%s: expected a JSON list of at most %zu orders", name, most);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct buf one = { 0 };

		/* As json_write.c has it, which is how an envelope is spelled. */
		json_write(json_array_get(list, i), &one);
		each(ctx, one.data, one.len, i);
		buf_done(&one);
	}
	json_decref(list);
	return 0;
}

void
order_list_add(struct buf *list, const char *envelope, size_t len)
{
	while (len > 0 && envelope[len - 1] == '\n')
		len--;
	if (list->len == 0)
		buf_addc(list, '[');
	else
		list->data[list->len - 1] = ',';
	buf_add(list, envelope, len);
	buf_addc(list, ']');
}
