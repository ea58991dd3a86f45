/* SPDX-License-Identifier: Apache-2.0 */
/* record.h  What is kept of one call that is over: the record, what its caller did in attendants, and what became of mailboxes. Values; any
 * thread. docs/reports.md says what each field means. PINs are never part of them.                                       */
#ifndef RECORDS_RECORD_H
#define RECORDS_RECORD_H
#include <stdbool.h>
#include <stdint.h>
#include "base/id.h"
#include "base/list.h"
#include "base/text.h"

/* T(member, size): text; I(member): a number, RECORD_UNKNOWN where it was not measured. Columns of the store and members of JSON have these names. */
#define RECORD_FIELDS(T, I) \
	T(id, 32) T(parent, 32) T(call_id, 128) T(node, 65) I(started_us) T(day, 11) I(duration_ms) T(kind, 20) T(direction, 4) T(transport, 4) \
	T(gateway, 65) T(gateway_address, 64) T(dialplan, 65) T(called, 128) T(caller, 64) T(caller_name, 128) T(dialled, 128) \
	T(offer_result, 12) T(drop_reason, 24) T(reason, 12) T(caller_mailbox, 65) T(callee_mailbox, 65) T(attendant, 65) T(transferred_to, 128) \
	T(codec, 8) T(band, 12) I(received) I(lost) I(peer_lost) I(jitter_us) I(round_trip_us) I(nmos_centi) I(degradation_centi) \
	I(degradation_jitter_centi) I(degradation_loss_centi) I(burst_density_centi) I(burst_gap_ms) I(steps) I(steps_lost) T(keys, 24) T(srtp, 32)
enum { RECORD_UNKNOWN = -1 };

struct call_record {
#define RECORD_T(member, size) char member[size];
#define RECORD_I(member) int64_t member;
	RECORD_FIELDS(RECORD_T, RECORD_I)
};
/* Empty texts, figures unknown; no steps. */
void record_init(struct call_record *r);

/* What a call was. */
enum record_kind {
	RECORD_NONE,            /* refused before it was anything */
	RECORD_VOICE_MESSAGE,   /* a message was left for a mailbox */
	RECORD_MISSED,          /* answered for a mailbox, or not at all, and nothing is left of it */
	RECORD_ANSWERED,        /* answered for a mailbox, and put through from there */
	RECORD_SUBSCRIBER,      /* the owner of a mailbox logged on */
	RECORD_UNAUTHENTICATED, /* an access number was called, and nobody logged on */
	RECORD_ATTENDANT,
	RECORD_PLAY_ON_PHONE,
	RECORD_GREETING,        /* we called somebody who records a greeting */
	RECORD_FIND_ME,         /* we called a place where somebody may be found */
	RECORD_PUT_THROUGH,     /* we called whom a caller is put through to, where the gateway takes no REFER */
	RECORD_KINDS
};
const char *record_kind_name(enum record_kind k); /* "voice-message" */

/* What became of the offer. */
enum record_offer { RECORD_OFFER_NONE, RECORD_OFFER_ANSWER, RECORD_OFFER_FAILED, RECORD_OFFER_REJECTED, RECORD_OFFER_REDIRECTED, RECORD_OFFERS };
const char *record_offer_name(enum record_offer o); /* "answer" */

/* What a caller did in an attendant, or met. */
enum record_what {
	RECORD_ENTERED,    /* the attendant answered, or another one led here */
	RECORD_KEY,        /* value: the key; target: where it leads */
	RECORD_NUMBER,     /* value: a number typed */
	RECORD_WRONG,      /* value: the first of keys that mean nothing here */
	RECORD_SILENCE,    /* no key came */
	RECORD_SAID,       /* value: whom the caller asked for by voice */
	RECORD_SPELT,      /* the same by keys */
	RECORD_NOT_HEARD,  /* a name was spoken and nobody of those was understood */
	RECORD_NOT_FOUND,  /* value: the keys spelled */
	RECORD_TRANSFER,   /* value: where to, or "operator"; target: "done", "failed" */
	RECORD_MESSAGE,    /* value: for whom one was left */
	RECORD_LOGON,      /* value: whose mailbox was opened */
	RECORD_GAVE_UP,    /* value: "hung up", "silence", "wrong keys"; target: where */
	RECORD_LEFT,       /* the conversation ended there otherwise: target: where */
	RECORD_WHATS
};
const char *record_what_name(enum record_what w); /* "gave-up" */

struct call_step {
	int64_t at_ms; /* since the call began */
	char attendant[65], menu[8], what[12], value[96], target[64]; /* menu: "open", "closed" */
};

/* What a call was to a mailbox. */
struct call_box {
	char mailbox[65];
	bool called, message, missed; /* it was called; a message was left; or none */
	uint16_t logons, failed;      /* log-ons, and PINs that were wrong */
};
enum { RECORD_STEPS = 64, RECORD_BOXES = 6 };

/* All of it, in one block. */
struct record_item {
	struct link link;
	bool from_spool, fresh; /* fresh: the store took it just now; its day is still to count it */
	struct call_record r;
	unsigned n_boxes, n_steps;
	struct call_box box[RECORD_BOXES];
	struct call_step step[];
};
/* mem_free; NULL without memory. */
struct record_item *record_item(const struct call_record *r, const struct call_box *box, unsigned n_boxes, const struct call_step *step, unsigned n_steps);

/* One line of JSON without its line feed, and back. EMSGSIZE, ENOMEM; EBADMSG: it is none. */
struct buf;
int record_write(const struct record_item *it, struct buf *out);
int record_read(struct record_item **itp, struct text line);

/* The day of an instant by this machine's clock: "2026-11-23". */
void record_day(int64_t real_us, char day[11]);

#endif
