/* SPDX-License-Identifier: Apache-2.0 */
/* callgen.c  Load for the benchmarks: many calls at a server on loopback, from one thread, and what the server's process used meanwhile. Every packet that
 * comes back is judged; what the generator itself used and how late it was is told beside it, so that its limit is never taken for the server's.
 *
 *   callgen --target 127.0.0.1:5060 --pid PID --to 4000 --mode play  --calls 500 --rate 100 --seconds 10 --prompt prompt.l16 --hold 20 --keep
 *   callgen --target 127.0.0.1:5060 --pid PID --to 2001 --to-count 100 --mode play --calls 100 --script 'H~T,,,,,,,,,,,,,,,B' --keep
 *   callgen --target 127.0.0.1:5060 --pid PID --to 4000 --mode setup --rate 200 --seconds 8 [--long]
 *   callgen --target 127.0.0.1:5061 --pid PID --mode storm --rate 100 --seconds 10 --tls --cert F --key F --ca F */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "gen.h"

enum { TICK_US = 1000, SETUP_HOLD_US = 100000, GRACE_US = 40000000, BOUNDED_GRACE_US = 240000000 };

static const struct gen_codec codecs[] = {
	{ "PCMU", NULL, MEDIA_PCMU, 0, 160, true },
	{ "PCMA", NULL, MEDIA_PCMA, 8, 160, true },
	{ "G722", "9 G722/8000", MEDIA_G722, 9, 160, false }, /* its clock says half of what it samples: RFC 3551 4.5.2 */
	{ "opus", "96 opus/48000/2", MEDIA_OPUS, 96, 960, false },
};

struct gen_options gen_opt = { .to = "6000", .rate = 100, .seconds = 8, .settle = 1, .codec = &codecs[0], .mode = GEN_SETUP };
char gen_run[16];

int64_t gen_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void gen_die(const char *what)
{
	fprintf(stderr, "callgen: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- options ---- */
static const char usage[] =
	"usage: callgen --target 127.0.0.1:PORT --pid PID [options]\n"
	"  --mode setup|play|storm     calls hung up after 0.1 s; calls with voice both ways; TLS handshakes alone\n"
	"  --to USER [--to-count N]    whom to call: N numbers from USER on, one call each in turn; --from, --from-count likewise\n"
	"  --rate N                    how many begin in a second\n"
	"  --calls N                   how many at once (play: 100; setup: at most 20000); play: --keep: one that ends is replaced; --hold S: each lasts S seconds\n"
	"  --script TEXT               play: keys; `,` 1 s; `~` until they fell silent; N own number; T talk; H hold the tongue; B hang up\n"
	"  --settle S, --seconds S     play: measured for S seconds, S seconds after all calls stand; then all hang up, unless a script runs without --keep\n"
	"  --prompt FILE               what is expected to be heard: 16 bit samples at 8 kHz\n"
	"  --say FILE                  what callers say, in the same form, instead of noise; --silent: silence\n"
	"  --codec PCMU|PCMA|G722|opus what is offered\n"
	"  --srtp SUITE                encrypted sound, by its name in SDP: AES_CM_128_HMAC_SHA1_80, AEAD_AES_128_GCM, ... (umbeld takes keys over TLS alone)\n"
	"  --long                      INVITEs of 2.5 KB\n"
	"  --tls --cert F --key F --ca F [--each]   mutual TLS, one connection for all calls, or one for each\n";

static void bad_usage(const char *why)
{
	fprintf(stderr, "callgen: %s\n%s", why, usage);
	exit(2);
}

static void set_target(const char *text)
{
	char host[64];
	const char *colon = strchr(text, ':');
	snprintf(host, sizeof host, "%.*s", (int)strcspn(text, ":"), text);
	gen_opt.target.sin_family = AF_INET;
	gen_opt.target.sin_port = htons((uint16_t)atoi(colon ? colon + 1 : "5060"));
	if (inet_pton(AF_INET, host, &gen_opt.target.sin_addr) != 1 || (ntohl(gen_opt.target.sin_addr.s_addr) >> 24) != 127)
		bad_usage("only loopback is ever a target");
}

static void set_mode(const char *text)
{
	static const char *const names[] = { "play", "setup", "storm" };
	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			gen_opt.mode = (enum gen_mode)i;
			return;
		}
	bad_usage("there is no such mode");
}

static void set_suite(const char *text)
{
	gen_opt.suite = srtp_suite_named(text_of(text));
	if (!gen_opt.suite)
		bad_usage("there is no such suite");
}

static void set_codec(const char *text)
{
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
		if (strcasecmp(text, codecs[i].name) == 0) {
			gen_opt.codec = &codecs[i];
			return;
		}
	bad_usage("there is no such codec");
}

enum { TARGET = 256, TO, TO_COUNT, FROM, FROM_COUNT, MODE, RATE, SECONDS, CALLS, HOLD, KEEP, SCRIPT, SETTLE, PROMPT, SAY, CODEC, SUITE, SILENT, LONG, PID, TLS, CERT, KEY, CA, EACH };

static void option(int k)
{
	struct gen_options *o = &gen_opt;
	switch (k) {
	case TARGET: set_target(optarg); break;
	case TO: o->to = optarg; break;
	case TO_COUNT: o->to_count = (unsigned)atoi(optarg); break;
	case FROM: o->from = optarg; break;
	case FROM_COUNT: o->from_count = (unsigned)atoi(optarg); break;
	case MODE: set_mode(optarg); break;
	case RATE: o->rate = atof(optarg); break;
	case SECONDS: o->seconds = atoi(optarg); break;
	case CALLS: o->calls = atoi(optarg); break;
	case HOLD: o->hold_s = atof(optarg); break;
	case KEEP: o->keep = true; break;
	case SCRIPT: o->script = optarg; break;
	case SETTLE: o->settle = atoi(optarg); break;
	case PROMPT: o->prompt = optarg; break;
	case SAY: o->say = optarg; break;
	case CODEC: set_codec(optarg); break;
	case SUITE: set_suite(optarg); break;
	case SILENT: o->silent = true; break;
	case LONG: o->long_invite = true; break;
	case PID: o->pid = atoi(optarg); break;
	case TLS: o->tls = true; break;
	case CERT: o->cert = optarg; break;
	case KEY: o->key = optarg; break;
	case CA: o->ca = optarg; break;
	case EACH: o->reuse = GEN_EACH; break;
	default: bad_usage("what is that?");
	}
}

static void parse(int argc, char **argv)
{
	static const struct option names[] = {
		{ "target", 1, NULL, TARGET }, { "to", 1, NULL, TO }, { "to-count", 1, NULL, TO_COUNT }, { "from", 1, NULL, FROM }, { "from-count", 1, NULL, FROM_COUNT },
		{ "mode", 1, NULL, MODE }, { "rate", 1, NULL, RATE }, { "seconds", 1, NULL, SECONDS }, { "calls", 1, NULL, CALLS }, { "hold", 1, NULL, HOLD },
		{ "keep", 0, NULL, KEEP }, { "script", 1, NULL, SCRIPT }, { "settle", 1, NULL, SETTLE }, { "prompt", 1, NULL, PROMPT }, { "say", 1, NULL, SAY }, { "codec", 1, NULL, CODEC }, { "srtp", 1, NULL, SUITE },
		{ "silent", 0, NULL, SILENT }, { "long", 0, NULL, LONG }, { "pid", 1, NULL, PID }, { "tls", 0, NULL, TLS }, { "cert", 1, NULL, CERT },
		{ "key", 1, NULL, KEY }, { "ca", 1, NULL, CA }, { "each", 0, NULL, EACH }, { 0 } };
	for (int k; (k = getopt_long(argc, argv, "", names, NULL)) != -1;)
		option(k);
	if (!gen_opt.calls)
		gen_opt.calls = gen_opt.mode == GEN_PLAY ? 100 : GEN_SLOTS_MAX;
	if (!gen_opt.target.sin_port || !gen_opt.pid || gen_opt.rate <= 0 || gen_opt.calls < 1 || gen_opt.calls > GEN_SLOTS_MAX)
		bad_usage("--target and --pid are needed, --rate is more than 0, --calls at most 20000");
	if ((gen_opt.tls || gen_opt.mode == GEN_STORM) && !(gen_opt.tls && gen_opt.cert && gen_opt.key && gen_opt.ca))
		bad_usage("TLS needs --tls, --cert, --key and --ca");
}

/* ---- when calls begin ---- */
static int free_slot[GEN_SLOTS_MAX], n_free;
static int64_t begun_us, last_begin_us;
static unsigned wanted;        /* calls that are to be begun in all; with --keep there are more */
static bool window_open, window_over;

static void slots_prepare(void)
{
	for (int i = gen_opt.calls; i-- > 0;)
		free_slot[n_free++] = i;
}

/* The first calls end one after the other over the time that a call lasts, so that those that follow begin evenly. */
static int64_t hold_us(unsigned nth)
{
	if (gen_opt.mode == GEN_SETUP)
		return SETUP_HOLD_US;
	double s = gen_opt.hold_s;
	if (gen_opt.keep && s > 0 && nth < (unsigned)gen_opt.calls)
		s = s * (0.3 + 0.7 * nth / gen_opt.calls);
	return (int64_t)(s * 1e6);
}

void gen_slot_free(int slot)
{
	free_slot[n_free++] = slot;
}

static void begin_one(int64_t now)
{
	unsigned nth = gen_counts.begun;
	if (gen_opt.mode == GEN_STORM) {
		gen_counts.begun++;
		gen_storm_one();
	} else if (n_free) {
		gen_call_begin(free_slot[--n_free], now, hold_us(nth));
	}
	last_begin_us = now;
}

static void begin_due(int64_t now)
{
	int64_t due = (int64_t)((double)(now - begun_us) * gen_opt.rate / 1e6) + 1;
	while (gen_counts.begun < wanted && gen_counts.begun < (unsigned)due && (n_free || gen_opt.mode == GEN_STORM))
		begin_one(now);
	for (int n = n_free; gen_opt.keep && !window_over && gen_counts.begun >= wanted && n > 0; n--)
		begin_one(now);
}

static void serve_calls(unsigned tick, int64_t now)
{
	for (int i = (int)(tick % GEN_TICKS); i < gen_slots; i += GEN_TICKS) {
		if (gen_calls[i].state != GEN_FREE)
			gen_call_turn(i, now, window_over && gen_opt.mode == GEN_PLAY && (gen_opt.keep || !gen_opt.script));
	}
}

static void watch_window(int64_t now)
{
	if (gen_opt.mode != GEN_PLAY)
		return;
	bool all = gen_counts.begun >= wanted && (gen_counts.up + gen_counts.failed >= wanted || now - last_begin_us > 5000000 || gen_opt.keep);
	static int64_t stood_us;
	if (all && !stood_us)
		stood_us = now;
	if (stood_us && !window_open && now - stood_us >= (int64_t)gen_opt.settle * 1000000) {
		gen_window_begin();
		window_open = true;
	}
	static int64_t from_us;
	if (window_open && !from_us)
		from_us = now;
	if (window_open && !window_over && now - from_us >= (int64_t)gen_opt.seconds * 1000000) {
		gen_window_end();
		window_over = true;
	}
}

static bool finished(void)
{
	if (gen_opt.mode == GEN_STORM)
		return gen_counts.begun >= wanted && gen_storm.made + gen_storm.failed >= gen_storm.begun;
	bool ended = gen_counts.ended + gen_counts.failed >= gen_counts.begun;
	return gen_counts.begun >= wanted && ended && (window_over || gen_opt.mode == GEN_SETUP || !gen_opt.keep);
}

static void generate(void)
{
	int64_t next = gen_now_us();
	begun_us = next;
	wanted = gen_opt.mode == GEN_PLAY ? (unsigned)gen_opt.calls : (unsigned)(gen_opt.rate * gen_opt.seconds);
	bool bounded = gen_opt.mode == GEN_SETUP && gen_opt.calls < GEN_SLOTS_MAX; /* so many at once and no more: it takes as long as it takes */
	int64_t end = next + (int64_t)((wanted / gen_opt.rate + gen_opt.seconds + gen_opt.settle) * 1e6) + (bounded ? BOUNDED_GRACE_US : GRACE_US);
	for (unsigned tick = 0; !finished() && next < end; tick++) {
		int64_t now;
		while ((now = gen_now_us()) < next)
			gen_conns_serve(next - now);
		gen_conns_serve(0);
		gen_tick_late(gen_now_us() - next);
		begin_due(now);
		serve_calls(tick, gen_now_us());
		watch_window(now);
		next += TICK_US;
	}
}

int main(int argc, char **argv)
{
	struct rlimit many = { 65536, 65536 };
	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1000);
	if (setrlimit(RLIMIT_NOFILE, &many) < 0 && getrlimit(RLIMIT_NOFILE, &many) == 0) {
		many.rlim_cur = many.rlim_max;
		setrlimit(RLIMIT_NOFILE, &many);
	}
	snprintf(gen_run, sizeof gen_run, "%x", (unsigned)gen_now_us());
	gen_calls = calloc(GEN_SLOTS_MAX, sizeof *gen_calls);
	if (!gen_calls)
		gen_die("memory");
	slots_prepare();
	gen_media_prepare();
	gen_conns_prepare();
	gen_idle();
	if (gen_opt.mode != GEN_PLAY)
		gen_window_begin();
	generate();
	if (!window_over)
		gen_window_end();
	return gen_report();
}
