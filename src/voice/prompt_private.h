/* SPDX-License-Identifier: Apache-2.0 */
/* prompt_private.h  The second voice of a set: recordings that replace prompts, if all of a sentence can be spoken by it. */
#ifndef VOICE_PROMPT_PRIVATE_H
#define VOICE_PROMPT_PRIVATE_H
#include "voice/prompt.h"

/* Borrowed; NULL if the prompt was not recorded. */
struct media_clip *prompt_recorded(const struct prompt_set *s, const char *name);
bool prompt_has_recordings(const struct prompt_set *s);

#endif
