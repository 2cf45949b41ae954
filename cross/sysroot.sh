#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sysroot.sh ARCH DIR - Debian 12's libraries of another architecture in a folder, once; the host's packages stay untouched.
set -e
[ -e "$2/usr/include/mosquitto.h" ] && exit 0
mkdir -p "$(dirname "$2")"
rm -rf "$2"
sources=/etc/apt/sources.list.d/debian.sources
[ -e "$sources" ] || sources=/etc/apt/sources.list
mmdebstrap --quiet --variant=extract --architectures="$1" \
	--include=libmosquitto-dev,libsqlite3-dev,libsodium-dev,libevent-dev,libjansson-dev,libinih-dev,libzstd-dev,libssl-dev,libcmocka-dev,libc6-dev \
	bookworm "$2" "$sources"
# Absolute links inside would point at the host.
find "$2/usr/lib" -lname '/*' | while read -r link; do
	ln -snf "$2$(readlink "$link")" "$link"
done
