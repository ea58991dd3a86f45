/* SPDX-License-Identifier: Apache-2.0 */
/* proposal.h  New objects for all nodes of a store: put to each that lives, tried by it, and made a revision in one transaction, or not at all.
 *
 *   dir_propose() -> a row in the store -> every other node: dir_on_try's handler tries them -> dir_answer()
 *                 -> all said yes: the revision, which all take into use; one said no, or nothing in time: nothing happened
 *
 * At most one proposal stands in a store at a time. Who is alive is what the registry says (jobs/registry.h); a node that died meanwhile is waited
 * for no longer. Loop thread.                                                                                                              */
#ifndef DIRECTORY_PROPOSAL_H
#define DIRECTORY_PROPOSAL_H
#include "directory/dir.h"

/* What db_notify() tells when a proposal, an answer or a revision was written: then dir_look(). */
#define DIR_NOTICE "objects"

enum { DIR_ANSWERS_MAX = 64, DIR_FINDING_SIZE = 400 };
enum dir_says {
	DIR_SAYS_NOTHING, /* alive, no answer yet */
	DIR_SAYS_YES,
	DIR_SAYS_NO,
	DIR_SAYS_AWAY, /* gives no sign of life: it takes the revision when it is back */
};
struct dir_answer {
	char node[65];
	enum dir_says says;
	char finding[DIR_FINDING_SIZE]; /* of DIR_SAYS_NO */
};

struct dir_proposal_prm {
	const struct cfg *cfg; /* whole, as this node would have it in use: tried here already */
	int64_t based_on; /* the newest revision that it was made from; -1: any */
	bool leave_behind; /* make it although some say no, or nothing */
	uint64_t within_ms; /* 0: 10000 */
	bool (*unwanted)(void *arg); /* the handler's: true once nobody waits for the end any more; then it is taken back. NULL: it is wanted to the end */
};
/* EBUSY: another node's is under way; ESTALE: based_on is not the newest; EPERM: a node said no; ETIMEDOUT: or nothing; ECANCELED: it
 * was unwanted. Borrowed for the call. */
struct dir_proposed {
	int err;
	const struct ev_report *why;
	int64_t revision; /* made */
	const struct dir_answer *v; /* of the others */
	size_t n;
};
typedef void (dir_proposed_h)(const struct dir_proposed *p, void *arg);
/* ENOMEM, or the handler comes: with ECANCELED when the directory goes. */
int dir_propose(struct dir *d, const struct dir_proposal_prm *prm, dir_proposed_h *h, void *arg);

/* What another node proposes; `objects` is borrowed. Answer by dir_answer(), once, any time. */
typedef void (dir_try_h)(const struct cfg *objects, int64_t number, void *arg);
void dir_on_try(struct dir *d, dir_try_h *h, void *arg);
void dir_answer(struct dir *d, int64_t number, bool good, const char *finding);

#endif
