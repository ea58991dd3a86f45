/* SPDX-License-Identifier: Apache-2.0 */
/* report.h  What happened, as an event id with named, typed fields. A report is a value of fixed size: it takes no memory, so
 * that also the lack of memory can be reported; what does not fit is cut and marked. It travels up beside an errno code
 * ("why") or goes to the bus. The sentences stand in the folders' *.events.def.                                         */
#ifndef EVENT_REPORT_H
#define EVENT_REPORT_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum ev_severity { EV_SEV_ERROR, EV_SEV_WARNING, EV_SEV_NOTICE, EV_SEV_INFO, EV_SEV_DETAIL, EV_SEV_TRACE };
/* How much a category says: each level adds the severities up to the one named. */
enum ev_level {
	EV_LEVEL_LOWEST, /* errors and warnings */
	EV_LEVEL_LOW,    /* + notices */
	EV_LEVEL_MEDIUM, /* + info */
	EV_LEVEL_HIGH,   /* + detail */
	EV_LEVEL_EXPERT, /* + trace */
};
enum ev_category {
	EV_CAT_CORE, EV_CAT_CONFIG, EV_CAT_NET, EV_CAT_STORE, EV_CAT_TRUST, EV_CAT_MEDIA, EV_CAT_DIRECTORY, EV_CAT_SIP, EV_CAT_GATEWAY,
	EV_CAT_VOICE, EV_CAT_MAILBOX, EV_CAT_DELIVERY, EV_CAT_DIALOGUE, EV_CAT_CERT, EV_CAT_NODE, EV_CAT_ADMIN, EV_CATEGORIES
};

struct ev_def {
	uint16_t id;
	uint8_t severity, category;
	const char *name, *text, *cause, *advice, *source;
};

/* The definition of an id; NULL if there is none. */
const struct ev_def *ev_def_find(uint16_t id);
const struct ev_def *ev_def_by_name(struct text name);
/* All of them, by id; *n is how many. */
const struct ev_def *ev_defs(unsigned *n);
const char *ev_severity_name(enum ev_severity s); /* "error" ... */
const char *ev_category_name(enum ev_category c); /* "trust" ... */
int ev_category_parse(struct text t, enum ev_category *c);
const char *ev_level_name(enum ev_level l);
int ev_level_parse(struct text t, enum ev_level *l);

enum ev_field_type { EV_TEXT, EV_INT };
enum { EV_FIELDS = 32, EV_ARENA = 12288, EV_SESSION_SIZE = 32 };

struct ev_field {
	const char *name; /* a literal */
	enum ev_field_type type;
	int64_t i;
	uint16_t at, n; /* text: where in the arena, without its NUL */
	bool cut;
};

struct ev_report {
	uint16_t id; /* 0: nothing to say */
	uint8_t n_fields;
	uint16_t used;
	char session[EV_SESSION_SIZE]; /* ties the lines of one call together; "" for none */
	struct ev_field field[EV_FIELDS];
	char arena[EV_ARENA];
};

/* An empty one on the stack. A report is thirteen kilobytes, of which most use a few hundred bytes: where reports are written for each call it counts that the
 * rest isn't cleared, as the compiler would do it with any other variable. */
#define EV_REPORT(name) \
	struct ev_report name MEM_NOT_CLEARED; \
	ev_fresh(&name)
static inline void ev_fresh(struct ev_report *r)
{
	r->id = 0;
	r->n_fields = 0;
	r->used = 0;
	r->session[0] = '\0';
}

/* Starts a report anew. NULL for `r` is allowed in all writers: the caller did not want to know. */
void ev_set(struct ev_report *r, uint16_t id);
void ev_session(struct ev_report *r, const char *session);
/* `name` must be a literal; a field of that name is replaced. Texts are stored as they are; escaping is the sinks' work. */
void ev_text(struct ev_report *r, const char *name, struct text value);
void ev_str(struct ev_report *r, const char *name, const char *value); /* NULL counts as "" */
void ev_int(struct ev_report *r, const char *name, int64_t value);
void ev_printf(struct ev_report *r, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const struct ev_field *ev_field(const struct ev_report *r, const char *name); /* NULL if absent */
struct text ev_field_text(const struct ev_report *r, const char *name); /* numbers are not converted; TEXT_NONE if absent */
/* Copies cheaply: only what is used. */
void ev_copy(struct ev_report *dst, const struct ev_report *src);

/* "text {field}" filled with the fields; {name} without a field stays readable as "?". Control bytes are escaped. 0, ENOMEM, EMSGSIZE. */
int ev_render(const char *pattern, const struct ev_report *r, struct buf *out);
/* The event's text in one line; cut to size. Returns dst. */
char *ev_sentence(const struct ev_report *r, char *dst, size_t size);

#endif
