/* SPDX-License-Identifier: Apache-2.0 */
/* look.h  Dials nodes and gateways for a matrix that is made from configuration files, without a server: with the certificate of the file's node, as the
 * node itself would (cert/look.h). Where its key cannot be read, without one. Blocks.                                          */
#ifndef CLI_LOOK_H
#define CLI_LOOK_H
#include <jansson.h>
#include "event/report.h"

struct look;
/* `config`: of the node that dials; `dns`: servers to ask, NULL: those of this machine. errno, `why` says what is wrong. */
int look_open(struct look **lp, const char *config, const char *dns, struct ev_report *why);
void look_close(struct look *l); /* NULL is allowed */
/* As cert.look answers; NULL: it could not be tried. `gateway` NULL: a node. */
json_t *look_at(struct look *l, const char *gateway, const char *host, uint16_t port);
/* Whether the node's certificate can be shown. */
bool look_shows(const struct look *l);

#endif
