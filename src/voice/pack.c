/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c  The prompts of a language in one file. */
#include "voice/pack.h"
#include <errno.h>

static const char magic[8] = "UMPROMPT";

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* Eight bytes at a time: a pack has 11 MB, and whoever opens one waits for this. table[k] is for a byte with k bytes behind it. */
uint32_t pack_crc(const uint8_t *p, size_t n)
{
	uint32_t table[8][256], crc = 0xffffffff;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (unsigned k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		table[0][i] = c;
	}
	for (unsigned k = 1; k < 8; k++)
		for (unsigned i = 0; i < 256; i++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
	for (; n >= 8; p += 8, n -= 8) {
		uint32_t a = crc ^ get32(p), b = get32(p + 4);
		crc = table[7][a & 0xff] ^ table[6][a >> 8 & 0xff] ^ table[5][a >> 16 & 0xff] ^ table[4][a >> 24] ^
		      table[3][b & 0xff] ^ table[2][b >> 8 & 0xff] ^ table[1][b >> 16 & 0xff] ^ table[0][b >> 24];
	}
	for (; n; p++, n--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}

static bool inside(const struct pack *pk, uint32_t at, uint32_t n)
{
	return at >= PACK_HEAD && at <= pk->n && n <= pk->n - at;
}

static bool name_ok(struct text t)
{
	if (!t.n || t.n > PACK_NAME_MAX)
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (!((t.p[i] >= 'a' && t.p[i] <= 'z') || (t.p[i] >= '0' && t.p[i] <= '9') || t.p[i] == '-' || t.p[i] == '/'))
			return false;
	return true;
}

static int order(struct text a, struct text b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static bool entry_ok(const struct pack *pk, uint32_t i, struct text *before)
{
	const uint8_t *e = pk->p + PACK_HEAD + (size_t)i * PACK_ENTRY;
	uint32_t samples = get32(e + 16);
	if (!inside(pk, get32(e), get32(e + 4)) || !inside(pk, get32(e + 8), get32(e + 12)) || !samples || samples > MEDIA_CLIP_MAX ||
	    !inside(pk, get32(e + 20), samples) || !inside(pk, get32(e + 24), samples) || (get32(e + 28) && !inside(pk, get32(e + 28), samples)))
		return false;
	struct text name = pack_entry_at(pk, i).name;
	bool ok = name_ok(name) && (!i || order(*before, name) < 0);
	*before = name;
	return ok;
}

int pack_open(struct pack *out, const void *bytes, size_t n, bool sums)
{
	const uint8_t *p = bytes;
	if (n < PACK_HEAD || memcmp(p, magic, sizeof magic))
		return EBADMSG;
	if (get32(p + 8) != PACK_VERSION || get32(p + 12) != MEDIA_RATE)
		return ENOTSUP;
	struct pack pk = { .p = p, .n = n, .entries = get32(p + 16) };
	if (get32(p + 20) != n || pk.entries > PACK_ENTRIES_MAX || pk.entries > (n - PACK_HEAD) / PACK_ENTRY || p[32 + PACK_LANGUAGE - 1])
		return EBADMSG;
	if (sums && pack_crc(p + PACK_HEAD, n - PACK_HEAD) != get32(p + 24))
		return EBADMSG;
	memcpy(pk.language, p + 32, PACK_LANGUAGE);
	struct text before = TEXT_NONE;
	for (uint32_t i = 0; i < pk.entries; i++)
		if (!entry_ok(&pk, i, &before))
			return EBADMSG;
	*out = pk;
	return 0;
}

struct pack_entry pack_entry_at(const struct pack *pk, uint32_t i)
{
	const uint8_t *e = pk->p + PACK_HEAD + (size_t)i * PACK_ENTRY;
	return (struct pack_entry){ .name = text_make(pk->p + get32(e), get32(e + 4)), .text = text_make(pk->p + get32(e + 8), get32(e + 12)),
		.samples = get32(e + 16), .pcmu = pk->p + get32(e + 20), .pcma = pk->p + get32(e + 24), .g722 = get32(e + 28) ? pk->p + get32(e + 28) : NULL };
}

/* What the clip has at 16,000 samples a second. */
static void put_wide(struct buf *out, const struct media_clip *clip)
{
	const int16_t *wide = media_clip_wide(clip);
	struct codec_tx *tx;
	if (codec_tx_create(&tx, MEDIA_G722, MEDIA_RATE_WIDE)) {
		out->err = ENOMEM;
		return;
	}
	uint32_t samples = media_clip_samples(clip);
	for (uint32_t at = 0; at < samples; at += MEDIA_FRAME) {
		int16_t frame[MEDIA_FRAME_WIDE] = { 0 };
		uint8_t payload[CODEC_PAYLOAD_MAX];
		uint32_t n = samples - at < MEDIA_FRAME ? samples - at : MEDIA_FRAME;
		memcpy(frame, wide + 2 * (size_t)at, 2 * n * sizeof *frame);
		codec_encode(tx, frame, payload);
		buf_put(out, payload, n);
	}
	codec_tx_free(tx);
}

/* Writes the bytes of an item behind all others and its entry into its place. */
static void write_item(struct buf *out, uint32_t i, const struct pack_item *it)
{
	size_t name = strlen(it->name), text = strlen(it->text), at = out->n;
	uint32_t samples = media_clip_samples(it->clip);
	buf_put(out, it->name, name);
	buf_put(out, it->text, text);
	buf_put(out, media_clip_bytes(it->clip, MEDIA_PCMU), samples);
	buf_put(out, media_clip_bytes(it->clip, MEDIA_PCMA), samples);
	size_t wide = media_clip_wide(it->clip) ? out->n : 0;
	if (wide)
		put_wide(out, it->clip);
	if (buf_error(out))
		return;
	uint8_t *e = out->p + PACK_HEAD + (size_t)i * PACK_ENTRY;
	put32(e, (uint32_t)at);
	put32(e + 4, (uint32_t)name);
	put32(e + 8, (uint32_t)(at + name));
	put32(e + 12, (uint32_t)text);
	put32(e + 16, samples);
	put32(e + 20, (uint32_t)(at + name + text));
	put32(e + 24, (uint32_t)(at + name + text + samples));
	put32(e + 28, (uint32_t)wide);
}

int pack_write(struct buf *out, const char *language, const struct pack_item *items, uint32_t n)
{
	if (n > PACK_ENTRIES_MAX || strlen(language) >= PACK_LANGUAGE)
		return EINVAL;
	buf_clear(out);
	size_t head = PACK_HEAD + (size_t)n * PACK_ENTRY;
	uint8_t *p = buf_reserve(out, head);
	if (!p)
		return buf_error(out);
	memset(p, 0, head);
	buf_grew(out, head);
	for (uint32_t i = 0; i < n; i++)
		write_item(out, i, &items[i]);
	if (buf_error(out) || out->n > UINT32_MAX)
		return buf_error(out) ? buf_error(out) : EFBIG;
	memcpy(out->p, magic, sizeof magic);
	put32(out->p + 8, PACK_VERSION);
	put32(out->p + 12, MEDIA_RATE);
	put32(out->p + 16, n);
	put32(out->p + 20, (uint32_t)out->n);
	memcpy(out->p + 32, language, strlen(language));
	put32(out->p + 24, pack_crc(out->p + PACK_HEAD, out->n - PACK_HEAD));
	struct pack check;
	return pack_open(&check, out->p, out->n, true); /* what we write, we can read: names in order, nothing empty */
}
