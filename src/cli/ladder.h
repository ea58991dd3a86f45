/* SPDX-License-Identifier: Apache-2.0 */
/* ladder.h  SIP as ladders in a terminal: this node at the left, the hosts it talks to beside it, an arrow a message. Items (trace.follow, see
 * trace/watch.h) in, lines out; columns come as hosts are heard of, and the one that was quiet longest gives way where there is no room.  */
#ifndef CLI_LADDER_H
#define CLI_LADDER_H
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { LADDER_WIDTH_MIN = 60, LADDER_WIDTH = 80, LADDER_WIDTH_MAX = 250 };

struct ladder;
/* NULL without memory. */
struct ladder *ladder_create(FILE *out, unsigned width, bool colour);
void ladder_destroy(struct ladder *l); /* NULL is allowed */
/* The terminal was made wider or narrower. */
void ladder_width(struct ladder *l, unsigned width);
void ladder_item(struct ladder *l, const json_t *item);
unsigned ladder_calls(const struct ladder *l);
unsigned ladder_messages(const struct ladder *l);
unsigned ladder_lost(const struct ladder *l);

#endif
