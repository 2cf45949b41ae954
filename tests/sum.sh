#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sum.sh RESULTS … - adds up what run.sh wrote; non-zero on any failure, or when nothing ran.
cat "$@" 2>/dev/null | awk '{ passed += $2; failed += $3; if ($3 > 0) names = names " " $1 }
	END { if (names != "") print "failed:" names; printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }'
