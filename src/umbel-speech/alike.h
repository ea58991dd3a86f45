/* SPDX-License-Identifier: Apache-2.0 */
/* alike.h  What umbel asks of the helper without a server: how names sound, which of them sound alike, and one of them as sound. Reads "id TAB language TAB
 * name TAB pronunciation" lines, as long as a book may be; writes lines and at last "end". */
#ifndef SPEECH_ALIKE_H
#define SPEECH_ALIKE_H
#include <stdio.h>
#include "umbel-speech/lexicon.h"

/* "id PH ON ES" lines, none of an id that nobody can pronounce. */
int alike_pronounce(const struct lexicon *lex, FILE *in, FILE *out);
/* "same A B": two ids share a pronunciation; "near A B": all but one sound, and these two are easily taken for each other on a telephone.
 * Each pair once, the same ones first, PAIRS_MAX lines at most, then "more N". */
int alike_pairs(const struct lexicon *lex, FILE *in, FILE *out);
/* A text of one line as WAV. */
int alike_say(FILE *in, FILE *out);

#endif
