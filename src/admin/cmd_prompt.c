/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_prompt.c  prompt.*: what callers hear, by language and name; an administrator's own recordings. Audio is base64 of 16 bit samples, little
 * endian, at 8 kHz.                                                                                                      */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "base/mem.h"
#include "media/g711.h"
#include "voice/languages.h"
#include "voice/own.h"

static json_t *prompt_json(const struct prompt_set *s, const char *name)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:b}", "language", prompt_set_language(s), "name", name, "words", prompt_text(s, name), "ms",
	                 (int)media_clip_ms(prompt_clip(s, name)), "own", prompt_is_own(s, name));
}

/* The set that args name, the node's own without; NULL: answered. */
static struct prompt_set *set_of(struct admin *a, struct admin_call *call, const json_t *args)
{
	const char *tag = admin_arg_str(args, "language");
	if (!a->prm.languages) {
		admin_call_absent(call, "prompts");
		return NULL;
	}
	if (!tag || !*tag)
		return languages_at(a->prm.languages, 0);
	if (languages_speaks(a->prm.languages, tag))
		return languages_find(a->prm.languages, tag);
	admin_call_not_found(call, "language", tag, admin_words(ADMIN_HINT_LANGUAGES));
	return NULL;
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	bool own = admin_arg_bool(args, "own"), every = own && !admin_arg_str(args, "language");
	struct prompt_set *one = set_of(a, call, args);
	if (!one)
		return;
	json_t *array = json_array();
	for (unsigned l = 0; l < languages_count(a->prm.languages); l++) {
		struct prompt_set *s = languages_at(a->prm.languages, l);
		for (unsigned i = 0; (every || s == one) && i < prompt_count(s); i++)
			if (!own || prompt_is_own(s, prompt_name(s, i)))
				json_array_append_new(array, prompt_json(s, prompt_name(s, i)));
	}
	json_t *languages = json_array();
	for (unsigned l = 0; l < languages_count(a->prm.languages); l++)
		json_array_append_new(languages, json_string(prompt_set_language(languages_at(a->prm.languages, l))));
	admin_call_ok(call, json_pack("{s:o, s:o}", "prompts", array, "languages", languages));
}

static void export(struct admin_call *call, const json_t *args, void *arg)
{
	struct ev_report why = { 0 };
	const char *name;
	struct prompt_set *s = set_of(arg, call, args);
	if (!s)
		return;
	if (admin_need_str(args, "name", &name, &why)) {
		admin_call_fail(call, &why);
		return;
	}
	struct media_clip *clip = prompt_clip(s, name);
	if (!clip) {
		admin_call_not_found(call, "prompt", name, admin_words(ADMIN_HINT_PROMPTS));
		return;
	}
	size_t n = media_clip_samples(clip);
	int16_t *pcm = mem_alloc(n * sizeof *pcm + 2);
	uint8_t *le = mem_alloc(n * 2 + 2);
	unsigned char *text = mem_alloc(n * 2 / 3 * 4 + 8);
	json_t *o = NULL;
	if (pcm && le && text) {
		g711_decode(MEDIA_PCMU, pcm, media_clip_bytes(clip, MEDIA_PCMU), n);
		for (size_t i = 0; i < n; i++) {
			le[2 * i] = (uint8_t)((uint16_t)pcm[i] & 0xff);
			le[2 * i + 1] = (uint8_t)((uint16_t)pcm[i] >> 8);
		}
		EVP_EncodeBlock(text, le, (int)(n * 2));
		o = prompt_json(s, name);
		if (o)
			json_object_set_new(o, "audio", json_string((char *)text));
	}
	mem_free(pcm);
	mem_free(le);
	mem_free(text);
	admin_call_ok(call, o);
}

/* ---- changes ---- */
struct change {
	struct admin_call *call;
	char language[32], name[64];
	bool removed;
};

static void changed(int err, const struct ev_report *why, void *arg)
{
	struct change *x = arg;
	if (err == ENOENT) {
		admin_call_not_found(x->call, "prompt of your own", x->name, admin_words(ADMIN_HINT_OWN_PROMPTS));
	} else if (err) {
		admin_call_errno(x->call, err, why);
	} else {
		admin_call_did(x->call, "prompt %s in %s", x->name, x->language);
		admin_call_ok(x->call, json_pack("{s:s, s:s, s:b}", "name", x->name, "language", x->language, "removed", x->removed));
	}
	mem_unref(x->call);
	mem_free(x);
}

/* The start of both: the names, and whether they can be. NULL: answered. */
static struct change *begin(struct admin *a, struct admin_call *call, const json_t *args)
{
	struct ev_report why = { 0 };
	const char *name;
	struct prompt_set *s = set_of(a, call, args);
	if (!s)
		return NULL;
	if (!a->prm.own_prompts) {
		admin_call_absent(call, "prompts");
		return NULL;
	}
	int err = admin_need_str(args, "name", &name, &why);
	if (!err && !prompt_name_good(name))
		err = admin_value_bad(&why, name, "name of a prompt", "1 to 47 of the characters a-z 0-9, with - or / between them");
	struct change *x = err ? NULL : mem_zalloc(1, sizeof *x);
	if (!x) {
		admin_call_errno(call, err ? err : ENOMEM, &why);
		return NULL;
	}
	x->call = mem_ref(call);
	text_fill(x->name, sizeof x->name, name);
	text_fill(x->language, sizeof x->language, prompt_set_language(s));
	return x;
}

static void refused(struct change *x, int err, const struct ev_report *why)
{
	admin_call_errno(x->call, err, why);
	mem_unref(x->call);
	mem_free(x);
}

static void import(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *text = NULL, *words = admin_arg_str(args, "words");
	struct change *x = begin(a, call, args);
	if (!x)
		return;
	int err = admin_need_str(args, "audio", &text, &why);
	size_t n = err ? 0 : strlen(text), pad = n > 1 && text[n - 1] == '=' ? (text[n - 2] == '=' ? 2u : 1u) : 0;
	uint8_t *pcm = err ? NULL : mem_alloc(n / 4 * 3 + 4);
	if (!err && !pcm)
		err = ENOMEM;
	int got = err || n > INT32_MAX / 2 ? -1 : EVP_DecodeBlock(pcm, (const unsigned char *)text, (int)n);
	if (!err && (got < (int)pad || !n))
		err = admin_value_bad(&why, n ? "..." : "", "audio", "base64 of 16 bit samples, little endian, at 8 kHz");
	if (!err && (words ? strlen(words) : 0) > OWN_WORDS)
		err = admin_value_bad(&why, words, "text of a prompt", "at most 400 bytes");
	if (!err)
		err = own_prompts_set(a->prm.own_prompts, x->language, x->name, words ? words : "", pcm, (size_t)got - pad, changed, x);
	mem_free(pcm);
	if (err)
		refused(x, err, &why);
}

static void remove_own(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct change *x = begin(a, call, args);
	if (!x)
		return;
	x->removed = true;
	int err = own_prompts_remove(a->prm.own_prompts, x->language, x->name, changed, x);
	if (err)
		refused(x, err, NULL);
}

const struct admin_cmd admin_prompt_cmds[] = {
	{ "prompt.list", list }, { "prompt.export", export }, { "prompt.import", import }, { "prompt.remove", remove_own }, { NULL, NULL },
};
