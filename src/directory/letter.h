/* SPDX-License-Identifier: Apache-2.0 */
/* letter.h  What the owner of a mailbox is told on paper: his numbers, his PIN, what to do first, and the words of his policy (policies[].texts).
 * Nothing is sent: whoever made the mailbox or the PIN hands it over. The text is plain UTF-8 in the language of the mailbox, and a secret, since
 * the PIN stands in it. Pure; any thread.                                                                                */
#ifndef DIRECTORY_LETTER_H
#define DIRECTORY_LETTER_H
#include "base/buf.h"
#include "directory/dir.h"

enum dir_letter {
	DIR_LETTER_WELCOME,   /* there is a mailbox, and a first PIN */
	DIR_LETTER_PIN_RESET, /* there is a new PIN */
};
enum { DIR_LETTER_MAX = 65536 }; /* bytes; more than the limits of the settings allow */

/* Appends the letter; in English where the language is none of letter.def. The buffer's error. */
int dir_letter(struct buf *out, enum dir_letter kind, const struct dir_view *v, const struct dir_user *u, const char *pin);

#endif
