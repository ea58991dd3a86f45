/* SPDX-License-Identifier: Apache-2.0 */
/* media_codec.c  Payloads of strangers: whatever comes, decoders write no more than the room that was given, and no more than the payload says it
 * lasts. The input is a codec and a rate, then a row of (length, bytes); a length of 255 stands for a packet that did not come. */
#include <assert.h>
#include <string.h>
#include "media/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOST = 255, GUARD = 0x5a5a };

static void decode(struct codec_rx *rx, unsigned rate, const uint8_t *p, size_t n)
{
	static int16_t pcm[CODEC_PACKET_MAX + 1];
	pcm[CODEC_PACKET_MAX] = GUARD;
	uint32_t ticks = codec_ticks(codec_rx_codec(rx), p, n), clock = codec_info(codec_rx_codec(rx))->clock;
	size_t got = codec_decode(rx, p, n, pcm);
	assert(got <= CODEC_PACKET_MAX && pcm[CODEC_PACKET_MAX] == GUARD);
	assert(ticks || !got);
	assert(got <= (uint64_t)ticks * rate / clock);
}

static void conceal(struct codec_rx *rx, unsigned rate, const uint8_t *next, size_t n)
{
	static int16_t pcm[CODEC_PACKET_MAX + 1];
	size_t samples = rate / 50;
	pcm[samples] = GUARD;
	codec_conceal(rx, n ? next : NULL, n, pcm, samples);
	assert(pcm[samples] == GUARD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct codec_rx *rx;
	if (size < 1)
		return 0;
	unsigned rate = data[0] & 0x80 ? MEDIA_RATE_WIDE : MEDIA_RATE;
	if (codec_rx_create(&rx, (enum media_codec)((data[0] & 0x7f) % MEDIA_CODECS), rate))
		return 0;
	data++;
	size--;
	while (size) {
		size_t n = data[0];
		data++;
		size--;
		bool lost = n == LOST;
		if (lost || n > size)
			n = size;
		if (lost)
			conceal(rx, rate, data, size ? data[0] % (size + 1) : 0);
		if (lost)
			continue;
		decode(rx, rate, data, n);
		data += n;
		size -= n;
	}
	codec_rx_free(rx);
	return 0;
}
