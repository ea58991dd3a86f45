/* SPDX-License-Identifier: Apache-2.0 */
/* config_private.h  The parts of the binder: memory, tree of the file, schema, errors. */
#ifndef CONFIG_PRIVATE_H
#define CONFIG_PRIVATE_H
#include "base/mem.h"
#include "config/arena.h"
#include "config/cfg.h"

/* ---- tree.c: the file as it stands there ---- */
enum tree_kind { TREE_SCALAR, TREE_MAP, TREE_LIST };
struct tree {
	enum tree_kind kind;
	struct cfg_pos pos;
	struct text text; /* scalar */
	bool quoted;
	struct tree *key; /* of a member of a map */
	struct tree *first, **last, *next; /* children; of a map: values, each with its key */
	size_t n;
};
/* 0, EINVAL with errors, ENOMEM. */
int tree_parse(struct tree **tp, struct arena *a, const char *path, struct text yaml, struct cfg_errors *errors);

/* ---- errors.c ---- */
/* The known word nearest to `word`, or NULL when none is near. */
const char *cfg_nearest(struct text word, const char *const *known, size_t n);

/* ---- schema.c ---- */
enum cfg_type { CFG_NAME, CFG_TEXT, CFG_HOST, CFG_PATH, CFG_BOOL, CFG_U16, CFG_U32, CFG_MS, CFG_SEC, CFG_STORE, CFG_HOSTPORT, CFG_PORTS,
	CFG_NUMBER, CFG_TARGET, CFG_URI, CFG_ZONE, CFG_PATTERN, CFG_SOUND, CFG_VOICE, CFG_LINES, CFG_ADDRESS, CFG_DATE, CFG_CODEC,
	CFG_TRANSPORT, CFG_RULE, CFG_PROFILE, CFG_TLSVERSION, CFG_LEGACY, CFG_REUSE, CFG_STOREAWAY, CFG_TRANSFERBY, CFG_NAMEORDER, CFG_REVOCATION, CFG_STAPLE, CFG_URIKIND, CFG_SECURITY, CFG_SRTP, CFG_OFFERBY, CFG_ANSWER, CFG_AUTOONOFF, CFG_AUDIOFORM, /* enums */
	CFG_LISTEN, CFG_NAMES, CFG_HOSTS, CFG_PATHS, CFG_NUMBERS, CFG_TARGETS, CFG_URIS, CFG_ADDRESSES, CFG_TEXTS, CFG_SOUNDS, CFG_CODECS, CFG_LEVELS, CFG_KEYS, CFG_ANSWERKEYS, CFG_HOURS };
enum cfg_when { CFG_LIVE, CFG_RESTART };

struct cfg_row {
	const char *key;
	enum cfg_type type;
	size_t offset;
	const char *def; /* NULL: must be given */
	int64_t least, most;
	enum cfg_when when;
	const char *help;
};

struct cfg_object;
struct cfg_sub {
	const char *key;
	const struct cfg_object *object;
	bool list; /* of structs of their own; else a map within the same struct */
	size_t offset, offset_n;
	enum cfg_when when;
};
struct cfg_object {
	const char *path, *help;
	size_t size; /* of the struct of a list's member */
	const struct cfg_row *rows;
	size_t n_rows;
	const struct cfg_sub *subs;
	size_t n_subs;
};
extern const struct cfg_object cfg_root; /* of struct cfg */

struct cfg_word {
	const char *word;
	int value;
};
enum { CFG_WORDS_MAX = 64 };
/* The words of an enum type, at most CFG_WORDS_MAX; NULL for other types. */
const struct cfg_word *cfg_words(enum cfg_type t, size_t *n);
const char *cfg_word_of(enum cfg_type t, int value);
bool cfg_is_list(enum cfg_type t);
enum cfg_type cfg_element(enum cfg_type list);

/* ---- the value, while it is made ---- */
struct cfg_place {
	const void *member;
	struct cfg_pos pos;
};
struct cfg_all {
	struct cfg cfg; /* first: cfg_ref() counts this object */
	struct arena arena;
	struct cfg_place *places;
	size_t n_places, room;
	bool sorted; /* by address: cfg_pos_of() is asked for each number of thousands of mailboxes */
	const struct cfg *of[2]; /* references to what cfg_merge() put together */
};

struct binder {
	struct cfg_all *all;
	struct cfg_errors *errors;
	const char *path;
	char key[512]; /* of what is being bound: "gateways[0].port" */
};

/* ---- bind.c, value.c, list.c, check.c, complete.c ---- */
int cfg_bind(struct binder *b, const struct tree *root, enum cfg_want want);
void cfg_sort_places(struct cfg_all *all);
void cfg_note(struct binder *b, const void *member, struct cfg_pos pos);
void cfg_wrong(struct binder *b, struct cfg_pos pos, const char *fix, const char *what, ...) __attribute__((format(printf, 4, 5)));
/* Writes the value of a scalar row into the struct at base; false after saying what is wrong. */
bool cfg_value(struct binder *b, const struct cfg_row *row, struct text t, struct cfg_pos pos, void *base);
/* Checks a text of that type; NULL if it is good, else what it should be. */
const char *cfg_text_wrong(enum cfg_type t, struct text v);
/* schedule.c: "mon-fri" and "08:30-12:00, 13:00-17:45"; a day of the calendar. */
void cfg_hours(struct binder *b, const struct cfg_row *row, const struct tree *t, void *base);
bool cfg_date_of(struct text t, struct cfg_date *d);
/* calendar.c. 0; EINVAL: no iCalendar; E2BIG: more than 500 events repeat, or it takes a second to work out when; ENOMEM; or why the file could not be read. */
struct zone;
int cfg_calendar_parse(struct arena *a, const struct zone *zone, struct text ics, const struct cfg_calendar_day **v, size_t *n);
int cfg_calendar_load(struct arena *a, struct cfg_schedule *s);
struct cfg_all;
void cfg_fill_calendars(struct cfg_all *all, cfg_calendar_h *find, void *arg); /* arena.failed without memory */
/* Minutes of the whole week, for schedules without hours; of the arena. */
const struct cfg_period *cfg_whole_week(struct binder *b);
void cfg_list(struct binder *b, const struct cfg_row *row, const struct tree *t, void *base);
void cfg_check(struct binder *b);
/* Fills what follows from other settings. */
void cfg_complete(struct binder *b);

#endif
