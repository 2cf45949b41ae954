#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh RESULTS NAME COMMAND … - runs one test program, keeps its output, counts its tests.
# RESULTS gets a line "NAME passed failed". A program's tests are counted from cmocka's
# lines, or from a last line "N passed, N failed"; one that says neither counts as one.
results=$1
name=$2
shift 2
mkdir -p "$(dirname "$results")/log/$(dirname "$name")"
log=$(dirname "$results")/log/$name.log
start=$(date +%s)
"$@" >"$log" 2>&1
code=$?
took=$(($(date +%s) - start))
passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
failed=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p; s/^ *\([0-9]*\) FAILED TEST.*/\1/p' "$log" | tail -n 1)
if [ -z "$passed" ]; then
	passed=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed.*/\1/p' "$log" | tail -n 1)
	failed=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed.*/\1/p' "$log" | tail -n 1)
fi
: "${passed:=$((code == 0))}" "${failed:=0}"
if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
	failed=1
fi
echo "$name $passed $failed" >>"$results"
if [ "$failed" -eq 0 ]; then
	printf '  ok      %-40s %4s tests %4s s\n' "$name" "$passed" "$took"
else
	printf '  FAILED  %-40s %4s failed (exit %s); its output:\n' "$name" "$failed" "$code"
	tail -n 60 "$log" | sed 's/^/    /'
fi
# A failed test does not stop the others: the sum says so at the end.
exit 0
