/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes.c - the names of the lanes, as records carry them.
 */
#include "aisle/lane.h"

const char *const lane_names[LANE_COUNT] = { "consent", "money", "decision", "telemetry" };
