/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt_packet.h - is a packet one that a broker may send us? Asked before the library sees it.
 */
#ifndef AISLE_INGEST_MQTT_PACKET_H
#define AISLE_INGEST_MQTT_PACKET_H

#include "aisle/base.h"

/* The largest that we tell the broker to send, and what we take: mosquitto does not count the first byte. */
#define MQTT_PACKET_BYTES_TOLD (128 * 1024)
#define MQTT_PACKET_BYTES_MAX (MQTT_PACKET_BYTES_TOLD + 1)

/* The first packet of bytes as they came. Its bytes; 0: it is not whole yet; negative: it is refused,
 * *ret_why says what it is (a literal). *greeted: the broker's CONNACK has come; kept by the caller, who
 * begins with false. */
int64_t mqtt_packet_check(const uint8_t *bytes, size_t len, bool *greeted, const char **ret_why)
    AISLE_MUST_CHECK;

#endif
