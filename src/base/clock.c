/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c  The system's clocks, and one for tests. */
#include "base/clock.h"
#include <time.h>

static int64_t now_us(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t system_mono(const struct um_clock *c)
{
	(void)c;
	return now_us(CLOCK_MONOTONIC);
}

static int64_t system_real(const struct um_clock *c)
{
	(void)c;
	return now_us(CLOCK_REALTIME);
}

const struct um_clock *clock_system(void)
{
	static const struct um_clock system_clock = { system_mono, system_real, false };
	return &system_clock;
}

int64_t clock_mono_us(const struct um_clock *c)
{
	return c->mono_us(c);
}

int64_t clock_mono_ms(const struct um_clock *c)
{
	return c->mono_us(c) / 1000;
}

int64_t clock_real_us(const struct um_clock *c)
{
	return c->real_us(c);
}

int64_t clock_real_s(const struct um_clock *c)
{
	return c->real_us(c) / 1000000;
}

static int64_t fake_mono(const struct um_clock *c)
{
	return __atomic_load_n(&((const struct clock_fake *)(const void *)c)->mono, __ATOMIC_SEQ_CST);
}

static int64_t fake_real(const struct um_clock *c)
{
	return __atomic_load_n(&((const struct clock_fake *)(const void *)c)->real, __ATOMIC_SEQ_CST);
}

void clock_fake_init(struct clock_fake *f, int64_t real_s)
{
	*f = (struct clock_fake){ { fake_mono, fake_real, true }, 1000000, real_s * 1000000 };
}

void clock_fake_advance_ms(struct clock_fake *f, int64_t ms)
{
	__atomic_fetch_add(&f->mono, ms * 1000, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&f->real, ms * 1000, __ATOMIC_SEQ_CST);
}

void clock_fake_set_real_s(struct clock_fake *f, int64_t real_s)
{
	__atomic_store_n(&f->real, real_s * 1000000, __ATOMIC_SEQ_CST);
}
