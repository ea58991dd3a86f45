/* SPDX-License-Identifier: Apache-2.0 */
/* lookout.h  Phones that subscribed to a mailbox (RFC 3842) are told of each change: what sip/watch.h asks, answered from the directory and the store.
 *
 * A gateway may watch the mailboxes whose lamps are told through it (its `lamp`, and the mailbox's). Changes made by this node are told at once; those of
 * other nodes with the same store are seen by counting again, each watched mailbox within a minute, some at a time. Loop thread only. */
#ifndef DELIVERY_LOOKOUT_H
#define DELIVERY_LOOKOUT_H
#include "directory/dir.h"
#include "mailbox/mbox.h"
#include "net/loop.h"
#include "sip/watch.h"

struct lookout;
struct lookout_prm {
	struct loop *loop;
	struct store *store;
	struct dir *dir;
	struct mbox *mbox; /* which tells its changes; may be NULL */
	uint64_t poll_ms;  /* how often some are counted again; 0 = 5000 */
};
int lookout_create(struct lookout **lp, const struct lookout_prm *prm);
/* Before the mailboxes go, and after the core to which it was given. NULL is allowed. */
void lookout_destroy(struct lookout *l);
/* From now on the core asks it. */
void lookout_attach(struct lookout *l, struct sip_core *core);
/* That mailbox may have other numbers now. */
void lookout_changed(struct lookout *l, const char *mailbox);

#endif
