/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.c  Private keys are in this process for good; they must not leave it by accident. Four walls, each good when another falls:
 *
 *   - no core file (RLIMIT_CORE), and none by a handler that the kernel pipes to either (not dumpable);
 *   - should one be written all the same, no page of ours is in it (coredump_filter);
 *   - OpenSSL's long-lived private numbers lie in its secure heap, which is locked, guarded and marked MADV_DONTDUMP; but for the primes of an RSA
 *     key, of which its arithmetic keeps copies elsewhere (BN_MONT_CTX), so the other walls must stand;
 *   - what OpenSSL and jansson give back to the heap is wiped: PEM, DER and JSON texts leave no copies behind.                   */
#include <fcntl.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "server/server.h"
#include "server/server_private.h"

/* Ephemeral keys of handshakes come from there too: some hundred bytes each. Touched only as far as it is used. */
enum { HEAP_BYTES = 4 << 20, HEAP_LEAST = 32 };

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

static bool cores_allowed;

static void wiping_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void ssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wiping_free(p);
}

static void *ssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(n);
}

/* realloc(3) may leave the old bytes where they were. */
static void *ssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	size_t had = p ? malloc_usable_size(p) : 0;
	if (p && n && n <= had)
		return p;
	void *now = n ? malloc(n) : NULL;
	if (now && p)
		memcpy(now, p, had);
	if (now || !n)
		wiping_free(p);
	return now;
}

/* /proc/self is root's once the process is not dumpable: this comes first. */
static void no_page_in_cores(void)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "0\n", 2) != 2) {
		/* an old kernel: the other walls stand */
	}
	close(fd);
}

void server_keep_secrets(bool allow_cores)
{
	struct rlimit none = { 0, 0 };
	cores_allowed = allow_cores;
	(void)CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free);
	json_set_alloc_funcs(malloc, wiping_free);
	(void)CRYPTO_secure_malloc_init(HEAP_BYTES, HEAP_LEAST);
	if (allow_cores)
		return;
	setrlimit(RLIMIT_CORE, &none);
	no_page_in_cores();
}

void server_not_dumpable(void)
{
#ifndef UNDER_ASAN /* its search for leaks is a debugger's work */
	if (!cores_allowed)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
