# SPDX-License-Identifier: Apache-2.0
# make CROSS=armhf: a 32-bit ARM gateway (ARMv7, hardware floating point); tests run under qemu.
TRIPLE = arm-linux-gnueabihf
QEMU = qemu-arm-static
include cross/common.mk
