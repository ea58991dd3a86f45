/* SPDX-License-Identifier: Apache-2.0 */
/* phones.c  Phones: those of the model, and what comes nearest to those of other languages. */
#include "base/phones.h"
#include "umbel-speech/lexicon.h"

static bool append(char *dst, size_t size, const char *phones)
{
	size_t n = strlen(dst), len = strlen(phones);
	if (!len)
		return true;
	if (n + len + 2 > size)
		return false;
	if (n)
		dst[n++] = ' ';
	memcpy(dst + n, phones, len + 1);
	return true;
}

bool lexicon_phones(struct text t, char *dst, size_t size)
{
	return phones_parse(t, false, dst, size, NULL);
}

/* The longest first where one begins another. */
static const struct {
	const char *ipa, *phones;
} nearest[] = {
	/* of several signs */
	{ "aɪ", "AY" }, { "aʊ", "AW" }, { "eɪ", "EY" }, { "oʊ", "OW" }, { "əʊ", "OW" }, { "ɔɪ", "OY" }, { "ɔø", "OY" }, { "ɔʏ", "OY" }, { "ɔy", "OY" },
	{ "aɪə", "AY AH" }, { "aʊə", "AW AH" }, { "ɛi", "EY" }, { "œy", "OY" }, { "ʌu", "AW" }, { "ɑu", "AW" }, { "au", "AW" }, { "ai", "AY" }, { "ei", "EY" },
	{ "ɪə", "IH R" }, { "iə", "IY AH" }, { "ʊə", "UH R" }, { "eə", "EH R" }, { "ɜː", "ER" }, { "iː", "IY" }, { "uː", "UW" }, { "ɑː", "AA" }, { "ɔː", "AO" },
	{ "ɑːɹ", "AA R" }, { "ɔːɹ", "AO R" }, { "oːɹ", "AO R" }, { "ɑːr", "AA R" }, { "ɔːr", "AO R" }, { "oːr", "AO R" }, { "oː", "OW" }, { "eː", "EY" }, { "aː", "AA" },
	{ "ɛː", "EH" }, { "øː", "ER" }, { "yː", "UW" }, { "əl", "AH L" }, { "tʃ", "CH" }, { "dʒ", "JH" }, { "tɕ", "CH" }, { "dʑ", "JH" }, { "ɑ̃", "AA N" }, { "ɔ̃", "AO N" },
	{ "ɛ̃", "AE N" }, { "œ̃", "AH N" }, { "n̩", "AH N" }, { "l̩", "AH L" }, { "m̩", "AH M" },
	/* vowels */
	{ "i", "IY" }, { "ɪ", "IH" }, { "ᵻ", "IH" }, { "e", "EY" }, { "ɛ", "EH" }, { "æ", "AE" }, { "a", "AA" }, { "ɑ", "AA" }, { "ɒ", "AA" }, { "ɔ", "AO" }, { "o", "OW" },
	{ "ʊ", "UH" }, { "u", "UW" }, { "ʌ", "AH" }, { "ə", "AH" }, { "ɐ", "AH" }, { "ɚ", "ER" }, { "ɜ", "ER" }, { "ɝ", "ER" }, { "y", "UW" }, { "ʏ", "UH" }, { "ø", "ER" },
	{ "œ", "ER" }, { "ɨ", "IH" }, { "ʉ", "UW" }, { "ɯ", "UW" }, { "ɵ", "UH" }, { "ɘ", "AH" }, { "ɤ", "AH" },
	/* consonants */
	{ "p", "P" }, { "b", "B" }, { "t", "T" }, { "d", "D" }, { "k", "K" }, { "c", "K" }, { "q", "K" }, { "g", "G" }, { "ɡ", "G" }, { "ɟ", "G" }, { "f", "F" }, { "ɸ", "F" },
	{ "v", "V" }, { "ʋ", "V" }, { "β", "B" }, { "θ", "TH" }, { "ð", "DH" }, { "s", "S" }, { "z", "Z" }, { "ʃ", "SH" }, { "ʒ", "ZH" }, { "ç", "SH" }, { "ɕ", "SH" },
	{ "ʑ", "ZH" }, { "ʂ", "SH" }, { "ʐ", "ZH" }, { "x", "K" }, { "χ", "K" }, { "ɣ", "G" }, { "h", "HH" }, { "ɦ", "HH" }, { "ħ", "HH" }, { "m", "M" }, { "n", "N" },
	{ "ŋ", "NG" }, { "ɲ", "N Y" }, { "ɳ", "N" }, { "l", "L" }, { "ɫ", "L" }, { "ɭ", "L" }, { "ʎ", "L Y" }, { "ɹ", "R" }, { "r", "R" }, { "ʁ", "R" }, { "ʀ", "R" },
	{ "ɻ", "R" }, { "ɽ", "R" }, { "ɾ", "D" }, { "j", "Y" }, { "w", "W" }, { "ɥ", "W" }, { "ʈ", "T" }, { "ɖ", "D" },
};

static size_t match(struct text t, const char **phones)
{
	size_t best = 0;
	for (size_t i = 0; i < sizeof nearest / sizeof *nearest; i++) {
		size_t n = strlen(nearest[i].ipa);
		if (n > best && text_starts(t, nearest[i].ipa)) {
			best = n;
			*phones = nearest[i].phones;
		}
	}
	return best;
}

bool lexicon_from_ipa(struct text ipa, bool british, char *dst, size_t size)
{
	char plain[256];
	size_t n = 0;
	/* stress and separators say nothing to the recogniser */
	for (size_t i = 0; i < ipa.n && n + 1 < sizeof plain; i++) {
		if (ipa.n - i >= 2 && (uint8_t)ipa.p[i] == 0xcb && ((uint8_t)ipa.p[i + 1] == 0x88 || (uint8_t)ipa.p[i + 1] == 0x8c))
			i++;
		else if (ipa.p[i] != ' ' && ipa.p[i] != '_' && ipa.p[i] != '-')
			plain[n++] = ipa.p[i];
	}
	struct text t = text_make(plain, n);
	*dst = '\0';
	while (t.n) {
		const char *phones = "";
		size_t used = match(t, &phones);
		if (british && used == 1 && t.p[0] == 'a')
			phones = "AE";
		if (used && !append(dst, size, phones))
			return false;
		t = text_skip(t, used ? used : 1);
	}
	return *dst != '\0';
}
