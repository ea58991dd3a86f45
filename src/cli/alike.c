/* SPDX-License-Identifier: Apache-2.0 */
/* alike.c  Names to the helper, pairs back. */
#include "cli/alike.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "voice/speech.h"

enum { OUT_MAX = 16 << 20, PAIRS_SHOWN = 20, NAMES_MAX = 6000 };

/* ---- the helper ---- */
static int write_all(int fd, struct text t)
{
	for (size_t n = 0; n < t.n;) {
		ssize_t w = write(fd, t.p + n, t.n - n);
		if (w <= 0)
			return errno;
		n += (size_t)w;
	}
	return lseek(fd, 0, SEEK_SET) == 0 ? 0 : errno;
}

static int read_all(int fd, struct buf *out)
{
	for (;;) {
		uint8_t *room = buf_reserve(out, 65536);
		ssize_t n = room ? read(fd, room, 65536) : -1;
		if (!room)
			return ENOMEM;
		if (n == 0)
			return 0;
		if (n > 0)
			buf_grew(out, (size_t)n);
		else if (errno != EINTR)
			return errno;
	}
}

static int start(pid_t *pid, const char *option, int in, int out)
{
	extern char **environ;
	char name[] = "umbel-speech", *argv[] = { name, (char *)(uintptr_t)option, NULL };
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	int err = posix_spawn(pid, speech_program(NULL), &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

int cli_speech_ask(const char *option, struct text in, struct buf *out)
{
	int fd = memfd_create("names", MFD_CLOEXEC), pipe_fd[2] = { -1, -1 }, status = 0;
	pid_t pid = 0;
	int err = fd < 0 || pipe2(pipe_fd, O_CLOEXEC) ? errno : write_all(fd, in);
	if (!err)
		err = start(&pid, option, fd, pipe_fd[1]);
	if (pipe_fd[1] >= 0)
		close(pipe_fd[1]);
	if (!err)
		err = read_all(pipe_fd[0], out);
	if (pipe_fd[0] >= 0)
		close(pipe_fd[0]);
	if (fd >= 0)
		close(fd);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return !err && pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CLI_GOOD : CLI_NO;
}

/* ---- who is asked about ---- */
static bool english(const struct cfg *cfg, const struct cfg_attendant *a)
{
	const struct cfg_dialplan *plan = cfg_dialplan(cfg, text_of(a->dialplan));
	const char *l = *a->language ? a->language : plan ? plan->language : "";
	return !*l || text_starts_nocase(text_of(l), "en");
}

static bool anybody_listens(const struct cfg *cfg)
{
	for (size_t i = 0; i < cfg->n_attendants; i++)
		if (cfg->attendants[i].speech && cfg->attendants[i].dial_by_name && english(cfg, &cfg->attendants[i]))
			return true;
	return false;
}

static const char *name_of(const struct cfg_mailbox *m)
{
	return *m->display_name ? m->display_name : m->name;
}

static void put_line(struct buf *b, size_t id, const struct cfg_mailbox *m, const char *name, const char *sounds)
{
	buf_printf(b, "%zu\t%s\t%s\t%s\n", id, m->language, name, sounds);
}

static void put_name(struct buf *b, size_t id, const struct cfg_mailbox *m)
{
	for (size_t i = 0; i < m->pronunciation.n; i++)
		put_line(b, id, m, name_of(m), m->pronunciation.v[i]);
	if (m->pronunciation.n)
		return;
	put_line(b, id, m, name_of(m), "");
	if (*m->spoken_name && strcmp(m->spoken_name, name_of(m)) != 0)
		put_line(b, id, m, m->spoken_name, "");
}

static bool named(const json_t *names, const char *name)
{
	size_t i;
	const json_t *n;
	json_array_foreach(names, i, n)
		if (json_string_value(n) && text_is_nocase(text_of(name), json_string_value(n)))
			return true;
	return !names;
}

/* ---- what came back ---- */
static void take_pair(struct cli_alike *a, const struct cfg *cfg, const json_t *names, bool same, struct text rest)
{
	struct text one, other;
	uint32_t x, y;
	char words[600], fix[400];
	(void)text_cut(rest, ' ', &one, &other);
	if (text_u32(one, UINT32_MAX, &x) || text_u32(other, UINT32_MAX, &y) || x >= cfg->n_mailboxes || y >= cfg->n_mailboxes)
		return;
	const struct cfg_mailbox *p = &cfg->mailboxes[x], *q = &cfg->mailboxes[y];
	if (!named(names, p->name) && !named(names, q->name))
		return;
	text_print(words, sizeof words, "%s (%s) and %s (%s) %s", p->name, name_of(p), q->name, name_of(q), same ? "sound alike" : "sound nearly alike");
	text_print(fix, sizeof fix, "%s", same ? "callers who say it are offered both; give each a department, which is said then, or one a middle name in display_name" :
	                                         "callers may be asked for the wrong one; a middle name in display_name helps, or a pronunciation that says how the name really sounds");
	json_array_append_new(a->pairs, json_pack("{s:s, s:s, s:b, s:s, s:s}", "a", p->name, "b", q->name, "same", same, "words", words, "fix", fix));
}

static void take_lines(struct cli_alike *a, const struct cfg *cfg, const json_t *names, struct text out)
{
	struct text line, word, rest;
	while (text_cut(out, '\n', &line, &out)) {
		uint32_t n;
		(void)text_cut(line, ' ', &word, &rest);
		if (text_is(word, "same") || text_is(word, "near"))
			take_pair(a, cfg, names, text_is(word, "same"), rest);
		else if (text_is(word, "more") && !names && !text_u32(rest, UINT32_MAX, &n))
			a->more = n;
		else if (text_is(word, "end"))
			a->checked = true;
	}
}

void cli_alike_find(struct cli_alike *a, const struct cfg *cfg, const json_t *names)
{
	struct buf in, out;
	size_t n = 0;
	*a = (struct cli_alike){ .pairs = json_array(), .wanted = anybody_listens(cfg) };
	buf_init(&in, OUT_MAX);
	buf_init(&out, OUT_MAX);
	for (size_t i = 0; i < cfg->n_mailboxes && n < NAMES_MAX; i++)
		if (cfg->mailboxes[i].dialable) {
			put_name(&in, i, &cfg->mailboxes[i]);
			n++;
		}
	if (!a->wanted || n < 2)
		a->checked = true;
	else if (!buf_error(&in) && cli_speech_ask("--alike", buf_as_text(&in), &out) == CLI_GOOD)
		take_lines(a, cfg, names, buf_as_text(&out));
	buf_free(&in);
	buf_free(&out);
}

void cli_alike_free(struct cli_alike *a)
{
	json_decref(a->pairs);
	a->pairs = NULL;
}

void cli_alike_print(const struct cli_alike *a, FILE *f)
{
	size_t i, n = json_array_size(a->pairs);
	const json_t *p;
	if (!a->checked) {
		fprintf(f, "Not checked: which names sound alike. umbel-speech, or the word list of pocketsphinx-en-us, is not here.\n");
		return;
	}
	json_array_foreach(a->pairs, i, p) {
		if (i == PAIRS_SHOWN)
			break;
		fprintf(f, "Spoken names: %s:\n", cli_text(p, "words"));
		cli_wrapped(f, cli_text(p, "fix"), "    ");
	}
	if (n > PAIRS_SHOWN || a->more)
		fprintf(f, "Spoken names: %zu more pairs sound alike or nearly; umbel check --json has them.\n", n - (n > PAIRS_SHOWN ? PAIRS_SHOWN : n) + a->more);
}

void cli_alike_after(struct cli *c, const json_t *names)
{
	json_t *r = NULL;
	struct cfg *cfg = NULL;
	struct cfg_errors errors = { 0 };
	struct cli_alike a;
	if (c->json || cli_ask(c, "object.export", NULL, &r) != CLI_GOOD)
		return;
	if (cfg_parse(&cfg, "objects", text_of(cli_text(r, "yaml")), CFG_WANT_OBJECTS, &errors) == 0) {
		cli_alike_find(&a, cfg, names);
		cli_alike_print(&a, c->err);
		cli_alike_free(&a);
		cfg_unref(cfg);
	}
	cfg_errors_free(&errors);
	json_decref(r);
}
