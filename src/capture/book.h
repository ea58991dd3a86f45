/* SPDX-License-Identifier: Apache-2.0 */
/* book.h  All that a capture tells: conversations, names and their addresses, questions to DNS. Filled line by line from tshark; bounded in
 * every direction, and it says what it had to leave out. Pure but for memory.                                             */
#ifndef CAPTURE_BOOK_H
#define CAPTURE_BOOK_H
#include "capture/talk.h"

enum { CAP_TALKS_MAX = 4096, CAP_NAMES_MAX = 1024, CAP_ASKED_MAX = 1024, CAP_PORTS_MAX = 64 };

/* A question to DNS and what came back last. */
struct cap_asked {
	char name[TRUST_NAME_SIZE], server[CAP_HOST_SIZE], client[CAP_HOST_SIZE];
	uint16_t type;
	int64_t at_us, answered_us;
	uint16_t rcode;
	unsigned records, times;
	uint16_t id;
};
/* A name that an answer gave for an address. */
struct cap_name {
	char name[TRUST_NAME_SIZE], host[CAP_HOST_SIZE];
};

struct cap_book {
	struct cap_talk **talk;
	unsigned n_talks;
	struct hash *by_stream;
	struct cap_book_entry *entries;
	struct cap_asked *asked;
	unsigned n_asked;
	struct cap_name *name;
	unsigned n_names;
	uint64_t packets, bad_lines, cut_packets, talks_left_out, asked_left_out, last_frame;
	int64_t first_us, last_us;
	int err; /* memory ran out: the first one sticks */
};

int cap_book_create(struct cap_book **bp);
struct cap_book *cap_book_destroy(struct cap_book *b); /* NULL is allowed; returns NULL */
/* One line of tshark's output without its newline. Whatever is wrong with it is counted. */
void cap_book_line(struct cap_book *b, struct text line);
/* The name that DNS gave for an address; NULL: none seen. */
const char *cap_book_name(const struct cap_book *b, const char *host);
/* Whether a question for that name was ever answered with records. */
bool cap_book_resolved(const struct cap_book *b, const char *name);

#endif
