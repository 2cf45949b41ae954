/* SPDX-License-Identifier: Apache-2.0
 *
 * turn.c - the spine: inputs, one transaction, outputs.
 *
 * DESIGN
 *   Every input that is ready is applied in order; what must leave is written
 *   to the outbox in the same transaction; only after the commit may anything
 *   leave the process or be acknowledged. Beneath it are intake.c, one input,
 *   and event.c, one event through the stages.
 */
#include "spine/spine.h"

#include "core/crash.h"
#include "core/metrics.h"

int
turn_run(struct engine *engine, struct input *inputs, size_t count)
{
	int rc;

	arena_reset(engine->arena);
	engine->output_count = engine->receipt_count = 0;
	engine->failed = 0;
	if (engine->subjects_doubtful)
		engine_drop_subjects(engine);
	rc = store_begin(engine->store);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < count && engine->failed == 0; i++)
		intake(engine, &inputs[i]);
	receipts_send(engine);
	/* From here on it is the disk's work: a bug there is no input's fault. */
	crash_input(NULL, NULL);
	engine_save(engine);
	rc = engine->failed;
	if (rc == 0)
		rc = store_commit(engine->store);
	if (rc != 0) {
		store_rollback(engine->store);
		if (engine->options.on_undone != NULL)
			engine->options.on_undone(engine->options.on_decision_ctx);
		metrics_add(METRIC_COMMITS_FAILED, 1);
		return rc;
	}
	metrics_add(METRIC_TURNS, 1);
	return 0;
}
