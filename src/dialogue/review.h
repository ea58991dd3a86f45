/* SPDX-License-Identifier: Apache-2.0 */
/* review.h  What a configuration says as a whole, beyond what config/ checks at each load: whether every target can be reached, every attendant
 * left again, every prompt spoken. A running node lives with such a mistake; a person who asks is told.                   */
#ifndef DIALOGUE_REVIEW_H
#define DIALOGUE_REVIEW_H
#include <stdbool.h>
#include "config/cfg.h"

/* Whether the prompt set has that prompt; NULL: prompts are not looked for. */
typedef bool (dlg_has_prompt_h)(const char *name, void *arg);
/* Whether callers can be spoken to in that language. */
typedef bool (dlg_speaks_h)(const char *language, void *arg);
/* Adds what is wrong to the errors, each with its place and its cure; returns how many. */
size_t dlg_review(const struct cfg *cfg, dlg_has_prompt_h *has_prompt, void *arg, struct cfg_errors *errors);
/* The same for the languages that dial plans, attendants, their keys and mailboxes name. `known`: those that there are, for the cure. */
size_t dlg_review_languages(const struct cfg *cfg, dlg_speaks_h *speaks, const char *known, void *arg, struct cfg_errors *errors);

#endif
