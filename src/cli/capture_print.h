/* SPDX-License-Identifier: Apache-2.0 */
/* capture_print.h  A conversation of a capture (capture/render.h) for people: what was seen, and what it means.           */
#ifndef CLI_CAPTURE_PRINT_H
#define CLI_CAPTURE_PRINT_H
#include "cli/cli.h"

/* TLS, SIP, the end. */
void cli_capture_details(struct cli *c, const json_t *talk);
/* The verdict; with cause, advice and what stays open if something is wrong. */
void cli_capture_verdict(struct cli *c, const json_t *talk, bool bad);

#endif
