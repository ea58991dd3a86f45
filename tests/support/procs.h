/* SPDX-License-Identifier: Apache-2.0 */
/* procs.h  Several processes at once, as nodes are: each runs the same function with its number, all begin at the same moment, each
 * hands back one struct. A child shares nothing with its parent: open stores and loops in it, not before. Fork only where no thread runs. */
#ifndef TESTS_PROCS_H
#define TESTS_PROCS_H
#include <stddef.h>

/* What a process did; `ok` is 1 when it came to its end. */
struct procs_end {
	int ok;
	int n[8];
};
typedef void (procs_h)(unsigned nr, struct procs_end *end, void *arg);
void procs_run(unsigned n, procs_h *h, void *arg, struct procs_end *ends);

#endif
