/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.c - what stores learned by a bundle, added up from what collect wrote.
 */
#include "tools/merge.h"

#include "aisle/policy.h"
#include "hq/reading.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"

static const char *
group_of(void *ctx, const char *action)
{
	const struct action *found = policy_action(ctx, action);

	return found != NULL ? found->group : NULL;
}

static int
read_all(const char *from, struct merged *merged, struct err *err)
{
	int rc = reading(from, "telemetry", "learner", merged_look, merged, err);

	if (rc != 0)
		return rc;
	merged_judge(merged);
	rc = reading(from, "telemetry", "learner", merged_take, merged, err);
	if (rc != 0)
		return rc;
	merged_conclude(merged);
	if (merged->full)
		return err_set(err, AISLE_E_INVALID,
		    "%s: over %d records, %d stores, %d weeks or %d cells, expected fewer", from,
		    MERGED_RECORDS_MAX, MERGED_STORES_MAX, MERGED_WEEKS_MAX, CELLS_MAX);
	if (merged->week_count == 0)
		return err_set(err, AISLE_E_INVALID,
		    "%s: no store has learned by this bundle, expected records of type learner",
		    from);
	return 0;
}

int
merge_run(const char *from, const char *bundle_path, struct buf *ret_json, struct buf *ret_text,
    struct err *err)
{
	struct merged merged = { .group = group_of };
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf said = { 0 };
	int rc = bundle_open(bundle_path, "policy", &bundle, err);

	if (rc == 0 && bundle_policy(bundle, &policy, &said) != 0)
		rc = err_set(err, AISLE_E_INVALID, "%s: its policy has mistakes", bundle_path);
	if (rc == 0) {
		merged.bundle = bundle_hash(bundle);
		merged.ctx = policy;
		rc = read_all(from, &merged, err);
	}
	if (rc == 0) {
		merged_json(&merged, ret_json);
		merged_text(&merged, ret_text);
	}
	merged_done(&merged);
	policy_free(policy);
	bundle_close(bundle);
	buf_done(&said);
	return rc;
}
