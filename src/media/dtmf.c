/* SPDX-License-Identifier: Apache-2.0 */
/* dtmf.c  Keys as telephone-events. */
#include "media/dtmf.h"
#include <errno.h>

static const char keys[] = "0123456789*#ABCD";
enum { KEYS = 16, LOST_END_US = 200000, OLD_MS = 5000, END_COPIES = 3 };

static uint16_t khz_of(const struct dtmf_rx *rx)
{
	return rx->khz ? rx->khz : 8;
}

static void end_press(struct dtmf_rx *rx, struct dtmf_news *news)
{
	news->ended = keys[rx->event];
	news->ms = (rx->before + rx->length) / khz_of(rx);
	rx->on = false;
}

int dtmf_rx_packet(struct dtmf_rx *rx, const struct rtp_packet *pkt, int64_t now_us, struct dtmf_news *news)
{
	*news = (struct dtmf_news){ 0 };
	if (pkt->n < DTMF_PAYLOAD)
		return EBADMSG;
	uint8_t event = pkt->payload[0];
	bool end = pkt->payload[1] & 0x80;
	uint16_t length = (uint16_t)(pkt->payload[2] << 8 | pkt->payload[3]);
	if (event >= KEYS) /* flash, fax tones: not keys */
		return 0;
	if (rx->seen && pkt->ssrc != rx->ssrc) /* a new count of stamps; a key that is down ends by its time-out, or by the next one */
		rx->seen = false;
	int32_t ahead = (int32_t)(pkt->ts - rx->ts);
	bool same = rx->seen && !ahead && event == rx->event;
	if (rx->seen && !same && ahead <= 0 && ahead > -OLD_MS * (int32_t)khz_of(rx)) /* overtaken */
		return 0;
	if (!same) {
		/* a press longer than 16 bits goes on in a new segment that begins where the last one stopped */
		bool goes_on = rx->on && event == rx->event && rx->length == 0xffff && (uint32_t)ahead == rx->length;
		if (goes_on) {
			rx->before += rx->length;
		} else {
			if (rx->on)
				end_press(rx, news);
			rx->before = 0;
			news->started = keys[event];
		}
		rx->seen = rx->on = true;
		rx->event = event;
		rx->ssrc = pkt->ssrc;
		rx->ts = pkt->ts;
		rx->length = 0;
	}
	if (!rx->on) /* a copy of the end */
		return 0;
	if (length > rx->length)
		rx->length = length;
	rx->last_us = now_us;
	if (end && !news->ended)
		end_press(rx, news);
	return 0;
}

void dtmf_rx_tick(struct dtmf_rx *rx, int64_t now_us, struct dtmf_news *news)
{
	*news = (struct dtmf_news){ 0 };
	if (rx->on && now_us - rx->last_us >= LOST_END_US)
		end_press(rx, news);
}

static int key_index(char c)
{
	const char *at = c ? memchr(keys, c >= 'a' && c <= 'd' ? c - 'a' + 'A' : c, KEYS) : NULL;
	return at ? (int)(at - keys) : -1;
}

int dtmf_tx_start(struct dtmf_tx *tx, const char *digits, unsigned on_ms, unsigned gap_ms)
{
	size_t n = strnlen(digits, DTMF_QUEUE + 1);
	if (!n || n > DTMF_QUEUE || on_ms > 5000 || gap_ms > 5000)
		return EINVAL;
	for (size_t i = 0; i < n; i++)
		if (digits[i] != ',' && key_index(digits[i]) < 0)
			return EINVAL;
	*tx = (struct dtmf_tx){ .on_frames = (uint16_t)((on_ms ? on_ms : 100) + 19) / 20, .gap_frames = (uint16_t)((gap_ms ? gap_ms : 100) + 19) / 20 };
	if (tx->on_frames < 2)
		tx->on_frames = 2;
	if (tx->gap_frames < END_COPIES)
		tx->gap_frames = END_COPIES;
	memcpy(tx->queue, digits, n + 1);
	return 0;
}

bool dtmf_tx_active(const struct dtmf_tx *tx)
{
	return tx->queue[tx->at] != 0;
}

static void next_key(struct dtmf_tx *tx)
{
	tx->at++;
	tx->frame = 0;
}

bool dtmf_tx_tick(struct dtmf_tx *tx, unsigned khz, uint32_t now_ts, uint8_t payload[DTMF_PAYLOAD], uint32_t *ts, bool *marker)
{
	if (tx->queue[tx->at] == ',') {
		if (++tx->frame >= 50)
			next_key(tx);
		return false;
	}
	unsigned f = tx->frame++;
	if (!f)
		tx->ts = now_ts;
	/* the press: frames 0 .. on-1 with growing length; the last and two copies of it carry the end */
	unsigned length = (f < tx->on_frames ? f + 1u : tx->on_frames) * khz * 20;
	if (length > UINT16_MAX) /* at 48 kHz a press longer than 1.3 s would need segments (2.5.1.3); nobody sends one */
		length = UINT16_MAX;
	bool send = f < tx->on_frames + END_COPIES - 1u, end = f + 1u >= tx->on_frames;
	payload[0] = (uint8_t)key_index(tx->queue[tx->at]);
	payload[1] = (uint8_t)((end ? 0x80 : 0) | 10);
	payload[2] = (uint8_t)(length >> 8);
	payload[3] = (uint8_t)length;
	*ts = tx->ts;
	*marker = !f;
	if (tx->frame >= tx->on_frames + tx->gap_frames)
		next_key(tx);
	return send;
}
