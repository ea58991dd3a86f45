/* SPDX-License-Identifier: Apache-2.0 */
/* ossl.c  Counted memory of OpenSSL; workers run handshakes, so the counts are atomic. */
#include "ossl.h"
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LARGE = 16384 };

static atomic_uint held;
static atomic_ulong taken;

static void *count(void *p)
{
	if (p && malloc_usable_size(p) >= LARGE) {
		held++;
		taken++;
	}
	return p;
}

static void discount(void *p)
{
	if (p && malloc_usable_size(p) >= LARGE)
		held--;
}

static void *take(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return count(malloc(n));
}

static void give_back(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	discount(p);
	free(p);
}

static void *take_anew(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	discount(p);
	return count(realloc(p, n));
}

__attribute__((constructor)) static void begin(void)
{
	if (!CRYPTO_set_mem_functions(take, take_anew, give_back))
		abort();
}

unsigned ossl_large(void)
{
	return held;
}

unsigned long ossl_large_taken(void)
{
	return taken;
}
