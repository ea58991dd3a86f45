/* SPDX-License-Identifier: Apache-2.0 */
/* key_ways.c  One press, however often it is told. */
#include "dialogue/key_ways.h"
#include "base/text.h"

bool key_ways_counts(struct key_ways *k, enum key_way way, char digit, int64_t now_ms)
{
	uint8_t bit = (uint8_t)(1u << way);
	k->all |= bit;
	for (unsigned i = 0; i < KEY_WAYS_PRESSES; i++) { /* the oldest first: presses come in the same order by all ways */
		unsigned at = (k->at + i) % KEY_WAYS_PRESSES;
		if (k->press[at].digit != digit || now_ms - k->press[at].at_ms > KEY_WAYS_MS || k->press[at].ways & bit)
			continue;
		k->press[at].ways |= bit;
		return false;
	}
	k->press[k->at].digit = digit;
	k->press[k->at].ways = bit;
	k->press[k->at].at_ms = now_ms;
	k->at = (k->at + 1) % KEY_WAYS_PRESSES;
	return true;
}

const char *key_ways_text(const struct key_ways *k, char text[KEY_WAYS_TEXT])
{
	static const char *const names[] = { [KEY_BY_EVENT] = "event", [KEY_BY_TONE] = "tone", [KEY_BY_INFO] = "info" };
	size_t n = 0;
	text[0] = '\0';
	for (unsigned i = 0; i < KEY_WAYS; i++)
		if (k->all & 1u << i)
			n += (size_t)snprintf(text + n, KEY_WAYS_TEXT - n, "%s%s", n ? "," : "", names[i]);
	return text;
}
