/* lib/dockerfile/letter.h - what names of variables are made of. Private. Pure. */
#ifndef SLIPWAY_LIB_DOCKERFILE_LETTER_H
#define SLIPWAY_LIB_DOCKERFILE_LETTER_H

#include <stddef.h>

/** sw_df_letter - bytes of the letter, digit or _ at @s[0], n >= 1; 0: it is none. Letters
 *  of all scripts count, their punctuation, symbols and pictures do not. */
size_t sw_df_letter(const char *s, size_t n);

#endif
