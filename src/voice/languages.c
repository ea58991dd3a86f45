/* SPDX-License-Identifier: Apache-2.0 */
/* languages.c  Finds the packs and picks one. */
#include "voice/languages.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/text.h"
#include "event/bus.h"
#include "voice_events.h"

enum { LANGUAGES_MAX = 32, PATH_SIZE = 1024 };

struct languages {
	struct prompt_set *set[LANGUAGES_MAX];
	unsigned n;
};

static bool same_primary(const char *a, const char *b)
{
	size_t n = strcspn(a, "-_"), m = strcspn(b, "-_");
	return n && text_eq_nocase(text_make(a, n), text_make(b, m));
}

static struct prompt_set *look(const struct languages *l, const char *tag)
{
	struct prompt_set *s = languages_exact(l, tag);
	for (unsigned i = 0; !s && i < l->n; i++)
		if (same_primary(tag, prompt_set_language(l->set[i])))
			s = l->set[i];
	return s;
}

static int add(struct languages *l, const char *path, const struct prompt_words *v, unsigned n, struct ev_bus *bus)
{
	struct ev_report why;
	struct prompt_set *s;
	int err = prompt_set_open(&s, &(struct prompt_set_prm){ .pack = path, .bus = bus }, &why);
	if (err) {
		if (bus)
			ev_emit(bus, &why);
		return err == ENOMEM ? err : 0;
	}
	if (languages_exact(l, prompt_set_language(s))) { /* a more special folder has one */
		prompt_set_close(s);
		return 0;
	}
	unsigned lent = 0;
	for (unsigned i = 0; i < n; i++)
		lent += !prompt_clip(s, v[i].name);
	prompt_set_fall_back(s, l->set[0]);
	l->set[l->n++] = s;
	if (lent && bus) {
		ev_set(&why, EV_VOICE_LANGUAGE_INCOMPLETE);
		ev_str(&why, "language", prompt_set_language(s));
		ev_int(&why, "count", lent);
		ev_str(&why, "other", prompt_set_language(l->set[0]));
		ev_emit(bus, &why);
	}
	return 0;
}

static int is_pack(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 5 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 5, ".pack");
}

static int add_folder(struct languages *l, const char *dir, const struct prompt_words *v, unsigned n, struct ev_bus *bus)
{
	struct dirent **name;
	int count = scandir(dir, &name, is_pack, alphasort), err = 0;
	for (int i = 0; i < count; i++) {
		char path[PATH_SIZE], tag[64];
		text_copy(text_head(text_of(name[i]->d_name), strlen(name[i]->d_name) - 5), tag, sizeof tag);
		if (!err && l->n < LANGUAGES_MAX && !languages_exact(l, tag) && !text_print(path, sizeof path, "%s/%s", dir, name[i]->d_name))
			err = add(l, path, v, n, bus);
		free(name[i]);
	}
	if (count >= 0)
		free(name);
	return err;
}

int languages_open(struct languages **lp, const struct prompt_set_prm *prm, const struct prompt_words *v, unsigned n, struct ev_report *why)
{
	struct languages *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return ENOMEM;
	int err = prompt_set_open(&l->set[0], prm, why);
	if (!err) {
		l->n = 1;
		err = prompt_set_complete(l->set[0], v, n, prm->bus);
	}
	for (unsigned i = 0; !err && i < PROMPT_FOLDERS; i++) {
		const char *dir = prompt_folder(i, prm->dir);
		if (dir)
			err = add_folder(l, dir, v, n, prm->bus);
	}
	if (err)
		languages_close(l);
	else
		*lp = l;
	return err;
}

void languages_close(struct languages *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->n; i++)
		prompt_set_close(l->set[i]);
	mem_free(l);
}

struct prompt_set *languages_find(const struct languages *l, const char *tag)
{
	struct prompt_set *s = look(l, tag);
	return s ? s : l->set[0];
}

bool languages_speaks(const struct languages *l, const char *tag)
{
	return look(l, tag) != NULL;
}

unsigned languages_count(const struct languages *l)
{
	return l->n;
}

struct prompt_set *languages_exact(const struct languages *l, const char *tag)
{
	for (unsigned i = 0; i < l->n; i++)
		if (text_is_nocase(text_of(tag), prompt_set_language(l->set[i])))
			return l->set[i];
	return NULL;
}

struct prompt_set *languages_at(const struct languages *l, unsigned i)
{
	return l->set[i];
}
