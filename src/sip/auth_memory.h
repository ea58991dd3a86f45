/* SPDX-License-Identifier: Apache-2.0 */
/* auth_memory.h  What a core remembers of logins (RFC 7616 3.3 to 3.6). Ours: challenges that a gateway was content with our answer to, so that the next request
 * to it can bring the proof at once. Theirs: which counts of a nonce of ours were used, so that no proof is taken twice.
 *
 * Both are bounded and forget the oldest; what is forgotten costs one challenge more (ours), or lets a proof be used once more until its nonce
 * is SIP_NONCE_S old (theirs). Loop thread.                                                                             */
#ifndef SIP_AUTH_MEMORY_H
#define SIP_AUTH_MEMORY_H
#include "base/list.h"
#include "sip/digest.h"
#include "sip/peer.h"

struct sip_auth_memory;

/* ---- ours ---- */
struct sip_kept_challenge {
	struct link link;
	char peer[SIP_PEER_NAME_SIZE];
	bool proxy;
	bool once;            /* its nonces are good for one request: only what it hands out itself is used ahead */
	bool handed;          /* this one it handed out (nextnonce) */
	uint32_t count;       /* how many requests were proven with it */
	int64_t until_ms;
	struct buf value;     /* as sip_challenge_put() writes it */
};
enum { SIP_CHALLENGES_KEPT = 64, SIP_CHALLENGE_KEPT_MS = 60 * 1000 };

/* The one that may be answered ahead, or NULL. */
struct sip_kept_challenge *sip_auth_kept(struct sip_auth_memory *m, const char *peer, bool proxy, int64_t now_ms);
/* Content with `said`, an Authorization value of ours with that count. nextnonce: what it handed out; may be empty. Without memory nothing is kept. */
void sip_auth_keep(struct sip_auth_memory **mp, const char *peer, bool proxy, struct text said, uint32_t count, struct text nextnonce, int64_t now_ms);
/* It was not content with what we said ahead. */
void sip_auth_drop(struct sip_auth_memory *m, const char *peer, bool proxy);

/* ---- theirs ---- */
/* Whether a proof with this nonce and count is used for the first time; it counts as used then. Counts may come out of order, as datagrams do. */
bool sip_auth_first_use(struct sip_auth_memory **mp, const uint8_t key[16], struct text nonce, uint32_t count);

struct sip_auth_memory *sip_auth_memory_free(struct sip_auth_memory *m);

#endif
