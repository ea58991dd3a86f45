/* SPDX-License-Identifier: Apache-2.0 */
/* rand.c  getrandom(2) with a small reserve, so that a tag costs no system call of its own. */
#include "base/rand.h"
#include <errno.h>
#include <sys/random.h>
#include "base/mem.h"

static _Thread_local uint8_t reserve[256];
static _Thread_local size_t left;

static int fill(void *p, size_t n)
{
	uint8_t *at = p;
	while (n) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return errno ? errno : EIO;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

int rand_bytes(void *p, size_t n)
{
	if (n > 64)
		return fill(p, n);
	if (left < n) {
		int err = fill(reserve, sizeof reserve);
		if (err)
			return err;
		left = sizeof reserve;
	}
	uint8_t *from = reserve + sizeof reserve - left;
	memcpy(p, from, n);
	mem_wipe(from, n); /* what was given once is nowhere else */
	left -= n;
	return 0;
}

uint32_t rand_u32(void)
{
	uint32_t v;
	if (rand_bytes(&v, sizeof v))
		abort();
	return v;
}

uint64_t rand_u64(void)
{
	uint64_t v;
	if (rand_bytes(&v, sizeof v))
		abort();
	return v;
}

uint32_t rand_below(uint32_t n)
{
	uint32_t over = (uint32_t)(-n) % n, v; /* 2^32 mod n: what would favour the small numbers */
	do
		v = rand_u32();
	while (v < over);
	return v % n;
}

void rand_token(char *dst, size_t n)
{
	static const char set[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	enum { MOST = 256 / 36 * 36 }; /* bytes above would favour the first letters */
	uint8_t bytes[16];
	for (size_t i = 0; i < n;) {
		if (rand_bytes(bytes, sizeof bytes))
			abort();
		for (size_t k = 0; k < sizeof bytes && i < n; k++)
			if (bytes[k] < MOST)
				dst[i++] = set[bytes[k] % 36];
	}
	mem_wipe(bytes, sizeof bytes);
	dst[n] = '\0';
}
