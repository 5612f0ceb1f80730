/*
 * core/base/emulator.h - whose programs the kernel hands to an emulator (binfmt_misc).
 *
 * Nothing is run to find out: an entry that is enabled by the name that packages of QEMU
 * give it is taken for one that works. Thread: any.
 */
#ifndef SLIPWAY_CORE_BASE_EMULATOR_H
#define SLIPWAY_CORE_BASE_EMULATOR_H

#include <slipway/array.h>

/** sw__emulated - adds their platforms to @out: "linux/arm64". */
SW_API void sw__emulated(sw_strlist *out);

#endif
