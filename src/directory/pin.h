/* SPDX-License-Identifier: Apache-2.0 */
/* pin.h  PINs: rules, Argon2id, and the counters that lock a mailbox over all callers and nodes.
 *
 * Each try is first written down in the store and only then judged: so many callers on many nodes together get no more than the allowed
 * number. The right PIN sets the counter back. A locked mailbox opens only by a new PIN from the administrator. PINs are wiped after use
 * and never reach an event. */
#ifndef DIRECTORY_PIN_H
#define DIRECTORY_PIN_H
#include "directory/dir.h"

enum { DIR_PIN_MAX = 24, DIR_PIN_SIZE = DIR_PIN_MAX + 1, DIR_PIN_HASH_SIZE = 160 };

/* ---- pure parts ---- */
enum dir_pin_rule {
	DIR_PIN_GOOD,
	DIR_PIN_TOO_SHORT,
	DIR_PIN_TOO_LONG,
	DIR_PIN_NOT_DIGITS,
	DIR_PIN_REPEATS, /* 111111, 121212, 123123 */
	DIR_PIN_SEQUENCE, /* 123456, 987654, 890123 */
	DIR_PIN_EXTENSION, /* is, holds as a suffix, or is a suffix of an extension */
	DIR_PIN_USED, /* is in use, or was lately: the store knows, so dir_pin_set() tells */
};
enum dir_pin_rule dir_pin_check(struct text pin, const struct cfg_policy *policy, const struct dir_user *user);
const char *dir_pin_rule_name(enum dir_pin_rule r); /* "too-short" ... */
/* Expensive (tens of ms): in the crypto pool. The encoded form holds salt and costs. EINVAL, ENOMEM. */
int dir_pin_hash(struct text pin, bool cheap, char hash[DIR_PIN_HASH_SIZE]);
/* 0: right; EACCES: wrong; EINVAL: not a hash; ENOMEM. Expensive. */
int dir_pin_verify(struct text pin, const char *hash);
/* A random PIN that passes the rules. */
void dir_pin_make(const struct cfg_policy *policy, const struct dir_user *user, char pin[DIR_PIN_SIZE]);

/* ---- with the store (loop thread; handlers on the loop) ---- */
enum dir_logon {
	DIR_LOGON_OK,
	DIR_LOGON_MUST_CHANGE, /* right, and the PIN has to be changed now (first use, set by the administrator, older than the policy allows) */
	DIR_LOGON_WRONG,
	DIR_LOGON_LOCKED, /* was or has just become locked; the PIN was not judged in the first case */
	DIR_LOGON_NO_PIN, /* none was ever set */
	DIR_LOGON_FAILED, /* store or pool away: nothing is known; `why` tells */
};
struct dir_logon_result {
	enum dir_logon outcome;
	uint32_t failures; /* in a row, over all calls */
	uint32_t left; /* tries until the lock */
};
typedef void (dir_logon_h)(const struct dir_logon_result *r, const struct ev_report *why, void *arg);
/* session ties the events (1012 locked, 1036 logged on) to the call; may be "". *handle (may be NULL) is for dir_cancel(). EAGAIN, ENOMEM:
 * the handler is not called then. The caller counts tries per call: policy->pin_tries_per_call; at its end dir_logon_gave_up(). */
int dir_logon(struct dir *d, const struct dir_user *user, struct text pin, const char *session, dir_logon_h *h, void *arg, uint64_t *handle);
/* Event 1013: a caller was disconnected after n failed tries. */
void dir_logon_gave_up(struct dir *d, const char *mailbox, const char *caller, unsigned tries, const char *session);
/* The same for a mailbox that does not exist: takes as long as a real try, so that guessing extensions learns little. WRONG always. */
int dir_logon_nobody(struct dir *d, struct text pin, dir_logon_h *h, void *arg, uint64_t *handle);

typedef void (dir_pin_set_h)(int err, enum dir_pin_rule rule, const struct ev_report *why, void *arg);
enum { DIR_PIN_SET_MS = 12000 };
/* What has not begun to be written DIR_PIN_SET_MS after this call never is: err is ETIMEDOUT then. So who waits that long, and as long again for the
 * store's own limits, knows.
 * Checks the rules, compares with former PINs (pin_history of the policy), hashes, writes; unlocks and sets the counters back. err EINVAL with `rule` when the rules refuse it. must_change for PINs
 * that somebody else chose. EAGAIN, ENOMEM as above. */
int dir_pin_set(struct dir *d, const struct dir_user *user, struct text pin, bool must_change, dir_pin_set_h *h, void *arg, uint64_t *handle);

struct dir_pin_status {
	bool set, must_change, locked;
	uint32_t failures;
	int64_t changed_us, logon_us; /* 0 = never */
};
typedef void (dir_pin_status_h)(int err, const struct dir_pin_status *st, void *arg);
int dir_pin_status(struct dir *d, const char *mailbox, dir_pin_status_h *h, void *arg, uint64_t *handle);

/* The handler will not be called any more; what was begun goes on without it. 0 and unknown handles are ignored. */
void dir_cancel(struct dir *d, uint64_t handle);

#endif
