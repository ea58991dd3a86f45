/* SPDX-License-Identifier: Apache-2.0 */
/* capture_book.c  Lines as tshark prints them, however wrong; all that is made of them is judged from both sides. '|' and ',' stand for the control
 * bytes between fields and values, so that words of the dictionary fit together. */
#include <stdlib.h>
#include "base/mem.h"
#include "capture/judge.h"
#include "capture/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_all(const struct cap_book *b)
{
	static const char *const sides[] = { "10.0.0.1", "node01.domain.local" };
	struct cap_prm prm = { .we = { sides[0], sides[1] }, .n_we = 2 };
	struct cap_judgement *j = mem_zalloc(1, sizeof *j);
	for (unsigned i = 0; j && i < b->n_talks && i < 16; i++) {
		cap_judge(j, b, b->talk[i], &prm);
		if (!j->verdict.name[0] || j->we > 1)
			abort();
		json_t *o = cap_render_talk(b, b->talk[i], j);
		if (!o)
			abort(); /* what it says is no UTF-8 */
		json_decref(o);
	}
	for (unsigned i = 0; j && i < b->n_asked && i < 16; i++)
		if (cap_judge_asked(j, b, &b->asked[i], &prm))
			json_decref(cap_render_asked(&b->asked[i], j));
	mem_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cap_book *b;
	char *copy = size <= 65536 ? mem_alloc(size + 1) : NULL;
	if (!copy || cap_book_create(&b)) {
		mem_free(copy);
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		copy[i] = data[i] == '|' ? CAP_SEPARATOR : data[i] == ',' ? CAP_AGGREGATOR : (char)data[i];
	struct text rest = text_make(copy, size), line;
	while (rest.n) {
		text_cut(rest, '\n', &line, &rest);
		cap_book_line(b, line);
	}
	judge_all(b);
	cap_book_destroy(b);
	mem_free(copy);
	return 0;
}
