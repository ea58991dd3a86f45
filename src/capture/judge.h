/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h  From a conversation of a capture to facts and a verdict, seen from one of its two sides ("us"). What cannot be seen stays unknown:
 * in TLS 1.3 without keys no certificate, no reason of an alert. Pure but for reading certificates.                       */
#ifndef CAPTURE_JUDGE_H
#define CAPTURE_JUDGE_H
#include "capture/book.h"
#include "trust/explain.h"
#include "trust/profile.h"

enum { CAP_WE = 16, CAP_GATEWAYS = 64, CAP_OWN_CERTS = 16 };

struct cap_gateway {
	const char *name, *address;
	uint16_t port; /* 0: any */
	struct trust_judges_us judges;
};
/* What the person who asks knows besides the capture. Borrowed. */
struct cap_prm {
	const char *we[CAP_WE]; /* addresses or names: which side is us */
	unsigned n_we;
	const char *fqdn, *service; /* of us; may be NULL */
	struct trust_judges_us judges; /* how every other side judges us, unless its gateway says otherwise */
	const struct cap_gateway *gateway;
	unsigned n_gateways;
};

enum { /* what the picture lacks, or what made it certain */
	CAP_NOTE_HIDDEN = 1,      /* TLS 1.3 without keys */
	CAP_NOTE_MAYBE_ALERT = 2, /* the last record before the end may be an alert that refuses the certificate */
	CAP_NOTE_MAYBE_TICKET = 4, /* one record that may be an answer or a session ticket */
	CAP_NOTE_MIDDLE = 8,      /* the beginning is not in the capture */
	CAP_NOTE_CUT = 16,        /* packets are cut: certificates may be missing */
	CAP_NOTE_LOST = 32,       /* packets are missing */
	CAP_NOTE_FQDN = 64,       /* our name was inferred */
	CAP_NOTE_RESUMED = 128,
	CAP_NOTE_EMPTY_CERT = 512,
	CAP_NOTE_ONE_WAY = 2048,  /* the packets of one side only */
	CAP_NOTE_EXPORTED = 1024, /* messages, and nothing of what carried them */
	CAP_NOTE_HOPS = 4096,     /* an RST came from another distance than the side whose address it has */
	CAP_NOTE_PADDED = 8192,   /* TLS 1.3 without keys, and padded: sizes tell nothing */
	CAP_NOTE_NAMES = 256,     /* our certificate has names beside its CN, and which of them is ours is not known */
};

struct cap_judgement {
	unsigned we;       /* CAP_CLIENT or CAP_SERVER */
	bool we_told;      /* and not assumed */
	unsigned notes;
	struct trust_facts facts;
	struct trust_verdict verdict;
	const struct trust_profile *profile; /* of the other side, if one is named and our certificate can be seen; else NULL */
	struct trust_answer answer;          /* its word on our certificate */
};
void cap_judge(struct cap_judgement *j, const struct cap_book *b, const struct cap_talk *t, const struct cap_prm *prm);
/* What was shown by a side; shown = false if it cannot be seen. */
void cap_side_cert(struct trust_cert *c, const struct cap_side *s);

/* A question to DNS that found nothing, and of which it matters: false for the others. */
bool cap_judge_asked(struct cap_judgement *j, const struct cap_book *b, const struct cap_asked *a, const struct cap_prm *prm);

#endif
