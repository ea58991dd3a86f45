/* SPDX-License-Identifier: Apache-2.0 */
/* pin.c  Rules and hashing; pure. The costs of Argon2id are those that OWASP names for interactive use (19 MiB, two passes). */
#include "directory/pin.h"
#include <argon2.h>
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"

enum { SALT = 16, HASH = 32, MEMORY_KIB = 19456, PASSES = 2 };

static bool repeats(struct text pin)
{
	for (size_t period = 1; period <= pin.n / 2; period++) {
		size_t i = period;
		while (i < pin.n && pin.p[i] == pin.p[i - period])
			i++;
		if (i == pin.n)
			return true;
	}
	return false;
}

static bool is_sequence(struct text pin)
{
	int step = (pin.p[1] - pin.p[0] + 10) % 10;
	if (step != 1 && step != 9)
		return false;
	for (size_t i = 2; i < pin.n; i++)
		if ((pin.p[i] - pin.p[i - 1] + 10) % 10 != step)
			return false;
	return true;
}

static bool ends_with(struct text a, struct text tail)
{
	return tail.n >= 3 && a.n >= tail.n && memcmp(a.p + a.n - tail.n, tail.p, tail.n) == 0;
}

enum dir_pin_rule dir_pin_check(struct text pin, const struct cfg_policy *policy, const struct dir_user *user)
{
	for (size_t i = 0; i < pin.n; i++)
		if (pin.p[i] < '0' || pin.p[i] > '9')
			return DIR_PIN_NOT_DIGITS;
	if (pin.n < policy->pin_min_length || pin.n < 4)
		return DIR_PIN_TOO_SHORT;
	if (pin.n > DIR_PIN_MAX)
		return DIR_PIN_TOO_LONG;
	if (policy->pin_allow_trivial)
		return DIR_PIN_GOOD;
	if (repeats(pin))
		return DIR_PIN_REPEATS;
	if (is_sequence(pin))
		return DIR_PIN_SEQUENCE;
	for (size_t i = 0; user && i < user->extensions.n; i++) {
		struct text ext = text_of(user->extensions.v[i]);
		if (ends_with(pin, ext) || ends_with(ext, pin))
			return DIR_PIN_EXTENSION;
	}
	return DIR_PIN_GOOD;
}

const char *dir_pin_rule_name(enum dir_pin_rule r)
{
	static const char *const names[] = { "good", "too-short", "too-long", "not-digits", "repeats", "sequence", "extension", "used-before" };
	return (unsigned)r < sizeof names / sizeof names[0] ? names[r] : "?";
}

int dir_pin_hash(struct text pin, bool cheap, char hash[DIR_PIN_HASH_SIZE])
{
	uint8_t salt[SALT];
	int err = rand_bytes(salt, sizeof salt);
	if (err)
		return err;
	int rc = argon2id_hash_encoded(cheap ? 1 : PASSES, cheap ? 8 : MEMORY_KIB, 1, pin.p, pin.n, salt, sizeof salt, HASH, hash, DIR_PIN_HASH_SIZE);
	return rc == ARGON2_OK ? 0 : rc == ARGON2_MEMORY_ALLOCATION_ERROR ? ENOMEM : EINVAL;
}

int dir_pin_verify(struct text pin, const char *hash)
{
	int rc = argon2id_verify(hash, pin.p, pin.n);
	return rc == ARGON2_OK ? 0 : rc == ARGON2_VERIFY_MISMATCH ? EACCES : rc == ARGON2_MEMORY_ALLOCATION_ERROR ? ENOMEM : EINVAL;
}

void dir_pin_make(const struct cfg_policy *policy, const struct dir_user *user, char pin[DIR_PIN_SIZE])
{
	size_t n = policy->pin_min_length < 6 ? 6 : policy->pin_min_length > DIR_PIN_MAX ? DIR_PIN_MAX : policy->pin_min_length;
	do {
		for (size_t i = 0; i < n; i++)
			pin[i] = (char)('0' + rand_below(10));
		pin[n] = 0;
	} while (dir_pin_check(text_make(pin, n), policy, user) != DIR_PIN_GOOD);
}
