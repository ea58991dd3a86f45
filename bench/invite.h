/* SPDX-License-Identifier: Apache-2.0 */
/* invite.h  What makes an INVITE one of 2.5 KB: the headers that a pool behind two proxies puts on it, and a session with the codecs of a trunk. */
#ifndef BENCH_INVITE_H
#define BENCH_INVITE_H

#define INVITE_LONG_VIA \
	"Via: SIP/2.0/TLS 192.0.2.17:5067;branch=z9hG4bK7F3A09C2.D1B6E0F79A34C158;branched=FALSE;received=192.0.2.17;ms-received-cid=2F00\r\n" \
	"Via: SIP/2.0/TCP 198.51.100.44:49722;branch=z9hG4bKnashds8-hjhs8ass83.9f21;rport=49722;alias\r\n"

#define INVITE_LONG_HEADERS \
	"Record-Route: <sip:edge1.pool.example.com:5061;transport=tls;ms-fe=fe03.pool.example.com;lr;ms-route-sig=aaKxcs8oPFW2MqEEY>\r\n" \
	"Record-Route: <sip:proxy2.example.com;lr;ftag=b7c4471f;did=5b1.c9a2>\r\n" \
	"P-Asserted-Identity: \"Alice Adams\" <sip:alice.adams@example.com>, <tel:+4930123456>\r\n" \
	"Diversion: <sip:2001@example.com;user=phone>;reason=no-answer;counter=1;screen=no;privacy=off\r\n" \
	"History-Info: <sip:2001@example.com;user=phone?Reason=SIP%3Bcause%3D486>;index=1\r\n" \
	"History-Info: <sip:4000@umbel.example.com;cause=486>;index=1.1;mp=1\r\n" \
	"User-Agent: RTCC/7.0.0.0 MediationServer\r\n" \
	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, INFO, UPDATE, PRACK, MESSAGE, SUBSCRIBE\r\n" \
	"Supported: replaces, timer, 100rel, histinfo, norefersub, gruu-10, ms-safe-transfer, ms-bypass\r\n" \
	"Session-Expires: 1800;refresher=uac\r\n" \
	"Min-SE: 90\r\n" \
	"Accept: application/sdp, application/isup, application/dtmf-relay\r\n" \
	"Accept-Language: en;q=0.8, de\r\n" \
	"Privacy: none\r\n" \
	"Ms-Conversation-ID: AdM5vYzF2P7k9rWYTXy0q0d5Xk1yqQ==\r\n" \
	"ms-call-source: non-ms-rtc\r\n" \
	"X-Correlation-ID: 7d1f0f62-2c5c-4a8e-9a39-5ad2c70d1e0a\r\n"

#define INVITE_LONG_SDP \
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n" \
	"a=rtpmap:111 SIREN/16000\r\na=fmtp:111 bitrate=16000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n" \
	"a=rtcp:30001\r\na=candidate:1 1 UDP 2130706431 192.0.2.17 30000 typ host\r\na=candidate:1 2 UDP 2130705918 192.0.2.17 30001 typ host\r\n" \
	"a=candidate:2 1 TCP-ACT 1684798975 192.0.2.17 30000 typ srflx raddr 192.0.2.17 rport 30000\r\n" \
	"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:Zk0hvYS4pqLt1hFO5fvhrV5gW0cQ7xN2vFJHj1Pq|2^31|1:1\r\n" \
	"a=label:main-audio\r\na=x-bypassid:1d4a8a9b-8ad5-4f8c-9b8b-6f1c6c1d2e3f\r\n" \
	"a=ptime:20\r\na=maxptime:200\r\na=sendrecv\r\n"

#endif
