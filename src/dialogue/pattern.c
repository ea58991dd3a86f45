/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c  Whether keys and words are those of a row. */
#include "dialogue/engine.h"

int dlg_pattern(const char *pattern, const char *keys, unsigned n)
{
	unsigned took = 0;
	for (const char *p = pattern; *p; p++) {
		if (*p == ' ')
			continue;
		if (took == n)
			return -1;
		char k = keys[took];
		if (*p == 'x' ? k < '0' || k > '9' : k != *p)
			return 0;
		took++;
	}
	return (int)took;
}

bool dlg_spoken(const char *spoken, struct text words)
{
	for (struct text one, rest = text_of(spoken); rest.n;) {
		(void)text_cut(rest, '|', &one, &rest);
		if (text_eq_nocase(one, words))
			return true;
	}
	return false;
}
