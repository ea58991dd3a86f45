/* SPDX-License-Identifier: Apache-2.0 */
/* lamp.h  Message waiting lamps (RFC 3842): takes "lamp" rows from the outbox, counts the messages, and has somebody send the NOTIFY.
 *
 * Who sends is given at creation (gateway/ does it by sip_request_send). Sent, refused for good, or not reached: each failed delivery is
 * event 1344 with the verdict. Loop thread only. */
#ifndef DELIVERY_LAMP_H
#define DELIVERY_LAMP_H
#include <stdbool.h>
#include <stdint.h>
#include "directory/dir.h"
#include "event/report.h"
#include "jobs/outbox.h"
#include "mailbox/mbox.h"

struct lamp;

/* What to tell, to whom. Borrowed for the call. */
struct lamp_note {
	const char *mailbox;
	const char *account; /* "sip:201@domain": To, Request-URI and Message-Account */
	const char *gateway; /* through which; name of the configuration */
	uint32_t fresh, saved;
	uint64_t handle; /* give it to lamp_result() */
};
/* Starts the sending; ends in exactly one lamp_result(), at once or later. */
typedef void (lamp_send_h)(struct lamp *l, const struct lamp_note *note, void *arg);

struct lamp_outcome {
	enum outbox_verdict verdict;
	int sip_status; /* 0: no SIP answer */
	const char *verdict_name; /* stable name of trust's verdict, or NULL */
	const char *sentence, *advice; /* in words, or NULL */
};

struct lamp_prm {
	struct outbox *outbox;
	struct store *store;
	struct dir *dir;
	struct ev_bus *bus;
	struct metrics *metrics;
	const struct um_clock *clock;
	const char *node;
	lamp_send_h *send;
	void *send_arg;
};

/* Takes the outbox's kind "lamp"; before outbox_start(). */
int lamp_create(struct lamp **lp, const struct lamp_prm *prm);
void lamp_destroy(struct lamp *l);
void lamp_result(struct lamp *l, uint64_t handle, const struct lamp_outcome *outcome);
/* Body of the NOTIFY, application/simple-message-summary: Messages-Waiting, Message-Account, Voice-Message (RFC 3842 5.2). */
int lamp_body(const struct lamp_note *note, struct buf *out);

#endif
