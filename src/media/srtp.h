/* SPDX-License-Identifier: Apache-2.0 */
/* srtp.h  Encrypted RTP and RTCP (RFC 3711; 256-bit AES by RFC 6188; AES-GCM by RFC 7714) in one direction, under one master key. Pure: no
 * socket, no clock.
 *
 * Whatever can be computed from the key is computed once, at creation: a packet costs its own bytes, and no memory is taken for it. One thread at a
 * time. A context knows up to SRTP_SOURCES sources (SSRC) under its key, each with its own roll-over counter and window against
 * repetition. Master keys are wiped at the end; nothing here is ever printed.                                              */
#ifndef MEDIA_SRTP_H
#define MEDIA_SRTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"

enum srtp_suite {
	SRTP_NONE,
	SRTP_AES_CM_128_80, SRTP_AES_CM_128_32, SRTP_AES_CM_256_80, SRTP_AES_CM_256_32, SRTP_AES_GCM_128, SRTP_AES_GCM_256,
	SRTP_SUITES
};
enum { SRTP_KEY_MAX = 46, SRTP_MKI_MAX = 4, SRTP_SOURCES = 32, SRTP_WINDOW = 128 };
enum { SRTP_ROOM = 4 + SRTP_MKI_MAX + 16 }; /* what protecting adds at most: SRTCP's index, the key's name, the tag */

const char *srtp_suite_name(enum srtp_suite suite); /* as registered for SDP: "AES_CM_128_HMAC_SHA1_80"; "" for SRTP_NONE */
/* By its registered name, or by the other order that some phones use (AES_CM_256_HMAC_SHA1_80); SRTP_NONE if it is none of ours. */
enum srtp_suite srtp_suite_named(struct text name);
size_t srtp_suite_bytes(enum srtp_suite suite); /* of master key and salt together */
bool srtp_suite_short_tag(enum srtp_suite suite); /* forged with one try in four thousand million: the last choice */

struct srtp_key {
	enum srtp_suite suite;
	uint8_t mki_bytes;           /* 0: packets don't name their key */
	uint32_t mki;
	uint8_t bytes[SRTP_KEY_MAX]; /* master key, then salt */
};
/* In constant time. */
bool srtp_key_equal(const struct srtp_key *a, const struct srtp_key *b);

struct srtp; /* counted: mem_ref, mem_unref */
/* 0, ENOMEM; EINVAL: no such suite or MKI; EIO: libcrypto would not. */
int srtp_new(struct srtp **sp, const struct srtp_key *key, bool send);
bool srtp_is(const struct srtp *s, const struct srtp_key *key);
enum srtp_suite srtp_suite_of(const struct srtp *s);
/* Where a source of `s` is not known yet, its roll-over counter may also be what it was in `was` (another key of the same sender). */
void srtp_inherit(struct srtp *s, const struct srtp *was);

/* Header with contributing sources and extension; 0 if that is no RTP packet. */
size_t srtp_head(const uint8_t *p, size_t n);
/* The packet's `head` bytes stand at p, its payload anywhere (p + head too); *total bytes are at p in the end, with room for SRTP_ROOM more than
 * went in. EINVAL: a sequence number that went out already, too many sources, or a key that is used up: nothing may be sent. */
int srtp_seal(struct srtp *s, uint8_t *p, size_t head, const uint8_t *payload, size_t payload_n, size_t *total);
/* In place: *n becomes the length of the plain packet. EBADMSG: not of our peer, or changed on the way (p is void then); EALREADY: came before,
 * or too old to tell; ENOSPC: more sources than we follow. */
int srtp_open(struct srtp *s, uint8_t *p, size_t *n);
/* The same for a compound RTCP packet. */
int srtcp_seal(struct srtp *s, uint8_t *p, size_t n, size_t *total);
int srtcp_open(struct srtp *s, uint8_t *p, size_t *n);

#endif
