/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_json.h  The matrix and the pool's page as JSON: what the admin socket answers, what `--json` prints, and what the table for people is
 * made from. Pure.                                                                                                      */
#ifndef CERT_MATRIX_JSON_H
#define CERT_MATRIX_JSON_H
#include <jansson.h>
#include "cert/matrix.h"

/* NULL: no memory. */
json_t *matrix_json(const struct matrix *x);
/* What was asked besides: "seen_nodes": [{node, from, pem}], "peer_certs": [{gateway, from, pem}], then "what_if": [{question, pem}]. Errors with `why`. */
int matrix_json_apply(struct matrix_model *m, const json_t *args, struct ev_report *why);

#endif
