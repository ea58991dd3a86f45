/* SPDX-License-Identifier: Apache-2.0 */
/* name.h  What nobody recorded, spoken: names and words of the configuration, rendered by the helper for speech in a language's voice, kept by text and
 * voice. Loop thread. */
#ifndef VOICE_NAME_H
#define VOICE_NAME_H
#include "base/text.h"
#include "config/cfg.h"
#include "event/bus.h"
#include "media/clip.h"

struct speech;
struct voice_names;

/* clip is NULL when the name cannot be spoken (empty, no voice, no memory); borrowed for the call. */
typedef void (voice_name_h)(struct media_clip *clip, void *arg);

/* `keep`: how many names stay rendered. `speech` is borrowed and must outlive it. */
int voice_names_create(struct voice_names **np, struct speech *speech, struct ev_bus *bus, unsigned keep);
void voice_names_destroy(struct voice_names *n); /* handlers still waiting are not called; NULL is allowed */
/* Who speaks which language, from now on: node.speakers of `cfg` (a reference is taken; NULL: as without any). */
void voice_names_use(struct voice_names *n, const struct cfg *cfg);
/* `language`: in which it is to be read (RFC 5646); "" is English.
 * The handler comes once, perhaps before this returns (when the name is known). arg must live until then, or voice_name_cancel(). 0;
 * EAGAIN: too much is asked; ENOTCONN: there is no helper now; ENOMEM. Then the handler does not come. */
int voice_name_clip(struct voice_names *n, struct text name, struct text language, voice_name_h *h, void *arg);
void voice_name_cancel(struct voice_names *n, voice_name_h *h, void *arg);

#endif
