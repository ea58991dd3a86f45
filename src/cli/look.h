/* SPDX-License-Identifier: Apache-2.0 */
/* look.h  Dials a TLS port and writes down which certificate it shows. Nothing is proven by that: whoever answers there is believed to be who he
 * is only as far as the certificate's chain is judged elsewhere. No certificate of ours is shown, so a peer that insists on one ends the
 * handshake when it has shown its own. Blocks for a few seconds at most.                                                   */
#ifndef CLI_LOOK_H
#define CLI_LOOK_H
#include "base/buf.h"

enum { LOOK_MS = 4000, LOOK_WHY_SIZE = 160 };
/* Appends the chain as PEM, leaf first. 0; else an errno with `why` (LOOK_WHY_SIZE bytes) in words. */
int look_certificate(struct buf *pem, const char *host, uint16_t port, char *why);

#endif
