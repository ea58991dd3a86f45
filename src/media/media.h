/* SPDX-License-Identifier: Apache-2.0 */
/* media.h  RTP ports: what a call hears and says. Knows nothing of SIP.
 *
 * An engine has media threads (one a core); each serves its ports every 20 ms at absolute deadlines: what came in is read then, and
 * one packet goes out. A port belongs to one thread for its life. Everything below is called on the loop thread and
 * answers at once; it travels to the media thread by a ring and takes effect with the port's next tick. What happens there comes back
 * as events to the port's handler, on the loop thread, in order, never dropped. Media is taken from the negotiated
 * address alone; others are counted and named (MEDIA_STRANGER).
 *
 * With threads = 0 the engine has no thread at all: media_engine_step() does what is due by the clock and calls the
 * handlers itself. So tests need neither sleep nor luck.                                                                */
#ifndef MEDIA_MEDIA_H
#define MEDIA_MEDIA_H
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "event/bus.h"
#include "event/metrics.h"
#include "media/clip.h"
#include "media/srtp.h"

struct loop;
struct net_addr;
struct media_engine;
struct media_port;
struct media_event;

/* On the loop thread. It may call anything here, media_port_close() included. After MEDIA_CLOSED the port is gone. */
typedef void (media_event_h)(struct media_port *port, const struct media_event *ev, void *arg);

enum media_event_type {
	MEDIA_DIGIT,       /* a key by telephone-event or by tones in the audio, once a press and way, when its end is known: digit, ms, by_tone */
	MEDIA_DIGIT_START, /* the same key as soon as it is heard (for barge-in): digit, by_tone */
	MEDIA_DIGITS_SENT, /* all that media_send_digits() was given is out */
	MEDIA_PLAY_ENDED,  /* of play `id`: samples from its beginning to where it was, stopped (by us) or to its end */
	MEDIA_REC_SILENCE, /* recording `id`: the silence asked for is over (ms of it; heard: whether anybody spoke before). Goes on recording */
	MEDIA_REC_SPEECH,  /* recording `id`: somebody has spoken for speech_ms; samples so far. Once */
	MEDIA_REC_FULL,    /* recording `id` reached max_ms; it has stopped, MEDIA_REC_ENDED follows */
	MEDIA_REC_BLOCK,   /* recording `id`: `samples` are with the sink now */
	MEDIA_REC_ENDED,   /* recording `id` is over, and the sink finished (synced): rec, err. Always comes, once a recording */
	MEDIA_RTP_TIMEOUT, /* no packet from the negotiated address for `ms`; once, until MEDIA_RTP_BACK */
	MEDIA_RTP_BACK,
	MEDIA_STRANGER,    /* packets from elsewhere: addr (valid during the call), count */
	MEDIA_LATCHED,     /* symmetric: audio comes from addr, and goes there */
	MEDIA_COLLISION,   /* the peer used our SSRC: we took another (RFC 3550 8.2) */
	MEDIA_LOOP,        /* our own packets come back; they are not used. Once */
	MEDIA_SRTP_FAILED, /* packets came that are not genuine (`count` of them), or plain ones (heard) where encrypted ones were agreed. Once for each key */
	MEDIA_SECURE_OVER, /* within the engine only */
	MEDIA_CLOSED,      /* last event; the port is freed when the handler returns */
};

/* What a recording was like. */
struct media_rec_stats {
	uint32_t samples;       /* all of them, silence for what was lost included */
	uint32_t speech_end;    /* sample behind the last speech; 0 if none was heard */
	uint32_t speech_ms;     /* how much of it was speech */
	uint32_t lost, late;    /* packets that never came, packets too late to be used */
	int8_t peak_db, mean_db; /* dBov (0 is full scale, -96 nothing); mean over speech frames */
};

struct media_event {
	enum media_event_type type;
	uint32_t id;
	char digit; /* 0-9 * # A-D */
	bool stopped, heard, by_tone;
	uint32_t ms, samples, count;
	int err;    /* errno of the sink */
	struct media_rec_stats rec;
	const struct net_addr *addr;
};

/* ---- engine ---- */
struct media_engine_prm {
	struct loop *loop; /* NULL only with threads = 0 */
	const struct um_clock *clock;
	struct ev_bus *bus;       /* may be NULL */
	struct metrics *metrics;  /* may be NULL */
	unsigned threads;         /* at most 64; 0: media_engine_step() */
	uint16_t port_min, port_max; /* RTP takes the even ones; 0, 0: any free pair (tests) */
	unsigned ports_max;       /* how many ports may be open at once; 0: 4096 */
};
int media_engine_create(struct media_engine **ep, const struct media_engine_prm *prm, struct ev_report *why);
/* Ends the threads; ports still open are freed without an event. NULL is allowed. */
void media_engine_destroy(struct media_engine *e);
/* Only with threads = 0: all ticks due by the clock, then the events. */
void media_engine_step(struct media_engine *e);
/* How many more ports can be opened; 0 when calls must be refused. */
unsigned media_engine_room(const struct media_engine *e);

/* ---- port ---- */
struct media_port_prm {
	const struct net_addr *local; /* address to bind; its port counts only if not 0. Copied */
	media_event_h *handler;
	void *arg;
	const char *session; /* for events; copied, may be NULL */
};
/* Binds a pair for RTP and RTCP and gives it to a thread. 0; EADDRINUSE: all ports of the range are taken; EMFILE, EADDRNOTAVAIL, ENOBUFS
 * (ports_max), ENOMEM: `why` says it in words. */
int media_port_open(struct media_port **pp, struct media_engine *e, const struct media_port_prm *prm, struct ev_report *why);
/* Where RTP is received (the address bound, with the port); RTCP is one port above. */
const struct net_addr *media_port_addr(const struct media_port *port);
/* The handler may be changed, e.g. when a call is handed over. */
void media_port_handler(struct media_port *port, media_event_h *handler, void *arg);
/* Everything stops: MEDIA_PLAY_ENDED and MEDIA_REC_ENDED for what was running, then MEDIA_CLOSED. Further calls on the port are mistakes. */
void media_port_close(struct media_port *port);

enum { MEDIA_NO_PT = 255 };
/* The outcome of offer and answer. */
struct media_stream {
	const struct net_addr *remote;      /* RTP address and port by their SDP */
	const struct net_addr *remote_rtcp; /* NULL: one port above (RFC 3550 11) */
	enum media_codec codec;             /* sent; received may be either law by its static payload type, too */
	uint8_t pt;                         /* of that codec, in what we send */
	uint8_t recv_pt;                    /* in what they send, if it is another; 0: the same */
	uint16_t dtmf_khz;                  /* clock of telephone-events: 8, 16, 48; 0: 8 */
	uint8_t dtmf_pt;                    /* telephone-event (RFC 4733) that we send, or MEDIA_NO_PT */
	uint8_t dtmf_recv_pt;               /* the one that we announced, if it is another; 0: the same */
	bool send, recv;                    /* as seen from us: false, false is inactive */
	bool no_silence;                    /* send nothing while nothing is played */
	uint8_t comfort_pt;                 /* comfort noise (RFC 3389) is sent then, by that payload type; 0: it is not. Understood it is always */
	bool symmetric;                     /* a NAT: the first address that valid packets come from takes the place of `remote`; another one after 2 s of silence */
	bool inband;                        /* listen for keys as tones in the audio, too */
	uint32_t rtp_timeout_ms;            /* 0: never. Ten times that behind comfort noise: who is silent may send nothing */
	const struct srtp_key *send_key, *recv_key; /* both or none: SRTP with them, and nothing plain in or out. Copied; the same key as before goes on
	                                     * counting, another one begins anew */
};
/* First time, or again after a new offer and answer: then sequence and time stamps go on. 0, EINVAL, EAGAIN (the media thread does
 * not keep up; the same for all below), ENOMEM. */
int media_port_start(struct media_port *port, const struct media_stream *s);

/* ---- playing ---- */
/* Plays the clips one after the other, behind what is queued already; takes references of its own. One MEDIA_PLAY_ENDED with *id
 * (never 0; may be NULL) will follow. Plays also while no stream is started: then nothing is sent, but time passes. */
int media_play(struct media_port *port, struct media_clip *const *clips, unsigned n, uint32_t *id);
/* Ends what plays and what is queued, at the next tick: MEDIA_PLAY_ENDED with stopped for each. A pause ends with it. */
void media_play_stop(struct media_port *port);
/* Holds what plays where it is: silence (or, with no_silence, nothing) is sent until it goes on. All three below: 0, EAGAIN. */
int media_play_pause(struct media_port *port, bool on);
/* What plays now goes on by_ms further or, negative, earlier, to a frame's beginning: not before its own beginning; behind its end it is over. */
int media_play_skip(struct media_port *port, int32_t by_ms);
/* Play `id`, whether it plays already or is queued, goes on with these clips at the same share of the way: the same words slower, faster or
 * louder (stretch.h), made by a worker meanwhile. Nothing is told, and nothing happens if it is over. Also EINVAL, ENOMEM. */
int media_play_swap(struct media_port *port, uint32_t id, struct media_clip *const *clips, unsigned n);
/* Sends keys by telephone-event: 0-9 * # A-D, comma for a pause of 1 s. Audio is not sent meanwhile. on_ms 0: 100, gap_ms 0: 100.
 * EINVAL for other characters or more than 64, ENOTSUP without dtmf_pt, EBUSY while others are being sent. */
int media_send_digits(struct media_port *port, const char *digits, unsigned on_ms, unsigned gap_ms);

/* ---- joining ---- */
/* What each of the two hears, the other says where it plays nothing; 60 ms later, in its own codec. Keys are not passed on: whoever joined them hears
 * MEDIA_DIGIT and may media_send_digits(). A port that was joined already leaves the other one. 0, ENOMEM, EAGAIN: not joined. */
int media_join(struct media_port *a, struct media_port *b);
/* Both go on alone; also what closing does. */
void media_part(struct media_port *port);

/* ---- recording ---- */
/* Where recorded bytes go. The functions run on the engine's file threads, begin and append never beside each other, sync perhaps beside
 * append; finish is the last of them. They may block. 0 or errno; after an error the recording ends with it. */
struct media_sink {
	int (*begin)(struct media_sink *s);                           /* at once, before all others; may be NULL */
	int (*append)(struct media_sink *s, const void *p, size_t n); /* 16 KiB at a time, the last one shorter */
	int (*sync)(struct media_sink *s);                            /* at most every 4 s; may be NULL */
	int (*finish)(struct media_sink *s, const struct media_rec_stats *stats);
};
struct media_record_prm {
	struct media_sink *sink;  /* borrowed until MEDIA_REC_ENDED */
	enum media_codec format;  /* what is appended: PCMU, PCMA, L16, L16_WIDE. Samples of a recording are counted by 8,000 a second all the same */
	uint32_t max_ms;          /* 0: no limit */
	uint32_t silence_ms;      /* MEDIA_REC_SILENCE after that much behind speech; 0: never */
	uint32_t start_silence_ms; /* the same if nobody speaks at all; 0: as silence_ms */
	uint32_t speech_ms;       /* speech counts as heard once it lasted that long at a stretch, and MEDIA_REC_SPEECH tells so; start_silence_ms then counts while nothing
	                           * is played. 0: at once, and untold */
	int8_t playing_db;        /* while the port plays, what is not louder than this is nobody's speech but our own echo; 0: no such limit */
	bool level;               /* quiet speech is made louder (gain.h) */
	int8_t silence_db;        /* speech is louder than this at least; 0: -45 dBov. The noise heard raises it */
};
/* One recording at a time: EBUSY. Lost packets become silence, so that durations are right. *id as above. */
int media_record(struct media_port *port, const struct media_record_prm *prm, uint32_t *id);
/* MEDIA_REC_ENDED follows; nothing if none runs. */
void media_record_stop(struct media_port *port);

/* A sink that keeps the bytes in memory, for tests and the test caller; read it after MEDIA_REC_ENDED. */
struct media_sink_mem {
	struct media_sink sink;
	struct buf bytes;
	struct media_rec_stats stats;
};
void media_sink_mem_init(struct media_sink_mem *m, size_t max_bytes); /* buf_free(&m->bytes) at the end */

/* ---- figures ---- */
struct media_port_stats {
	uint64_t not_genuine, repeated;     /* SRTP: of another key, changed on the way or plain; heard before */
	uint64_t sent, received;            /* RTP packets */
	uint64_t strangers, bad, send_errors; /* packets from elsewhere, not RTP, that the kernel refused */
	uint32_t lost, jitter_us;           /* receiving (RFC 3550 A.3, 6.4.1) */
	uint32_t peer_lost, rtt_us;         /* by their RTCP reports; 0: not known */
};
void media_port_stats(const struct media_port *port, struct media_port_stats *st);
/* What was agreed last; false: nothing yet. */
bool media_port_codec(const struct media_port *port, enum media_codec *codec);
/* With what the sound is encrypted: "AES_CM_128_HMAC_SHA1_80"; "" if it is not. */
const char *media_port_srtp(const struct media_port *port);

#endif
