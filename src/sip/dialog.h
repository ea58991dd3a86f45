/* SPDX-License-Identifier: Apache-2.0 */
/* dialog.h  A dialog (RFC 3261 12) as a value: tags, sequence numbers, the remote target and the route set. It sends nothing; it knows what a
 * request within it looks like and where its next hop is.                                                              */
#ifndef SIP_DIALOG_H
#define SIP_DIALOG_H
#include "sip/message.h"
#include "sip/uac.h"
#include "sip/writer.h"

enum { SIP_TAG_SIZE = 24, SIP_ROUTES = 70 };

struct sip_dialog {
	char *names;                      /* the block that the next four stand in: they stay as they are; NULL: they are lent */
	const char *call_id;
	const char *local_uri, *remote_uri; /* of From and To, without brackets */
	const char *local_display;        /* plain; may be NULL */
	char local_tag[SIP_TAG_SIZE];
	const char *remote_tag;           /* "" until known */
	const char *target;               /* the peer's Contact */
	char *routes;                     /* URIs, next hop first, a NUL behind each; NULL: none */
	uint32_t local_cseq, remote_cseq; /* last used */
	uint8_t n_routes;
	bool remote_seen;
	bool own_tag, own_target;         /* remote_tag, target: are the dialog's, and not lent */
	enum net_transport transport : 8; /* of the way it began on: for URIs that name none */
	uint8_t max_forwards;             /* of what we send; 0: as many hops as usual */
};

/* Of an INVITE that came, RFC 3261 12.1.1. EBADMSG: no usable Contact or route; ENOMEM. */
int sip_dialog_uas(struct sip_dialog *d, const struct sip_msg *invite, enum net_transport transport);
/* Of an INVITE that we shall send. call_id: NULL makes one. */
int sip_dialog_uac(struct sip_dialog *d, const char *local_uri, const char *local_display, const char *remote_uri, const char *call_id,
                   enum net_transport transport);
/* Our INVITE's 2xx came, 12.1.2: remote tag, route set, target. */
int sip_dialog_answered(struct sip_dialog *d, const struct sip_msg *res);
/* Before its INVITE goes out again, to `target`: as if nobody had answered. ENOMEM. */
int sip_dialog_anew(struct sip_dialog *d, struct text target);
/* The same texts by somebody else who keeps them as long as the dialog lives: it gives its own back. */
struct sip_dialog_texts {
	const char *call_id, *local_uri, *remote_uri, *remote_tag, *target;
};
void sip_dialog_lend(struct sip_dialog *d, const struct sip_dialog_texts *t);
int sip_dialog_copy(struct sip_dialog *to, const struct sip_dialog *from);
void sip_dialog_clear(struct sip_dialog *d);
/* The Contact of a re-INVITE, UPDATE or their 2xx (12.2.1.2, 12.2.2). Without one nothing changes. ENOMEM. */
int sip_dialog_target(struct sip_dialog *d, const struct sip_msg *msg);
/* Call-ID and both tags of a request that came are this dialog's. */
bool sip_dialog_matches(const struct sip_dialog *d, const struct sip_msg *req);
/* In order (12.2.2): notes it and says true; false: older than the last one. */
bool sip_dialog_in_order(struct sip_dialog *d, const struct sip_msg *req);
/* Request line to CSeq, with Route. */
void sip_dialog_put(const struct sip_dialog *d, struct buf *b, const char *method, uint32_t cseq, const struct sip_via_prm *via);
/* The first route, or the target: EBADMSG if it is no SIP URI. */
int sip_dialog_hop(const struct sip_dialog *d, struct sip_hop *hop);
/* Host, port and transport of a URI; `otherwise` for one that names no transport. */
int sip_hop_of_uri(struct sip_hop *hop, struct text uri, enum net_transport otherwise);

#endif
