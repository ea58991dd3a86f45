/* SPDX-License-Identifier: Apache-2.0 */
/* admin_private.h  What the tables of commands share. */
#ifndef ADMIN_PRIVATE_H
#define ADMIN_PRIVATE_H
#include "admin/admin.h"
#include "base/list.h"
#include "cert/lock.h"
#include "cert/plan.h"
#include "directory/dir.h"
#include "gateway/gateway.h"

struct cert_letter_in;

struct admin {
	struct admin_prm prm;
	struct admin_server *server;
	struct cfg *cfg;     /* the node's own file; NULL while unknown */
	struct cfg *objects; /* where gateways, attendants ... come from: the same, or what was applied later; may be NULL */
	struct cert_locks cert_locks; /* errands on identities */
	struct list errands, tours;   /* cmd_cure.c, cmd_cert_all.c */
	struct admin_renew *renew;    /* renew.c */
	struct cert_post *post;       /* letters between nodes; NULL: without certificates there are none */
	struct list follows; /* events follow, see cmd_events.c */
	struct list sendings; /* traces on their way, see cmd_trace.c */
	struct list watches;  /* of what is said just now, see cmd_watch.c */
	struct list matrices; /* under way, see cmd_matrix.c */
	struct list looks;    /* under way, see cmd_look.c */
	struct list edits;    /* of objects, see cmd_objects.c */
	struct list applies;  /* under way, see cmd_apply.c */
	struct list listings; /* under way, see listing.c */
};

extern const struct admin_cmd admin_node_cmds[], admin_gateway_cmds[], admin_event_cmds[], admin_log_cmds[], admin_call_cmds[], admin_mailbox_cmds[], admin_answering_cmds[],
	admin_message_cmds[], admin_choice_cmds[], admin_attendant_cmds[], admin_config_cmds[], admin_cert_cmds[], admin_cure_cmds[], admin_install_cmds[], admin_matrix_cmds[], admin_trust_cmds[], admin_trace_cmds[], admin_watch_cmds[],
	admin_story_cmds[], admin_look_cmds[], admin_prompt_cmds[], admin_report_cmds[];

extern const struct admin_cmd admin_object_cmds[];

/* "commands on {what} are not possible: this process has none" and answered. */
void admin_call_absent(struct admin_call *call, const char *what);
/* Text of a callback's `why`, or of err, as the answer. */
void admin_call_why(struct admin_call *call, int err, const struct ev_report *why);
/* JSON of the output of a function that writes JSON text into a buffer; NULL without memory. */
json_t *admin_json_of_buf(struct buf *b);
json_t *admin_json_text(struct text t); /* control bytes escaped */

/* A name that an identity may have, as in the configuration: else EINVAL. */
int admin_identity_name_bad(const char *name, struct ev_report *why);

/* Words of an argument that is none of the possible: EINVAL. */
int admin_value_bad(struct ev_report *why, const char *value, const char *kind, const char *possible);

/* cmd_install.c, cmd_cure.c */
const char *admin_identity_name(const struct admin *a, const json_t *args);                 /* that args name, or the default one */
const char *admin_identity_of(const struct cfg *cfg, const struct cfg_gateway *g);          /* that a gateway is shown */
unsigned admin_gateways_shown(struct admin *a, const char *identity, struct cert_gateway *out, unsigned max); /* names are borrowed */
/* EBUSY: somebody is at it, `why` says who. One that waits for an outside CA and whose caller has left gives way. */
int admin_cert_lock(struct admin *a, struct admin_call *call, const char *identity, const char *what, unsigned *index, struct ev_report *why);

/* cmd_look.c: ends what is under way. */
void admin_look_stop(struct admin *a);

/* cmd_trace.c: ends what is being sent; cmd_watch.c: what is being watched. */
void admin_trace_stop(struct admin *a);
void admin_watch_stop(struct admin *a);

/* letters.c */
int admin_post_start(struct admin *a);
void admin_post_stop(struct admin *a);
/* What an event advises, its fields filled in; dst. */
const char *admin_advice(const struct ev_report *r, char *dst, size_t size);

/* renew.c */
int admin_renew_start(struct admin *a);
void admin_renew_stop(struct admin *a);

/* cmd_events.c */
void admin_follow_init(struct admin *a);
void admin_follow_stop(struct admin *a);

/* cmd_story.c: the stories of that gateway (NULL: all), open ones first; `full`: with verdict and facts. */
json_t *admin_stories_json(struct admin *a, const char *gateway, bool full);
/* One story by its id; NULL if there is none. */
json_t *admin_story_json(struct admin *a, const char *id);
/* Answers with the story of that id, now or when the store has said what it keeps; false: it cannot be one. */
bool admin_story_answer(struct admin *a, struct admin_call *call, const char *id);

/* mailbox.c: a command on the mailbox that args name: by its name, an extension or a SIP URI. It is the first member of what the command
 * holds while it waits. */
struct admin_mailbox {
	struct admin *admin;
	struct admin_call *call;
	struct dir_view *view;
	const struct dir_user *user;
};
/* `size` bytes, zero behind that member; NULL after the answer was given. `store`: without one there is nothing to ask. */
void *admin_mailbox_begin(size_t size, struct admin *a, struct admin_call *call, const json_t *args, bool store);
void admin_mailbox_failed(void *x, int err, const struct ev_report *why); /* answers, and ends it */
void admin_mailbox_end(void *x);

/* listing.c: a list of any length: {key: [...]} as often as it takes, the last one with what `rest` holds besides. */
enum { ADMIN_LISTED_AT_ONCE = 100 }; /* a millisecond's work, or a few */
struct admin_listing {
	const char *key;
	size_t n;
	json_t *(*item)(const struct admin_listing *l, size_t i); /* NULL: no memory */
	json_t *rest;          /* an object; this and the next two become the listing's, and are given back with it */
	struct dir_view *view; /* what is listed, as it was when the list was begun; either may be NULL */
	struct cfg *cfg;
	const char *of;        /* for item(); static */
};
void admin_list(struct admin *a, struct admin_call *call, const struct admin_listing *of);
void admin_lists_stop(struct admin *a);

/* cmd_apply.c */
admin_cmd_h admin_apply_run;
json_t *admin_changes_json(const struct cfg_changes *changes);
void admin_applies_stop(struct admin *a);

/* cmd_objects.c */
void admin_edits_stop(struct admin *a);

/* cmd_matrix.c */
void admin_matrix_stop(struct admin *a);
/* Whether it was one about cards. */
bool matrix_letter(struct admin *a, const struct cert_letter_in *l);
bool matrix_unsent(struct admin *a, const char *to, const char *order, const struct ev_report *why);

/* cmd_gateway.c */
json_t *admin_gateway_json(struct admin *a, struct gateway *g, bool full);
/* All gateways of this node, then what other nodes said of theirs. */
json_t *admin_gateways_json(struct admin *a);

#endif
