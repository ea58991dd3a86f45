/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h  The catalogue of prompts: what callers hear, by name. The default set is one file, rendered at build time from
 * prompts/<language>.prompts (one line a prompt, "name: text") and mapped at start; a folder of WAV files can replace those prompts
 * whose words fit. Names are lower case with '-' and '/': "mailbox-welcome", "digits/4", "letters/q". Loop thread;
 * clips may be held by anybody.                                                                                        */
#ifndef VOICE_PROMPT_H
#define VOICE_PROMPT_H
#include <stdbool.h>
#include "event/report.h"
#include "media/clip.h"

struct lang;
struct prompt_set;

struct prompt_set_prm {
	const char *dir, *set; /* as configured; NULL or "": not. dir/set.pack is the pack then; or else, if dir/set is a folder, it is wav_dir */
	const char *language;  /* NULL: "en-US" */
	const char *pack;      /* file; NULL: <language>.pack in UMBEL_PROMPTS, the data folder or the build tree, first that exists */
	const char *wav_dir;   /* NULL, or a folder with WAV files that replace prompts */
	const char *wav_map;   /* file of "prompt: file" lines; NULL: <language>.wavmap beside the pack */
	struct ev_bus *bus;    /* told which WAV files were not usable; may be NULL */
};
/* 0; ENOENT: no pack; EBADMSG: it is damaged; `why` names file and reason. */
int prompt_set_open(struct prompt_set **sp, const struct prompt_set_prm *prm, struct ev_report *why);
void prompt_set_close(struct prompt_set *s); /* clips that are held elsewhere live on; NULL is allowed */
const char *prompt_set_language(const struct prompt_set *s);
const struct lang *prompt_set_lang(const struct prompt_set *s); /* its grammar; never NULL */
/* Borrowed; NULL if there is no prompt of that name. */
struct media_clip *prompt_clip(const struct prompt_set *s, const char *name);
/* The words of a prompt, "" for none (tones); NULL if unknown. */
const char *prompt_text(const struct prompt_set *s, const char *name);
unsigned prompt_count(const struct prompt_set *s);
const char *prompt_name(const struct prompt_set *s, unsigned i); /* in order of name */
/* 0, or ENOENT and an event that names the prompt. */
int prompt_check(const struct prompt_set *s, const char *name, struct ev_report *why);

/* What the program is going to say. */
struct prompt_words {
	const char *name, *words;
};
/* What the set lacks of these, and of tones, is made by the built-in voice, so that no caller meets silence; each is told on the bus (may be NULL).
 * Blocks while it speaks: at start, before anybody uses the set. 0 or ENOMEM; a word that the voice cannot say stays missing. */
int prompt_set_complete(struct prompt_set *s, const struct prompt_words *v, unsigned n, struct ev_bus *bus);

/* What this set lacks is heard in the words of another, which must outlive it, rather than not at all. */
void prompt_set_fall_back(struct prompt_set *s, const struct prompt_set *to);
/* An administrator's own recording stands for a prompt, or adds one; it goes with any voice. Takes a reference; NULL takes the own one away. The
 * words may be "": then those of the prompt stay. Between two sentences, at any time. 0 or ENOMEM. */
int prompt_set_own(struct prompt_set *s, const char *name, const char *words, struct media_clip *clip);
bool prompt_is_own(const struct prompt_set *s, const char *name);
/* Lower case letters, digits, and '-' and '/' between them; at most 47 bytes. */
bool prompt_name_good(const char *name);
/* Where packs are looked for, the most special folder first; NULL: there is none at that place. `configured` is node.voice. */
enum { PROMPT_FOLDERS = 4 };
const char *prompt_folder(unsigned i, const char *configured);

#endif
