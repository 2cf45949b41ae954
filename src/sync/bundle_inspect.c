/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_inspect.c - what is in a bundle, for people and as JSON; and its exam.
 */
#include "sync/bundle_internal.h"

#include <inttypes.h>

static void
add_field(struct buf *out, const char *name, const char *value)
{
	buf_json_str(out, name);
	buf_addc(out, ':');
	buf_json_str(out, value);
	buf_addc(out, ',');
}

static void
add_action(const struct action *action, struct buf *out)
{
	buf_adds(out, "{");
	add_field(out, "action", action->id);
	add_field(out, "kind", kind_names[action->kind]);
	add_field(out, "group", action->group);
	add_field(out, "issue", action->issue);
	buf_addf(out, "\"mandatory\":%s,\"personal\":%s,", action->mandatory ? "true" : "false",
	    action->personal ? "true" : "false");
	add_field(out, "gate", gate_names[action->gate]);
	buf_addf(out, "\"treatments\":%zu}", action->treatment_count);
}

static void
add_policy(const struct policy *policy, struct buf *out)
{
	add_field(out, "currency", policy->currency);
	buf_adds(out, "\"actions\":[");
	for (size_t i = 0; i < policy->action_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		add_action(&policy->actions[i], out);
	}
	buf_adds(out, "],\"features\":[");
	for (size_t i = 0; i < policy->feature_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		buf_json_str(out, policy->features[i].name);
	}
	buf_adds(out, "],\"models\":[");
	for (size_t i = 0; i < policy->model_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		buf_json_str(out, policy->models[i].name);
	}
	buf_adds(out, "],\"languages\":[");
	for (size_t i = 0; i < policy->language_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		buf_json_str(out, policy->languages[i]);
	}
	buf_adds(out, "],\"experiments\":[");
	for (size_t i = 0; i < policy->experiment_count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		buf_json_str(out, policy->experiments[i].name);
	}
	buf_adds(out, "],");
}

static void
inspect_json(const struct bundle *bundle, const struct policy *policy, struct buf *out)
{
	const struct policy_parts *parts = bundle_parts(bundle);

	buf_addc(out, '{');
	add_field(out, "kind", bundle_meta(bundle, "kind"));
	add_field(out, "name", bundle_meta(bundle, "name"));
	buf_addf(out, "\"version\":");
	if (policy != NULL)
		buf_json_int(out, policy->version);
	else
		buf_json_str(out, bundle_meta(bundle, "version"));
	buf_addc(out, ',');
	add_field(out, "hash", bundle_hash(bundle));
	buf_addf(out, "\"bytes\":%" PRId64 ",", bundle_bytes(bundle));
	if (policy != NULL)
		add_policy(policy, out);
	buf_adds(out, "\"parts\":[");
	for (size_t i = 0; i < parts->count; i++) {
		buf_addf(out, "%s{\"part\":", i > 0 ? "," : "");
		buf_json_str(out, parts->part[i].name);
		buf_addf(out, ",\"bytes\":%zu}", parts->part[i].len);
	}
	buf_adds(out, "]}\n");
}

static void
inspect_text(const struct bundle *bundle, const struct policy *policy, struct buf *out)
{
	const struct policy_parts *parts = bundle_parts(bundle);

	buf_addf(out, "%s %s version %s\nhash      %s\nbytes     %" PRId64 "\nparts     %zu\n",
	    bundle_meta(bundle, "kind"), bundle_meta(bundle, "name"),
	    bundle_meta(bundle, "version"), bundle_hash(bundle), bundle_bytes(bundle),
	    parts->count);
	if (policy == NULL)
		return;
	buf_addf(out, "currency  %s\nlanguages", policy->currency);
	for (size_t i = 0; i < policy->language_count; i++)
		buf_addf(out, " %s", policy->languages[i]);
	buf_addf(out, "\nfeatures  %zu\nmodels   ", policy->feature_count);
	for (size_t i = 0; i < policy->model_count; i++)
		buf_addf(out, " %s", policy->models[i].name);
	buf_addf(out, "\nactions   %zu\n", policy->action_count);
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];

		buf_addf(out, "  %-32s %-10s %-16s gate %s%s\n", action->id,
		    kind_names[action->kind], action->group, gate_names[action->gate],
		    action->mandatory ? ", mandatory" : "");
	}
}

void
bundle_inspect(const struct bundle *bundle, bool json, struct buf *out)
{
	struct policy *policy = NULL;
	struct buf report = { 0 };

	/* One that does not compile is still shown, without what only a policy knows. */
	if (bundle_policy(bundle, &policy, &report) != 0)
		policy = NULL;
	if (json)
		inspect_json(bundle, policy, out);
	else
		inspect_text(bundle, policy, out);
	if (policy == NULL && !json)
		buf_addf(out, "it does not compile:\n%s", report.data != NULL ? report.data : "");
	policy_free(policy);
	buf_done(&report);
}

int
bundle_examine_policy(const struct bundle *bundle, const struct policy *policy, struct buf *report,
    struct err *err)
{
	int status = exam_margins(policy, bundle_parts(bundle), report, err);

	if (status == 0 && exam_ladders(policy, bundle_parts(bundle), report) != 0)
		status = err_set(err, AISLE_E_REFUSED,
		    "p1 falls with the depth of a ladder, expected it never to");
	return status;
}

int
bundle_examine(const struct bundle *bundle, struct buf *report, struct err *err)
{
	struct policy *policy;
	int status;

	if (bundle_policy(bundle, &policy, report) != 0)
		return err_set(err, AISLE_E_REFUSED,
		    "the policy does not compile, expected no mistakes");
	status = bundle_examine_policy(bundle, policy, report, err);
	policy_free(policy);
	return status;
}
