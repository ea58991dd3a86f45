/* SPDX-License-Identifier: Apache-2.0 */
/* player.h  Plays a sequence on a port and says once when it is over. A player is embedded in a session; the owner of the port passes it
 * the port's events (player_event) and it takes those that are its own.                                               */
#ifndef VOICE_PLAYER_H
#define VOICE_PLAYER_H
#include <stdbool.h>
#include <stdint.h>
#include "media/media.h"
#include "voice/say.h"

struct player;
/* Once a player_play(), unless another one or player_forget() replaced it. stopped: by player_stop(); ms: how much was heard. */
typedef void (player_h)(struct player *p, bool stopped, uint32_t ms, void *arg);

struct player {
	struct media_port *port; /* borrowed */
	uint32_t id;             /* of the play that counts; 0: none */
	uint32_t first, ms;      /* its first part, if others were appended; heard of the parts that are over */
	player_h *handler;
	void *arg;
};

void player_init(struct player *p, struct media_port *port);
/* Stops what plays (without its handler) and plays the sequence; an empty one ends at once, from the next media event on. The
 * sequence may be cleared afterwards. ENOMEM, EAGAIN. */
int player_play(struct player *p, const struct say_seq *q, player_h *h, void *arg);
/* Behind what plays; the handler then comes at the end of the last one. */
int player_append(struct player *p, const struct say_seq *q);
bool player_active(const struct player *p);
/* Barge-in: ends with the next tick; the handler comes. */
void player_stop(struct player *p);
/* As stop, but nobody is told. */
void player_forget(struct player *p);
/* True if the event was the player's. */
bool player_event(struct player *p, const struct media_event *ev);

#endif
