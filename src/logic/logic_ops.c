/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_ops.c - the operators of JsonLogic over cells.
 *
 * DESIGN
 *   json-logic-js 2.0.5 is the reference, down to its coercions: + and * read
 *   numbers with parseFloat, - / % and the comparisons with Number. Arguments
 *   that are not there are undefined, more than an operator reads are ignored.
 *   Where JavaScript would reach into a prototype (a variable "constructor")
 *   there is nothing here, and log writes nothing.
 */
#include "logic/logic_impl.h"

#include <string.h>

/* Argument i, undefined when it is not there. */
static struct cell
arg(const struct cell *args, size_t count, size_t i)
{
	return i < count ? args[i] : (struct cell){ .tag = CELL_UNDEFINED };
}

/* A path of a mapping may begin with what is around: "$" the whole message, "$i" an index, "$NAME". */
static bool
is_around(const struct logic_run *run, const char *segment, struct cell *at)
{
	json_t *named;

	if (run->around == NULL || segment[0] != '$')
		return false;
	named = json_object_get(run->around->named, segment + 1);
	if (segment[1] == '\0')
		*at = cell_of_json(run->around->whole);
	else if (strcmp(segment, "$i") == 0)
		*at = run->around->index >= 0 ? cell_number((double)run->around->index)
					      : (struct cell){ .tag = CELL_NULL };
	else if (named != NULL)
		*at = cell_of_json(named);
	else
		return false;
	return true;
}

struct cell
cell_path(struct logic_run *run, const struct cell *scope, const char *const *segments,
    size_t count, bool *ret_found)
{
	struct cell at = *scope;
	size_t i = count > 0 && is_around(run, segments[0], &at);
	*ret_found = false;
	for (; i < count; i++) {
		if (at.tag == CELL_NULL || at.tag == CELL_UNDEFINED || !run_charge(run, 1))
			return (struct cell){ .tag = CELL_NULL };
		at = cell_property(run, &at, segments[i]);
		if (at.tag == CELL_UNDEFINED)
			return (struct cell){ .tag = CELL_NULL };
	}
	*ret_found = true;
	return at;
}

/* The scope as a value: what reduce shows its body lives on the stack, so it is copied. */
static enum logic_result
whole_scope(struct logic_run *run, const struct cell *scope, struct cell *ret)
{
	*ret = *scope;
	if (scope->tag != CELL_PAIR)
		return LOGIC_OK;
	enum logic_result result = cell_list(run, scope->list, 2, ret);
	ret->tag = CELL_PAIR;
	return result;
}

static enum logic_result
fn_var(struct logic_run *run, const struct cell *name, const struct cell *dflt,
    const struct cell *scope, struct cell *ret)
{
	if (name->tag == CELL_UNDEFINED || name->tag == CELL_NULL ||
	    (name->tag == CELL_STRING && name->str[0] == '\0'))
		return whole_scope(run, scope, ret);

	char *path = arena_strdup(run_arena(run), cell_to_text(run, name));
	if (!run_charge(run, strlen(path) / LOGIC_TEXT_STEP))
		return LOGIC_LIMIT;
	struct cell at = *scope;
	bool found = true;
	for (char *dot; found && path != NULL; path = dot) {
		dot = strchr(path, '.');
		if (dot != NULL)
			*dot++ = '\0';
		const char *segment = path;
		at = cell_path(run, &at, &segment, 1, &found);
	}
	*ret = found ? at : *dflt;
	if (!found && dflt->tag == CELL_UNDEFINED)
		*ret = (struct cell){ .tag = CELL_NULL };
	return LOGIC_OK;
}

static bool
is_absent(struct logic_run *run, const struct cell *key, const struct cell *scope)
{
	struct cell none = { .tag = CELL_UNDEFINED }, name = *key, value;
	if (cell_is_list(key)) { /* a name with its default, as var takes them */
		name = cell_count(key) > 0 ? cell_at(key, 0) : none;
		if (cell_count(key) > 1)
			none = cell_at(key, 1);
	}
	if (fn_var(run, &name, &none, scope, &value) != LOGIC_OK)
		return false;
	return value.tag == CELL_NULL || (value.tag == CELL_STRING && value.str[0] == '\0');
}

static enum logic_result
fn_missing(struct logic_run *run, const struct cell *keys, size_t count, const struct cell *scope,
    struct cell *ret)
{
	if (count > 0 && cell_is_list(&keys[0])) {
		struct cell list = keys[0];
		count = cell_count(&list);
		if (!run_charge(run, count))
			return LOGIC_LIMIT;
		struct cell *copy =
		    arena_alloc(run_arena(run), (count > 0 ? count : 1) * sizeof(*copy));
		for (size_t i = 0; i < count; i++)
			copy[i] = cell_at(&list, i);
		keys = copy;
	}
	struct cell *absent =
	    arena_alloc(run_arena(run), (count > 0 ? count : 1) * sizeof(*absent));
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (is_absent(run, &keys[i], scope))
			absent[n++] = keys[i];
	return cell_list(run, absent, n, ret);
}

static enum logic_result
fn_missing_some(struct logic_run *run, const struct cell *need, const struct cell *keys,
    const struct cell *scope, struct cell *ret)
{
	size_t count = cell_is_list(keys) ? cell_count(keys) : keys->tag == CELL_UNDEFINED ? 0 : 1;
	enum logic_result result = fn_missing(run, keys, count, scope, ret);
	if (result == LOGIC_OK && (double)(count - ret->count) >= cell_to_number(run, need))
		ret->count = 0;
	return result;
}

bool
cell_in(struct logic_run *run, const struct cell *needle, const struct cell *hay)
{
	if (hay->tag == CELL_STRING) {
		const char *text = cell_to_text(run, needle);
		return hay->str[0] != '\0' && run_charge(run, strlen(hay->str) / LOGIC_TEXT_STEP) &&
		    strstr(hay->str, text) != NULL;
	}
	if (!cell_is_list(hay))
		return false;
	size_t count = cell_count(hay);
	if (!run_charge(run, count / LOGIC_TEXT_STEP))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct cell item = cell_at(hay, i);
		if (cell_same(&item, needle))
			return true;
	}
	return false;
}

static bool
is_object(const struct cell *cell)
{
	return cell->tag == CELL_MADE || (cell->tag == CELL_JSON && json_is_object(cell->json));
}

static enum logic_result
fn_cat(struct logic_run *run, const struct cell *args, size_t count, struct cell *ret)
{
	struct buf text = { 0 };
	for (size_t i = 0; i < count && run->steps >= 0; i++) {
		/* No till means "[object Object]": a basket of that name would be everybody's. */
		if (run->around != NULL && is_object(&args[i]) &&
		    cell_element_text(run, &args[i]).tag != CELL_STRING) {
			buf_done(&text);
			*ret = (struct cell){ .tag = CELL_NULL };
			return LOGIC_OK;
		}
		cell_add_text(run, &args[i], true, &text);
	}
	*ret = (struct cell){ .tag = CELL_STRING,
		.str = arena_strndup(run_arena(run), text.len > 0 ? text.data : "", text.len) };
	buf_done(&text);
	return run->steps >= 0 ? LOGIC_OK : LOGIC_LIMIT;
}

/* ToIntegerOrInfinity, kept within ±limit. */
static int64_t
to_integer(double number, int64_t limit)
{
	if (number != number)
		return 0;
	if (number >= (double)limit)
		return limit;
	return number <= (double)-limit ? -limit : (int64_t)number;
}

/* Units [first, last) of s in UTF-16. Half a surrogate pair has no UTF-8: it becomes U+FFFD. */
static void
add_units(const char *s, int64_t first, int64_t last, struct buf *out)
{
	for (int64_t at = 0; *s != '\0' && at < last;) {
		size_t bytes = 1;
		while (((unsigned char)s[bytes] & 0xc0) == 0x80)
			bytes++;
		int64_t units = (unsigned char)*s >= 0xf0 ? 2 : 1;
		if (at >= first && at + units <= last)
			buf_add(out, s, bytes);
		else if (at + units > first)
			buf_adds(out, "\xef\xbf\xbd");
		at += units;
		s += bytes;
	}
}

static enum logic_result
fn_substr(struct logic_run *run, const struct cell *source, const struct cell *start,
    const struct cell *length, struct cell *ret)
{
	const char *s = cell_to_text(run, source);
	size_t bytes = strlen(s);
	if (!run_charge(run, bytes / LOGIC_TEXT_STEP))
		return LOGIC_LIMIT;
	int64_t units = 0;
	for (const char *at = s; *at != '\0'; at++)
		units += ((unsigned char)*at & 0xc0) != 0x80 ? 1 + ((unsigned char)*at >= 0xf0) : 0;

	int64_t first = to_integer(cell_to_number(run, start), units);
	if (first < 0)
		first += units;
	int64_t last = units;
	double wanted = cell_to_number(run, length);
	if (wanted < 0) {
		/* So many units less at the end. JavaScript appends a negative length that
		 * is a text to a number, and what that makes is no number. */
		bool number = length->tag == CELL_NUMBER || length->tag == CELL_BIG;
		last = number ? first + to_integer((double)(units - first) + wanted, units) : first;
	} else if (length->tag != CELL_UNDEFINED) {
		int64_t n = to_integer(wanted, units);
		last = n < units - first ? first + n : units;
	}
	struct buf text = { 0 };
	add_units(s, first, last, &text);
	*ret = (struct cell){ .tag = CELL_STRING,
		.str = arena_strndup(run_arena(run), text.len > 0 ? text.data : "", text.len) };
	buf_done(&text);
	return LOGIC_OK;
}

static enum logic_result
fn_merge(struct logic_run *run, const struct cell *args, size_t count, struct cell *ret)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += cell_is_list(&args[i]) ? cell_count(&args[i]) : 1;
	if (!run_charge(run, total))
		return LOGIC_LIMIT;
	struct cell *all = arena_alloc(run_arena(run), (total > 0 ? total : 1) * sizeof(*all));
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (!cell_is_list(&args[i])) {
			all[n++] = args[i];
			continue;
		}
		for (size_t k = 0; k < cell_count(&args[i]); k++)
			all[n++] = cell_at(&args[i], k);
	}
	return cell_list(run, all, total, ret);
}

/* Math.max and Math.min: one NaN makes all NaN, nothing at all is the neutral infinity. */
static double
extreme(struct logic_run *run, bool largest, const struct cell *args, size_t count)
{
	double best = largest ? -__builtin_inf() : __builtin_inf();
	for (size_t i = 0; i < count; i++) {
		double number = cell_to_number(run, &args[i]);
		if (number != number || best != best)
			best = __builtin_nan("");
		else if (largest ? number > best : number < best)
			best = number;
	}
	return best;
}

static enum logic_result
fn_product(struct logic_run *run, const struct cell *args, size_t count, struct cell *ret)
{
	*ret = arg(args, count, 0);
	for (size_t i = 1; i < count; i++) /* one argument alone is returned as it is */
		*ret = cell_number(cell_to_float(run, ret) * cell_to_float(run, &args[i]));
	return LOGIC_OK;
}

static double
fn_sum(struct logic_run *run, const struct cell *args, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += cell_to_float(run, &args[i]);
	return sum;
}

static double
arithmetic(struct logic_run *run, enum logic_fn fn, const struct cell *a, const struct cell *b)
{
	double x = cell_to_number(run, a), y = cell_to_number(run, b);
	switch (fn) {
	case FN_SUB: return b->tag == CELL_UNDEFINED ? -x : x - y;
	case FN_DIV: return x / y;
	default: return number_mod(x, y);
	}
}

/* < and <= with a third argument are "between". */
static bool
ordered(struct logic_run *run, enum logic_fn fn, const struct cell *args, size_t count)
{
	struct cell a = arg(args, count, 0), b = arg(args, count, 1), c = arg(args, count, 2);
	bool holds = cell_compare(run, fn, &a, &b);
	if (c.tag == CELL_UNDEFINED || (fn != FN_LT && fn != FN_LE))
		return holds;
	return holds && cell_compare(run, fn, &b, &c);
}

static enum logic_result
call_cells(struct logic_run *run, enum logic_fn fn, const struct cell *args, size_t count,
    const struct cell *scope, struct cell *ret)
{
	struct cell a = arg(args, count, 0), b = arg(args, count, 1), c = arg(args, count, 2);
	struct cell out = a;
	enum logic_result result = LOGIC_OK;

	switch (fn) {
	case FN_EQ:
	case FN_NE:
	case FN_SAME:
	case FN_NOT_SAME:
	case FN_LT:
	case FN_LE:
	case FN_GT:
	case FN_GE: out = cell_bool(ordered(run, fn, args, count)); break;
	case FN_NOT:
	case FN_TRUTH: out = cell_bool(cell_truthy(&a) == (fn == FN_TRUTH)); break;
	case FN_MAX:
	case FN_MIN: out = cell_number(extreme(run, fn == FN_MAX, args, count)); break;
	case FN_ADD: out = cell_number(fn_sum(run, args, count)); break;
	case FN_MUL: result = fn_product(run, args, count, &out); break;
	case FN_SUB:
	case FN_DIV:
	case FN_MOD: out = cell_number(arithmetic(run, fn, &a, &b)); break;
	case FN_IN: out = cell_bool(cell_in(run, &a, &b)); break;
	case FN_MERGE: result = fn_merge(run, args, count, &out); break;
	case FN_CAT: result = fn_cat(run, args, count, &out); break;
	case FN_SUBSTR: result = fn_substr(run, &a, &b, &c, &out); break;
	case FN_LOG: break;
	case FN_NUMBER:
	case FN_ROUND:
	case FN_REPLACE:
	case FN_OBJECT: result = logic_call_mapping(run, fn, args, count, &out); break;
	case FN_VAR: result = fn_var(run, &a, &b, scope, &out); break;
	case FN_MISSING: result = fn_missing(run, args, count, scope, &out); break;
	case FN_MISSING_SOME: result = fn_missing_some(run, &a, &b, scope, &out); break;
	default: CHECK(!"not a function of cells");
	}
	if (result != LOGIC_OK || run->steps < 0)
		return result != LOGIC_OK ? result : LOGIC_LIMIT;
	*ret = out;
	return LOGIC_OK;
}

/* The sums and products of two numbers that the whole operators below would come to. */
static inline bool
two_numbers(enum logic_fn fn, double x, double y, double *ret)
{
	switch (fn) {
	case FN_ADD: *ret = 0.0 + (x == 0 ? 0 : x) + (y == 0 ? 0 : y); return true;
	case FN_SUB: *ret = x - y; return true;
	case FN_MUL: *ret = (x == 0 ? 0 : x) * (y == 0 ? 0 : y); return true;
	case FN_DIV: *ret = x / y; return true;
	case FN_MIN: *ret = y < x ? y : x; return x == x && y == y;
	case FN_MAX: *ret = y > x ? y : x; return x == x && y == y;
	default: return false;
	}
}

/* The factors of most actions: a feature times, over, plus or less than a number, or the other way round. */
bool
logic_is_pair(const struct logic *logic, size_t count)
{
	const struct insn *code = logic->code;
	double number;

	if (count != 4 || code[2].op != OP_CALL || code[2].n != 2 || code[3].op != OP_RETURN ||
	    !two_numbers((enum logic_fn)code[2].a, 1, 1, &number))
		return false;
	return (code[0].op == OP_SLOT && code[1].op == OP_CONST &&
		   logic->constants[code[1].a].tag == CELL_NUMBER) ||
	    (code[0].op == OP_CONST && code[1].op == OP_SLOT &&
		logic->constants[code[0].a].tag == CELL_NUMBER);
}

bool
logic_run_pair(const struct logic *logic, const struct logic_slots *slots, struct value *ret)
{
	const struct insn *code = logic->code;
	bool turned = code[0].op == OP_CONST;
	uint32_t slot = code[turned].a;
	double number = logic->constants[code[!turned].a].number;
	struct value value = slots->known != NULL && slots->known[slot].tag <= VALUE_JSON
	    ? slots->known[slot]
	    : slots->read(slots->ctx, slot);

	if (value.tag != VALUE_NUMBER)
		return false;
	ret->tag = VALUE_NUMBER;
	return two_numbers((enum logic_fn)code[2].a, turned ? number : value.number,
	    turned ? value.number : number, &ret->number);
}

enum logic_result
logic_call(struct logic_run *run, enum logic_fn fn, const struct cell *args, size_t count,
    const struct cell *scope, struct cell *ret)
{
	double number;

	if (count == 2 && args[0].tag == CELL_NUMBER && args[1].tag == CELL_NUMBER &&
	    two_numbers(fn, args[0].number, args[1].number, &number)) {
		*ret = cell_number(number);
		return LOGIC_OK;
	}
	return call_cells(run, fn, args, count, scope, ret);
}
