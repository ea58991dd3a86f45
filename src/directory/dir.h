/* SPDX-License-Identifier: Apache-2.0 */
/* dir.h  Who has a mailbox, under which numbers and names, and who may be called.
 *
 * The store is the truth. Users of the configuration file are applied to it as one numbered revision; what the loop thread looks at is a
 * `struct dir_view`: an immutable, counted picture of all users, replaced as a whole when the revision changes. So finding somebody never
 * waits, and works while the store is away. A dialogue keeps a reference to the view as long as it keeps users of it. */
#ifndef DIRECTORY_DIR_H
#define DIRECTORY_DIR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/text.h"
#include "config/cfg.h"
#include "db/db.h"
#include "event/bus.h"
#include "event/report.h"

struct dir;
struct dir_view;
struct pool;

/* A person or place with a mailbox. Belongs to its view; texts are "" when not given. */
struct dir_user {
	const char *name; /* of the mailbox, in lower case: [0-9a-z._-]{1,64} */
	const char *display_name, *first_name, *last_name;
	const char *spoken_name; /* text to be spoken; never "" */
	const char *language, *dialplan, *policy, *operator_number;
	const char *department, *title;
	const char *alias; /* for the keys; never "" */
	const char *schedule; /* when he works; "" always */
	struct cfg_strings extensions, sip_uris, allowed_transfers;
	struct cfg_strings pronunciation; /* as in cfg_mailbox */
	bool dialable; /* by callers of attendants */
	bool lamp;
	const char *lamp_gateway, *lamp_uri; /* completed from the dial plan; "" when there is none */
	bool managed_by_file;
};

struct dir_prm {
	struct store *store;
	struct loop *loop;
	struct pool *crypto; /* for Argon2id */
	const struct um_clock *clock;
	struct ev_bus *bus;
	const char *node;
	uint64_t poll_ms; /* how often the store is asked for a newer revision; 0 = 5000 */
	bool shared; /* other nodes use the store too: objects that came from it are never written back, for they may be old by now */
	bool cheap_hash; /* tests: the least Argon2id allows */
};

int dir_create(struct dir **dp, const struct dir_prm *prm);
void dir_destroy(struct dir *d);
/* The users of this configuration become the view at once (also when the store is away) and are then applied to the store as a revision
 * managed by file; `done` (may be NULL) tells how that ended. A user who is no longer in the file keeps messages, but is not found. A
 * configuration without any object applies nothing: then the store's users are the view. */
typedef void (dir_applied_h)(int err, int64_t revision, const struct ev_report *why, void *arg);
int dir_apply(struct dir *d, const struct cfg *cfg, dir_applied_h *done, void *arg);
/* The same with a view that was made beforehand (dir_view_of_cfg, any thread), which it takes over: this cannot fail. A store that takes no jobs now
 * is given the revision later. */
void dir_use(struct dir *d, struct dir_view *view);

/* Objects that `umbel apply` wrote for all nodes and that this node has not in use yet: found at start when its own file has none, later when
 * another node wrote them. The handler puts them together with the node part (cfg_merge) and gives the whole to dir_apply() and to all
 * others who use the configuration. Loop thread; `objects` is borrowed for the call. */
typedef void (dir_objects_h)(const struct cfg *objects, int64_t revision, void *arg);
void dir_on_objects(struct dir *d, dir_objects_h *h, void *arg);

/* Objects as they were before the revision that is the newest now: the last one that differs from it in them. `objects` is the caller's. In a store
 * thread. ENOENT: there is none. */
int dir_revision_before(struct db_tx *tx, int64_t *number, char **objects, struct ev_report *why);
/* The newest one; number 0: there is none. objects is "" where it came from a node's own file, else the caller's to free; NULL: not wanted. */
struct dir_newest {
	int64_t number;
	char node[65];
	char *objects;
};
int dir_revision_newest(struct db_tx *tx, struct dir_newest *n, bool objects, struct ev_report *why);

/* This node has that revision in use, whole. Loop thread. */
typedef void (dir_serves_h)(int64_t revision, void *arg);
void dir_on_serves(struct dir *d, dir_serves_h *h, void *arg);
/* Looks at the store now: somebody told that there is something newer. */
void dir_look(struct dir *d);

/* The current view, with a reference for the caller; NULL before the first dir_apply. */
struct dir_view *dir_view(struct dir *d);
struct dir_view *dir_view_ref(const struct dir_view *v);
struct dir_view *dir_view_unref(const struct dir_view *v); /* always NULL */
/* A view of a configuration alone, without any store (tests, tools). */
int dir_view_of_cfg(struct dir_view **vp, const struct cfg *cfg);
const struct cfg *dir_view_cfg(const struct dir_view *v);
int64_t dir_view_revision(const struct dir_view *v); /* 0: not from the store */
size_t dir_view_count(const struct dir_view *v);
const struct dir_user *dir_view_at(const struct dir_view *v, size_t n); /* by name */

/* What a voice is given to say a person's or a department's name: its first pronunciation, or the name itself. Belongs to the view, or is `name`. */
const char *dir_view_sounds(const struct dir_view *v, const char *name);

/* Departments of people whom callers may dial, by name, each once whatever its case; and how many people it has. */
size_t dir_view_departments(const struct dir_view *v);
const char *dir_view_department(const struct dir_view *v, size_t n, size_t *people);

/* ---- finding; NULL if nobody ---- */
const struct dir_user *dir_find_name(const struct dir_view *v, struct text name); /* of the mailbox; without case */
/* Digits as dialled or called: an extension; "+", visual separators and a prefix before a complete extension of the dial plan's length are
 * accepted ("+1 555 0201" finds extension 0201 if extension_digits is 4 and that user exists). */
const struct dir_user *dir_find_number(const struct dir_view *v, struct text number);
const struct dir_user *dir_find_extension(const struct dir_view *v, struct text digits); /* exactly */
/* "sip:alice@contoso.com;user=phone" or "alice@contoso.com"; parameters and the port are ignored, the host without case. */
const struct dir_user *dir_find_uri(const struct dir_view *v, struct text uri);
/* Any of the three. */
const struct dir_user *dir_find(const struct dir_view *v, struct text what);
const struct cfg_policy *dir_policy(const struct dir_view *v, const struct dir_user *u); /* never NULL */
const struct cfg_dialplan *dir_dialplan(const struct dir_view *v, const struct dir_user *u); /* NULL if there is none */

/* ---- dial by name ----
 * Names as keys 2..9 (ITU-T E.161), accents folded, all but letters and digits dropped; "Jürgen Groß" is 587436 47677. */
/* Writes digits and a NUL; cut off at size. */
void dir_keys_of(struct text name, char *dst, size_t size);
/* Users whose keys begin with `digits`, in the order (last first, first last, or their alias) asked for, by name; at most max into out; *total counts all.
 * Exact matches (the whole name typed) come first. */
void dir_match_keys(const struct dir_view *v, struct text digits, enum cfg_name_order order, bool dialable_only,
                    const struct dir_user **out, size_t max, size_t *total);

/* ---- who may be called ---- */
enum dir_allow {
	DIR_ALLOWED,
	DIR_NOBODY, /* no such user or extension */
	DIR_NOT_DIALABLE, /* exists, but not for these callers */
	DIR_NOT_DIGITS, /* holds something that never goes into a dial string */
	DIR_OVER_CAP, /* calls to numbers outside: as many as there may be in an hour */
};
struct dir_target {
	const struct dir_user *user; /* NULL when an allowed extension without mailbox */
	char number[32]; /* digits to dial; "" when only a URI is known */
	const char *uri; /* the user's first SIP URI or "" ; belongs to the view */
	const char *spoken_name; /* "" when unknown: say the digits */
	const struct cfg_dialplan *dialplan; /* whose gateway and domain are used; may be NULL */
	bool outside; /* by a rule for numbers outside: counted before it is called */
};
/* Callers of an attendant type digits: only dialable users. */
enum dir_allow dir_may_dial(const struct dir_view *v, struct text digits, struct dir_target *t);
/* Callers of this attendant type digits: dialable users; extensions without a mailbox and outside numbers only where the attendant allows
 * them. The number to be dialled may be another than was typed. */
enum dir_allow dir_may_type(const struct dir_view *v, const struct cfg_attendant *aa, struct text digits, struct dir_target *t);
/* A number outside, by the groups of the dial plan's rules that a policy or an attendant names (rules.h). */
enum dir_allow dir_may_call_outside(const struct cfg_dialplan *plan, const struct cfg_strings *groups, struct text number, struct dir_target *t);
/* Targets named by the administrator (menu keys, operators): a user's name, extension or URI, or an extension in digits even without mailbox. */
enum dir_allow dir_may_transfer(const struct dir_view *v, struct text target, struct dir_target *t);
/* Callers in `from`'s greeting: operator and allowed_transfers of that user only. */
enum dir_allow dir_may_transfer_from(const struct dir_view *v, const struct dir_user *from, struct text target, struct dir_target *t);
const char *dir_allow_name(enum dir_allow a);
/* Counts a call to a number outside for `of` (a mailbox or an attendant, in words), over all nodes and by the hour. The handler, on the loop: 0: it may be made;
 * EDQUOT: there were as many already; else it could not be counted. */
typedef void (dir_counted_h)(int err, const struct ev_report *why, void *arg);
int dir_count_outside(struct dir *d, const char *of, uint32_t per_hour, dir_counted_h *h, void *arg, uint64_t *handle);

/* The event (2602) for a refused transfer target. */
void dir_refusal(enum dir_allow a, struct text target, struct ev_report *why);

#endif
