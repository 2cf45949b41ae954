#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sysroot.sh ARCH DIR - Debian 12's libraries of another architecture in a folder, once; the host's packages stay untouched.
set -e
# What was added last: a sysroot of before is made anew.
[ -e "$2/usr/include/nats/nats.h" ] && exit 0
mkdir -p "$(dirname "$2")"
rm -rf "$2" "$2.part"
# The main archive alone: a sysroot is for building and testing, and one mirror less can be half updated.
sources=$(dirname "$2")/$1.sources
if [ -e /etc/apt/sources.list.d/debian.sources ]; then
	awk 'BEGIN { RS = ""; ORS = "\n\n" } !/-security/' /etc/apt/sources.list.d/debian.sources >"$sources"
else
	sources=$(dirname "$2")/$1.list
	grep -v -- -security /etc/apt/sources.list >"$sources"
fi
mmdebstrap --quiet --variant=extract --architectures="$1" \
	--include=libexpat1-dev,libmosquitto-dev,libsqlite3-dev,libsodium-dev,libevent-dev,libjansson-dev,libzstd-dev,libssl-dev,libpq-dev,libnats-dev,libcmocka-dev,libc6-dev \
	bookworm "$2.part" "$sources"
# Absolute links inside would point at the host: from where they are, then, wherever the folder is.
mv "$2.part" "$2"
find "$2/usr/lib" -lname '/*' | while read -r link; do
	ln -snrf "$2$(readlink "$link")" "$link"
done
