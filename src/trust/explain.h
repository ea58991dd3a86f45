/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h  From facts to a verdict in plain words: who refused whom, at which step, why, what to do, and how sure that is.
 *
 * A pure function: no sockets, no clock, no files, no memory. Its sentences stand in verdicts.def, one row a verdict, and
 * each row has a test. A verdict is a plain value and may be copied. Any thread.                                          */
#ifndef TRUST_EXPLAIN_H
#define TRUST_EXPLAIN_H
#include "base/buf.h"
#include "event/report.h"
#include "trust/facts.h"

enum trust_certainty {
	TRUST_UNKNOWN, /* the facts fit several causes, none of them better than the others */
	TRUST_LIKELY,  /* one cause fits best; the others are named with how to tell them apart */
	TRUST_SURE,    /* the facts allow no other cause */
};
const char *trust_certainty_name(enum trust_certainty c); /* "unknown", "likely", "sure" */

enum trust_who {
	TRUST_NOBODY,  /* nothing was refused, or nobody can be named */
	TRUST_US,      /* we refused the peer */
	TRUST_PEER,    /* the peer refused us */
	TRUST_NETWORK, /* DNS, routing, a closed port */
};
const char *trust_who_name(enum trust_who w); /* "nobody", "us", "peer", "network" */

/* Where on the way it failed, in the order lived. */
enum trust_step { TRUST_STEP_DNS, TRUST_STEP_CONNECT, TRUST_STEP_HANDSHAKE, TRUST_STEP_AFTER_HANDSHAKE, TRUST_STEP_SIP, TRUST_STEP_NONE };
const char *trust_step_name(enum trust_step s); /* "dns", "connect", "handshake", "after-handshake", "sip", "none" */

/* Verdicts by number; verdicts.def gives the stable names ("peer-does-not-know-our-name"). */
enum trust_verdict_id {
#define VERDICT(id, name, who, step, certainty, sentence, cause, advice) TRUST_V_##id,
#define OTHER(id, text)
#define NOTE(id, text)
#include "trust/verdicts.def"
#undef VERDICT
#undef OTHER
#undef NOTE
	TRUST_VERDICTS
};

enum { TRUST_VERDICT_TEXT = 1536 };

struct trust_verdict {
	enum trust_verdict_id id;
	enum trust_who who;
	enum trust_step step;
	enum trust_certainty certainty;
	char name[48];                       /* stable: scripts may compare it */
	char sentence[TRUST_VERDICT_TEXT];   /* one sentence, names of both sides filled in */
	char cause[TRUST_VERDICT_TEXT];
	char advice[TRUST_VERDICT_TEXT * 2]; /* lines; commands stand alone on theirs, indented */
	char other_causes[TRUST_VERDICT_TEXT * 2]; /* lines "(a) ...": cause, and how to tell; "" when the verdict is sure */
	char command[256];                   /* the one command of the cure, if there is one: "umbel cert cure pool" */
	char wanted[512], offered[512];      /* names, when names decided */
};

/* Fills `v` always. Facts of a connection that works give "works" (nobody, step none, sure). */
void trust_explain(const struct trust_facts *f, struct trust_verdict *v);
/* Whether the verdict says that something is wrong. */
bool trust_verdict_bad(const struct trust_verdict *v);
/* The subject CN by which the peer knows us best: the known name that is our FQDN, else our service name, else the first known; our FQDN
 * when nothing is configured. Returns dst ("" if not even that is known). */
char *trust_wanted_cn(const struct trust_judges_us *j, const char *our_fqdn, const char *our_service, char *dst, size_t size);
/* The stable name of a row. */
const char *trust_verdict_name(enum trust_verdict_id id);

/* For people: sentence, certainty, cause, advice, other causes. 0, ENOMEM, EMSGSIZE. */
int trust_verdict_text(const struct trust_verdict *v, struct buf *out);
/* One JSON object (with "schema": 1). */
int trust_verdict_json(const struct trust_verdict *v, struct buf *out);
/* Puts verdict, verdict_name, who_refused, certainty, advice, wanted and offered into an event's report. */
void trust_verdict_fields(const struct trust_verdict *v, struct ev_report *r);

#endif
