/* SPDX-License-Identifier: Apache-2.0 */
/* siblings.h  What differs among the nodes of one store and should not: releases, clocks, what they serve, certificates; and what is wrong with a
 * certificate already. Pure: rows of the registry (with their cards, jobs/registry.h) go in, findings come out as reports, each with its fix. */
#ifndef NODE_SIBLINGS_H
#define NODE_SIBLINGS_H
#include <stddef.h>
#include <stdint.h>

struct ev_report;
struct registry_node;

typedef void (node_finding_h)(const struct ev_report *r, void *arg);
/* 0, ENOMEM. Nodes that stopped in good order are left out of the comparison. */
int node_compare(const struct registry_node *nodes, size_t n, int64_t now_s, node_finding_h *h, void *arg);

#endif
