/* SPDX-License-Identifier: Apache-2.0
 *
 * unicode.h - texts that mean the same, in one writing: NFC, case folding, trimming.
 *
 * Pure and the same on every machine: its tables are its own. What is not UTF-8 is kept as it
 * stands, byte by byte.
 */
#ifndef AISLE_CORE_UNICODE_H
#define AISLE_CORE_UNICODE_H

#include "core/arena.h"

/* Composed (NFC), without white space around it. In arena, or text itself where nothing changes;
 * NULL for NULL. */
const char *unicode_nfc(struct arena *arena, const char *text);
/* As it compares: NFC of the full case folding (C and F of CaseFolding.txt), without white space
 * around it. */
const char *unicode_key(struct arena *arena, const char *text);
/* The same for a path of names joined by slashes: none has white space around it, and empty ones
 * are gone. */
const char *unicode_path_key(struct arena *arena, const char *path);

#endif
