/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_edges.c - what the edges see of the engine, and tell it between two turns.
 */
#include "spine/spine.h"

#include "ingest/rate.h"

struct store *
engine_store(const struct engine *engine)
{
	return engine->store;
}

struct keys *
engine_keys(const struct engine *engine)
{
	return engine->keys;
}

const struct zone *
engine_zone(const struct engine *engine)
{
	return engine->zone;
}

const struct policy *
engine_policy(const struct engine *engine)
{
	return engine->policy;
}

const char *
engine_topic_root(const struct engine *engine)
{
	return engine->topic_root;
}

int64_t
engine_now(const struct engine *engine)
{
	return engine->now_ms;
}

int64_t
engine_day_end(const struct engine *engine)
{
	/* The next one begins within a day and a lost or doubled hour. */
	return engine_day_start(engine, engine_day_start(engine, engine->now_ms) + 30 * H_MS);
}

size_t
engine_visit_count(const struct engine *engine)
{
	return sessions_count(engine->sessions);
}

const char *const *
engine_stopped(const struct engine *engine, size_t *ret_count)
{
	*ret_count = engine->stopped_count;
	return (const char *const *)engine->stopped;
}

const struct stop *
engine_stop(const struct engine *engine, size_t i)
{
	return &engine->stops[i];
}

const struct output *
engine_outputs(const struct engine *engine, size_t *ret_count)
{
	*ret_count = engine->output_count;
	return engine->outputs;
}

void
engine_set_profiles(struct engine *engine, profile_get_fn get, void *ctx)
{
	engine->profile_get = get;
	engine->profile_ctx = ctx;
}

void
engine_set_terminal_rate(struct engine *engine, int per_second)
{
	rate_set(engine->rates, per_second);
}

void
engine_set_time_uncertain(struct engine *engine, bool uncertain)
{
	engine->time_uncertain = uncertain;
}

void
engine_set_poison(struct engine *engine, const struct crash *poison)
{
	engine->poison = poison;
}

void
engine_show_sources(struct engine *engine, uint32_t types, sources_fn fn, void *ctx)
{
	engine->sources_on = types;
	engine->on_sources = fn;
	engine->on_sources_ctx = ctx;
}

void
engine_show_returns(struct engine *engine, returned_fn fn, void *ctx)
{
	engine->on_returned = fn;
	engine->on_returned_ctx = ctx;
}
