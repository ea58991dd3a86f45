/* SPDX-License-Identifier: Apache-2.0 */
/* dtmf.h  Keys as telephone-events (RFC 4733 2.5): one press out of many packets, and the packets of a press. Pure. */
#ifndef MEDIA_DTMF_H
#define MEDIA_DTMF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "media/rtp.h"

/* ---- receiving ---- */
struct dtmf_rx {
	bool on;          /* a key is down */
	bool seen;        /* ts and event are of a press, going on or over */
	uint8_t event;
	uint16_t khz;     /* clock of time stamps and durations; 0: 8 */
	uint32_t ssrc, ts; /* name the press. Some send keys as a source of their own beside that of the audio */
	uint32_t before;  /* length of its earlier segments (2.5.1.3) */
	uint16_t length;
	int64_t last_us;
};
struct dtmf_news {
	char started;     /* a key went down; 0: none */
	char ended;       /* a key is over; 0: none */
	uint32_t ms;      /* of the one that ended */
};
/* A packet of the telephone-event payload type. Copies of one press (same time stamp) count once; when its end was lost, the next
 * press or dtmf_rx_tick() ends it. EBADMSG: shorter than an event. */
int dtmf_rx_packet(struct dtmf_rx *rx, const struct rtp_packet *pkt, int64_t now_us, struct dtmf_news *news);
/* Ends a press of which nothing was heard for 200 ms. */
void dtmf_rx_tick(struct dtmf_rx *rx, int64_t now_us, struct dtmf_news *news);

/* ---- sending ---- */
enum { DTMF_QUEUE = 64, DTMF_PAYLOAD = 4 };
struct dtmf_tx {
	char queue[DTMF_QUEUE + 1];
	uint8_t at;
	uint16_t on_frames, gap_frames; /* in ticks of 20 ms */
	uint16_t frame;                 /* within the press */
	uint32_t ts;                    /* start of the press */
};
/* EINVAL. */
int dtmf_tx_start(struct dtmf_tx *tx, const char *digits, unsigned on_ms, unsigned gap_ms);
bool dtmf_tx_active(const struct dtmf_tx *tx);
/* One tick; `khz` is the clock of durations, `now_ts` the stream's time stamp. True: a packet with that payload, time stamp and marker is to be sent. */
bool dtmf_tx_tick(struct dtmf_tx *tx, unsigned khz, uint32_t now_ts, uint8_t payload[DTMF_PAYLOAD], uint32_t *ts, bool *marker);

#endif
