/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.c  The catalogue: one mapped file, and perhaps recordings beside it. */
#include "voice/prompt.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "event/bus.h"
#include "umbel-config.h"
#include "voice/lang.h"
#include "voice/pack.h"
#include "voice/prompt_private.h"
#include "voice/speak.h"
#include "voice/wav.h"
#include "voice_events.h"

enum { PATH_SIZE = 1024, BEEP_HZ = 1000, BEEP_MS = 300, BEEP_DB = -16 };

struct prompt {
	char name[PACK_NAME_MAX + 1];
	char *text;
	struct media_clip *clip; /* NULL: only an administrator's own */
	struct media_clip *recorded;
	struct media_clip *own;
	char *own_text;
};

struct prompt_set {
	char language[PACK_LANGUAGE];
	const struct lang *lang;
	const struct prompt_set *fallback;
	struct prompt *prompt; /* by name */
	unsigned n, n_recorded;
};

/* The mapped file; clips hold references to it. */
struct mapping {
	void *p;
	size_t n;
};

static void unmap(void *object)
{
	struct mapping *m = object;
	if (m->p)
		munmap(m->p, m->n);
}

static int map_file(struct mapping **mp, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int err = fstat(fd, &st) ? errno : !S_ISREG(st.st_mode) || st.st_size <= 0 ? EBADMSG : 0;
	struct mapping *m = err ? NULL : mem_object(sizeof *m, unmap);
	if (!err && !m)
		err = ENOMEM;
	if (!err) {
		/* populated: a page that is not there must not hold up a media thread */
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
		if (p == MAP_FAILED)
			err = errno;
		else
			*m = (struct mapping){ p, (size_t)st.st_size };
	}
	close(fd);
	if (err)
		mem_unref(m);
	else
		*mp = m;
	return err;
}

const char *prompt_folder(unsigned i, const char *configured)
{
	const char *dir[PROMPT_FOLDERS] = { configured, getenv("UMBEL_PROMPTS"), UMBEL_DATADIR "/prompts", UMBEL_BUILD_ROOT "/prompts" };
	return dir[i] && *dir[i] ? dir[i] : NULL;
}

/* Where the pack is; if nowhere, where it was looked for first. */
static int find_pack(char *path, size_t size, const char *configured, const char *language)
{
	const char *first = NULL;
	for (unsigned i = 0; i < PROMPT_FOLDERS; i++) {
		const char *dir = prompt_folder(i, configured);
		if (!dir)
			continue;
		int err = text_print(path, size, "%s/%s.pack", dir, language);
		if (err)
			return err;
		if (!access(path, R_OK))
			return 0;
		first = first ? first : dir;
	}
	text_print(path, size, "%s/%s.pack", first, language);
	return ENOENT;
}

/* What the configuration names is a pack, or a folder of recordings beside the default pack. */
static int resolve(const struct prompt_set_prm *prm, const char **language, char *pack, char *wav_dir, size_t size)
{
	const char *set = prm->set && *prm->set ? prm->set : NULL, *dir = prm->dir && *prm->dir ? prm->dir : NULL;
	struct stat st;
	*language = prm->language && *prm->language ? prm->language : "en-US";
	int err = text_print(wav_dir, size, "%s", prm->wav_dir ? prm->wav_dir : "");
	if (!err && prm->pack)
		return text_print(pack, size, "%s", prm->pack);
	if (!err && set && dir && !(err = text_print(pack, size, "%s/%s", dir, set)) && !stat(pack, &st) && S_ISDIR(st.st_mode))
		err = text_print(wav_dir, size, "%s", pack);
	else if (set)
		*language = set;
	return err ? err : find_pack(pack, size, dir, *language);
}

static int load(struct prompt_set *s, const struct pack *pk, struct mapping *m)
{
	memcpy(s->language, pk->language, sizeof s->language);
	s->lang = lang_find(s->language);
	s->prompt = mem_zalloc(pk->entries ? pk->entries : 1, sizeof *s->prompt);
	if (!s->prompt)
		return ENOMEM;
	for (; s->n < pk->entries; s->n++) {
		struct pack_entry e = pack_entry_at(pk, s->n);
		struct prompt *p = &s->prompt[s->n];
		text_copy(e.name, p->name, sizeof p->name);
		p->text = text_dup(e.text);
		int err = p->text ? media_clip_borrow(&p->clip, e.pcmu, e.pcma, e.samples, m) : ENOMEM;
		if (err) {
			s->n++; /* so that it is freed */
			return err;
		}
		media_clip_coded(p->clip, e.g722);
	}
	return 0;
}

/* Where a name is, or belongs. */
static bool place(const struct prompt_set *s, const char *name, unsigned *at)
{
	unsigned from = 0, to = s->n;
	while (from < to) {
		*at = from + (to - from) / 2;
		int c = strcmp(name, s->prompt[*at].name);
		if (!c)
			return true;
		if (c < 0)
			to = *at;
		else
			from = *at + 1;
	}
	*at = from;
	return false;
}

static struct prompt *find(const struct prompt_set *s, const char *name)
{
	unsigned at;
	return place(s, name, &at) ? &s->prompt[at] : NULL;
}

/* In the set, or in the one that stands in for it. */
static const struct prompt *look(const struct prompt_set *s, const char *name)
{
	const struct prompt *p = find(s, name);
	return p || !s->fallback ? p : find(s->fallback, name);
}

/* ---- recordings ---- */
static void map_complaint(struct ev_bus *bus, const char *path, unsigned line, const char *error)
{
	struct ev_report r;
	ev_set(&r, EV_VOICE_WAV_MAP);
	ev_str(&r, "path", path);
	ev_int(&r, "line", line);
	ev_str(&r, "error", error);
	ev_emit(bus, &r);
}

static int load_recording(struct prompt_set *s, struct prompt *p, const char *path, struct ev_bus *bus)
{
	int16_t *pcm;
	size_t n;
	struct media_clip *c;
	int err = wav_read(path, &pcm, &n);
	if (!err) {
		err = media_clip_from_l16(&c, pcm, n);
		mem_free(pcm);
	}
	if (err == ENOMEM)
		return err;
	if (err) {
		struct ev_report r;
		ev_set(&r, EV_VOICE_WAV_UNUSABLE);
		ev_str(&r, "path", path);
		ev_str(&r, "prompt", p->name);
		ev_str(&r, "error", err == EBADMSG ? "not a WAV file" : err == ENOTSUP ? "a format that is not read" : strerror(err));
		ev_emit(bus, &r);
		return 0;
	}
	mem_unref(p->recorded);
	p->recorded = c;
	s->n_recorded++;
	return 0;
}

static int map_line(struct prompt_set *s, struct text line, unsigned number, const char *wav_dir, const char *map, struct ev_bus *bus)
{
	struct text name, file;
	char buf[PACK_NAME_MAX + 1], path[PATH_SIZE];
	line = text_trim(line);
	if (text_empty(line) || line.p[0] == '#')
		return 0;
	bool ok = text_cut(line, ':', &name, &file) && !text_copy(text_trim(name), buf, sizeof buf);
	file = text_trim(file);
	struct prompt *p = ok ? find(s, buf) : NULL;
	if (!p || text_empty(file) || text_print(path, sizeof path, "%s/%.*s", wav_dir, TEXT_FMT(file))) {
		map_complaint(bus, map, number, !ok ? "not a line \"prompt: file\"" : !p ? "there is no such prompt" : "no file, or its name is too long");
		return 0;
	}
	return load_recording(s, p, path, bus);
}

static int load_recordings(struct prompt_set *s, const struct prompt_set_prm *prm, const char *wav_dir, const char *pack)
{
	char path[PATH_SIZE];
	size_t n = strlen(pack);
	int err = prm->wav_map ? text_print(path, sizeof path, "%s", prm->wav_map)
	                       : text_print(path, sizeof path, "%.*s.wavmap", (int)(n > 5 ? n - 5 : n), pack);
	FILE *f = err ? NULL : fopen(path, "re");
	if (!f) {
		map_complaint(prm->bus, path, 0, strerror(err ? err : errno));
		return 0;
	}
	char line[PATH_SIZE];
	for (unsigned number = 1; !err && fgets(line, sizeof line, f); number++)
		err = map_line(s, text_of(line), number, wav_dir, path, prm->bus);
	fclose(f);
	return err;
}

/* ---- public ---- */
int prompt_set_open(struct prompt_set **sp, const struct prompt_set_prm *prm, struct ev_report *why)
{
	const char *language;
	char path[PATH_SIZE], wav_dir[PATH_SIZE];
	struct mapping *m = NULL;
	struct prompt_set *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	int err = resolve(prm, &language, path, wav_dir, sizeof path);
	if (!err)
		err = map_file(&m, path);
	bool there = !err;
	struct pack pk;
	if (!err)
		err = pack_open(&pk, m->p, m->n, true);
	if (!err)
		err = load(s, &pk, m);
	mem_unref(m);
	if (!err && *wav_dir)
		err = load_recordings(s, prm, wav_dir, path);
	if (err) {
		ev_set(why, there ? EV_VOICE_PACK_DAMAGED : EV_VOICE_PACK_MISSING);
		ev_str(why, "language", language);
		ev_str(why, "path", path);
		ev_str(why, "error", err == EBADMSG ? "damaged or cut off" : err == ENOTSUP ? "made by another version" : strerror(err));
		prompt_set_close(s);
		return err;
	}
	*sp = s;
	return 0;
}

void prompt_set_close(struct prompt_set *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		mem_unref(s->prompt[i].clip);
		mem_unref(s->prompt[i].recorded);
		mem_unref(s->prompt[i].own);
		mem_free(s->prompt[i].text);
		mem_free(s->prompt[i].own_text);
	}
	mem_free(s->prompt);
	mem_free(s);
}

const char *prompt_set_language(const struct prompt_set *s)
{
	return s->language;
}

const struct lang *prompt_set_lang(const struct prompt_set *s)
{
	return s->lang;
}

struct media_clip *prompt_clip(const struct prompt_set *s, const char *name)
{
	const struct prompt *p = look(s, name);
	return !p ? NULL : p->own ? p->own : p->clip;
}

struct media_clip *prompt_recorded(const struct prompt_set *s, const char *name)
{
	const struct prompt *p = look(s, name);
	return !p ? NULL : p->own ? p->own : p->recorded;
}

bool prompt_has_recordings(const struct prompt_set *s)
{
	return s->n_recorded > 0;
}

const char *prompt_text(const struct prompt_set *s, const char *name)
{
	const struct prompt *p = look(s, name);
	return !p ? NULL : p->own && p->own_text[0] ? p->own_text : p->text;
}

bool prompt_is_own(const struct prompt_set *s, const char *name)
{
	const struct prompt *p = find(s, name);
	return p && p->own;
}

unsigned prompt_count(const struct prompt_set *s)
{
	return s->n;
}

const char *prompt_name(const struct prompt_set *s, unsigned i)
{
	return s->prompt[i].name;
}

int prompt_check(const struct prompt_set *s, const char *name, struct ev_report *why)
{
	if (look(s, name))
		return 0;
	ev_set(why, EV_VOICE_PROMPT_MISSING);
	ev_str(why, "prompt", name);
	ev_str(why, "language", s->language);
	return ENOENT;
}

/* ---- what an old or damaged set lacks ---- */
static void tell_missing(struct ev_bus *bus, const struct prompt_set *s, const char *name, bool made)
{
	struct ev_report r;
	ev_set(&r, made ? EV_VOICE_PROMPT_REPLACED : EV_VOICE_PROMPT_MISSING);
	ev_str(&r, "prompt", name);
	ev_str(&r, "language", s->language);
	if (bus)
		ev_emit(bus, &r);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct prompt *)a)->name, ((const struct prompt *)b)->name);
}

/* Into the place behind the last one; the order is made afterwards. */
static int make(struct prompt_set *s, const struct prompt_words *w)
{
	struct prompt *p = &s->prompt[s->n];
	struct media_clip *clip;
	int err = w->words[0] ? speak_text(&clip, w->words) : media_clip_tone(&clip, BEEP_HZ, 0, BEEP_MS, BEEP_DB);
	if (err)
		return err;
	p->text = text_dup(text_of(w->words));
	if (!p->text) {
		mem_unref(clip);
		return ENOMEM;
	}
	text_fill(p->name, sizeof p->name, w->name);
	p->clip = clip;
	p->recorded = p->own = NULL;
	p->own_text = NULL;
	s->n++;
	return 0;
}

int prompt_set_complete(struct prompt_set *s, const struct prompt_words *v, unsigned n, struct ev_bus *bus)
{
	static const struct prompt_words beep = { "beep", "" };
	unsigned had = s->n;
	struct prompt *more = mem_realloc(s->prompt, (had + n + 1) * sizeof *more);
	if (!more)
		return ENOMEM;
	s->prompt = more;
	for (unsigned i = 0; i <= n; i++) {
		const struct prompt_words *w = i < n ? &v[i] : &beep;
		unsigned all = s->n;
		s->n = had; /* only these are in order */
		bool there = find(s, w->name) != NULL;
		s->n = all;
		int err = there ? 0 : make(s, w);
		if (err == ENOMEM)
			return err;
		if (!there)
			tell_missing(bus, s, w->name, !err);
	}
	qsort(s->prompt, s->n, sizeof *s->prompt, by_name);
	return 0;
}

/* ---- other voices ---- */
void prompt_set_fall_back(struct prompt_set *s, const struct prompt_set *to)
{
	s->fallback = to == s ? NULL : to;
}

/* A place in the order for a name that the set has not. */
static int insert(struct prompt_set *s, const char *name, unsigned at)
{
	struct prompt *more = mem_realloc(s->prompt, (s->n + 1) * sizeof *more);
	char *text = text_dup(TEXT(""));
	if (more)
		s->prompt = more;
	if (!more || !text) {
		mem_free(text);
		return ENOMEM;
	}
	memmove(&more[at + 1], &more[at], (s->n - at) * sizeof *more);
	more[at] = (struct prompt){ .text = text };
	text_fill(more[at].name, sizeof more[at].name, name);
	s->n++;
	return 0;
}

static void remove_at(struct prompt_set *s, unsigned at)
{
	mem_free(s->prompt[at].text);
	mem_free(s->prompt[at].own_text);
	memmove(&s->prompt[at], &s->prompt[at + 1], (s->n - at - 1) * sizeof *s->prompt);
	s->n--;
}

bool prompt_name_good(const char *name)
{
	size_t n = strlen(name);
	if (!n || n > PACK_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = name[i];
		bool joint = c == '-' || c == '/';
		if (!joint && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			return false;
		if (joint && (i == 0 || i + 1 == n || name[i + 1] == '/'))
			return false;
	}
	return true;
}

int prompt_set_own(struct prompt_set *s, const char *name, const char *words, struct media_clip *clip)
{
	unsigned at;
	bool there = place(s, name, &at);
	if (!clip) {
		if (!there)
			return 0;
		s->prompt[at].own = mem_unref(s->prompt[at].own);
		if (!s->prompt[at].clip)
			remove_at(s, at);
		return 0;
	}
	char *text = text_dup(text_of(words));
	int err = text ? 0 : ENOMEM;
	if (!err && !there)
		err = insert(s, name, at);
	if (err) {
		mem_free(text);
		return err;
	}
	struct prompt *p = &s->prompt[at];
	mem_unref(p->own);
	mem_free(p->own_text);
	p->own = mem_ref(clip);
	p->own_text = text;
	return 0;
}
