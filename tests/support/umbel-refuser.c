/* SPDX-License-Identifier: Apache-2.0 */
/* umbel-refuser.c  The refusing peer as a program, for the lab and for trying things by hand. Prints its port, serves until its standard input
 * ends or SIGTERM comes.                                                                                                   */
#include <getopt.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include "support/refusing_peer.h"

static volatile sig_atomic_t over;

static void on_signal(int sig)
{
	(void)sig;
	over = 1;
}

static X509 *read_cert(const char *path)
{
	FILE *f = fopen(path, "r");
	X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	if (!x)
		fprintf(stderr, "%s: no certificate\n", path);
	return x;
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *k = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	if (!k)
		fprintf(stderr, "%s: no key\n", path);
	return k;
}

static int version(const char *s)
{
	return strcmp(s, "1.3") == 0 ? TLS1_3_VERSION : strcmp(s, "1.1") == 0 ? TLS1_1_VERSION : TLS1_2_VERSION;
}

static int usage(void)
{
	fprintf(stderr, "usage: umbel-refuser --cert FILE --key FILE [--ca FILE] [--how HOW] [--known CN,CN] [--alert N] [--status N]\n"
			"       [--header LINE] [--tls 1.2|1.3] [--suites LIST] [--no-request] [--address A] [--port N]\nHOW:");
	for (unsigned i = 0; i < REFUSE_HOWS; i++)
		fprintf(stderr, " %s", refuse_how_name((enum refuse_how)i));
	fprintf(stderr, "\n");
	return 2;
}

static bool take(struct refuser_prm *prm, int option, const char *value)
{
	switch (option) {
	case 'c': return (prm->cert = read_cert(value)) != NULL;
	case 'k': return (prm->key = read_key(value)) != NULL;
	case 'a': return (prm->ca = read_cert(value)) != NULL;
	case 'h': return refuse_how_parse(value, &prm->how);
	case 'n': prm->known = value; return true;
	case 'l': prm->alert = (unsigned)atoi(value); return true;
	case 's': prm->status = (unsigned)atoi(value); return true;
	case 'e': prm->header = value; return true;
	case 't': prm->min = prm->max = version(value); return true;
	case 'u': prm->suites = value; return true;
	case 'r': prm->no_request = true; return true;
	case 'd': prm->address = value; return true;
	case 'p': prm->port = (uint16_t)atoi(value); return true;
	default: return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cert", 1, NULL, 'c' }, { "key", 1, NULL, 'k' }, { "ca", 1, NULL, 'a' }, { "how", 1, NULL, 'h' }, { "known", 1, NULL, 'n' },
		{ "alert", 1, NULL, 'l' }, { "status", 1, NULL, 's' }, { "header", 1, NULL, 'e' }, { "tls", 1, NULL, 't' },
		{ "suites", 1, NULL, 'u' }, { "no-request", 0, NULL, 'r' }, { "address", 1, NULL, 'd' }, { "port", 1, NULL, 'p' }, { 0 },
	};
	struct refuser_prm prm = { .verbose = true, .status = 403 };
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
		if (!take(&prm, o, optarg))
			return usage();
	if (!prm.cert || !prm.key || optind < argc)
		return usage();
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGPIPE, SIG_IGN);
	struct refuser *r = refuser_start(&prm);
	printf("%u\n", refuser_port(r));
	fflush(stdout);
	while (!over) {
		struct pollfd p = { .fd = 0, .events = POLLIN };
		char byte;
		if (poll(&p, 1, 200) > 0 && read(0, &byte, 1) <= 0)
			break;
	}
	printf("%u connections, %u requests\n", refuser_connections(r), refuser_requests(r));
	refuser_stop(r);
	X509_free(prm.cert);
	X509_free(prm.ca);
	EVP_PKEY_free(prm.key);
	return 0;
}
