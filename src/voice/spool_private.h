/* SPDX-License-Identifier: Apache-2.0 */
/* spool_private.h  A spool file while it is written:
 *
 *   0     head: "UMSPOOL 1 <CRC-32>\n" and lines "name=value\n", zeros to 1024; written once, before the first sample
 *   1024  end:  "UMSPEND 1 <CRC-32>\n" and lines, zeros to 2048; zeros until the recording is over
 *   2048  audio
 *
 * The end has a place of its own, so that writing it needs no room on a full disk and a torn write spoils neither head nor audio. */
#ifndef VOICE_SPOOL_PRIVATE_H
#define VOICE_SPOOL_PRIVATE_H
#include "voice/recorder.h"

enum { SPOOL_HEAD = 1024, SPOOL_AUDIO = RECORDING_AUDIO };

/* Makes folder and file (EEXIST if there is one), writes the head. The caller closes *fd. */
int spool_create(int *fd, const char *dir, const char *path, const struct spool_info *info);
int spool_append(int fd, uint64_t at, const void *p, size_t n);
/* Cuts the audio to info->bytes and writes the end. */
int spool_end(int fd, const struct spool_info *info);
int spool_sync_dir(const char *dir);
/* Head and end out of their bytes; `audio_bytes` is what the file holds behind them. Pure. */
int spool_parse(struct spool_info *info, const uint8_t *p, size_t n, uint64_t audio_bytes);
uint32_t spool_ms(const struct spool_info *info);

#endif
