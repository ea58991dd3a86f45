/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_pool.h  Whether a pool of nodes fits together: configured names, DNS, Contact, certificates, SNI, clocks, chains. One page; each line is
 * good, questionable, bad or unknown, and a bad one names the exact thing to enter. From the same model as the matrix; pure.  */
#ifndef CERT_MATRIX_POOL_H
#define CERT_MATRIX_POOL_H
#include <jansson.h>
#include "cert/matrix.h"

enum matrix_state { MATRIX_GOOD, MATRIX_NOT_KNOWN, MATRIX_QUESTIONABLE, MATRIX_BAD };
const char *matrix_state_name(enum matrix_state s); /* "good", "unknown", "questionable", "bad" */

struct matrix_check {
	char name[48];     /* stable */
	char about[300];   /* the node, the common name or the gateway */
	char title[128];
	enum matrix_state state;
	char found[1024], fix[1024];
};
struct matrix_pool {
	struct matrix_check *checks;
	unsigned n, room;
	bool bad; /* one of them is */
};
/* 0, ENOMEM. */
int matrix_pool_make(struct matrix_pool **pp, const struct matrix_model *m);
void matrix_pool_free(struct matrix_pool *p);
json_t *matrix_pool_json(const struct matrix_pool *p, const struct matrix_model *m);

#endif
