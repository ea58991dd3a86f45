/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c  Names on telephone keys (ITU-T E.161). Accents are folded to what people type; scripts without keys are left out. */
#include "directory/dir.h"

/* U+00C0 .. U+017F, what each letter is typed as; "" where there is no letter. */
static const char *const folded[] = {
	"a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y",
	"th", "ss", "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u",
	"u", "y", "th", "y", "a", "a", "a", "a", "a", "a", "c", "c", "c", "c", "c", "c", "c", "c", "d", "d", "d", "d", "e", "e", "e", "e", "e", "e", "e", "e",
	"e", "e", "g", "g", "g", "g", "g", "g", "g", "g", "h", "h", "h", "h", "i", "i", "i", "i", "i", "i", "i", "i", "i", "i", "ij", "ij", "j", "j", "k", "k",
	"k", "l", "l", "l", "l", "l", "l", "l", "l", "l", "l", "n", "n", "n", "n", "n", "n", "n", "n", "n", "o", "o", "o", "o", "o", "o", "oe", "oe", "r", "r",
	"r", "r", "r", "r", "s", "s", "s", "s", "s", "s", "s", "s", "t", "t", "t", "t", "t", "t", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u",
	"w", "w", "y", "y", "y", "z", "z", "z", "z", "z", "z", "s",
};

static char key_of(char c)
{
	/*                          abcdefghijklmnopqrstuvwxyz */
	static const char keys[] = "22233344455566677778889999";
	c = text_lower(c);
	if (c >= 'a' && c <= 'z')
		return keys[c - 'a'];
	return c >= '0' && c <= '9' ? c : 0;
}

/* What the character at p is typed as; *len bytes are used. */
static const char *typed(const uint8_t *p, size_t n, size_t *len, char one[2])
{
	*len = 1;
	if (p[0] < 0x80) {
		one[0] = (char)p[0];
		return one;
	}
	if ((p[0] & 0xe0) == 0xc0 && n > 1 && (p[1] & 0xc0) == 0x80) {
		unsigned u = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
		*len = 2;
		if (u >= 0xc0 && u - 0xc0 < sizeof folded / sizeof folded[0])
			return folded[u - 0xc0];
	}
	return "";
}

void dir_keys_of(struct text name, char *dst, size_t size)
{
	size_t n = 0, len;
	char one[2] = { 0 };
	for (size_t i = 0; i < name.n; i += len)
		for (const char *s = typed((const uint8_t *)name.p + i, name.n - i, &len, one); *s; s++) {
			char k = key_of(*s);
			if (k && n + 1 < size)
				dst[n++] = k;
		}
	dst[n] = 0;
}
