/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h  The file that holds the prompts of a language, encoded once. Little endian:
 *
 *   0  "UMPROMPT"   8  version (1)   12  rate (8000)   16  entries   20  size of the file   24  CRC-32 of all behind the head
 *   28 reserved     32  language, 16 bytes             48  reserved to 64
 *   64 entries of 32 bytes, by name: name at, length; text at, length; samples; PCMU at; PCMA at; the same sound at
 *      16,000 samples a second as G.722 at, a byte for a sample (0: there is none)
 *      then the bytes they point to
 *
 * Reader and writer are pure.                                                                                           */
#ifndef VOICE_PACK_H
#define VOICE_PACK_H
#include <stdbool.h>
#include "base/buf.h"
#include "base/text.h"
#include "media/clip.h"

enum { PACK_HEAD = 64, PACK_ENTRY = 32, PACK_VERSION = 1, PACK_ENTRIES_MAX = 4096, PACK_NAME_MAX = 47, PACK_LANGUAGE = 16 };

struct pack {
	const uint8_t *p; /* borrowed */
	size_t n;
	uint32_t entries;
	char language[PACK_LANGUAGE];
};
struct pack_entry {
	struct text name, text;
	uint32_t samples;
	const uint8_t *pcmu, *pcma, *g722; /* g722 may be NULL */
};

/* Checks all of it, so that pack_entry_at() cannot fail. EBADMSG; ENOTSUP: another version or rate. `sums`: check the CRC too. */
int pack_open(struct pack *pk, const void *p, size_t n, bool sums);
struct pack_entry pack_entry_at(const struct pack *pk, uint32_t i);

/* One prompt for the writer; entries sorted by name, names unique. */
struct pack_item {
	const char *name, *text;
	const struct media_clip *clip;
};
int pack_write(struct buf *out, const char *language, const struct pack_item *items, uint32_t n);
uint32_t pack_crc(const uint8_t *p, size_t n); /* CRC-32 of IEEE 802.3 */

#endif
