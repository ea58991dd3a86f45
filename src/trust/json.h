/* SPDX-License-Identifier: Apache-2.0 */
/* json.h  What this folder knows, as JSON: the same members wherever an answer is printed. Names of members change only with a note in CHANGELOG.md.
 * NULL: no memory. Any thread.                                                                                                    */
#ifndef TRUST_JSON_H
#define TRUST_JSON_H
#include <jansson.h>
#include "trust/profile.h"

/* What certificates and peers say may be any bytes: those that are not printable are escaped. */
json_t *trust_json_text(const char *s);
/* Sentences of ours: line feeds stay, commands stand on lines of their own. */
json_t *trust_json_lines(const char *s);
json_t *trust_json_names(const struct trust_names *l);
/* {"answer", "reason", "certainty", "confidence", "how_known", "sentence", `fix_key`, "wanted", "offered", "sees", "remark"} */
json_t *trust_json_answer(const struct trust_answer *a, const char *fix_key);

#endif
