/* SPDX-License-Identifier: Apache-2.0 */
/* cert_card.c  What another node says of itself in the store, and a question of an administrator, as any text: the model must stay whole, and
 * the matrix and the page of the pool must come out of it. A line feed ends the card; behind it stands a question. */
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "cert/matrix.h"
#include "cert/matrix_pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void judge(const struct matrix_model *m)
{
	struct matrix *x = NULL;
	struct matrix_pool *p = NULL;
	if (matrix_run(&x, m) == 0) {
		json_t *o = matrix_pool_make(&p, m) == 0 ? matrix_pool_json(p, m) : NULL;
		json_decref(o);
	}
	matrix_pool_free(p);
	matrix_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ev_report why = { 0 };
	struct matrix_model *m = NULL;
	struct matrix_node *node = NULL;
	char *text = mem_strndup((const char *)data, n);
	if (!text || matrix_model_create(&m, 1800000000) != 0)
		abort();
	char *question = strchr(text, '\n');
	if (question)
		*question++ = '\0';
	struct matrix_gateway *g = matrix_add_gateway(m, "pool");
	text_fill(g->profile, sizeof g->profile, "lync");
	text_fill(g->address, sizeof g->address, "pool.example.com");
	trust_names_add_str(&g->known, "node01.example.com");
	if (matrix_take_card(m, "node01", "node01.example.com", text, &node) == 0 && matrix_take_strangers(m) == 0) {
		if (question)
			(void)matrix_suppose(m, question, text_of(question), &why);
		judge(m);
	}
	matrix_model_free(m);
	mem_free(text);
	return 0;
}
