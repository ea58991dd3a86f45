/* SPDX-License-Identifier: Apache-2.0 */
/* server_private.h  The parts of a node, in the order in which they are built. */
#ifndef SERVER_PRIVATE_H
#define SERVER_PRIVATE_H
#include "admin/admin.h"
#include "base/list.h"
#include "admin/http.h"
#include "cert/crls.h"
#include "cert/watch.h"
#include "delivery/lamp.h"
#include "delivery/lookout.h"
#include "dialogue/service.h"
#include "directory/calendars.h"
#include "directory/dir.h"
#include "gateway/gateway.h"
#include "gateway/shared.h"
#include "gateway/story_store.h"
#include "jobs/outbox.h"
#include "jobs/registry.h"
#include "mailbox/mbox.h"
#include "media/media.h"
#include "net/loop.h"
#include "net/pool.h"
#include "net/tmr.h"
#include "node/node.h"
#include "records/records.h"
#include "server/server.h"
#include "sip/core.h"
#include "voice/name.h"
#include "voice/own.h"
#include "voice/languages.h"
#include "voice/speech.h"

struct trace;

/* Another node that was ready a moment ago, and where it takes calls: "host:port;transport=...", "" for a transport that it does not have. */
enum { SERVER_SIBLINGS = 16, SERVER_TRANSPORTS = CFG_TLS + 1 };
struct server_sibling {
	char place[SERVER_TRANSPORTS][300];
};

struct server {
	struct cfg *cfg; /* in use */
	char digest[33]; /* of its objects, for the registry; "" not made */
	int64_t revision; /* of the store, in use whole; 0: none */
	char path[4096];
	bool quiet, keep_user;
	unsigned built;  /* parts that stand */

	struct ev_bus *bus;
	struct metrics *metrics;
	struct loop *loop;
	struct trace *trace;
	struct loop_io signal_io;
	int signal_fd;
	struct pool *crypto, *files, *slow, *reading; /* files: what messages wait for; slow: what nobody must stand behind; reading: the configuration */
	struct dns *dns;
	struct trust_keeper *keeper;
	struct cert_watch *watch;
	struct cert_crls *crls; /* of our own authorities */
	struct store *store;
	struct outbox *outbox;
	struct registry *registry;
	struct calendars *calendars; /* that schedules name by address */
	struct dir *dir;
	struct mbox *mbox;
	struct records *records;
	struct media_engine *media;
	struct languages *languages;
	struct own_prompts *own_prompts;
	struct speech *speech; /* the helper process */
	struct voice_names *names;
	struct node *node;
	struct gw_table *gateways;
	struct gw_shared *shared;
	struct gw_story_store *stories;
	struct lamp *lamp;
	struct lookout *lookout;
	struct dlg_service *calls;
	struct sip_core *sip;
	struct admin *admin;
	struct admin_http *http, *http_crl;
	struct server_sibling siblings[SERVER_SIBLINGS];
	unsigned n_siblings, next_sibling;
	struct tmr minute; /* looks at certificates, tells the registry */
	struct list changes; /* of the configuration, asked for and not over yet: reload.c */
};

typedef int (part_build_h)(struct server *s, struct ev_report *why);
typedef void (part_drop_h)(struct server *s);

/* trust.c: identities and anchors of a configuration as one set; warnings become events. */
int server_trust_read(struct ev_bus *bus, const struct cfg *cfg, struct trust_set **setp, struct ev_report *why); /* files: any thread but the loop */
void server_trust_tell(struct ev_bus *bus, const struct cfg *cfg, const struct trust_set *set); /* what is questionable in it */
int server_build_trust(struct server *s, struct ev_report *why);
void server_drop_trust(struct server *s);
void server_certificate_need(struct server *s);

/* sip.c: the SIP core, who may call, and how lamps are sent. */
int server_build_sip(struct server *s, struct ev_report *why);
void server_drop_sip(struct server *s);
int server_build_lamp(struct server *s, struct ev_report *why);
void server_drop_lamp(struct server *s);

/* calendars.c: days of calendars that come from elsewhere. */
int server_build_calendars(struct server *s, struct ev_report *why);
void server_drop_calendars(struct server *s);
/* *cfg with the days of what lies on disk; its reference is exchanged. Reads files: not on the loop of a busy node. 0, ENOMEM. */
int server_calendar_days(struct cfg **cfg, const char *data);

/* sibling.c */
void server_listen_words(const struct cfg *cfg, char *dst, size_t size);
void server_siblings_look(struct server *s);
/* Where that peer's call may go instead, if it follows and somebody is ready; else "". */
void server_elsewhere(struct server *s, const struct sip_peer *peer, char *dst, size_t size);

/* trace.c */
int server_build_trace(struct server *s, struct ev_report *why);
void server_drop_trace(struct server *s);
int server_build_listening(struct server *s, struct ev_report *why);
void server_drop_listening(struct server *s);

/* reload.c */
/* Of all objects, wherever they came from: two nodes that serve the same have the same. 0, ENOMEM, EMSGSIZE; hex is "" then. */
int server_objects_digest(const struct cfg *cfg, char hex[33]);
admin_apply_h server_apply;
admin_reload_h server_reload_told;
bool server_shares(const struct server *s); /* the store, with other nodes */
void server_take_objects(const struct cfg *objects, int64_t revision, void *server);
void server_try_objects(const struct cfg *objects, int64_t number, void *server);
void server_serves(int64_t revision, void *server);
void server_trust_changed(void *server);
/* Tells the other nodes which certificates this one shows now (never a key). What cannot be told now is told at the next change. */
void server_show_card(struct server *s);
void server_reload(struct server *s);
void server_calendar_changed(void *server); /* a copy on disk is another: its days are put into what is in use */

/* secrets.c: no debugger of our own user, no core. After each change of the user, which would undo it. */
void server_not_dumpable(void);

/* user.c: from here on an ordinary user. */
int server_become_user(struct server *s, struct ev_report *why);

#endif
