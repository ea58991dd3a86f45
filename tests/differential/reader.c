/* SPDX-License-Identifier: Apache-2.0 */
/* reader.c  The filter's loop. No library is used here: each of them defines what others do. */
#include "reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refused, fields;
static char line[1 << 20];
static size_t at;

void reader_refused(void)
{
	refused = 1;
}

void reader_field(const char *p, size_t n)
{
	if (fields++)
		line[at++] = ' ';
	if (!n)
		line[at++] = '.';
	for (size_t i = 0; i < n && at + 4 < sizeof(line); i++) {
		line[at++] = "0123456789abcdef"[(unsigned char)p[i] >> 4];
		line[at++] = "0123456789abcdef"[(unsigned char)p[i] & 15];
	}
}

void reader_number(unsigned long number)
{
	char room[24];
	int n = snprintf(room, sizeof(room), "%lu", number);

	reader_field(room, (size_t)n);
}

int main(void)
{
	char room[32];

	while (fgets(room, sizeof(room), stdin)) {
		size_t n = strtoul(room, NULL, 10);
		char *data = malloc(n + 1);

		if (!data || fread(data, 1, n, stdin) != n)
			return 2;
		data[n] = '\0';
		refused = fields = 0;
		at = 0;
		reader_message(data, n);
		free(data);
		line[at] = '\0';
		printf(">%s\n", refused ? "-" : line);
		fflush(stdout);
	}
	return 0;
}
