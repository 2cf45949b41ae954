# SPDX-License-Identifier: Apache-2.0
# make CROSS=arm64: a 64-bit ARM gateway, against the sysroot that cross/sysroot.sh made; tests run under qemu.
TRIPLE = aarch64-linux-gnu
QEMU = qemu-aarch64-static
include cross/common.mk
