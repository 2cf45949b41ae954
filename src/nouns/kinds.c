/* SPDX-License-Identifier: Apache-2.0
 *
 * kinds.c - the words of the policy language, in the order of their enums.
 */
#include "nouns/kinds.h"

#include "aisle/policy.h"

const char *const kind_names[KIND_COUNT] = { "offer", "recommend", "service", "retain", "remind",
	"coach", "inform", "alert" };
const char *const gate_names[GATE_COUNT] = { "none", "associate", "manager", "customer", "auto" };
const char *const offer_type_names[5] = { "percent", "amount", "fixed-price", "points",
	"free-item" };
const char *const offer_apply_names[3] = { "till-code", "lines", "barcode" };

const char *const day_names[7] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
const char *const budget_names[2] = { "store-day", "campaign" };
const char *const unit_names[4] = { "customer", "visit", "station-day", "store" };
const char *const goal_names[5] = { "none", "redeemed", "bought", "case-closed", "goal" };
