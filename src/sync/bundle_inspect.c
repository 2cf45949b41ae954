/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_inspect.c - what is in a bundle, for people and as JSON; and its exam.
 */
#include "sync/bundle_internal.h"

#include <inttypes.h>
#include <string.h>

#include "core/json_write.h"
#include "policy/policy_tables.h"
#include "sync/catalog.h"

static void
add_action(const struct action *action, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_str(w, "action", action->id);
	json_add_str(w, "kind", NAME_OF(kind_names, action->kind));
	json_add_str(w, "group", action->group);
	json_add_str(w, "issue", action->issue);
	json_add_bool(w, "mandatory", action->mandatory);
	json_add_bool(w, "personal", action->personal);
	json_add_str(w, "gate", NAME_OF(gate_names, action->gate));
	json_add_int(w, "treatments", (int64_t)action->treatment_count);
	json_end(w);
}

static void
add_table(enum family family, const struct table *table, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_str(w, "table", NAME_OF(family_names, family));
	json_add_str(w, "kind", NAME_OF(table_kind_names, table_kind(table)));
	json_add_int(w, "level", table_level(table));
	json_add_int(w, "items", table_count(table));
	json_add_int(w, "neighbours", table_cells(table));
	json_add_int(w, "baskets", table_baskets(table));
	json_add_bool(w, "calibrated", table_steps(table) > 0);
	json_end(w);
}

static void
add_policy(const struct policy *policy, struct json_writer *w)
{
	json_add_str(w, "currency", policy->currency);
	json_add_list(w, "actions");
	for (size_t i = 0; i < policy->action_count; i++)
		add_action(&policy->actions[i], w);
	json_end(w);
	json_add_list(w, "features");
	for (size_t i = 0; i < policy->feature_count; i++)
		json_add_str(w, NULL, policy->features[i].name);
	json_end(w);
	json_add_list(w, "models");
	for (size_t i = 0; i < policy->model_count; i++)
		json_add_str(w, NULL, policy->models[i].name);
	json_end(w);
	json_add_list(w, "tables");
	for (int f = 0; f < FAMILY_COUNT; f++)
		if (policy->tables[f] != NULL)
			add_table((enum family)f, policy->tables[f]->table, w);
	json_end(w);
	json_add_list(w, "languages");
	for (size_t i = 0; i < policy->language_count; i++)
		json_add_str(w, NULL, policy->languages[i]);
	json_end(w);
	json_add_list(w, "experiments");
	for (size_t i = 0; i < policy->experiment_count; i++)
		json_add_str(w, NULL, policy->experiments[i].name);
	json_end(w);
}

static void
inspect_json(const struct bundle *bundle, const struct policy *policy, struct buf *out)
{
	const struct policy_parts *parts = bundle_parts(bundle);
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "kind", bundle_meta(bundle, "kind"));
	json_add_str(w, "name", bundle_meta(bundle, "name"));
	if (policy != NULL)
		json_add_int(w, "version", policy->version);
	else
		json_add_str(w, "version", bundle_meta(bundle, "version"));
	json_add_str(w, "hash", bundle_hash(bundle));
	json_add_int(w, "bytes", bundle_bytes(bundle));
	if (policy != NULL)
		add_policy(policy, w);
	json_add_list(w, "parts");
	for (size_t i = 0; i < parts->count; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "part", parts->part[i].name);
		json_add_int(w, "bytes", (int64_t)parts->part[i].len);
		json_end(w);
	}
	json_end_all(w);
	buf_addc(out, '\n');
}

static void
add_table_text(enum family family, const struct table *table, struct buf *out)
{
	buf_addf(out, "table     %s: %s of %u %s, %u neighbours, from %u baskets%s\n",
	    NAME_OF(family_names, family), NAME_OF(table_kind_names, table_kind(table)),
	    table_count(table), table_level(table) > 0 ? "categories" : "articles",
	    table_cells(table), table_baskets(table), table_steps(table) > 0 ? ", calibrated" : "");
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
	buf_adds(out, "\n");
	for (int f = 0; f < FAMILY_COUNT; f++)
		if (policy->tables[f] != NULL)
			add_table_text((enum family)f, policy->tables[f]->table, out);
	buf_addf(out, "actions   %zu\n", policy->action_count);
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];

		buf_addf(out, "  %-32s %-10s %-16s gate %s%s\n", action->id,
		    NAME_OF(kind_names, action->kind), action->group,
		    NAME_OF(gate_names, action->gate), action->mandatory ? ", mandatory" : "");
	}
}

void
bundle_inspect(const struct bundle *bundle, bool json, struct buf *out)
{
	struct policy *policy = NULL;
	struct buf report = { 0 };

	if (strcmp(bundle_meta(bundle, "kind"), "catalog") == 0) {
		catalog_inspect(bundle, json, out);
		return;
	}
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
