/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c  A handful of places, looked through. */
#include "cert/lock.h"
#include <errno.h>
#include "base/rfc3339.h"
#include "cert_events.h"

int cert_lock_take(struct cert_locks *l, const char *identity, const char *what, const char *who, int64_t now_s, unsigned *index, struct ev_report *why)
{
	char at[RFC3339_SIZE];
	unsigned room = CERT_LOCKS;
	for (unsigned i = 0; i < CERT_LOCKS; i++) {
		const struct cert_lock *k = &l->lock[i];
		if (!k->held) {
			room = room == CERT_LOCKS ? i : room;
		} else if (strcmp(k->identity, identity) == 0) {
			ev_set(why, EV_CERT_BUSY);
			ev_str(why, "identity", identity);
			ev_str(why, "what", k->what);
			ev_str(why, "who", k->who);
			ev_str(why, "since", rfc3339_s(k->since_s, at));
			return EBUSY;
		}
	}
	if (room == CERT_LOCKS)
		return EAGAIN;
	struct cert_lock *k = &l->lock[room];
	*k = (struct cert_lock){ .held = true, .since_s = now_s };
	text_fill(k->identity, sizeof k->identity, identity);
	text_fill(k->what, sizeof k->what, what);
	text_fill(k->who, sizeof k->who, who);
	*index = room;
	return 0;
}

void cert_lock_give(struct cert_locks *l, unsigned index)
{
	l->lock[index].held = false;
}
