/* SPDX-License-Identifier: Apache-2.0 */
/* speech.h  The helper process for speech, as umbeld sees it: text becomes sound and sound becomes names in umbel-speech, a child over a socket
 * pair. A crash there drops no call: requests under way fail, an event says so, and it is started again, later each time it
 * ends soon. One that answers nothing within a request's time is killed. While there is none, requests fail at once (ENOTCONN) and callers go on by
 * the keys. Loop thread. */
#ifndef VOICE_SPEECH_H
#define VOICE_SPEECH_H
#include <sys/types.h>
#include "event/bus.h"
#include "event/metrics.h"
#include "net/loop.h"
#include "voice/speech_msg.h"

struct speech;

enum speech_state { SPEECH_STOPPED, SPEECH_STARTING, SPEECH_UP, SPEECH_WAITING /* to be started again */ };
const char *speech_state_name(enum speech_state s);

struct speech_prm {
	struct loop *loop;
	struct ev_bus *bus;       /* may be NULL */
	struct metrics *metrics;  /* may be NULL */
	const char *program;      /* NULL: $UMBEL_SPEECH, where it was installed, the build folder */
	unsigned answer_ms;       /* longest wait for an answer; 0: 6 s (learning: five times that) */
	unsigned back_off_ms;     /* the first pause before it is started again; 0: 200; doubled up to 30 s */
};
/* Nothing runs before speech_start(). */
int speech_create(struct speech **sp, const struct speech_prm *prm);
void speech_start(struct speech *s);
/* The helper is killed and reaped; handlers do not come any more. NULL is allowed. */
void speech_destroy(struct speech *s);

struct speech_about {
	enum speech_state state;
	pid_t pid;              /* 0: none */
	bool speaks, hears;     /* hears: it has a recogniser */
	unsigned workers, waiting;
	uint32_t starts;        /* how often it was started */
	int64_t up_ms;
	char front[64], reason[160], ended[160]; /* reason: why it can't hear; ended: how the one before ended */
};
void speech_about(const struct speech *s, struct speech_about *a); /* NULL for s is allowed: stopped */
bool speech_hears(const struct speech *s);

/* What came; only what belongs to the request is set, and lives as long as the call. */
struct speech_answer {
	const int16_t *pcm; /* 8 kHz */
	size_t n;
	enum speech_stand_in stand_in; /* who spoke */
	const struct speech_learned *learned;
	const struct speech_result *result;
};
/* err 0 with the answer; what the helper says (speech_put_failed); ETIMEDOUT; ECONNRESET: the helper ended. Once, never before the request has
 * returned. It may ask for more, cancel, and destroy. */
typedef void (speech_h)(int err, const struct speech_answer *a, void *arg);

/* *handle (may be NULL) is for speech_cancel(). 0; ENOTCONN: there is no helper now; EAGAIN: too much is asked already; EINVAL: longer than the
 * protocol takes; ENOMEM. Then the handler does not come. */
/* `voice` as in voice/speaker.h; "" is flite. */
int speech_say(struct speech *s, uint64_t *handle, struct text voice, struct text text, speech_h *h, void *arg);
int speech_learn(struct speech *s, uint64_t *handle, uint64_t key, const struct speech_entry *v, size_t n, speech_h *h, void *arg);
int speech_listen(struct speech *s, uint64_t *handle, uint64_t key, const int16_t *pcm, size_t n, speech_h *h, void *arg);
/* The same caller once more: `before` is the memory of the result before, with what he refused. */
int speech_listen_again(struct speech *s, uint64_t *handle, uint64_t key, const struct speech_memory *before, const int16_t *pcm, size_t n, speech_h *h, void *arg);
/* The helper's program: `named`, $UMBEL_SPEECH, or where it was installed or built. */
const char *speech_program(const char *named);
void speech_cancel(struct speech *s, uint64_t handle); /* nothing when it is over */

#endif
