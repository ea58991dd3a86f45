/* SPDX-License-Identifier: Apache-2.0 */
/* csv.h  Tables as spreadsheets write them (RFC 4180): commas or semicolons, quotes, line feeds within quotes, a byte order mark. Pure. */
#ifndef CLI_CSV_H
#define CLI_CSV_H
#include <stdbool.h>
#include "base/buf.h"

enum { CSV_FIELDS = 64, CSV_FIELD_BYTES = 4096 };
struct csv {
	struct text rest;
	unsigned line; /* of the record that comes next; 1-based */
	char separator;
	char bytes[CSV_FIELDS * 256]; /* of the record read last */
	struct text field[CSV_FIELDS];
	unsigned n, at_line;
	const char *wrong; /* after EINVAL */
	unsigned wrong_column;
};
/* The separator is what the first line has more of. */
void csv_begin(struct csv *c, struct text all);
/* The next record that is not empty, in c->field. 0; ENOENT: no more; EINVAL. */
int csv_next(struct csv *c);
/* Appends a field, quoted where it must be. A cell that a spreadsheet would take for a formula gets an apostrophe in front. */
int csv_put(struct buf *out, const char *field, bool first);

#endif
