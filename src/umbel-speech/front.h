/* SPDX-License-Identifier: Apache-2.0 */
/* front.h  From what a telephone hears to what the acoustic model was made for: 8 kHz samples in, 13 cepstra every 10 ms out. Two
 * kinds: "stock" doubles the sampling rate and runs the model's own front end on a band that is half empty; "trained" was
 * taught at build time to guess the wide-band cepstra from the narrow band. Both give cepstra whose mean over the frames of speech is zero:
 * the decoder runs without a normalisation of its own (-cmn none), because a mean over silence costs a seventh of all names.
 *
 * One front end serves one thread at a time; each decoder has its own. It allocates through base/mem.h what it returns.    */
#ifndef SPEECH_FRONT_H
#define SPEECH_FRONT_H
#include <stddef.h>
#include <stdint.h>

enum { FRONT_CEPSTRA = 13, FRONT_RATE = 8000, FRONT_FRAMES_A_SECOND = 100, FRONT_SECONDS_MAX = 30 };

struct front;

/* `model_path`: what the training wrote; NULL: stock. 0; ENOENT: no such file; EPROTO: it is not such a model, or of another version; ENOMEM;
 * EIO. */
int front_open(struct front **fp, const char *model_path);
void front_close(struct front *f); /* NULL is allowed */
/* An utterance whole. *cep: *frames rows of 13, the caller's (mem_free); frames that hold nothing may be left out, so there can be fewer than n/80.
 * 0; EINVAL: shorter than a window, or longer than FRONT_SECONDS_MAX; ENODATA: no frame is speech; ENOMEM. */
int front_cepstra(struct front *f, const int16_t *pcm, size_t n, float (**cep)[FRONT_CEPSTRA], size_t *frames);
const char *front_name(const struct front *f); /* "stock", "trained" */

/* Takes the mean over the louder half of the frames (by c0) out of all of them: what both kinds do. */
void front_zero_mean(float (*cep)[FRONT_CEPSTRA], size_t frames);

#endif
