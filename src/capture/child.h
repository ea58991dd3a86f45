/* SPDX-License-Identifier: Apache-2.0 */
/* child.h  A program run for the lines that it prints. Blocks until it ended.                                          */
#ifndef CAPTURE_CHILD_H
#define CAPTURE_CHILD_H
#include <sys/types.h>
#include "base/buf.h"

struct cap_child {
	const char *const *argv; /* ended by NULL; argv[0] is looked for in PATH */
	const char *const *env;
	int in;                  /* becomes its standard input */
	int extra;               /* becomes its descriptor 3; -1: none */
	void (*line)(struct text line, void *arg); /* without newline */
	void (*tick)(void *arg); /* about once a second; may be NULL */
	void *arg;
	size_t line_max;
	/* results */
	uint64_t long_lines;     /* left out: longer than line_max */
	char said[512];          /* the end of its standard error */
	int status;              /* of waitpid() */
};
/* 0 when it ran; ENOENT when there is no such program; errno. */
int cap_child_run(struct cap_child *c);

#endif
