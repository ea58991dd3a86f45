/* SPDX-License-Identifier: Apache-2.0 */
/* alike.h  Names that callers cannot tell apart by saying them: umbel-speech is asked, without any server. Only where an attendant listens. */
#ifndef CLI_ALIKE_H
#define CLI_ALIKE_H
#include "cli/cli_private.h"
#include "config/cfg.h"

/* Asks the helper once: `option` of umbel-speech, `in` to its input; its whole output. CLI_GOOD, or CLI_NO: it is not there, or failed. */
int cli_speech_ask(const char *option, struct text in, struct buf *out);

struct cli_alike {
	json_t *pairs; /* [{ "a": mailbox, "b": mailbox, "same": bool, "words", "fix" }] */
	size_t more;   /* pairs that have no room there */
	bool wanted, checked; /* an attendant listens; the helper answered */
};
/* Of all mailboxes that callers may dial; `names` (NULL: all) are those one of each pair must be. */
void cli_alike_find(struct cli_alike *a, const struct cfg *cfg, const json_t *names);
void cli_alike_free(struct cli_alike *a);
/* For people, to f; nothing where nothing was wanted or found. */
void cli_alike_print(const struct cli_alike *a, FILE *f);
/* After objects were changed by a command: asks the server what is in use, and tells on standard error. */
void cli_alike_after(struct cli *c, const json_t *names);

#endif
