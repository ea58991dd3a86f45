/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h  One SIP library as a filter, so that several, whose names collide, can be compared: messages come in on stdin, each behind its length in decimal and
 * a line feed; for each goes out a line that begins with ">" (libraries talk, too): "-" or what the library read, in hexadecimal, fields by blanks: method or status, Call-ID, number and method of
 * CSeq, tags of From and To, branch of the top Via, length of the body ("." for an empty one, "3f" for what the library cannot tell).                                                */
#ifndef DIFFERENTIAL_READER_H
#define DIFFERENTIAL_READER_H
#include <stddef.h>

/* Reads one message (with a NUL behind it, which isn't part of it); tells by reader_field() eight times, or reader_refused(). */
void reader_message(char *data, size_t n);
void reader_refused(void);
void reader_field(const char *p, size_t n);
void reader_number(unsigned long number);

#endif
