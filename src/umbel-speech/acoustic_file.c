/* SPDX-License-Identifier: Apache-2.0 */
/* acoustic_file.c  Read whole, then cut; offsets are checked where they are used. Little endian, as the package's files are. */
#include "umbel-speech/acoustic_file.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"

enum { FILE_MAX = 64 << 20, NODE = 8, ENTRY = 12, SENONES_MAX = 20000, DENSITIES_MAX = 256, TREE_LEVELS = 4 };
static const uint32_t byte_order = 0x11223344, mdef_magic = 0x46444d42;

struct bytes {
	const uint8_t *p;
	size_t n, at;
	bool bad;
};

static const uint8_t *take(struct bytes *b, size_t n)
{
	if (b->bad || n > b->n - b->at) {
		b->bad = true;
		return NULL;
	}
	b->at += n;
	return b->p + b->at - n;
}

static uint32_t u32(struct bytes *b)
{
	uint32_t v = 0;
	const uint8_t *p = take(b, sizeof v);
	if (p)
		memcpy(&v, p, sizeof v);
	return v;
}

static int read_all(uint8_t **p, struct bytes *b, const char *path)
{
	FILE *f = fopen(path, "rbe");
	if (!f)
		return errno == ENOENT ? ENOENT : EIO;
	long size = fseek(f, 0, SEEK_END) ? -1 : ftell(f);
	rewind(f);
	int err = size < 0 || size > FILE_MAX ? EPROTO : 0;
	uint8_t *v = err ? NULL : mem_alloc((size_t)size + 1);
	if (!err && !v)
		err = ENOMEM;
	if (!err && fread(v, 1, (size_t)size, f) != (size_t)size)
		err = EIO;
	fclose(f);
	if (err) {
		mem_free(v);
		return err;
	}
	*p = v;
	*b = (struct bytes){ v, (size_t)size, 0, false };
	return 0;
}

/* ---- Sphinx-3 files of float: a text head, the byte order, dimensions, how many ---- */
static bool head(struct bytes *b)
{
	struct text all = text_make(b->p, b->n < 4096 ? b->n : 4096);
	size_t end = text_find_text(all, TEXT("endhdr\n"));
	if (end == SIZE_MAX)
		return false;
	b->at = end + strlen("endhdr\n");
	return u32(b) == byte_order;
}

static int copy_floats(float **to, struct bytes *b, size_t n)
{
	const uint8_t *p = take(b, n * sizeof **to);
	if (!p)
		return EPROTO;
	*to = mem_alloc(n * sizeof **to);
	if (!*to)
		return ENOMEM;
	memcpy(*to, p, n * sizeof **to);
	for (size_t i = 0; i < n; i++)
		if (!((*to)[i] > -1e9f && (*to)[i] < 1e9f))
			return EPROTO;
	return 0;
}

static int read_densities(float **to, struct acoustic_file *f, const char *path)
{
	uint8_t *p = NULL;
	struct bytes b;
	int err = read_all(&p, &b, path);
	if (err)
		return err;
	if (!head(&b))
		err = EPROTO;
	uint32_t books = u32(&b), streams = u32(&b), densities = u32(&b);
	for (unsigned s = 0; s < ACOUSTIC_STREAMS; s++)
		if (u32(&b) != FRONT_CEPSTRA)
			err = EPROTO;
	uint32_t count = u32(&b);
	if (streams != ACOUSTIC_STREAMS || !books || books > ACOUSTIC_BOOKS_MAX || !densities || densities > DENSITIES_MAX || books * densities % 16 ||
	    count != books * streams * densities * FRONT_CEPSTRA || (f->books && (f->books != books || f->densities != densities)))
		err = EPROTO;
	if (!err)
		err = copy_floats(to, &b, count);
	f->books = books;
	f->densities = densities;
	mem_free(p);
	return err;
}

static int read_transitions(struct acoustic_file *f, const char *path)
{
	uint8_t *p = NULL;
	struct bytes b;
	int err = read_all(&p, &b, path);
	if (err)
		return err;
	if (!head(&b))
		err = EPROTO;
	uint32_t n = u32(&b), from = u32(&b), to = u32(&b), count = u32(&b);
	if (!n || n > ACOUSTIC_TRANSITIONS_MAX || from != ACOUSTIC_STATES || to != ACOUSTIC_STATES + 1 || count != n * from * to)
		err = EPROTO;
	if (!err)
		err = copy_floats(&f->transition, &b, count);
	f->transitions = n;
	mem_free(p);
	return err;
}

/* ---- sendump: texts, then rows of a byte a senone ---- */
static int read_weights(struct acoustic_file *f, const char *path)
{
	uint8_t *p = NULL;
	struct bytes b;
	uint32_t n;
	int err = read_all(&p, &b, path);
	if (err)
		return err;
	while (!err && (n = u32(&b)) != 0) {
		const uint8_t *line = take(&b, n);
		if (!line || (text_starts(text_make(line, n), "cluster_count ") && !text_starts(text_make(line, n), "cluster_count 0")))
			err = EPROTO; /* packed in another way */
	}
	uint32_t rows = u32(&b), columns = u32(&b);
	size_t size = (size_t)ACOUSTIC_STREAMS * rows * columns;
	if (rows != f->densities || columns != f->senones)
		err = EPROTO;
	const uint8_t *v = err ? NULL : take(&b, size);
	if (!err && !v)
		err = EPROTO;
	f->weight = err ? NULL : mem_alloc(size);
	if (!err && !f->weight)
		err = ENOMEM;
	if (!err)
		memcpy(f->weight, v, size);
	mem_free(p);
	return err;
}

/* ---- mdef ---- */
static uint32_t at32(const struct acoustic_file *f, size_t at)
{
	uint32_t v;
	memcpy(&v, f->mdef + at, sizeof v);
	return v;
}

static uint16_t at16(const struct acoustic_file *f, size_t at)
{
	uint16_t v;
	memcpy(&v, f->mdef + at, sizeof v);
	return v;
}

static bool unit_of(const struct acoustic_file *f, struct acoustic_unit *u, size_t entry)
{
	if (entry >= f->n_entries)
		return false;
	size_t sequence = at32(f, f->entries + entry * ENTRY), transitions = at32(f, f->entries + entry * ENTRY + 4);
	if (sequence >= f->n_sequences || transitions >= f->transitions)
		return false;
	u->transitions = (uint8_t)transitions;
	for (unsigned i = 0; i < ACOUSTIC_STATES; i++) {
		u->senone[i] = at16(f, f->sequences + (sequence * ACOUSTIC_STATES + i) * 2);
		if (u->senone[i] >= f->senones)
			return false;
	}
	return true;
}

/* A tree of four levels: place, phone, left, right; each node says how many are below it and where, a leaf which phone it is. */
bool acoustic_file_unit(const struct acoustic_file *f, struct acoustic_unit *u, unsigned place, unsigned phone, unsigned left, unsigned right)
{
	const unsigned context[TREE_LEVELS] = { place, phone, left, right };
	size_t first = 0, count = 4;
	for (unsigned level = 0; level < TREE_LEVELS; level++) {
		size_t i = first;
		while (i < first + count && i < f->nodes && at16(f, f->tree + i * NODE) != context[level])
			i++;
		if (i >= first + count || i >= f->nodes)
			return false;
		count = at16(f, f->tree + i * NODE + 2);
		first = at32(f, f->tree + i * NODE + 4);
		if (!count)
			return level == TREE_LEVELS - 1 && unit_of(f, u, first);
	}
	return false;
}

void acoustic_file_alone(const struct acoustic_file *f, struct acoustic_unit *u, unsigned phone)
{
	if (phone >= f->phones || !unit_of(f, u, phone))
		(void)unit_of(f, u, 0);
}

static int name_phones(struct acoustic_file *f, struct bytes *b)
{
	f->silence = ACOUSTIC_BOOKS_MAX;
	for (unsigned i = 0; i < f->phones; i++) {
		const uint8_t *end = b->bad ? NULL : memchr(b->p + b->at, 0, b->n - b->at);
		if (!end || text_copy(text_make(b->p + b->at, (size_t)(end - b->p) - b->at), f->name[i], sizeof f->name[i]))
			return EPROTO;
		b->at = (size_t)(end - b->p) + 1;
		if (strcmp(f->name[i], "SIL") == 0)
			f->silence = i;
	}
	return f->silence < f->phones ? 0 : EPROTO;
}

/* Whose book a senone is in: that of the phone that uses it. */
static int find_books(struct acoustic_file *f)
{
	struct acoustic_unit u;
	f->book = mem_alloc(f->senones);
	if (!f->book)
		return ENOMEM;
	memset(f->book, ACOUSTIC_BOOKS_MAX, f->senones);
	for (size_t e = 0; e < f->n_entries; e++) {
		unsigned phone = e < f->phones ? (unsigned)e : f->mdef[f->entries + e * ENTRY + 9]; /* place, phone, left, right */
		if (!unit_of(f, &u, e) || phone >= f->phones)
			return EPROTO;
		for (unsigned i = 0; i < ACOUSTIC_STATES; i++)
			f->book[u.senone[i]] = (uint8_t)phone;
	}
	for (size_t i = 0; i < f->senones; i++)
		if (f->book[i] >= f->phones)
			return EPROTO;
	return 0;
}

static int read_mdef(struct acoustic_file *f, const char *path)
{
	struct bytes b;
	int err = read_all(&f->mdef, &b, path);
	if (err)
		return err;
	if (u32(&b) != mdef_magic || u32(&b) > 1)
		return EPROTO;
	take(&b, u32(&b));
	f->phones = u32(&b);
	f->n_entries = u32(&b);
	uint32_t states = u32(&b);
	(void)u32(&b);
	f->senones = u32(&b);
	uint32_t transitions = u32(&b);
	f->n_sequences = u32(&b);
	(void)u32(&b);
	f->nodes = u32(&b);
	(void)u32(&b);
	if (b.bad || !f->phones || f->phones > f->books || states != ACOUSTIC_STATES || !f->senones || f->senones > SENONES_MAX || transitions > f->transitions ||
	    f->nodes > FILE_MAX / NODE || f->n_entries > FILE_MAX / ENTRY || f->n_sequences > FILE_MAX || f->n_entries < f->phones)
		return EPROTO;
	size_t names = b.at;
	err = name_phones(f, &b);
	if (err)
		return err;
	b.at = names + (b.at - names + 3) / 4 * 4;
	b.bad = b.at > b.n;
	f->tree = b.at, take(&b, f->nodes * NODE);
	f->entries = b.at, take(&b, f->n_entries * ENTRY);
	(void)u32(&b);
	f->sequences = b.at, take(&b, f->n_sequences * ACOUSTIC_STATES * 2);
	return b.bad ? EPROTO : find_books(f);
}

/* ---- all of them ---- */
static void place_of(char *path, size_t size, const char *folder, const char *adapted, const char *name)
{
	if (adapted && !text_print(path, size, "%s.%s", adapted, name) && access(path, R_OK) == 0)
		return;
	text_print(path, size, "%s/%s", folder, name);
}

int acoustic_file_read(struct acoustic_file *f, const char *folder, const char *adapted)
{
	char path[600];
	*f = (struct acoustic_file){ 0 };
	place_of(path, sizeof path, folder, adapted, "means");
	int err = read_densities(&f->mean, f, path);
	place_of(path, sizeof path, folder, adapted, "variances");
	if (!err)
		err = read_densities(&f->variance, f, path);
	place_of(path, sizeof path, folder, NULL, "transition_matrices");
	if (!err)
		err = read_transitions(f, path);
	place_of(path, sizeof path, folder, NULL, "mdef");
	if (!err)
		err = read_mdef(f, path);
	place_of(path, sizeof path, folder, NULL, "sendump");
	if (!err)
		err = read_weights(f, path);
	return err;
}

void acoustic_file_forget(struct acoustic_file *f)
{
	mem_free(f->book);
	mem_free(f->mean);
	mem_free(f->variance);
	mem_free(f->weight);
	mem_free(f->transition);
	f->book = f->weight = NULL;
	f->mean = f->variance = f->transition = NULL;
}

void acoustic_file_free(struct acoustic_file *f)
{
	acoustic_file_forget(f);
	mem_free(f->mdef);
	f->mdef = NULL;
}
