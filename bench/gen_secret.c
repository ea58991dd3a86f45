/* SPDX-License-Identifier: Apache-2.0 */
/* gen_secret.c  Encrypted sound: each call has a key of its own, said in its offer (RFC 4568), and opens what comes with the key of the answer. What
 * cannot be opened is counted: it was not sealed with that key, or not at all. The ciphers are those of the server (media/srtp.h), which its tests
 * hold against another implementation; another one here would cost the generator more than all the rest. */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include "base/mem.h"
#include "gen.h"

enum { LINE = 160 };

static void say(char *line, size_t size, const struct srtp_key *key)
{
	char text[SRTP_KEY_MAX / 3 * 4 + 8];
	EVP_EncodeBlock((uint8_t *)text, key->bytes, (int)srtp_suite_bytes(key->suite));
	snprintf(line, size, "a=crypto:1 %s inline:%s\r\n", srtp_suite_name(key->suite), text);
}

size_t gen_secret_offer(struct gen_call *c, char *line, size_t size)
{
	*line = '\0';
	if (!gen_opt.suite)
		return 0;
	if (!c->key.suite) {
		c->key.suite = gen_opt.suite;
		if (RAND_bytes(c->key.bytes, SRTP_KEY_MAX) != 1)
			gen_die("random numbers");
	}
	say(line, size, &c->key);
	return strlen(line);
}

/* "a=crypto:1 SUITE inline:KEY" of the answer. */
static bool hear(const char *sdp, struct srtp_key *key)
{
	uint8_t bytes[SRTP_KEY_MAX + 8];
	const char *line = strstr(sdp, "\na=crypto:1 "), *text = line ? strstr(line, "inline:") : NULL;
	const char *name = srtp_suite_name(gen_opt.suite);
	if (!text || strncmp(line + 12, name, strlen(name)) != 0)
		return false;
	size_t n = strcspn(text + 7, "|\r\n "), want = srtp_suite_bytes(gen_opt.suite);
	if (n != (want + 2) / 3 * 4 || EVP_DecodeBlock(bytes, (const uint8_t *)text + 7, (int)n) < (int)want)
		return false;
	*key = (struct srtp_key){ .suite = gen_opt.suite };
	memcpy(key->bytes, bytes, want);
	return true;
}

bool gen_secret_answered(struct gen_call *c, const char *sdp)
{
	struct srtp_key theirs;
	if (!gen_opt.suite)
		return true;
	if (!hear(sdp, &theirs))
		return false;
	if (srtp_new(&c->seal, &c->key, true) || srtp_new(&c->open, &theirs, false))
		gen_die("SRTP");
	return true;
}

void gen_secret_close(struct gen_call *c)
{
	c->seal = mem_unref(c->seal);
	c->open = mem_unref(c->open);
}
