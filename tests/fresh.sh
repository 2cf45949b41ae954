#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fresh.sh CLONE - an empty Debian 12 with git and make, the clone in it, and the two commands of README.md run there. As root.
#
# The demo's first page is fetched while it runs. What runs inside has process ids and mounts of its own, which end with
# it; apt inside takes this machine's mirror and proxy.
set -e
root=$(mktemp -d "${TMPDIR:-/var/tmp}/aisle-fresh-XXXXXX")
inside=
finish() {
	trap - EXIT HUP INT TERM
	[ -z "$inside" ] || kill -9 "$inside" 2>/dev/null || :
	wait
	rm -rf --one-file-system "$root"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

echo "an empty Debian 12"
sources=/etc/apt/sources.list.d/debian.sources
[ -e "$sources" ] || sources=/etc/apt/sources.list
apt-config dump | grep -E '^Acquire::(https?|Check|Retries)' >"$root.conf" || :
chmod 755 "$root"
mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates --aptopt="$root.conf" bookworm "$root" "$sources" || {
	rm -f "$root.conf"
	exit 1
}
rm -f "$root.conf"
# What every machine has, and a root made from packages has not; and as in a container, no service starts by itself.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp -r "$1" "$root/root/aisle"
echo "$(git -C "$root/root/aisle" log -1 --format='%h %s'); $(chroot "$root" dpkg-query -W | wc -l) packages"

cat >"$root/root/commands.sh" <<'INSIDE'
cd /root/aisle
minutes() {
	echo "$1: $2, $(awk "BEGIN { printf \"%.1f\", ($(date +%s) - $3) / 60 }") minutes"
}
start=$(date +%s)
make demo DEMO="--seconds 40 --once" >/root/demo.log 2>&1 &
demo=$!
while kill -0 $demo 2>/dev/null && ! grep -q '^  open  http' /root/demo.log; do sleep 1; done
page=$(sed -n 's/^  open  \(http[^ ]*\).*/\1/p' /root/demo.log)
if [ -n "$page" ] && python3 -c 'import sys, urllib.request as r; sys.exit(b"<title" not in r.urlopen(sys.argv[1]).read())' "$page"; then
	minutes "make demo, to its first page" ok "$start"
else
	bad=1
	minutes "make demo, to its first page" FAILED "$start"
fi
if wait $demo; then minutes "make demo" ok "$start"; else bad=1; fi
tail -n 12 /root/demo.log | sed 's/^/    /'
start=$(date +%s)
if make check >/root/check.log 2>&1; then done=ok; else done=FAILED bad=1; fi
grep -A 60 FAILED /root/check.log | head -n 200
tail -n 2 /root/check.log | sed 's/^/    /'
minutes "make check" $done "$start"
exit ${bad:-0}
INSIDE
unshare --mount --pid --fork --kill-child=KILL --propagation private sh -ec "
	mount -t proc proc '$root/proc'
	mount --rbind /dev '$root/dev'
	exec chroot '$root' env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		http_proxy='$http_proxy' https_proxy='$https_proxy' no_proxy='$no_proxy' sh /root/commands.sh" &
inside=$!
wait $inside && code=0 || code=$?
inside=
exit $code
