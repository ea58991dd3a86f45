/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h  Accepted messages on this node's own disk while the store does not answer.
 *
 * A message is two parts in one file: a header line of JSON with version and lengths, then the audio. It is written as tmp/ID, synced,
 * renamed to new/ID, and the folder is synced: then it is accepted. Found at start, shipped, and only then removed. The functions block:
 * worker threads only (and start-up). */
#ifndef MAILBOX_SPOOL_H
#define MAILBOX_SPOOL_H
#include "mailbox/mbox.h"

struct spool;
int spool_open(struct spool **sp, const char *dir, uint64_t free_min_bytes, struct ev_report *why);
void spool_close(struct spool *s);
/* 0 after everything is on the disk. ENOSPC, EROFS, EIO ... */
int spool_put(struct spool *s, const struct mbox_message *msg, const uint8_t *p, size_t n, struct ev_report *why);
/* Ids waiting, oldest first, each with a NUL; *ids is mem_free()d by the caller. */
int spool_list(struct spool *s, char (**ids)[ID_SIZE], size_t *n);
/* EBADMSG: the file is not whole (it is moved to bad/, never deleted). Audio is appended to out. */
int spool_get(struct spool *s, const char *id, struct mbox_message *msg, struct buf *out, struct ev_report *why);
int spool_remove(struct spool *s, const char *id);
/* 0, or why nothing can be put there now (ENOSPC, EROFS). */
int spool_room(struct spool *s, struct ev_report *why);
int spool_disk_room(const struct spool *s, const char *dir); /* the same measure for another folder */
/* Reads n bytes (0 = to the end) at offset of a file into out. */
int spool_read_file(const char *path, uint64_t offset, size_t n, struct buf *out);
/* The header line, without blanks to trust: pure, for the fuzzer too. EBADMSG. */
int spool_header_parse(struct text line, struct mbox_message *msg, uint64_t *audio_bytes);
int spool_header_write(const struct mbox_message *msg, uint64_t audio_bytes, struct buf *out);

#endif
