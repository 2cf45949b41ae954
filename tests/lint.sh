#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# lint.sh - what must stay true of the source, checked by looking at it.
bad=0
fail() {
	echo "lint: $1"
	bad=1
}
# Who calls whom, and that the middle asks nothing of the world: read from the objects.
/usr/bin/python3 tests/rooms.py "${BUILD:-build}" || bad=1
# What the mutants' list of equivalents speaks of is there.
/usr/bin/python3 tests/mutants.py --stale || bad=1
# libm differs in its last bit between machines; sqrt alone is exact everywhere, by IEEE 754.
found=$(grep -rnE '\b(exp|log|pow|exp2|log2)f?\(' src/nouns src/logic src/score src/policy src/decide src/session src/profile src/learn src/spine | grep -vE '/\*|^[^:]*:[0-9]+:[[:space:]]*\*|"')
[ -z "$found" ] ||
	fail "the engine has its own exp and log (core/fmath.h)"
# The tables of core/unicode.c are made from Unicode's data.
/usr/bin/python3 tests/unicode_table.py --check || bad=1
# JSON is written by core/json_write.c, which escapes: no punctuation of it in a string. Left out: the decision's
# record, which is measured, and its member that does not go up (choose.c); texts that are JSON as they stand (watch.c,
# train_folder.c) or parts of it to pack by (pack.c); what the policy's compiler says it expected.
found=$(grep -rnE '\\":|,\\"' src --include='*.[ch]' | grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/\*|\* )' |
	grep -vE '^src/(decide/record[a-z_]*|spine/choose|daemon/watch|tools/train_folder|store/pack|policy/[a-z_]*)\.[ch]:')
[ -z "$found" ] || fail "JSON by hand (core/json_write.h): $found"
# Every source says what it is and under which terms.
for f in $(git ls-files 'src/*.[ch]' 'include/*.h' 'tests/*.[ch]'); do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || fail "$f: no SPDX line"
done
# One hand: .clang-format decides. make check-ci installs the tool; where it is missing this look is left out.
if command -v clang-format >/dev/null; then
	found=$(git ls-files 'src/*.[ch]' 'include/*.h' 'tests/*.[ch]' | xargs clang-format --dry-run -Werror 2>&1 | grep -m 5 'error:')
	[ -z "$found" ] || fail "not as .clang-format has it (make format): $found"
elif [ -n "$LINT_ALL" ]; then
	fail "clang-format is not installed (make deps-ci)"
fi
found=$(ls -A | grep -vxE 'Makefile|src|include|firmware-config|systemd|models|tests|cross|docs|README.md|LICENSE|\..*|build.*')
[ -z "$found" ] || fail "something new at the root: $found"
# Each file of the spine and of its edges stands in the tables of src/README.md, and none that is gone.
found=$(git ls-files 'src/spine/*.c' 'src/daemon/*.c' | sed 's,.*/,,' | while read -r f; do grep -qF "\`$f\`" src/README.md || echo "$f"; done)
[ -z "$found" ] || fail "not in src/README.md: $found"
# The page's own words for what is not done yet are none.
found=$(git grep -nIE '\b(TODO|FIXME|XXX|HACK)\b' -- src include tests models cross systemd firmware-config ':!tests/lint.sh')
[ -z "$found" ] || fail "unfinished: $found"
exit $bad
