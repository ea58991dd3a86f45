/* SPDX-License-Identifier: Apache-2.0 */
/* speaker.h  Who speaks what nobody recorded (names, words of the configuration), by language: flite speaks English, espeak-ng, a program of its own,
 * everything else, by its voice of that language; node.speakers says otherwise. Also how espeak-ng is told to speak, for those who render prompts
 * and those who speak names. Pure.                                                                                       */
#ifndef VOICE_SPEAKER_H
#define VOICE_SPEAKER_H
#include <stdbool.h>
#include "base/text.h"

/* SPEAKER_FLITE is what a configuration calls it; everywhere else it is the empty name. */
#define SPEAKER_FLITE "flite"
#define SPEAKER_WORDS_A_MINUTE "150"
enum { SPEAKER_VOICE_MAX = 31 };

/* Letters, digits, '+', '-' and '_', 31 at most, a letter first: "de", "fr-ch", "en-us+f3". Nothing that could be an option or a path. */
bool speaker_voice_good(struct text voice);
/* Of that language tag (RFC 5646) without a word of the configuration: "" for English, for no language and for what is no tag; else the tag in lower
 * case, which espeak-ng understands ("de-at" is spoken by "de"). dst has SPEAKER_VOICE_MAX + 1. */
void speaker_voice_of(struct text tag, char *dst);
/* Whether `tag` is `other` ("de-AT", "de-at"), or of the same language ("de-AT", "de"). */
bool speaker_same_tag(struct text tag, struct text other);
bool speaker_same_language(struct text tag, struct text other);

#endif
