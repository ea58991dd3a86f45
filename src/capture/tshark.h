/* SPDX-License-Identifier: Apache-2.0 */
/* tshark.h  A capture read by tshark, a child process without a shell, without names looked up, without the caller's settings, and not as root
 * where that can be avoided. It reads the file from a descriptor, so it needs no right of its own to it; keys go by a file that exists in memory
 * only. Blocks: for the command line.                                                                                    */
#ifndef CAPTURE_TSHARK_H
#define CAPTURE_TSHARK_H
#include "base/buf.h"
#include "capture/book.h"

enum cap_read {
	CAP_READ_OK,
	CAP_READ_SHORT,       /* the file ends in the middle of a packet; what came before was read */
	CAP_READ_NO_TSHARK,
	CAP_READ_NOT_A_CAPTURE,
	CAP_READ_FAILED,      /* tshark gave up; `said` tells */
	CAP_READ_KILLED,      /* it wanted more memory than it may have, or somebody ended it */
	CAP_READ_ERRNO,       /* `err` */
};

struct cap_tshark {
	int fd;                  /* of the capture: a plain file; read from its beginning */
	struct text keylog;      /* NSS key log, or empty */
	const uint16_t *port;    /* beside 5060 and 5061 */
	unsigned n_ports;
	bool only_ports;         /* do not look for others */
	void (*progress)(unsigned reading, unsigned percent, void *arg); /* about once a second; may be NULL */
	void *arg;
	/* results */
	uint16_t used[CAP_PORTS_MAX]; /* the ports looked at */
	unsigned n_used;
	uint16_t left[8];        /* ports on which something else than SIP speaks TLS */
	unsigned n_left;
	uint64_t long_lines;
	char said[512];          /* tshark's last words */
	int err;
};
enum cap_read cap_tshark_read(struct cap_tshark *t, struct cap_book *b);

/* Keeps of a key log only the lines that are some: "CLIENT_RANDOM <64 hex> <hex>" and those of TLS 1.3. *n how many. 0, ENOMEM, EMSGSIZE. Pure. */
int cap_keylog_clean(struct buf *out, struct text in, unsigned *n);

#endif
