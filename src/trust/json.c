/* SPDX-License-Identifier: Apache-2.0 */
/* json.c  Members of answers. */
#include "trust/json.h"

json_t *trust_json_text(const char *s)
{
	char line[4096];
	return json_string(text_escape(text_of(s), line, sizeof line));
}

json_t *trust_json_lines(const char *s)
{
	json_t *v = json_string(s);
	return v ? v : trust_json_text(s); /* a name in it that is no UTF-8 */
}

json_t *trust_json_names(const struct trust_names *l)
{
	json_t *all = json_array();
	for (unsigned i = 0; i < l->n; i++)
		json_array_append_new(all, trust_json_text(trust_names_at(l, i)));
	return all;
}

json_t *trust_json_answer(const struct trust_answer *a, const char *fix_key)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "answer", trust_answer_kind_name(a->kind), "reason", a->name, "certainty",
	                 trust_certainty_name(a->certainty), "confidence", trust_confidence_name(a->confidence), "how_known", trust_confidence_words(a->confidence),
	                 "sentence", trust_json_lines(a->sentence), fix_key, trust_json_lines(a->fix), "wanted", trust_json_text(a->wanted), "offered",
	                 trust_json_text(a->offered), "sees", trust_json_lines(a->sees), "remark", trust_json_lines(a->remark));
}
