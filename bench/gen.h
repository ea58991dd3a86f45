/* SPDX-License-Identifier: Apache-2.0 */
/* gen.h  The load generator: what its files share. One thread, one epoll, ticks of a millisecond; each call has one of 20 ticks.
 *
 *   callgen.c     options, the ticks, when calls begin and when it is measured
 *   gen_call.c    a call's messages and timers
 *   gen_conn.c    UDP, TLS connections
 *   gen_media.c   RTP both ways, and the judgement of every packet that came
 *   gen_known.c   audio known beforehand: which place of it is this frame?
 *   gen_coded.c   the same in codecs with a memory
 *   gen_secret.c  keys of encrypted sound
 *   gen_report.c  what the server's process used, what this one used, and the line of JSON                               */
#ifndef BENCH_GEN_H
#define BENCH_GEN_H
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "media/codec.h"
#include "media/dtmf.h"
#include "media/g711.h"
#include "media/srtp.h"

enum { GEN_TICKS = 20, GEN_FRAME = 160, GEN_SLOTS_MAX = 20000, GEN_SCRIPT = 200 };

/* ---- what is asked for ---- */
enum gen_mode { GEN_PLAY, GEN_SETUP, GEN_STORM };
enum gen_reuse { GEN_ONE, GEN_EACH };
struct gen_codec {
	const char *name, *rtpmap; /* rtpmap NULL: static */
	enum media_codec codec;
	uint8_t pt;
	uint32_t ts_step;
	bool law; /* one byte a sample, no memory: any place of what is known can come at any time */
};
struct gen_options {
	struct sockaddr_in target;
	const char *to, *from, *cert, *key, *ca, *prompt, *say, *script;
	unsigned to_count, from_count;
	enum gen_mode mode;
	enum gen_reuse reuse;
	const struct gen_codec *codec;
	enum srtp_suite suite;
	double rate, hold_s;
	int seconds, calls, pid, settle;
	bool tls, long_invite, keep, silent;
};
extern struct gen_options gen_opt;
extern char gen_run[16];

/* ---- time ---- */
int64_t gen_now_us(void);
void gen_die(const char *what);

/* ---- connections ---- */
struct gen_conn {
	int fd;
	SSL *ssl; /* NULL: UDP */
	bool ready, broken;
	struct sockaddr_in local;
	char *in, *out;
	size_t in_n, out_n;
	unsigned users;
};
/* One is shared unless each call has its own. NULL: none could be opened. */
struct gen_conn *gen_conn_get(void);
void gen_conn_put(struct gen_conn *c);
void gen_conn_send(struct gen_conn *c, const char *msg, size_t n);
/* What arrived on all of them goes to gen_incoming(); waits at most so long. */
void gen_conns_serve(int64_t wait_us);
void gen_conns_prepare(void);
/* A handshake and no more: 0 begun; what became of them is counted. */
struct gen_storm {
	unsigned begun, made, failed;
	int64_t longest_us;
};
extern struct gen_storm gen_storm;
void gen_storm_one(void);

/* ---- calls ---- */
enum gen_state { GEN_FREE, GEN_OPENING, GEN_INVITED, GEN_UP, GEN_LEAVING };
/* What was judged about the packets of one call. */
struct gen_rx {
	bool any, placed;         /* placed: the next byte of known audio is known */
	uint16_t seq;
	uint32_t ts, ssrc;
	int64_t last_ns, base_ns; /* base: the earliest arrival, less its time stamp */
	uint32_t overflow;        /* the socket's count of packets that it had no room for */
	int64_t place;
	uint32_t quiet;           /* frames of silence in a row */
	uint8_t variant;          /* codecs with a memory: which of the known streams */
	bool loud;                /* sound was heard, last at: */
	int64_t loud_us;
};
struct gen_tx {
	uint16_t seq;
	uint32_t ts, said, hushed; /* frames of speech; of silence since */
	bool loud;
	struct dtmf_tx keys;
	const char *step;         /* of the script */
	int64_t step_us;          /* the script waits until then */
};
struct gen_call {
	enum gen_state state;
	uint32_t round;           /* how often this slot was used */
	int rtp;
	uint16_t rtp_port;
	struct gen_conn *conn;
	char to_tag[80], contact[200];
	int64_t begun_us, up_us, resend_us, leave_us, hold_us;
	unsigned resends;
	struct srtp_key key;      /* ours; its suite is SRTP_NONE until it was offered */
	struct srtp *seal, *open;
	struct gen_rx rx;
	struct gen_tx tx;
};
extern struct gen_call *gen_calls;
extern int gen_slots;             /* in use so far: none beyond */

struct gen_counts {
	unsigned begun, up, ended, failed, retransmissions, refused;
	unsigned scripts;                 /* run to their end */
	int last_refusal;                 /* status */
};
extern struct gen_counts gen_counts;
/* callgen.c: a call is over, its slot may be used again. */
void gen_slot_free(int slot);
/* A new call in that slot. */
void gen_call_begin(int slot, int64_t now_us, int64_t hold_us);
/* Whose call it is, by --from. */
void gen_call_number(int slot, char text[64]);
void gen_call_turn(int slot, int64_t now_us, bool leave);
void gen_incoming(struct gen_conn *conn, const char *msg);
/* Its connection stands. */
void gen_call_connected(struct gen_conn *conn);

/* ---- encrypted sound ---- */
/* The line of an offer; its length, 0 without. */
size_t gen_secret_offer(struct gen_call *c, char *line, size_t size);
/* False: no key that fits was answered. */
bool gen_secret_answered(struct gen_call *c, const char *sdp);
void gen_secret_close(struct gen_call *c);

/* ---- media ---- */
void gen_media_prepare(void);
void gen_media_open(struct gen_call *c);
void gen_media_connect(struct gen_call *c, const struct sockaddr_in *to);
void gen_media_close(struct gen_call *c);
/* One tick of 20 ms. True: the script wants to hang up. */
bool gen_media_turn(int slot, int64_t now_us);

/* Every packet received in the window, judged. */
enum { GEN_HIST = 2048 };             /* of 0.05 ms; the last holds all that is longer */
struct gen_judged {
	uint64_t received, sent, send_errors;
	uint64_t lost, doubled, reordered, wrong_ts, wrong_marker, wrong_ssrc, wrong_pt, bad, not_genuine; /* not_genuine: could not be opened with the key that was agreed */
	uint64_t known, quiet, unknown, leaps; /* known: byte for byte what it should be at that place */
	uint64_t overflow;                /* lost here, in our sockets: the generator's fault */
	uint64_t intervals, late;         /* late: more than 20 ms behind the packet's own time */
	uint32_t interval[GEN_HIST], lateness[GEN_HIST];
	int64_t latest_us;
};
extern struct gen_judged gen_judged;
extern bool gen_measuring;
void gen_hist_add(uint32_t hist[GEN_HIST], int64_t us);

/* ---- known audio ---- */
/* Two pieces: what the server was given to say, and what we say ourselves (a message that it plays back). */
void gen_known_prepare(void);
const uint8_t *gen_known_speech(size_t *n);
enum gen_known { GEN_IS_QUIET, GEN_IS_KNOWN, GEN_IS_LEAP, GEN_IS_UNKNOWN };
enum gen_known gen_known_judge(struct gen_rx *rx, const uint8_t *payload, size_t n, uint32_t frames);

void gen_coded_prepare(int16_t *prompt, size_t prompt_n, const int16_t *speech, size_t speech_n);
const uint8_t *gen_coded_speech(uint32_t frame, size_t *n);
const uint8_t *gen_coded_silence(uint32_t frame, size_t *n);
enum gen_known gen_coded_judge(struct gen_rx *rx, const uint8_t *payload, size_t n, uint32_t frames);

/* ---- figures ---- */
void gen_setup_took(int64_t us);
void gen_tick_late(int64_t us);
void gen_window_begin(void);
void gen_window_end(void);
void gen_idle(void); /* before the first call: what the server used then */
int gen_report(void);

#endif
