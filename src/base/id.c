/* SPDX-License-Identifier: Apache-2.0 */
/* id.c  Ids that sort by time. */
#include "base/id.h"
#include "base/rand.h"

static const char set[] = "0123456789abcdefghjkmnpqrstvwxyz";

void id_make(char id[ID_SIZE], const struct um_clock *clock)
{
	uint64_t ms = (uint64_t)(clock_real_us(clock) / 1000);
	for (int i = 9; i >= 0; i--, ms >>= 5)
		id[i] = set[ms & 31];
	for (int i = 10; i < ID_CHARS; i += 8) {
		uint64_t bits = rand_u64();
		for (int k = 0; k < 8; k++, bits >>= 5)
			id[i + k] = set[bits & 31];
	}
	id[ID_CHARS] = '\0';
}

bool id_valid(struct text t)
{
	if (t.n != ID_CHARS)
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (!t.p[i] || !strchr(set, t.p[i]))
			return false;
	return true;
}
