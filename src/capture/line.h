/* SPDX-License-Identifier: Apache-2.0 */
/* line.h  One packet as tshark tells of it: a line of fields, each a list of values. Outside data: nothing of it is believed, whatever is
 * malformed is refused or left out. Pure; borrows the line.                                                             */
#ifndef CAPTURE_LINE_H
#define CAPTURE_LINE_H
#include "base/text.h"

/* Control bytes, which tshark escapes in what it prints. */
enum { CAP_SEPARATOR = 0x1e, CAP_AGGREGATOR = 0x1f };

enum cap_field {
#define FIELD(id, name) CAP_##id,
#include "capture/fields.def"
#undef FIELD
	CAP_FIELDS
};
extern const char *const cap_field_names[CAP_FIELDS];

struct cap_line {
	struct text value[CAP_FIELDS]; /* empty: the packet has none */
};
/* EBADMSG when the number of fields is another. */
int cap_line_split(struct cap_line *l, struct text line);
/* The next value of a list; false at its end. */
bool cap_next(struct text *list, struct text *value);
struct text cap_first(struct text list);
struct text cap_last(struct text list);
unsigned cap_count(struct text list);
/* Decimal or 0x...; also True and False. False if it is no number or above max. */
bool cap_number(struct text t, uint64_t max, uint64_t *value);
/* "1795368850.038859897" to microseconds; false if it is not one. */
bool cap_time_us(struct text t, int64_t *us);
/* Copies what can be an IP address; false for anything else. */
bool cap_host(struct text t, char *dst, size_t size);
/* Hexadecimal to bytes, at most size; returns how many (0 for what is not hexadecimal). Colons between bytes are allowed. */
size_t cap_bytes(struct text t, uint8_t *dst, size_t size);

#endif
