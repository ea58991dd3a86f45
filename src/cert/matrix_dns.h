/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_dns.h  Asks DNS what the matrix wants to know of names: the nodes', the service's, the gateways', and who an address says it is. One
 * errand; loop thread; every answer goes into the model.                                                                */
#ifndef CERT_MATRIX_DNS_H
#define CERT_MATRIX_DNS_H
#include "cert/matrix.h"
#include "net/dns.h"

struct matrix_asking;
/* The last call: all is in the model that can be known. err 0, ENOMEM. */
typedef void (matrix_asked_h)(int err, void *arg);
/* The handler comes later, once. The model is the errand's until then. ENOMEM: no handler. */
int matrix_ask_dns(struct matrix_asking **ap, struct dns *dns, struct matrix_model *m, matrix_asked_h *h, void *arg);
/* Before the handler only: it comes no more. */
void matrix_ask_cancel(struct matrix_asking *a);

#endif
