/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h  One errand at a time on an identity: two keys made at once for one name would be one certificate without its key. Loop thread. */
#ifndef CERT_LOCK_H
#define CERT_LOCK_H
#include "base/clock.h"
#include "event/report.h"
#include "trust/facts.h"

enum { CERT_LOCKS = 32 };
struct cert_lock {
	bool held;
	char identity[TRUST_LABEL_SIZE], what[64], who[64];
	int64_t since_s;
};
struct cert_locks {
	struct cert_lock lock[CERT_LOCKS];
};
/* Takes it; EBUSY, with who is at it since when. *index is for giving it back. */
int cert_lock_take(struct cert_locks *l, const char *identity, const char *what, const char *who, int64_t now_s, unsigned *index, struct ev_report *why);
void cert_lock_give(struct cert_locks *l, unsigned index);

#endif
