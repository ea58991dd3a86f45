/* SPDX-License-Identifier: Apache-2.0 */
/* letters.h  Letters to the owners of mailboxes, as files: a first or a new PIN, and what to do with it.
 *
 *   FILE.letter-part made -> the server makes a PIN and the words -> written and synced -> the server is told to set that PIN -> it becomes FILE
 *
 * So a letter that has its own name tells the PIN that counts; where anything fails before that the old PIN stays, and no letter is left. A file that
 * is there is never replaced. Files are for their owner alone (0600). The PIN is nowhere else: neither printed nor told in an event. */
#ifndef CLI_LETTERS_H
#define CLI_LETTERS_H
#include "cli/cli_private.h"

enum { CLI_LETTER_PATH = 4096, CLI_LETTER_WHY = 600 };
struct cli_letter {
	const char *folder;
	char path[CLI_LETTER_PATH], part[CLI_LETTER_PATH];
	char why[CLI_LETTER_WHY]; /* it was not written */
	int fd;
	bool had_pin;   /* the mailbox, before */
	bool no_server; /* the next one would fail, too */
};
/* FILE, or FOLDER/NAME.txt where a folder is given. */
void cli_letter_init(struct cli_letter *l, const char *file, const char *folder, const char *mailbox);
/* CLI_GOOD: FILE is free, and FILE.letter-part is there; a folder is made where there is none. CLI_NO with l->why. */
int cli_letter_open(struct cli_letter *l);
/* Makes the PIN and the letter; `first`: of a mailbox just made. `only_first`: a mailbox that has a PIN keeps it, and gets no letter (CLI_GOOD, l->had_pin).
 * Opens it if that is still to do; closed afterwards in any case. CLI_NO with l->why. */
int cli_letter_write(struct cli_letter *l, struct cli *c, const char *mailbox, bool first, bool only_first);
void cli_letter_drop(struct cli_letter *l); /* without one */

/* Says where it is, or why there is none. The exit code. */
int cli_letter_told(struct cli *c, const struct cli_letter *l, int code, const char *mailbox);

/* Those of many mailboxes. */
struct cli_letters {
	const char *folder;
	unsigned written, had_pin;
	json_t *failed; /* [{mailbox, why}] */
};
/* Whether a letter for each of `edits` (their "name") can be made there; says which cannot. */
int cli_letters_check(struct cli *c, const char *folder, const json_t *edits);
/* The exit code; what was written and what not is in ls and, unless --json, told. `how` is the command that goes on where this one ended. */
int cli_letters_write(struct cli_letters *ls, struct cli *c, const json_t *edits, bool first, const char *how);
json_t *cli_letters_json(const struct cli_letters *ls);

#endif
