/* SPDX-License-Identifier: Apache-2.0 */
/* codec.h  What a stream can be encoded in: facts of each codec, a decoder and an encoder with a state of their own for each stream. States are
 * made when a stream starts; nothing here allocates while packets flow. Payloads are strangers' bytes: whatever comes, no more than the room
 * given is written.
 *
 *   codec         rtpmap        clock   payload of 20 ms        cut anywhere
 *   PCMU, PCMA    8000          8000    160                     yes
 *   G722          8000 (!)      8000    160 for 320 samples     yes        RFC 3551 4.5.2: it samples at twice what its clock says
 *   L16           8000, 16000   rate    320, 640                yes        RFC 3551 4.5.11
 *   opus          48000/2       48000   as it comes             no         RFC 7587; we speak mono                                     */
#ifndef MEDIA_CODEC_H
#define MEDIA_CODEC_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are stored with recordings: new ones come last. L16 is 8,000 samples a second, L16_WIDE 16,000; in network order on the wire, in
 * the host's order in sinks and clips. */
enum media_codec { MEDIA_PCMU, MEDIA_PCMA, MEDIA_L16, MEDIA_G722, MEDIA_L16_WIDE, MEDIA_OPUS, MEDIA_CODECS };
enum { MEDIA_RATE = 8000, MEDIA_RATE_WIDE = 16000, MEDIA_FRAME_MS = 20, MEDIA_FRAME = MEDIA_RATE / 1000 * MEDIA_FRAME_MS,
	MEDIA_FRAME_WIDE = 2 * MEDIA_FRAME };
enum {
	CODEC_NO_PT = 255,
	CODEC_PAYLOAD_MAX = 2 * MEDIA_FRAME_WIDE, /* what we send in 20 ms at most */
	CODEC_PACKET_MS = 120,                    /* the longest packet taken (RFC 7587 4.2) */
	CODEC_PACKET_MAX = MEDIA_RATE_WIDE / 1000 * CODEC_PACKET_MS, /* its samples */
};

struct codec {
	const char *name;     /* for people and records: "G722", "L16/16k" */
	const char *encoding; /* as rtpmap has it: "L16" */
	uint32_t clock;       /* of RTP time stamps */
	uint32_t rate;        /* samples a second that are worth decoding to: 8000 or 16000 */
	uint8_t channels;     /* as rtpmap has it: 2 for opus, always */
	uint8_t pt;           /* by RFC 3551 table 4; CODEC_NO_PT: dynamic */
	uint8_t unit_bytes;   /* bytes of a tick of the clock, at whose bounds payloads may be cut and put together; 0: they may not */
	bool law;             /* one of the two laws: a table, no state */
};
const struct codec *codec_info(enum media_codec c);

const char *media_codec_name(enum media_codec c);
/* RTP payload type of the static assignment (RFC 3551 table 4); CODEC_NO_PT without one. */
uint8_t media_codec_pt(enum media_codec c);
/* 1 for the laws, 2 for linear samples: of what is recorded. */
size_t media_codec_sample_bytes(enum media_codec c);
/* The same for an eighth of a millisecond, in which recordings, clips and stamps are counted whatever their rate: 4 for L16_WIDE. */
size_t media_codec_tick_bytes(enum media_codec c);
/* What one sample of silence is in a law: 0xff or 0xd5. 0 for linear samples. */
uint8_t media_codec_silence(enum media_codec c);

/* ---- receiving ---- */
struct codec_rx;
/* `rate` is what comes out: 8000 or 16000. 0, ENOMEM, EINVAL. */
int codec_rx_create(struct codec_rx **rp, enum media_codec c, unsigned rate);
void codec_rx_free(struct codec_rx *rx); /* NULL is allowed */
enum media_codec codec_rx_codec(const struct codec_rx *rx);
/* Another source, or the same one anew: as just created. */
void codec_rx_reset(struct codec_rx *rx);
/* Ticks of the codec's clock that a payload lasts; 0: it is not one, or longer than CODEC_PACKET_MS. Of any codec, without a state. */
uint32_t codec_ticks(enum media_codec c, const uint8_t *p, size_t n);
/* Into pcm, which has room for CODEC_PACKET_MAX samples. How many came out; 0: not a payload. A frame of Opus that was left out (DTX) becomes
 * what the decoder thinks of it. */
size_t codec_decode(struct codec_rx *rx, const uint8_t *p, size_t n, int16_t *pcm);
/* Stands in for a packet that did not come: `samples` of at most CODEC_PACKET_MAX, a multiple of 2.5 ms. What the next packet carries of it
 * (Opus' FEC) is used if that is given; else Opus guesses and the others say nothing. To be followed by codec_decode() of that packet. */
void codec_conceal(struct codec_rx *rx, const uint8_t *next, size_t n_next, int16_t *pcm, size_t samples);

/* ---- sending ---- */
struct codec_tx;
/* `rate` of what goes in. */
int codec_tx_create(struct codec_tx **tp, enum media_codec c, unsigned rate);
void codec_tx_free(struct codec_tx *tx); /* NULL is allowed */
enum media_codec codec_tx_codec(const struct codec_tx *tx);
/* 20 ms: rate / 50 samples. dst has room for CODEC_PAYLOAD_MAX; how many bytes of it are the payload. */
size_t codec_encode(struct codec_tx *tx, const int16_t *pcm, uint8_t *dst);
/* The same of MEDIA_FRAME_WIDE samples by an encoder of G.722 that was made for 8,000: it takes either, frame by frame. */
size_t codec_encode_wide(struct codec_tx *tx, const int16_t *pcm, uint8_t *dst);
/* A payload of 20 ms of nothing, made beforehand: valid for good. */
const uint8_t *codec_silence(enum media_codec c, size_t *n);

/* ---- at once ---- */
/* n samples of one rate as n * to / from of the other; both 8000 or 16000. 0, ENOMEM. */
int codec_resample(const int16_t *in, size_t n, unsigned from, int16_t *out, unsigned to);

#endif
