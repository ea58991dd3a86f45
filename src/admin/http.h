/* SPDX-License-Identifier: Apache-2.0 */
/* http.h  /metrics, /healthz and /readyz over plain HTTP for monitoring, on loopback or another address of the administrator's choice; and
 * /crl/NAME.crl, the revocation lists of private authorities, which anybody may read (a second server can offer them alone).
 * libmicrohttpd runs in its own thread and reads only what any thread may read: metrics and the node's view. /healthz says that the
 * process and its loop live (the loop's thread must have touched the heart within 10 s), /readyz whether calls are welcome.   */
#ifndef ADMIN_HTTP_H
#define ADMIN_HTTP_H
#include <stdint.h>
#include "event/bus.h"
#include "event/metrics.h"
#include "net/addr.h"
#include "net/loop.h"
#include "node/node.h"

struct admin_http;
struct cert_crls;

struct admin_http_prm {
	struct loop *loop;
	struct ev_bus *bus;
	struct metrics *metrics;
	const struct node_view *node; /* must outlive the server */
	struct net_addr listen;       /* port 0: any */
	struct cert_crls *crls;       /* NULL: none; must outlive the server */
	bool only_crls;               /* nothing else: for an address that strangers reach */
};

int admin_http_create(struct admin_http **hp, const struct admin_http_prm *prm, struct ev_report *why);
/* Waits for answers under way. NULL is allowed. */
void admin_http_destroy(struct admin_http *h);
uint16_t admin_http_port(const struct admin_http *h);

#endif
