/* SPDX-License-Identifier: Apache-2.0 */
/* main.c  umbel-speech: the helper of umbeld for speech. It speaks and understands so that a fault in a speech library ends this process and not
 * the calls. umbeld starts it; by hand it only tells about itself. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include "umbel-speech/alike.h"
#include "umbel-speech/sandbox.h"
#include "umbel-speech/serve.h"
#include "umbel-speech/work.h"

static const char help[] =
	"usage: umbel-speech [--help] [--version] [--pronounce | --alike | --say]\n"
	"\n"
	"umbeld's helper: it speaks names and understands spoken ones. umbeld starts it, with a\n"
	"socket as descriptor 3 (--serve), and starts it again when it ends. What it does just now:\n"
	"\n"
	"  umbel status              whether it runs, since when, what it can do\n"
	"\n"
	"umbel asks it the following, from standard input to standard output; umbel-speech(8) has the\n"
	"lines. No server is needed:\n"
	"\n"
	"  --pronounce               how names are understood\n"
	"  --alike                   which names sound alike, or nearly\n"
	"  --say                     a line of text as WAV; before it, if need be, its language and a tab\n"
	"\n"
	"environment of umbeld:\n"
	"  UMBEL_SPEECH              another path of this program\n"
	"  UMBEL_SPEECH_MODEL        folder of the acoustic model and the word list\n"
	"                            (default /usr/share/pocketsphinx/model/en-us)\n"
	"  UMBEL_SPEECH_FRONT        the trained front end; \"stock\" for the one of the model\n";

static int once(int what)
{
	struct lexicon *lex;
	if (what == 'w')
		return alike_say(stdin, stdout);
	int err = work_lexicon(&lex);
	if (err)
		return err;
	err = what == 'p' ? alike_pronounce(lex, stdin, stdout) : alike_pairs(lex, stdin, stdout);
	lexicon_close(lex);
	return err;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { "serve", no_argument, NULL, 's' },
		                                { "pronounce", no_argument, NULL, 'p' }, { "alike", no_argument, NULL, 'a' }, { "say", no_argument, NULL, 'w' }, { 0 } };
	int what = 0;
	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		switch (c) {
		case 'h': fputs(help, stdout); return 0;
		case 'v': puts("umbel-speech " UMBEL_VERSION); return 0;
		case 's':
		case 'p':
		case 'a':
		case 'w': what = c; break;
		default: return 2;
		}
	if (!what || optind != argc) {
		fputs(help, stderr);
		return 2;
	}
	sandbox_enter();
	int err = what == 's' ? serve_run(3) : once(what);
	if (err)
		fprintf(stderr, "umbel-speech: %s\n", strerrordesc_np(err));
	return err ? 1 : 0;
}
