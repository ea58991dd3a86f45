/* SPDX-License-Identifier: Apache-2.0 */
/* list.h  A doubly linked list whose links live in the members; it owns nothing. A link is zero while it is in no list. */
#ifndef BASE_LIST_H
#define BASE_LIST_H
#include <stdbool.h>
#include <stddef.h>

struct link {
	struct link *prev, *next;
};

/* A list is a ring through its head. */
struct list {
	struct link head;
};

#define LIST_INIT(l) { { &(l).head, &(l).head } }
#define LIST_ENTRY(link_p, type, member) ((type *)(void *)((char *)(link_p) - offsetof(type, member)))
/* The body may remove the current member, but no other. */
#define LIST_FOREACH(list_p, it) \
	for (struct link *it = (list_p)->head.next, *it##_next = it->next; it != &(list_p)->head; it = it##_next, it##_next = it->next)

static inline void list_init(struct list *l)
{
	l->head.prev = l->head.next = &l->head;
}

static inline bool list_empty(const struct list *l)
{
	return l->head.next == &l->head;
}

static inline bool link_linked(const struct link *e)
{
	return e->next != NULL;
}

static inline void list_insert_before(struct link *at, struct link *e)
{
	e->prev = at->prev;
	e->next = at;
	at->prev->next = e;
	at->prev = e;
}

static inline void list_append(struct list *l, struct link *e)
{
	list_insert_before(&l->head, e);
}

static inline void list_prepend(struct list *l, struct link *e)
{
	list_insert_before(l->head.next, e);
}

/* Does nothing for a link that is in no list. */
static inline void list_remove(struct link *e)
{
	if (!e->next)
		return;
	e->prev->next = e->next;
	e->next->prev = e->prev;
	e->prev = e->next = NULL;
}

/* First member taken out, or NULL. */
static inline struct link *list_pop(struct list *l)
{
	struct link *e = l->head.next;
	if (e == &l->head)
		return NULL;
	list_remove(e);
	return e;
}

static inline struct link *list_first(const struct list *l)
{
	return list_empty(l) ? NULL : l->head.next;
}

static inline size_t list_count(const struct list *l)
{
	size_t n = 0;
	for (const struct link *e = l->head.next; e != &l->head; e = e->next)
		n++;
	return n;
}

#endif
