/* SPDX-License-Identifier: Apache-2.0 */
/* explain_private.h  Between explain.c, which chooses a row, and explain_fields.c, which fills its sentences. */
#ifndef TRUST_EXPLAIN_PRIVATE_H
#define TRUST_EXPLAIN_PRIVATE_H
#include "trust/explain.h"

enum explain_other {
#define VERDICT(id, name, who, step, certainty, sentence, cause, advice)
#define NOTE(id, text)
#define OTHER(id, text) OTHER_##id,
#include "trust/verdicts.def"
#undef OTHER
#undef NOTE
	OTHERS
};
enum explain_note_id {
#define OTHER(id, text)
#define NOTE(id, text) NOTE_##id,
#include "trust/verdicts.def"
#undef VERDICT
#undef OTHER
#undef NOTE
	NOTES
};

/* What explain.c found besides the row. */
struct explain {
	const struct trust_facts *f;
	enum trust_verdict_id id;
	enum trust_certainty certainty;
	const struct trust_alert *alert; /* the one that decided */
	bool judged_by_cn;               /* our CN is not what the peer knows us by */
	unsigned others;                 /* bits of enum explain_other */
};

/* Whether our certificate lists usages and lacks the one for our role. */
bool explain_lack_usage(const struct trust_facts *f);
/* Whether our certificate is out of date by the clock of the facts. */
bool explain_we_expired(const struct trust_facts *f);
extern const char *const explain_others[OTHERS];
extern const char *const explain_notes[NOTES];
/* A field and the function that writes it (dst holds "" before). */
struct explain_field_row {
	const char *name;
	void (*fn)(const struct explain *x, char *dst, size_t size);
};
bool explain_name_field(const struct explain *x, struct text name, char *dst, size_t size); /* explain_names.c */
void explain_note(const struct explain *x, enum explain_note_id n, char *dst, size_t size);
void explain_cert_names(const struct trust_cert *c, char *dst, size_t size);
/* Fills a pattern; "{{" is a brace. Cut to size. Returns dst. */
char *explain_fill(const struct explain *x, const char *pattern, char *dst, size_t size);
/* One field by its name; false if there is none of that name. */
bool explain_field(const struct explain *x, struct text name, char *dst, size_t size);

#endif
