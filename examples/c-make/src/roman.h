/* roman.h - numbers as the Romans wrote them. */
#ifndef ROMAN_H
#define ROMAN_H

#define ROMAN_MAX  3999
#define ROMAN_SIZE 16 /* MMMDCCCLXXXVIII and the end */

/* Writes n, 1 to ROMAN_MAX, into out; -1 where that cannot be. */
int roman_write(unsigned n, char out[ROMAN_SIZE]);

/* What text says, 0 where it is no such number. */
unsigned roman_read(const char *text);

#endif
