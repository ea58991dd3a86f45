/* SPDX-License-Identifier: Apache-2.0 */
/* call_private.h  One call between its leg, its port and its conversation; shared by call_begin.c and call.c (the life), effects_live.c and jobs_live.c (what the
 * conversation can do) and service.c (all of them).
 *
 * A call is an object: the service's list holds one reference until the end, every job under way another, so that a result that comes
 * after the end finds a call that no longer listens, never freed memory.                                               */
#ifndef DIALOGUE_CALL_PRIVATE_H
#define DIALOGUE_CALL_PRIVATE_H
#include "base/list.h"
#include "dialogue/phone_live.h"
#include "dialogue/record_live.h"
#include "dialogue/service.h"
#include "dialogue/session.h"
#include "dialogue/tale_live.h"
#include "dialogue/who.h"
#include "media/media.h"
#include "net/loop.h"
#include "net/pool.h"
#include "net/tmr.h"
#include "sip/leg.h"
#include "trust/explain.h"
#include "voice/hear.h"
#include "voice/name.h"
#include "voice/speech.h"
#include "voice/player.h"
#include "voice/recorder.h"

struct dlg_call;

enum { DLG_BANDS = 6 };
struct dlg_metrics {
	struct metric *active, *answering, *subscriber, *attendant, *refused, *saved, *lost, *transfers, *transfers_failed, *heard, *not_heard, *dropped_short, *dropped_silent, *missed, *found, *not_found, *band[DLG_BANDS];
};
enum { DLG_GRAMMARS = 24 };
struct dlg_service {
	struct dlg_service_prm prm;
	char spool_dir[SPOOL_PATH], media_address[64], node[65];
	struct cfg *cfg;
	struct dlg_attendants *attendants;
	struct list calls, past, jobs, found; /* found: recordings left behind, not read yet */
	struct list outgoing;  /* those of the calls that we made: few, and looked through at each call that comes */
	unsigned n_calls, n_past, n_refused, n_saves; /* saves: messages on their way to the mailbox */
	bool draining;
	dlg_idle_h *idle;
	void *idle_arg;
	struct sip_core *core;        /* calls are made by these; NULL: none are */
	struct gw_table *gateways;
	uint64_t known[DLG_GRAMMARS]; /* grammars that the helper was taught since its start number known_starts */
	unsigned n_known;
	uint32_t known_starts;
	struct dlg_metrics m;
	struct {
		struct net_addr to, local;
		int64_t until_ms;
	} way; /* the address of ours towards whoever called last: asked of the kernel once a second, not by a socket a call */
};

/* A job whose handler is still to come. */
struct live_job {
	struct link link;       /* service's jobs */
	struct dlg_call *call;  /* a reference */
	struct dlg_service *svc;
	uint32_t id;            /* the engine's */
	enum dlg_clip clip;
	uint64_t handle;        /* of directory or mailbox; 0 for the pool's jobs */
	bool of_directory;
	char path[SPOOL_PATH], (*before)[SPOOL_PATH]; /* the parts before it, n_before of them; owned */
	unsigned n_before;
	struct spool_info info;
	struct buf audio;
	const char *kind;
	bool late;              /* a recording that came after its call gave it up */
	void (*then)(struct live_job *j); /* after the file was read */
	/* the mailbox by phone: phone_live.c, send_live.c */
	char choice[16], value[64];
	struct zone *zone;
	struct media_clip *from, *made;
	unsigned speed;
	struct live_send *send;
	struct tmr tmr;
};

struct live_name {
	struct dlg_call *call;
	bool waits;
	struct media_clip *clip;
};
struct live_saying {
	struct dlg_utterance u;
	struct live_name name[DLG_WORDS];
};

struct dlg_call {
	struct link link, outgoing_link;
	struct dlg_service *svc; /* NULL once the service is gone */
	struct leg *leg;
	struct media_port *port;
	struct player player;
	struct recorder *recorder;
	enum media_codec rec_codec; /* of what was recorded last */
	char rec_path[SPOOL_PATH]; /* "" when there is no file of ours */
	char (*part)[SPOOL_PATH]; /* what it was added to, DLG_PARTS - 1 of them; NULL: nothing yet */
	unsigned n_parts;
	uint32_t rec_job, xfer_job;
	struct trust_verdict *verdict; /* on the last transfer, when no SIP answer came; NULL */
	struct media_clip *clip[DLG_CLIPS];

	/* find me: find_live.c. The caller's call knows the one that is made for it, and that one knows the caller's; each holds the other
	 * until one of them lets go (dlg_call_part). */
	bool outgoing, joined;
	char keys_wait[33];           /* of the other one, while a key of his is being sent */
	struct dlg_call *found, *partner;
	uint32_t find_job, join_job, take_job;
	int end_status;               /* of the leg */
	struct tmr tell;              /* the other call's conversation is never told from within this one's */
	enum { TELL_NOTHING, TELL_TAKEN, TELL_JOINED, TELL_ENDED } tell_what;

	/* the mailbox by phone: phone_live.c */
	struct zone *zone;            /* that times are told in; NULL: the server's */
	struct media_clip *stretched; /* the message at another speed */
	unsigned stretched_speed;
	bool telling;                 /* the message is a part of what is being said */
	uint32_t heard_ms, told_from_ms;
	unsigned told_percent, told_words;
	int64_t told_at_ms;

	struct live_saying *saying;  /* from the asking for its names until it plays; else NULL */
	uint32_t say_id;
	bool notice_due;             /* that the call is to come to an end, and he has not heard it: notice_live.c */
	bool notice_plays;           /* it is a part of what is being said */
	bool tone_plays;             /* what is being said ends in the tone after which he speaks */
	unsigned names_wait;
	bool in_say;

	/* a spoken name (listen_live.c) */
	struct hear *hear;         /* NULL: the port is not listened to */
	uint32_t listen_job;
	uint64_t listen_asked, grammar; /* the helper's handle, which holds a reference of the call; key */
	int16_t *utterance;
	size_t n_utterance;
	bool listen_retried, spoke;
	bool listen_beside; /* nobody asked: the state listens beside its keys */
	bool listen_waits;  /* until the port is free again */
	bool grammar_commands, grammar_closed; /* what c->grammar was made of */
	const struct cfg_attendant *grammar_aa;
	const char *grammar_department;
	struct speech_memory *listen_memory; /* of what was heard before, by listen_memory_of: heard together with what comes; NULL: nothing */
	uint64_t listen_memory_of;

	struct tmr timer[DLG_TIMERS], limit;
	struct dlg_who who;
	struct dlg_session s;
	const struct dlg_table *table;
	void *table_owner;

	bool answered, started, talk_over, leg_over, receipt, listed;
	int result;
	char session[EV_SESSION_SIZE], called[128], gateway[64], source[64], outcome[96];
	int64_t started_us, started_mono_ms;
	struct dlg_notes notes; /* for its record: record_live.c */
	struct dlg_call_step *step; /* grows: most calls take few */
	unsigned n_steps, room_steps, steps_lost;
	struct dlg_tale tale;
	struct dlg_told told;
};

/* call_begin.c */
int dlg_call_begin(struct dlg_service *svc, struct leg *leg, struct dir_view *view, const struct dlg_who *who);
void dlg_call_caller_is(struct dlg_call *c); /* whom the conversation takes for its caller: c->who's */
struct dlg_call *dlg_call_make(struct dlg_service *svc, struct dir_view *view, const struct dlg_who *who, const char *session);
/* A call that came to nothing before its leg was there. */
void dlg_call_undo(struct dlg_call *c);
int dlg_call_open_port(struct dlg_call *c, const struct net_addr *local, struct ev_report *why);
/* call.c */
void dlg_call_sound_is(struct dlg_call *c); /* looks whether it is encrypted */
void dlg_call_leg_h(struct leg *leg, const struct leg_event *ev, void *arg);
void dlg_call_media_h(struct media_port *port, const struct media_event *ev, void *arg);
void dlg_call_end(struct dlg_call *c, const char *why); /* by us: as if the caller had hung up, then BYE */
void dlg_call_talk_over(struct dlg_call *c, int result);
void dlg_call_step(struct dlg_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void dlg_call_emit(struct dlg_call *c, struct ev_report *r); /* with session, caller and gateway */
void dlg_call_detach(struct dlg_call *c); /* the service goes away */
/* notice_live.c */
void dlg_call_notice(struct dlg_call *c, unsigned seconds);
void dlg_notice_before(struct dlg_call *c, struct say_seq *q);
void dlg_notice_heard(struct dlg_call *c, bool stopped);
void dlg_notice_after(struct dlg_call *c); /* what was being said is over, and what follows has begun */
/* effects_live.c */
player_h dlg_live_played;
extern const struct dlg_effects dlg_live;
enum cfg_transfer_by dlg_transfer_by(const struct dlg_call *c); /* of the gateway that it came by */
void dlg_live_hush(struct dlg_call *c);
bool dlg_live_media(struct dlg_call *c, const struct media_event *ev); /* true if it was the player's or the recorder's */
void dlg_live_drop_file(struct dlg_call *c);
/* listen_live.c */
bool dlg_live_hears(void *arg);
int dlg_live_listen(void *arg, uint32_t job);
void dlg_live_rests(void *arg);
void dlg_live_deaf(void *arg); /* also at the end of a call */
bool dlg_live_heard(struct dlg_call *c, const struct media_event *ev);
/* jobs_live.c: the effects that ask directory, mailbox and files */
int dlg_job_save(void *arg, uint32_t job);
int dlg_job_fetch(void *arg, uint32_t job, enum dlg_clip clip, const struct dir_user *box);
int dlg_job_fetch_own(void *arg, uint32_t job);
int dlg_job_greeting_set(void *arg, uint32_t job);
int dlg_job_greeting_remove(void *arg, uint32_t job);
int dlg_job_list(void *arg, uint32_t job);
int dlg_job_room(void *arg, uint32_t job, const struct dir_user *box);
int dlg_job_mark(void *arg, uint32_t job, const char *id, enum mbox_state state);
int dlg_job_count_outside(void *arg, uint32_t job, const char *of, uint32_t per_hour);
int dlg_job_logon(void *arg, uint32_t job, const struct dir_user *box, struct text pin);
int dlg_job_pin_set(void *arg, uint32_t job, struct text pin);
/* A job of an effect: it ends in done or failed, or, if it was not begun after all, in finish. */
struct live_job *dlg_live_begin(struct dlg_call *c, uint32_t id);
struct live_job *dlg_live_begin_own(struct dlg_call *c, uint32_t id); /* NULL, too, for who is not logged on: the effect is EACCES */
void dlg_live_finish(struct live_job *j);
void dlg_live_done(struct live_job *j, int code);
void dlg_live_failed(struct live_job *j, int err);
/* Whether the conversation still waits for it. Where it does not, its time was up or the caller went on: he was told that it failed, so nothing more
 * is begun for it, and nothing in the session is changed; what the job meant by "own" then may be somebody else by now. */
bool dlg_live_awaited(const struct live_job *j);
int dlg_live_begun(struct live_job *j, int err); /* gives err back; finishes the job if there is one */
void dlg_live_done_h(int err, const struct ev_report *why, void *arg); /* of a mailbox: J_DONE, or the report goes out and it failed */
/* Reads the recording, then goes on with it. */
/* The form in which this mailbox's messages are kept. */
enum mbox_codec dlg_live_codec(enum media_codec c); /* of a recording */
enum mbox_codec dlg_live_form(const struct dir_view *view, const struct dir_user *box);
int dlg_live_with_recording(struct dlg_call *c, uint32_t id, void (*then)(struct live_job *j));
void dlg_file_remove(struct dlg_service *svc, const char *path);
/* The id in the name of a recording's file. */
void dlg_recording_id(const char *path, char id[ID_SIZE]);
/* A message's recording whose call no longer waits for it becomes a message: recover.c. */
void dlg_recover_late(struct dlg_service *svc, const char *path, const struct spool_info *info);
/* Handlers still to come will find nobody. */
void dlg_jobs_cancel(struct dlg_service *svc);
void dlg_recover_stop(struct dlg_service *svc);
/* find_live.c */
/* Of a call that was made: whoever waits for it learns what came of it, later. */
void dlg_call_tell(struct dlg_call *c, int what);
/* Neither knows the other any more; a call that was made for this one ends. */
void dlg_call_part(struct dlg_call *c);
/* A key while they talk: for the other one. */
void dlg_call_pass_key(struct dlg_call *c, char key);
void dlg_call_pass_more(struct dlg_call *c); /* what came while another was being sent */
/* Whether an incoming call is our own search that was diverted back here. */
bool dlg_is_own_search(const struct dlg_service *svc, const struct leg *leg);
bool dlg_may_be_own_search(const struct dlg_service *svc, const struct leg *leg, const struct dlg_who *who); /* or it has come too far for one */
int dlg_live_find(void *arg, uint32_t job, const char *uri, uint32_t ring_ms);
int dlg_live_bridge(void *arg, uint32_t job, const char *uri);
void dlg_live_find_stop(void *arg);
int dlg_live_join(void *arg, uint32_t job);
int dlg_live_take(void *arg, uint32_t job);
/* service.c */
void dlg_service_add(struct dlg_service *svc, struct dlg_call *c);
void dlg_service_over(struct dlg_service *svc, struct dlg_call *c); /* into the history; gives the list's reference back */
void dlg_service_check_idle(struct dlg_service *svc);

#endif
