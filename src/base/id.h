/* SPDX-License-Identifier: Apache-2.0 */
/* id.h  Names for messages and calls that never collide between nodes and sort by time: 48 bits of milliseconds and 80 random
 * bits, written as 26 characters of Crockford's base 32. Any thread.                                                    */
#ifndef BASE_ID_H
#define BASE_ID_H
#include <stdbool.h>
#include "base/clock.h"
#include "base/text.h"

enum { ID_CHARS = 26, ID_SIZE = ID_CHARS + 1 };

void id_make(char id[ID_SIZE], const struct um_clock *clock);
bool id_valid(struct text t);

#endif
