/* SPDX-License-Identifier: Apache-2.0 */
/* library.c  A grammar in JSGF, a dictionary in a file, and nothing set that need not be. */
#include "library.h"
#include <errno.h>
#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "channel.h"

struct library {
	const struct book *book;
	cmd_ln_t *config;
	ps_decoder_t *ps;
};

static void sentences(struct buf *b, const struct book *book, const char *rule, const char *const *(*sentence)(unsigned))
{
	const char *between = "";
	buf_printf(b, "<%s> = ", rule);
	for (unsigned i = 0; sentence(i); i++) {
		const char *const *w = sentence(i);
		bool known = true;
		for (unsigned k = 0; w[k]; k++)
			known = known && book_holds(book, w[k]);
		if (!known)
			continue;
		buf_str(b, between);
		for (; *w; w++)
			buf_printf(b, " w_%s", *w);
		between = " |";
	}
	buf_str(b, ";\n");
}

static int teach(struct library *l)
{
	struct buf b;
	buf_init(&b, 4 << 20);
	buf_str(&b, "#JSGF V1.0;\ngrammar names;\n");
	sentences(&b, l->book, "before", book_before);
	sentences(&b, l->book, "after", book_after);
	buf_str(&b, "<name> = n0");
	for (unsigned i = 1; i < book_names(l->book); i++)
		buf_printf(&b, " | n%u", i);
	buf_str(&b, ";\npublic <all> = [<before>] <name> [<after>];\n");
	buf_char(&b, '\0');
	int err = ps_set_jsgf_string(l->ps, "names", (const char *)b.p) || ps_set_search(l->ps, "names") ? EIO : 0;
	buf_free(&b);
	return err;
}

struct library *library_open(const char *model, const struct book *book)
{
	char folder[512], dict[64];
	struct library *l = mem_zalloc(1, sizeof *l);
	struct text words = book_dict(book);
	int fd = memfd_create("names", MFD_CLOEXEC);
	if (!l || fd < 0 || write(fd, words.p, words.n) != (ssize_t)words.n)
		return NULL;
	text_print(folder, sizeof folder, "%s/en-us", model);
	text_print(dict, sizeof dict, "/proc/self/fd/%d", fd);
	err_set_logfp(NULL);
	l->book = book;
	l->config = cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", folder, "-dict", dict, "-logfn", "/dev/null", NULL);
	l->ps = l->config ? ps_init(l->config) : NULL;
	close(fd);
	if (l->ps && !teach(l))
		return l;
	library_close(l);
	return NULL;
}

void library_close(struct library *l)
{
	if (l->ps)
		ps_free(l->ps);
	if (l->config)
		cmd_ln_free_r(l->config);
	mem_free(l);
}

int library_hear(struct library *l, const int16_t *pcm, size_t n, struct speech_result *result)
{
	struct sound wide;
	int32 score;
	unsigned count;
	*result = (struct speech_result){ .sure = SPEECH_REJECT };
	float *x = mem_alloc((n + 1) * sizeof *x);
	for (size_t i = 0; x && i < n; i++)
		x[i] = pcm[i];
	int err = x ? sound_resample(&wide, x, n, 0.5) : ENOMEM;
	mem_free(x);
	int16_t *twice = err ? NULL : mem_alloc((wide.n + 1) * sizeof *twice);
	for (size_t i = 0; twice && i < wide.n; i++)
		twice[i] = (int16_t)(wide.x[i] > 32767 ? 32767 : wide.x[i] < -32768 ? -32768 : wide.x[i]);
	if (!err) {
		err = !twice ? ENOMEM : ps_start_utt(l->ps) < 0 || ps_process_raw(l->ps, twice, wide.n, FALSE, TRUE) < 0 || ps_end_utt(l->ps) < 0 ? EIO : 0;
		mem_free(wide.x);
	}
	mem_free(twice);
	if (err || !ps_get_hyp(l->ps, &score))
		return err;
	for (ps_seg_t *seg = ps_seg_iter(l->ps); seg; seg = ps_seg_next(seg)) {
		const char *word = ps_seg_word(seg);
		if (word[0] != 'n' || word[1] < '0' || word[1] > '9')
			continue;
		const uint32_t *ids = book_owners(l->book, (unsigned)atoi(word + 1), &count);
		result->n = count > 0;
		result->v[0].id = count ? ids[0] : 0;
		result->sure = count ? SPEECH_CONFIRM : SPEECH_REJECT;
	}
	return 0;
}
