# SPDX-License-Identifier: Apache-2.0
SYSROOT = $(CURDIR)/build/sysroot/$(CROSS)
CC = $(TRIPLE)-gcc
AR = $(TRIPLE)-ar
OBJCOPY = $(TRIPLE)-objcopy
export PKG_CONFIG_SYSROOT_DIR = $(SYSROOT)
export PKG_CONFIG_LIBDIR = $(SYSROOT)/usr/lib/$(TRIPLE)/pkgconfig:$(SYSROOT)/usr/share/pkgconfig
ARCH_CFLAGS = --sysroot=$(SYSROOT)
ARCH_LDFLAGS = --sysroot=$(SYSROOT) -L$(SYSROOT)/usr/lib/$(TRIPLE) \
	-Wl,-rpath-link,$(SYSROOT)/usr/lib/$(TRIPLE):$(SYSROOT)/lib/$(TRIPLE)
RUN = $(QEMU) -L $(SYSROOT)
