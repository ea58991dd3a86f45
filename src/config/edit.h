/* SPDX-License-Identifier: Apache-2.0 */
/* edit.h  Objects changed by commands: a file of objects in, the same with some of them added, changed or taken out, as text again. What comes out
 * goes the way of any file: it is parsed, checked as a whole, and taken into use or not at all. Comments do not survive. Any thread. */
#ifndef CONFIG_EDIT_H
#define CONFIG_EDIT_H
#include "config/cfg.h"

enum cfg_edit_op { CFG_EDIT_ADD, CFG_EDIT_SET, CFG_EDIT_REMOVE };
struct cfg_edit_setting {
	const char *key;   /* "extensions", "closed.greeting" */
	const char *value; /* as in the file: one that begins with [ { " or ' is YAML, any other is a text as it stands; NULL: the default again */
};
struct cfg_edit {
	enum cfg_edit_op op;
	const char *list;  /* "mailboxes" */
	const char *name;
	const struct cfg_edit_setting *set;
	size_t n;
	size_t index;      /* written: where the object stands in its list now; SIZE_MAX: nowhere */
};
/* 0; EINVAL: `errors` say what is wrong with an edit (key: the object's name); ENOMEM. `yaml` was good before; "" is an empty file. */
int cfg_edit(struct text yaml, struct cfg_edit *edits, size_t n, struct buf *out, struct cfg_errors *errors);

/* ---- looking at objects by the tables of settings ---- */
/* Settings of object i of a list, in the order of the tables; `given`: it stands in the file. `value` is as it would be written there. */
typedef void (cfg_show_h)(const char *key, const char *value, bool given, const char *help, void *arg);
int cfg_show(const struct cfg *c, const char *list, size_t i, cfg_show_h *h, void *arg); /* 0, ENOENT, ENOMEM */
size_t cfg_list_count(const struct cfg *c, const char *list); /* 0 too if there is no such list */
const char *cfg_list_name(const struct cfg *c, const char *list, size_t i);
/* Whether the objects of that list have such a setting, and whether it takes several values. */
bool cfg_setting_known(const char *list, const char *key, bool *several);

#endif
