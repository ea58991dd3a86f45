/* SPDX-License-Identifier: Apache-2.0 */
/* peer.h  Whom we talk SIP with, as a value: gateway/ fills one per gateway (and anew at each change of the configuration), everything in
 * sip/ only reads it. Reference-counted (mem_ref, mem_unref); never written after it was first handed over. A connection, a leg or
 * a request keeps the peer it was born with, also when the configuration has moved on.                                */
#ifndef SIP_PEER_H
#define SIP_PEER_H
#include <stdbool.h>
#include <stdint.h>
#include "net/addr.h"
#include "net/dns.h"
#include "sip/offer.h"
#include "sip/sdes.h"
#include "trust/tls.h"

/* Which connection may carry requests of ours (RFC 5923). A connection that we opened ourselves may always, towards the same address,
 * under the same identity of ours, when the peer proved the same identity. */
enum sip_reuse {
	SIP_REUSE_ALIAS, /* one the peer opened: only when its Via said `alias` and its certificate is good for this peer */
	SIP_REUSE_ANY,   /* one the peer opened: always. A stop-gap that hides faults of certificates */
	SIP_REUSE_NEVER, /* one the peer opened: never */
};

enum { SIP_PEER_NAME_SIZE = 64, SIP_HOST_SIZE = 256 };

struct sip_peer {
	char name[SIP_PEER_NAME_SIZE];     /* the gateway's */
	char host[SIP_HOST_SIZE];          /* name or IP literal; judged names and SNI come from here unless said otherwise */
	uint16_t port;                     /* 0: by SRV, else the transport's default */
	enum net_transport transport;      /* NET_ANY: as DNS says (NAPTR) */
	char identity[SIP_PEER_NAME_SIZE]; /* which of our identities is shown to it; "" = the default one */
	enum trust_rule_kind rule;         /* how its certificate is judged: for names that a dialog's route brings along */
	struct trust_policy *policy;       /* that rule with the names accepted when we dial (trust_policy_one); the peer's reference; NULL
	                                    * or without names: nobody is accepted */
	struct tls_limits tls;             /* versions and legacy suites */
	char sni[SIP_HOST_SIZE];           /* "" = host, when that is a name */
	enum sip_reuse reuse;
	bool notes_only;                   /* another node (note.h): no call comes from it, on whatever connection */
	bool believes_headers;             /* P-Asserted-Identity, Diversion, History-Info of this peer are true */
	bool told_identity;                /* it trusts us: our calls tell it P-Asserted-Identity and History-Info */
	struct {
		char user[64], password[128], realm[128]; /* user "": none. We answer its challenges of that realm with it */
		bool demanded;             /* and its calls must prove the same */
		bool md5_only;             /* it is challenged with MD5 alone: there are some who read the first challenge only, and know no other sum */
	} login;
	struct trust_judges_us judges_us;  /* how it judges us, as far as the administrator said; for verdicts */
	enum sip_inband { SIP_INBAND_AUTO, SIP_INBAND_ON, SIP_INBAND_OFF } inband; /* keys as tones: auto is where there are no telephone-events */
	bool symmetric_rtp;                /* media_stream.symmetric */
	bool comfort_noise;                /* sdp_local.comfort */
	enum sdes_want srtp;               /* whether the sound of its calls is encrypted, where nobody says otherwise */
	struct sdp_codecs codecs;          /* of its calls; none: the default */
	unsigned max_watches;              /* subscriptions (watch.h); 0: it may have none */
	unsigned max_dialogs;              /* 0: the core's limit */
};

/* A zeroed peer with one reference; NULL without memory. The last reference gives `policy` back. */
struct sip_peer *sip_peer_create(void);
/* Whether `host` is the peer's own or one of the accepted names of its policy: then the policy judges a connection to it; any other host
 * met in a route set is judged by its own name (RFC 5922 4), so an IP address there is refused unless the certificate holds it. */
bool sip_peer_owns_host(const struct sip_peer *peer, struct text host);

#endif
