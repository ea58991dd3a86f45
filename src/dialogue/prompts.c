/* SPDX-License-Identifier: Apache-2.0 */
/* prompts.c  The list of prompts.h as a table. */
#include "dialogue/prompts.h"
#include <stddef.h>

static const struct {
	const char *name, *words;
} prompts[P_COUNT] = {
#define X(id, name, words) [id] = { name, words },
	DLG_PROMPTS(X)
#undef X
};

const char *dlg_prompt_name(enum dlg_prompt p)
{
	return p > P_NONE && p < P_COUNT ? prompts[p].name : NULL;
}

const char *dlg_prompt_words(enum dlg_prompt p)
{
	return p > P_NONE && p < P_COUNT ? prompts[p].words : NULL;
}
