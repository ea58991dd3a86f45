/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.c  What a full mutual TLS handshake costs at the accepting end, without any network: the limit for a connection a call.
 *
 *   handshake CERT KEY CA [COUNT]     prints microseconds of CPU a handshake at the accepting end, then at the connecting one */
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static SSL_CTX *context(const SSL_METHOD *method, char **files)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, files[0]) != 1 || SSL_CTX_use_PrivateKey_file(ctx, files[1], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, files[2], NULL) != 1) {
		fprintf(stderr, "handshake: the certificates cannot be used\n");
		exit(1);
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	return ctx;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: handshake CERT KEY CA [COUNT]\n");
		return 2;
	}
	SSL_CTX *server = context(TLS_server_method(), argv + 1), *client = context(TLS_client_method(), argv + 1);
	int count = argc > 4 ? atoi(argv[4]) : 1000;
	int64_t of[2] = { 0, 0 };
	for (int i = 0; i < count; i++) {
		BIO *here, *there;
		int64_t at = cpu_ns();
		SSL *end[2] = { SSL_new(server), SSL_new(client) };
		if (!end[0] || !end[1] || BIO_new_bio_pair(&here, 1 << 16, &there, 1 << 16) != 1)
			return 1;
		SSL_set_bio(end[0], here, here);
		SSL_set_bio(end[1], there, there);
		SSL_set_accept_state(end[0]);
		SSL_set_connect_state(end[1]);
		of[0] += (cpu_ns() - at) / 2;
		for (int turn = 0; turn < 20 && !(SSL_is_init_finished(end[0]) && SSL_is_init_finished(end[1])); turn++) {
			int who = !(turn & 1);
			at = cpu_ns();
			int r = SSL_do_handshake(end[who]), e = r == 1 ? 0 : SSL_get_error(end[who], r);
			of[who] += cpu_ns() - at;
			if (e && e != SSL_ERROR_WANT_READ) {
				fprintf(stderr, "handshake: it fails\n");
				return 1;
			}
		}
		at = cpu_ns();
		SSL_free(end[0]);
		of[0] += cpu_ns() - at;
		SSL_free(end[1]);
	}
	printf("%.1f %.1f\n", (double)of[0] / count / 1000, (double)of[1] / count / 1000);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return 0;
}
