/* SPDX-License-Identifier: Apache-2.0 */
/* own.h  Prompts that an administrator recorded: kept in the store, heard on every node. A change is written here and seen by the other nodes at
 * their next look; a sentence that is being said goes on as it began. What was loaded stays while the store is away. Loop thread. */
#ifndef VOICE_OWN_H
#define VOICE_OWN_H
#include <stdint.h>
#include "db/db.h"
#include "event/bus.h"
#include "event/report.h"

struct languages;
struct loop;
struct own_prompts;

enum { OWN_SECONDS = 120, OWN_BYTES = OWN_SECONDS * 16000, OWN_MAX = 2000, OWN_WORDS = 400 };

struct own_prompts_prm {
	struct store *store;
	struct loop *loop;
	struct languages *languages;
	struct ev_bus *bus;
	uint64_t poll_ms; /* 0 = 5000 */
};
int own_prompts_create(struct own_prompts **op, const struct own_prompts_prm *prm);
void own_prompts_destroy(struct own_prompts *o); /* before the languages; NULL is allowed */

typedef void (own_done_h)(int err, const struct ev_report *why, void *arg);
/* The prompt `name` of that very language becomes these samples (16 bit, little endian, 8 kHz; copied) with those words ("": as before); every
 * node of the store uses it soon, this one when `done` comes with 0. EINVAL: the name, the language's tag, or the words; EFBIG; ENODATA: no
 * samples; ENOSPC: OWN_MAX are there; EAGAIN, ENOMEM. Returned, or told by `done`, never both. */
int own_prompts_set(struct own_prompts *o, const char *language, const char *name, const char *words, const void *pcm, size_t bytes, own_done_h *done, void *arg);
/* ENOENT: there is none. */
int own_prompts_remove(struct own_prompts *o, const char *language, const char *name, own_done_h *done, void *arg);

#endif
