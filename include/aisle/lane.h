/* SPDX-License-Identifier: Apache-2.0
 *
 * lane.h - the orders that records go to headquarters in; each is counted for itself.
 */
#ifndef AISLE_LANE_H
#define AISLE_LANE_H

enum lane { LANE_CONSENT, LANE_MONEY, LANE_DECISION, LANE_TELEMETRY, LANE_COUNT };
extern const char *const lane_names[LANE_COUNT];

#endif
