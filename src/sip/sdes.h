/* SPDX-License-Identifier: Apache-2.0 */
/* sdes.h  Keys of SRTP in session descriptions (RFC 4568): a=crypto lines read and written, and what is offered, answered and accepted with them.
 *
 *   their lines  --sdes_take()-->   `next`, our line by sdes_put_answer()
 *   ours (sdes_put_offer())  --their line--> sdes_accept() --> `next`
 *   sdes_settle() when the sound runs so: `next` becomes `now`
 *
 * Within a call a key of ours stays what it was, as long as the suite does; theirs is what they said last. Keys are written into session
 * descriptions and nowhere else. Wipe a struct sdes with mem_free_secret().                                                */
#ifndef SIP_SDES_H
#define SIP_SDES_H
#include "base/buf.h"
#include "media/srtp.h"
#include "sip/sdp.h"

enum sdes_want {
	SDES_OFF,      /* plain RTP, whatever is offered beside it */
	SDES_OPTIONAL, /* SRTP where the other side has it, too */
	SDES_REQUIRED, /* SRTP, or no call */
};
const char *sdes_want_name(enum sdes_want w); /* "off", "optional", "required" */

/* One line. */
struct sdes_line {
	uint32_t tag;
	struct text suite; /* as they wrote it: an answer repeats it */
	struct srtp_key key;
};
/* "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31|1:1": 0; ENOTSUP: a suite or parameter that we do not have; EBADMSG: not by the grammar, or a key of the wrong
 * length. */
int sdes_parse(struct sdes_line *l, struct text value);
void sdes_put(struct buf *b, uint32_t tag, struct text suite, const struct srtp_key *key);

enum { SDES_NAME = 32 };
struct sdes_keys {
	bool on;
	bool savp;             /* its line said RTP/SAVP */
	uint32_t tag;
	char suite[SDES_NAME]; /* as the offerer wrote it */
	struct srtp_key send, recv;
};
struct sdes {
	enum sdes_want want;
	bool open_line;  /* others can read these messages: no key goes or comes by them */
	bool settled;    /* something was agreed already: `now` */
	bool anew;       /* somebody else took the other side: our key is not for him */
	uint8_t n_suites, n_offered;
	uint8_t suites[SRTP_SUITES]; /* enum srtp_suite: what may be used; in this order in an offer. In an answer the offerer's order counts, but that
	                              * short tags come last */
	struct sdes_keys now, next;
	struct srtp_key offered[SRTP_SUITES]; /* the line of tag i + 1 */
};
/* All suites, the strongest first, those with short tags at the end. */
void sdes_init(struct sdes *s, enum sdes_want want);

/* For all of these s may be NULL: SDES_OFF. */
/* Whether that medium is sound that can be taken as SRTP (secret) or as plain RTP. */
bool sdes_fits(const struct sdes *s, const struct sdp_media *m, bool secret);
/* Takes one that fits: what is agreed stands in s->next. 0; EIO without random numbers. */
int sdes_take(struct sdes *s, const struct sdp_media *m, bool secret);
/* When no medium of an offer was taken because of that: why. Other faults stay as they are. */
void sdes_explain(const struct sdes *s, const struct sdp *offer, struct sip_refusal *why);
void sdes_put_answer(struct buf *b, const struct sdes *s);
const char *sdes_offer_proto(const struct sdes *s);
int sdes_put_offer(struct buf *b, struct sdes *s);
/* Their answer's medium. 0 with s->next; EBADMSG. */
int sdes_accept(struct sdes *s, const struct sdp_media *m, struct sip_refusal *why);
/* What was agreed is at work now. */
void sdes_settle(struct sdes *s);
/* "RTP/SAVP with AES_CM_128_HMAC_SHA1_80, RTP/AVP": the audio lines of an offer, without any key. Cut to size. Returns dst. */
char *sdes_offered(const struct sdp *offer, char *dst, size_t size);

/* Strikes out the keys in a message that is to be shown: 'x' for each of their characters. */
void sdes_strike(char *p, size_t n);

#endif
