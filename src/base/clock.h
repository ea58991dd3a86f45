/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h  Time as a parameter. Whoever needs the time is given a clock at creation; tests give one that they turn themselves. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stdbool.h>
#include <stdint.h>

struct um_clock {
	int64_t (*mono_us)(const struct um_clock *c); /* never jumps; only differences mean anything */
	int64_t (*real_us)(const struct um_clock *c); /* since 1970-01-01T00:00:00Z */
	bool fake;
};

const struct um_clock *clock_system(void);
int64_t clock_mono_us(const struct um_clock *c);
int64_t clock_mono_ms(const struct um_clock *c);
int64_t clock_real_us(const struct um_clock *c);
int64_t clock_real_s(const struct um_clock *c);

/* A clock that stands still until it is turned; safe to read from any thread. */
struct clock_fake {
	struct um_clock clock;
	int64_t mono, real; /* us; use the functions */
};
void clock_fake_init(struct clock_fake *f, int64_t real_s);
void clock_fake_advance_ms(struct clock_fake *f, int64_t ms);
/* Sets the wall clock alone, as an administrator would. */
void clock_fake_set_real_s(struct clock_fake *f, int64_t real_s);

#endif
