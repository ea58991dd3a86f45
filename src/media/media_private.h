/* SPDX-License-Identifier: Apache-2.0 */
/* media_private.h  What the files of this folder share: who owns which field on which thread.
 *
 *   loop thread            media thread             writer              syncer
 *   media.h  --cmds-->     stream.c, play.c, record.c, report.c
 *   handlers <--events--   (a ring each way)
 *                          full blocks --ring-->    sink->append
 *   handlers <---------------- news (list under the filer's lock) ----- sink->sync, finish
 *
 * The media thread takes no lock and allocates nothing but a spare block when the disk stalls.                          */
#ifndef MEDIA_PRIVATE_H
#define MEDIA_PRIVATE_H
#include <pthread.h>
#include <stdatomic.h>
#include "base/list.h"
#include "media/dtmf.h"
#include "media/encoder.h"
#include "media/gain.h"
#include "media/inband.h"
#include "media/incoming.h"
#include "media/jitter.h"
#include "media/join.h"
#include "media/level.h"
#include "media/line.h"
#include "media/media.h"
#include "media/conceal.h"
#include "media/ring.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/srtp.h"
#include "net/addr.h"
#include "net/loop.h"

enum {
	SLOTS = 4, /* a frame is served in so many portions, spread over its 20 ms */
	SLOT_US = MEDIA_FRAME_MS * 1000 / SLOTS,
	EVENTS_A_TURN = 64, /* a port emits fewer than this in one turn; it is not served with less room in the ring */
	BLOCK_BYTES = 16384, BLOCKS_MAX = 64, BLOCKS_A_BYTE = 16 /* half a minute: so many for each byte of a tick */,
	SESSION_SIZE = 32,
};

struct media_play_item {
	struct media_play_item *next;
	uint32_t id, samples; /* samples from its beginning to where it is */
	bool over, stopped;
	bool swapped;         /* over because another stands for it: nothing is told */
	bool shared;          /* the clip at `at` is played from payload that all share */
	unsigned n, at;       /* clips, the one playing */
	uint32_t pos;         /* in it */
	struct media_clip *clip[];
};

/* ---- recording (record.c; filer.c) ---- */
struct rec_block {
	struct rec *rec;
	atomic_bool busy; /* with the writer */
	bool last;
	size_t n;
	uint8_t bytes[BLOCK_BYTES];
};

struct rec {
	/* set by the loop before the media thread sees it */
	uint32_t id;
	struct media_port *port;
	struct filer *filer;
	struct media_record_prm prm;
	uint64_t max_samples;
	/* media thread */
	struct jitter jitter;
	struct incoming in;      /* L16_WIDE: a decoder of its own; without one what came is made wide */
	struct conceal conceal;
	bool spoke;              /* ssrc_spoke, ts_next are of the last audio */
	uint32_t ssrc_spoke, ts_next;
	int16_t widened;         /* last sample of a law that was made wide */
	struct line line;
	struct vad vad;
	struct gain gain;
	_Alignas(int16_t) uint8_t frame[MEDIA_FRAME_WIDE * 2];
	unsigned in_frame;       /* ticks */
	struct rec_block *block[BLOCKS_MAX], *now;
	unsigned n_blocks;
	uint32_t silence_from;   /* sample since which there is no speech */
	double power_sum;        /* over speech frames */
	uint32_t speech_frames, speech_run; /* run: frames of speech at a stretch */
	bool speech_told;
	bool heard, silence_told, full, ending, overrun;
	struct media_rec_stats stats; /* read by others after the last block only */
	/* writer */
	int64_t synced_us;
	bool begun, broken;
	/* under the filer's lock */
	struct link sync_link, news_link;
	bool final, done;
	int err;
	uint32_t written; /* samples */
	/* loop */
	bool err_told;
};

struct media_thread;
struct filer;
/* Without threads (inline), filer_step() does the work. `fd_news` becomes readable when filer_news() has something. `recordings` at once at most. */
int filer_create(struct filer **fp, const struct um_clock *clock, unsigned rings, unsigned recordings, bool threads);
void filer_destroy(struct filer *f); /* works off all that was handed in first */
int filer_fd_news(const struct filer *f);
struct ring *filer_ring(struct filer *f, unsigned i);
void filer_wake(struct filer *f);
void filer_step(struct filer *f);
struct rec_news {
	struct rec *rec;
	uint32_t written;
	int err;
	bool done; /* nobody but the loop knows rec any more */
};
bool filer_news(struct filer *f, struct rec_news *news);

int rec_create(struct rec **rp, struct media_port *port, const struct media_record_prm *prm, uint32_t id);
void rec_free(struct rec *r);
/* media thread */
void rec_start(struct rec *r, struct media_port *port, int64_t now_us);
/* Every packet of the stream, so that none is taken for lost; `codec` REC_NO_AUDIO: nothing to be heard (keys, comfort noise). */
enum { REC_NO_AUDIO = 0xff, REC_DECODED = 0xfe };
void rec_packet(struct rec *r, int64_t now_us, const struct rtp_packet *pkt, uint8_t codec);
/* A packet that is no G.711, in order, `lost` others missing before it: true if the recording decodes such itself, as it does when it is wide. */
bool rec_decode(struct rec *r, int64_t now_us, const struct rtp_packet *pkt, unsigned lost);
/* True when the recording is out of our hands: the last block went to the writer. */
bool rec_tick(struct rec *r, struct media_port *port, int64_t now_us);
void rec_end(struct rec *r, int64_t now_us);

/* ---- between loop and media thread ---- */
struct secure; /* secure.c: the keys of a port at work */

enum media_cmd_type { CMD_ADD, CMD_START, CMD_PLAY, CMD_STOP, CMD_PAUSE, CMD_SKIP, CMD_SWAP, CMD_DIGITS, CMD_RECORD, CMD_REC_STOP, CMD_JOIN, CMD_CLOSE };

/* struct media_stream with its addresses as values. */
struct stream_cfg {
	struct net_addr remote, remote_rtcp;
	enum media_codec codec;
	uint8_t pt, recv_pt, dtmf_pt, dtmf_recv_pt;
	uint16_t dtmf_khz;
	struct codec_tx *tx;  /* with a codec that needs one; NULL: that of before goes on */
	struct codec_rx *rx;  /* likewise; port->incoming takes it */
	bool send, recv, no_silence, inband, symmetric;
	uint8_t comfort_pt;
	uint32_t rtp_timeout_ms;
	struct secure *secure; /* NULL: plain RTP. The media thread takes it over */
};

struct media_cmd {
	enum media_cmd_type type;
	struct media_port *port;
	union {
		struct stream_cfg stream;
		struct media_play_item *play; /* CMD_SWAP: in place of the one with its id */
		bool paused;
		int32_t skip_ms;
		struct dtmf_tx digits;
		struct rec *rec;
		struct {
			struct media_join *join; /* a reference; NULL: not joined any more */
			unsigned side;
		} join;
	} u;
};

struct media_msg {
	enum media_event_type type;
	struct media_port *port;
	uint32_t id, ms, samples, count;
	char digit;
	bool heard, by_tone;
	struct net_addr addr;
	struct media_play_item *plays; /* MEDIA_PLAY_ENDED: these, in order */
	struct secure *secure;         /* MEDIA_SECURE_OVER */
};

struct media_counters {
	_Atomic uint64_t sent, received, strangers, bad, send_errors, not_genuine, repeated;
	_Atomic uint32_t lost, jitter_us, peer_lost, rtt_us;
};

struct media_port {
	/* loop thread */
	struct media_engine *engine;
	struct media_thread *thread;
	struct link link;
	media_event_h *handler;
	void *arg;
	char session[SESSION_SIZE];
	struct net_addr local, remote_told;
	enum media_codec codec_told;
	uint32_t next_id;
	uint8_t dtmf_told;
	bool closing, closed, digits_busy;
	struct rec *rec_running;
	struct inband *inband;   /* made by the loop before the media thread is told to use it; stays */
	struct srtp *tx_told, *rx_told; /* what encrypts now; NULL: nothing */
	/* set once */
	int fd, fd_rtcp;
	/* any thread */
	struct media_counters count;
	/* media thread */
	struct link slot_link;
	unsigned slot;
	bool started, connected, timed_out, leaving;
	struct stream_cfg cfg;
	unsigned good;           /* packets since the socket was last looked at */
	bool crowded;            /* more than one packet waited when it was last emptied */
	int64_t last_rx_us;
	/* source.c */
	struct net_addr negotiated; /* cfg.remote may be where he was found (symmetric) */
	bool latched, conflict, loop_told;
	uint32_t ssrc_was;
	int64_t conflict_us;
	struct net_addr stranger, stranger_told;
	uint32_t stranger_count;
	int64_t stranger_told_us;
	uint32_t ssrc, ts, octets;
	uint16_t seq;
	bool talking;            /* the packet before was audio: no marker */
	bool comforted;          /* the last one of theirs was comfort noise */
	unsigned comforting;     /* frames since ours began */
	uint64_t last_frame;
	struct media_play_item *plays, **plays_end;
	bool plays_over;         /* some at the front are over and not yet told */
	bool paused;             /* what plays stays where it is */
	struct dtmf_tx dtmf_tx;
	struct dtmf_rx dtmf_rx;
	struct incoming incoming;
	unsigned quiet;          /* frames of G.722 since something was said, at most QUIET_SETTLED */
	struct jitter *order;    /* before it, for decoders with a memory want packets in order; made by the loop, stays */
	struct rtp_rx rtp_rx;
	struct rec *rec;
	struct join_end join;
	unsigned rtcp_frame, rtcp_every;
	uint32_t lsr;
	int64_t lsr_us;
	struct secure *secure, *secure_was, *secure_done; /* NULL: plain RTP; the one before, which may still come; those to hand back */
};

struct media_thread {
	struct media_engine *engine;
	unsigned index;
	pthread_t id;
	bool running;
	struct ring cmds, events, *blocks;
	int fd_cmd, fd_event;
	struct loop_io io;
	/* loop thread */
	unsigned ports;
	/* media thread */
	struct list slot[SLOTS];
	unsigned slot_ports[SLOTS], served;
	unsigned slot_now;
	uint64_t frame;          /* of 20 ms, skipped ones included */
	int64_t next_us;
	bool events_put;
	atomic_bool ending;
	atomic_bool idle;        /* nobody to serve: a command must wake it; else it looks with its next tick */
	atomic_uint late_max_us; /* since the loop last asked */
};

struct media_engine {
	struct media_engine_prm prm;
	struct media_thread *thread;
	unsigned threads; /* of struct media_thread: at least 1 */
	struct list ports;
	unsigned n_ports;
	struct filer *filer;
	struct encoder *encoder;
	struct loop_io news_io;
	uint16_t next_port;
	int64_t late_told_us, stranger_told_us;
	unsigned late_worst_us; /* since it was told */
	struct metric *m_ports, *m_late_max, *m_late, *m_skipped, *m_strangers, *m_rec;
};

/* engine.c */
bool engine_command(struct media_thread *t, const struct media_cmd *cmd);
void engine_port_gone(struct media_port *port);
void thread_emit(struct media_thread *t, const struct media_msg *msg);
/* port.c */
void port_free(struct media_port *port);
void port_deliver(struct media_port *port, const struct media_event *ev);
void port_try_closed(struct media_port *port);
uint32_t port_next_id(struct media_port *port);
/* Encoder and decoder that a command carries. */
void port_states_free(struct stream_cfg *c);
void plays_free(struct media_play_item *it); /* any thread */
/* play.c: media thread */
/* One frame of what is queued into dst, in a law; false: there was nothing, and dst is silence. */
bool play_frame(struct media_port *port, enum media_codec law, uint8_t dst[MEDIA_FRAME]);
/* What plays now; NULL: nothing. It moves on by so many samples, within its clip. */
struct media_play_item *play_now(struct media_port *port);
void play_forward(struct media_port *port, struct media_play_item *it, uint32_t samples);
/* utter.c: media thread */
/* The next payload; false: there is nothing to say, and it is silence. */
bool utter(struct media_port *port, uint8_t dst[CODEC_PAYLOAD_MAX], size_t *n);
enum { QUIET_SETTLED = 40 }; /* frames until a decoder of G.722 is at rest */
/* MEDIA_PLAY_ENDED for those that are over, in order, by one message. */
void play_tell(struct media_thread *t, struct media_port *port);
void play_stop(struct media_port *port);
void play_skip(struct media_port *port, int32_t by_ms);
void play_swap(struct media_port *port, struct media_play_item *it);
/* report.c: media thread */
enum { RTCP_SEND_FRAMES = 250 };
void report_turn(struct media_port *port, int64_t now_us);
/* Reads one packet, and how long it waited for that, as the kernel's stamp says (0 where it does not). The packet's length, or -1 and errno. */
ssize_t report_read(int fd, uint8_t *p, size_t size, struct sockaddr_storage *from, int64_t *its_wait_us);
void report_send(struct media_port *port, int64_t now_us, bool bye);
/* source.c: media thread */
/* May this address take the place of the one negotiated? Then it has. */
bool source_latches(struct media_thread *t, struct media_port *port, const struct net_addr *from, const uint8_t *p, size_t n, int64_t now_us);
void source_latch(struct media_thread *t, struct media_port *port, const struct net_addr *from); /* valid media came from there */
bool source_reports(struct media_port *port, const struct net_addr *from); /* may RTCP come from there */
bool source_moves(struct media_port *port, struct stream_cfg *cfg);
/* Our own packet come back, or the one that made us take another SSRC: not to be used. */
bool source_is_ours(struct media_thread *t, struct media_port *port, const struct rtp_packet *pkt, int64_t now_us);
/* secure.c */
int secure_make(struct media_port *port, const struct media_stream *s, struct secure **sp); /* loop thread; NULL for plain RTP */
void secure_told(struct media_port *port, const struct secure *s);                            /* loop thread: that one was given away */
void secure_free(struct secure *s);
void secure_start(struct media_port *port, struct secure *s, int64_t now_us);               /* media thread, from here on */
void secure_turn(struct media_thread *t, struct media_port *port, int64_t now_us);
/* Whether the packet is the peer's; then it is plain and *n its length. Only where port->secure. */
bool secure_open(struct media_port *port, uint8_t *p, size_t *n, bool known_address);
bool secure_open_rtcp(struct media_port *port, uint8_t *p, size_t *n);
/* Header of `head` bytes at p, payload anywhere; SRTP_ROOM bytes of room behind. The length, or 0: it must not be sent. */
size_t secure_seal(struct media_port *port, uint8_t *p, size_t head, const uint8_t *payload, size_t n);
size_t secure_seal_rtcp(struct media_port *port, uint8_t *p, size_t n);
const char *secure_suite_name(const struct media_port *port); /* loop thread; "" for plain RTP */

/* stream.c: media thread */
void stream_in_order(const struct jitter_packet *p, void *port);
enum { ORDER_HOLD_MS = 200 /* as recordings do */, ORDER_HOLD_JOINED_MS = 60 /* as long as joined calls hold back, too */ };
void stream_command(struct media_thread *t, const struct media_cmd *cmd, int64_t now_us);
/* One frame. False: the port has left the thread. */
bool stream_turn(struct media_thread *t, struct media_port *port, int64_t now_us, bool may_emit);

#endif
