/* SPDX-License-Identifier: Apache-2.0 */
/* phones.h  Sounds of English as word lists like CMUdict name them, and how a pronunciation is written: other words that sound like it
 * ("an shmit"), or its sounds between slashes ("/AE1 N SH M IH1 T/", the digits of the stress may be left out). Pure. */
#ifndef BASE_PHONES_H
#define BASE_PHONES_H
#include <stdbool.h>
#include "base/text.h"

/* Whether it means sounds: it begins with a slash. */
bool phones_meant(struct text t);
/* The sounds between the slashes in upper case, one blank apart; with the digits of the stress where `stress`. False: it isn't closed by a slash,
 * holds nothing, or *wrong (may be NULL) is no sound; or dst is too small. */
bool phones_parse(struct text t, bool stress, char *dst, size_t size, struct text *wrong);
/* All of them, for people: "AA AE AH ...". */
const char *phones_all(void);

#endif
