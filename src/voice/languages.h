/* SPDX-License-Identifier: Apache-2.0 */
/* languages.h  The prompt sets of all languages that are installed: one is the node's own, the others lie beside it as <tag>.pack. A conversation
 * asks for its language each time it speaks, so that a set may be exchanged between two sentences. Loop thread.          */
#ifndef VOICE_LANGUAGES_H
#define VOICE_LANGUAGES_H
#include "voice/prompt.h"

struct languages;

/* Opens the node's own set (prm as for prompt_set_open) and every pack beside it; what speaks in every language is `v`. A pack that cannot be
 * used is an event and left out; sentences that a language lacks are taken from the node's own, and counted in an event. Blocks: at
 * start. Errors are those of the node's own set. */
int languages_open(struct languages **lp, const struct prompt_set_prm *prm, const struct prompt_words *v, unsigned n, struct ev_report *why);
void languages_close(struct languages *l); /* NULL is allowed */
/* The set for a language tag (RFC 5646): that very language, else the first of the same primary subtag ("de-AT" -> "de-DE", "en" -> "en-US"),
 * else the node's own. "" is the node's own. Never NULL; borrowed. */
struct prompt_set *languages_find(const struct languages *l, const char *tag);
bool languages_speaks(const struct languages *l, const char *tag); /* whether that is more than the node's own standing in */
struct prompt_set *languages_exact(const struct languages *l, const char *tag); /* that very one, or NULL */
unsigned languages_count(const struct languages *l);
struct prompt_set *languages_at(const struct languages *l, unsigned i); /* 0 is the node's own */

#endif
