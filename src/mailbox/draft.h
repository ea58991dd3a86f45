/* SPDX-License-Identifier: Apache-2.0 */
/* draft.h  What a caller is saying at this moment, kept in a store that several nodes share, so that it outlives this one.
 *
 * While a message is recorded, each block that reached the local file is copied into the store, under a lease that this process
 * prolongs as long as it lives. When the lease runs out, any node makes a message of what is there, marked as cut off: within
 * DRAFT_LEASE ticks and one. It has the id that the whole message would have had, so there is never a second one: should the whole come
 * after all (the process was only slow, or starts again and finds its own file), it takes the place of the part. What the caller added to his
 * message becomes one of its own, unless he sent them together: rather two messages than a word less.
 * Without mbox_prm.shared all of this does nothing: then the local file alone counts. Loop thread. */
#ifndef MAILBOX_DRAFT_H
#define MAILBOX_DRAFT_H
#include "mailbox/mbox.h"

enum { DRAFT_PATH = 512, DRAFT_TICK_MS = 1500, DRAFT_LEASE = 4 /* ticks */ };

struct mbox_draft {
	char id[ID_SIZE]; /* of this part of the recording; msg.id is that of the first part, and of the message */
	struct mbox_message msg; /* of it: id, mailbox, caller, session, received_us, codec */
	char path[DRAFT_PATH]; /* the audio stands in this file from `offset` on */
	uint64_t offset, bytes; /* bytes: of audio, where complete */
	bool complete; /* nothing more comes */
};

/* There is more in the file, or it is complete. Copied; done in the background. */
void mbox_draft_put(struct mbox *m, const struct mbox_draft *d);
/* This part was thrown away. Nothing happens where it became a message. */
void mbox_draft_drop(struct mbox *m, const char *id);

#endif
