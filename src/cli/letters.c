/* SPDX-License-Identifier: Apache-2.0 */
/* letters.c  See letters.h. */
#include "cli/letters.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN_MAX = 20, PROGRESS_EVERY = 250, WRITERS_MAX = 4 };

static int wrong(struct cli_letter *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int wrong(struct cli_letter *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(l->why, sizeof l->why, fmt, ap);
	va_end(ap);
	return CLI_NO;
}

/* ---- the file ---- */

static bool is_free(struct cli_letter *l)
{
	struct stat st;
	if (lstat(l->path, &st) == 0)
		wrong(l, "%s is there already, and letters are never written over: move it away", l->path);
	else if (errno != ENOENT)
		wrong(l, "%s cannot be looked at: %s", l->path, strerror(errno));
	else
		return true;
	return false;
}

static int make_part(struct cli_letter *l)
{
	struct stat st;
	if (lstat(l->part, &st) == 0 && S_ISREG(st.st_mode))
		(void)unlink(l->part); /* of a run that was cut off: there is another PIN in a moment */
	l->fd = open(l->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return wrong(l, "%s cannot be made: %s", l->part, strerror(errno));
	if (fstat(l->fd, &st) == 0 && !(st.st_mode & 077))
		return CLI_GOOD;
	cli_letter_drop(l);
	return wrong(l, "%s could be read by others on this file system; choose another folder", l->path);
}

void cli_letter_init(struct cli_letter *l, const char *file, const char *folder, const char *mailbox)
{
	*l = (struct cli_letter){ .folder = folder, .fd = -1 };
	int err = folder ? text_print(l->path, sizeof l->path, "%s/%s.txt", folder, mailbox) : text_print(l->path, sizeof l->path, "%s", file);
	if (err || text_print(l->part, sizeof l->part, "%s.letter-part", l->path))
		l->path[0] = '\0';
}

int cli_letter_open(struct cli_letter *l)
{
	if (!*l->path)
		return wrong(l, "the name of the file is too long");
	if (l->folder && mkdir(l->folder, 0700) != 0 && errno != EEXIST)
		return wrong(l, "%s cannot be made: %s", l->folder, strerror(errno));
	return is_free(l) ? make_part(l) : CLI_NO;
}

void cli_letter_drop(struct cli_letter *l)
{
	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	(void)unlink(l->part);
}

static int fill(struct cli_letter *l, const json_t *text)
{
	const char *p = json_string_value(text);
	size_t n = json_string_length(text);
	while (n) {
		ssize_t put = write(l->fd, p, n);
		if (put < 0 && errno != EINTR)
			break;
		p += put > 0 ? put : 0;
		n -= put > 0 ? (size_t)put : 0;
	}
	if (n || fsync(l->fd) != 0)
		return wrong(l, "%s cannot be written: %s", l->part, strerror(errno));
	return CLI_GOOD;
}

/* By a link where the file system does not know the other way. */
static int give_name(struct cli_letter *l)
{
	if (renameat2(AT_FDCWD, l->part, AT_FDCWD, l->path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	return link(l->part, l->path) == 0 && unlink(l->part) == 0 ? 0 : errno;
}

static void sync_folder(const char *path)
{
	char folder[CLI_LETTER_PATH];
	text_fill(folder, sizeof folder, path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* ---- the server ---- */

/* What it says when it says no is kept, not printed: there are many to be told together. */
static int ask(struct cli_letter *l, const struct cli *c, const char *cmd, json_t *args, json_t **r)
{
	struct cli quiet = *c;
	char *said = NULL;
	size_t n = 0;
	quiet.json = false;
	quiet.err = open_memstream(&said, &n);
	if (!quiet.err) {
		json_decref(args);
		return wrong(l, "no memory left");
	}
	int code = cli_ask(&quiet, cmd, args, r);
	fclose(quiet.err);
	struct text words = text_trim(text_make(said ? said : "", said ? n : 0));
	if (text_starts(words, "umbel: "))
		words = text_skip(words, strlen("umbel: "));
	words = text_trim(text_head(words, text_find(words, '\n')));
	if (code != CLI_GOOD)
		wrong(l, "%.*s", TEXT_FMT(words));
	free(said);
	l->no_server = code == CLI_NO_SERVER;
	return code;
}

static int set_and_name(struct cli_letter *l, struct cli *c, const char *mailbox, const char *pin)
{
	json_t *r = NULL;
	int code = ask(l, c, "mailbox.set-pin", json_pack("{s:s, s:s, s:b}", "name", mailbox, "pin", pin, "must_change", 1), &r);
	json_decref(r);
	if (code == CLI_NO_SERVER) { /* perhaps it is set: then this is where it stands */
		char what[CLI_LETTER_WHY];
		text_fill(what, sizeof what, l->why);
		close(l->fd);
		l->fd = -1;
		return wrong(l, "%.300s; whether the PIN of %.100s was set is not known, and the letter that tells it is left", what, l->part);
	}
	if (code != CLI_GOOD)
		return code;
	close(l->fd);
	l->fd = -1;
	int err = give_name(l);
	if (err)
		return wrong(l, "the PIN is set, but the letter stays in %s: %s", l->part, strerror(err));
	sync_folder(l->path);
	return CLI_GOOD;
}

int cli_letter_write(struct cli_letter *l, struct cli *c, const char *mailbox, bool first, bool only_first)
{
	json_t *r = NULL;
	int code = ask(l, c, "mailbox.letter", json_pack("{s:s, s:b}", "name", mailbox, "welcome", first), &r);
	l->had_pin = cli_true(r, "had_pin");
	if (code == CLI_GOOD && !(only_first && l->had_pin)) {
		if (l->fd < 0)
			code = cli_letter_open(l);
		if (code == CLI_GOOD)
			code = fill(l, json_object_get(r, "letter"));
		if (code == CLI_GOOD)
			code = set_and_name(l, c, mailbox, cli_text(r, "pin"));
	}
	json_decref(r);
	cli_letter_drop(l);
	return code == CLI_GOOD ? CLI_GOOD : CLI_NO;
}

/* ---- many ---- */

static void failed(struct cli_letters *ls, struct cli *c, const char *mailbox, const char *why)
{
	size_t n = json_array_size(ls->failed);
	json_array_append_new(ls->failed, json_pack("{s:s, s:s}", "mailbox", mailbox, "why", why));
	if (!c->json && n < SHOWN_MAX)
		fprintf(c->err, "umbel: no letter for %s: %s\n", mailbox, why);
}

int cli_letters_check(struct cli *c, const char *folder, const json_t *edits)
{
	struct cli_letter l;
	size_t i, wrong_ones = 0;
	const json_t *e;
	json_array_foreach(edits, i, e) {
		cli_letter_init(&l, NULL, folder, cli_text(e, "name"));
		int code = i ? is_free(&l) ? CLI_GOOD : CLI_NO : cli_letter_open(&l); /* the first one tells whether any can be made there at all */
		if (code != CLI_GOOD && wrong_ones++ < SHOWN_MAX)
			(void)cli_error(c, CLI_NO, "%s", l.why);
		cli_letter_drop(&l);
	}
	if (wrong_ones > SHOWN_MAX)
		fprintf(c->err, "umbel: and %zu more\n", wrong_ones - SHOWN_MAX);
	return wrong_ones ? CLI_NO : CLI_GOOD;
}

static void tell(const struct cli_letters *ls, struct cli *c, size_t n, const char *how)
{
	size_t bad = json_array_size(ls->failed), begun = ls->written + ls->had_pin + bad;
	fprintf(c->out, "%u letters are in %s now; they hold PINs: hand each to its owner, and keep no copy.\n", ls->written, ls->folder);
	if (ls->had_pin)
		fprintf(c->out, "%u mailboxes had a PIN already and keep it; umbel mailbox reset-pin NAME --letter FILE makes another one.\n", ls->had_pin);
	if (!bad)
		return;
	if (bad > SHOWN_MAX)
		fprintf(c->err, "umbel: and %zu more\n", bad - SHOWN_MAX);
	fprintf(c->err, "umbel: %zu mailboxes have neither letter nor PIN. When that is mended they get both by:\n  %s\n", n - begun + bad, how);
}

/* Several at once: what takes time is the server's hashing of PINs, and it has as many threads for that as the machine has cores. */
struct writers {
	pthread_mutex_t lock; /* of all but what the first line names */
	struct cli *c;
	const json_t *edits;
	struct cli_letters *ls;
	size_t next, done, n;
	bool first, stop;
};

static const char *next_one(struct writers *w)
{
	pthread_mutex_lock(&w->lock);
	const char *name = w->stop || w->next == w->n ? NULL : cli_text(json_array_get(w->edits, w->next++), "name");
	pthread_mutex_unlock(&w->lock);
	return name;
}

static void note(struct writers *w, const struct cli_letter *l, const char *name, int code)
{
	pthread_mutex_lock(&w->lock);
	if (code != CLI_GOOD)
		failed(w->ls, w->c, name, l->why);
	else if (l->had_pin && !w->first)
		w->ls->had_pin++;
	else
		w->ls->written++;
	if (++w->done % PROGRESS_EVERY == 0 && !w->c->json)
		fprintf(w->c->err, "%zu of %zu ...\n", w->done, w->n);
	w->stop |= l->no_server;
	pthread_mutex_unlock(&w->lock);
}

static void *write_some(void *arg)
{
	struct writers *w = arg;
	struct cli mine = *w->c;
	struct cli_letter *l = malloc(sizeof *l);
	for (const char *name; l && (name = next_one(w)) != NULL;) {
		cli_letter_init(l, NULL, w->ls->folder, name);
		int code = cli_letter_write(l, &mine, name, w->first, !w->first);
		note(w, l, name, code);
	}
	free(l);
	return NULL;
}

static unsigned writers_for(size_t n)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned writers = cores < 1 ? 1 : cores > WRITERS_MAX ? WRITERS_MAX : (unsigned)cores;
	return n < writers ? (unsigned)n : writers;
}

int cli_letters_write(struct cli_letters *ls, struct cli *c, const json_t *edits, bool first, const char *how)
{
	struct writers w = { .lock = PTHREAD_MUTEX_INITIALIZER, .c = c, .edits = edits, .ls = ls, .n = json_array_size(edits), .first = first };
	pthread_t thread[WRITERS_MAX];
	unsigned more = 0, wanted = writers_for(w.n);
	size_t n = w.n;
	ls->failed = json_array();
	while (more + 1 < wanted && pthread_create(&thread[more], NULL, write_some, &w) == 0)
		more++;
	(void)write_some(&w);
	for (unsigned i = 0; i < more; i++)
		pthread_join(thread[i], NULL);
	if (!c->json)
		tell(ls, c, n, how);
	return json_array_size(ls->failed) ? CLI_NO : CLI_GOOD;
}

json_t *cli_letters_json(const struct cli_letters *ls)
{
	return json_pack("{s:s, s:i, s:i, s:O}", "folder", ls->folder, "written", (int)ls->written, "had_pin", (int)ls->had_pin, "failed", ls->failed);
}
