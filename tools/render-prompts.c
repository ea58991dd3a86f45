/* SPDX-License-Identifier: Apache-2.0 */
/* render-prompts.c  Makes the file of prompts out of their words, at build time.
 *
 *   render-prompts LANGUAGE WORDS.prompts OUT.pack            English, by flite
 *   render-prompts LANGUAGE WORDS.prompts OUT.pack ESPEAK     other languages, by that program (espeak-ng)
 *
 * WORDS.prompts says in its head what a line looks like. Every line must become a sound: a prompt that cannot be rendered
 * fails the build.                                                                                                      */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/mem.h"
#include "voice/pack.h"
#include "voice/sound_file.h"
#include "voice/speak.h"
#include "voice/speaker.h"

enum { LINE = 2048 };

extern char **environ;
static const char *espeak, *spoken;
static char scratch[] = "/tmp/render-prompts-XXXXXX"; /* what espeak-ng writes */

/* The program speaks into a file: a child for each line, so that its licence and its crashes stay its own. */
static int run_espeak(const char *words)
{
	char voice[16];
	text_copy(text_head(text_of(spoken), strcspn(spoken, "-")), voice, sizeof voice);
	char *argv[] = { (char *)espeak, (char *)"-v", voice, (char *)"-s", (char *)SPEAKER_WORDS_A_MINUTE, (char *)"-w", scratch, (char *)"--", (char *)words, NULL };
	pid_t pid;
	int status, err = posix_spawn(&pid, espeak, NULL, NULL, argv, environ);
	if (err)
		return err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : EIO;
}

static int speak_foreign(struct media_clip **c, const char *words)
{
	char why[128];
	int16_t *pcm = NULL, *wide = NULL;
	size_t n, n_wide;
	int err = run_espeak(words);
	if (!err)
		err = sound_file_read(scratch, &pcm, &n, why, sizeof why);
	if (!err)
		err = sound_file_read_at(MEDIA_RATE_WIDE, scratch, &wide, &n_wide, why, sizeof why);
	if (!err) {
		n = n < n_wide / 2 ? n : n_wide / 2;
		err = media_clip_from_both(c, pcm, speak_care_both(pcm, n, wide, words), wide);
	}
	mem_free(pcm);
	mem_free(wide);
	return err;
}

struct list_of_items {
	struct pack_item *p;
	uint32_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pack_item *)a)->name, ((const struct pack_item *)b)->name);
}

/* "@tone HZ HZ2 MS LEVEL", "@silence MS", or words. */
static int make_clip(struct media_clip **c, const char *words)
{
	unsigned hz, hz2, ms;
	int level;
	if (sscanf(words, "@tone %u %u %u %d", &hz, &hz2, &ms, &level) == 4)
		return media_clip_tone(c, hz, hz2, ms, level);
	if (sscanf(words, "@silence %u", &ms) == 1)
		return media_clip_silence(c, ms);
	return words[0] == '@' ? EINVAL : espeak ? speak_foreign(c, words) : speak_text(c, words);
}

static int add(struct list_of_items *items, struct text name, struct text words)
{
	struct media_clip *clip;
	char *n = text_dup(name), *w = text_dup(words);
	struct pack_item *p = n && w ? mem_realloc(items->p, (items->n + 1) * sizeof *p) : NULL;
	if (!p)
		return ENOMEM;
	items->p = p;
	int err = make_clip(&clip, w);
	if (err)
		return err;
	if (w[0] == '@')
		w[0] = '\0'; /* a tone has no words */
	p[items->n++] = (struct pack_item){ n, w, clip };
	return 0;
}

static int read_words(struct list_of_items *items, const char *path)
{
	char buf[LINE];
	FILE *f = fopen(path, "r");
	int err = f ? 0 : errno;
	for (unsigned number = 1; !err && fgets(buf, sizeof buf, f); number++) {
		struct text line = text_trim(text_of(buf)), name, words;
		if (text_empty(line) || line.p[0] == '#')
			continue;
		err = text_cut(line, ':', &name, &words) ? add(items, text_trim(name), text_trim(words)) : EINVAL;
		if (err)
			fprintf(stderr, "%s:%u: \"%.*s\" cannot become a sound: %s\n", path, number, TEXT_FMT(line), strerror(err));
	}
	if (f)
		fclose(f);
	return err;
}

static int write_pack(const char *path, const char *language, struct list_of_items *items)
{
	struct buf out;
	buf_init(&out, 256 << 20);
	qsort(items->p, items->n, sizeof *items->p, by_name);
	int err = 0;
	for (uint32_t i = 1; i < items->n; i++)
		if (!strcmp(items->p[i - 1].name, items->p[i].name)) {
			fprintf(stderr, "the prompt \"%s\" is there twice\n", items->p[i].name);
			err = EEXIST;
		}
	if (!err)
		err = pack_write(&out, language, items->p, items->n);
	FILE *f = err ? NULL : fopen(path, "wb");
	if (!err && !f)
		err = errno;
	if (f && (fwrite(out.p, 1, out.n, f) != out.n))
		err = EIO;
	if (f && fclose(f) && !err)
		err = errno;
	buf_free(&out);
	return err;
}

int main(int argc, char **argv)
{
	struct list_of_items items = { 0 };
	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: render-prompts LANGUAGE WORDS.prompts OUT.pack [ESPEAK]\n");
		return 2;
	}
	spoken = argv[1];
	espeak = argc == 5 ? argv[4] : NULL;
	int fd = espeak ? mkstemp(scratch) : -1, err = espeak && fd < 0 ? errno : 0;
	if (!err)
		err = read_words(&items, argv[2]);
	if (!err)
		err = write_pack(argv[3], argv[1], &items);
	for (uint32_t i = 0; i < items.n; i++) {
		mem_free((char *)items.p[i].name);
		mem_free((char *)items.p[i].text);
		mem_unref((struct media_clip *)items.p[i].clip);
	}
	mem_free(items.p);
	if (fd >= 0) {
		close(fd);
		unlink(scratch);
	}
	if (err)
		fprintf(stderr, "render-prompts: %s: %s\n", argv[3], strerror(err));
	return err ? 1 : 0;
}
