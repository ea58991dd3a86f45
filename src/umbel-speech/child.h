/* SPDX-License-Identifier: Apache-2.0 */
/* child.h  Another program run for one text: bytes to its standard input, what it writes to standard output back, within bounds of time, memory and
 * output. Its arguments are a list, no shell reads them. However it behaves, it is over when this returns. Any thread.    */
#ifndef SPEECH_CHILD_H
#define SPEECH_CHILD_H
#include <stdint.h>
#include "base/buf.h"

/* SIGPIPE must be ignored. argv[0] is looked for in PATH; the last one is NULL. `out` keeps what came, up to its ceiling. 0: it ended by itself with status 0; ENOENT: there is no
 * such program; ETIMEDOUT: it took longer than limit_ms; EMSGSIZE: it wrote more than out may hold; ECHILD: it ended otherwise; ENOMEM; errno. */
int child_run(const char *const *argv, struct text in, int64_t limit_ms, struct buf *out);

#endif
