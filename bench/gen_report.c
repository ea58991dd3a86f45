/* SPDX-License-Identifier: Apache-2.0 */
/* gen_report.c  What the server's process used (by thread), what this program used and how late it was itself, and the line of JSON. */
#include <dirent.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "gen.h"

enum { SETUPS = 1 << 20, THREADS = 64 };

struct use {
	double cpu_s, user_s, own_s, rss_kb, anon_kb;
	unsigned fds;
	int64_t at_us;
};
struct thread {
	char name[32];
	double begin_s, end_s;
};

static struct use idle, begin, end;
static struct thread threads[THREADS];
static unsigned n_threads;
static int32_t *setup_us;
static unsigned n_setup;
static uint32_t tick[GEN_HIST];
static uint64_t ticks;
static int64_t tick_latest_us;

/* ---- /proc ---- */
static char *slurp(const char *format, int pid, const char *task, char *text, size_t size)
{
	char path[96];
	snprintf(path, sizeof path, format, pid, task);
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, size - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static double kb_of(const char *status, const char *name)
{
	const char *at = strstr(status, name);
	return at ? strtod(at + strlen(name), NULL) : 0;
}

static unsigned count_fds(int pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *d = opendir(path);
	unsigned n = 0;
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 2 ? n - 2 : 0;
}

static struct thread *thread_named(const char *name)
{
	for (unsigned i = 0; i < n_threads; i++)
		if (strcmp(threads[i].name, name) == 0)
			return &threads[i];
	if (n_threads == THREADS)
		return &threads[THREADS - 1];
	snprintf(threads[n_threads].name, sizeof threads[0].name, "%.31s", name);
	return &threads[n_threads++];
}

/* schedstat knows nanoseconds; stat, which also knows threads that are gone, hundredths of a second. */
static void use_of_threads(bool at_end)
{
	char path[64], text[256], name[32];
	snprintf(path, sizeof path, "/proc/%d/task", gen_opt.pid);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
		if (*e->d_name == '.')
			continue;
		slurp("/proc/%d/task/%s/comm", gen_opt.pid, e->d_name, name, sizeof name);
		name[strcspn(name, "\n")] = '\0';
		double s = strtod(slurp("/proc/%d/task/%s/schedstat", gen_opt.pid, e->d_name, text, sizeof text), NULL) / 1e9;
		struct thread *t = thread_named(name);
		*(at_end ? &t->end_s : &t->begin_s) += s;
	}
	if (d)
		closedir(d);
}

static void look(struct use *u)
{
	char text[4096];
	unsigned long user = 0, sys = 0;
	double tick_s = (double)sysconf(_SC_CLK_TCK);
	const char *p = strrchr(slurp("/proc/%d/stat", gen_opt.pid, "", text, sizeof text), ')');
	if (!p) {
		fprintf(stderr, "callgen: there is no process %d\n", gen_opt.pid);
		exit(1);
	}
	sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys);
	u->user_s = (double)user / tick_s;
	u->cpu_s = (double)(user + sys) / tick_s;
	slurp("/proc/%d/status", gen_opt.pid, "", text, sizeof text);
	u->rss_kb = kb_of(text, "VmRSS:");
	u->anon_kb = kb_of(text, "RssAnon:");
	u->fds = count_fds(gen_opt.pid);
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	u->own_s = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
	u->at_us = gen_now_us();
}

void gen_idle(void)
{
	look(&idle);
}

void gen_window_begin(void)
{
	use_of_threads(false);
	look(&begin);
	memset(tick, 0, sizeof tick);
	ticks = 0;
	tick_latest_us = 0;
	gen_measuring = true;
}

void gen_window_end(void)
{
	gen_measuring = false;
	look(&end);
	use_of_threads(true);
}

/* ---- what the calls tell ---- */
void gen_setup_took(int64_t us)
{
	if (!setup_us)
		setup_us = calloc(SETUPS, sizeof *setup_us);
	if (setup_us && n_setup < SETUPS)
		setup_us[n_setup++] = (int32_t)us;
}

void gen_tick_late(int64_t us)
{
	gen_hist_add(tick, us);
	ticks++;
	if (us > tick_latest_us)
		tick_latest_us = us;
}

static int by_value(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return x < y ? -1 : x > y;
}

static double percentile_ms(const uint32_t hist[GEN_HIST], double p)
{
	uint64_t all = 0, seen = 0;
	for (int i = 0; i < GEN_HIST; i++)
		all += hist[i];
	for (int i = 0; i < GEN_HIST; i++)
		if ((double)(seen += hist[i]) > (double)all * p)
			return i * 0.05;
	return GEN_HIST * 0.05;
}

static double setup_ms(double p)
{
	return n_setup ? setup_us[(unsigned)((n_setup - 1) * p)] / 1000.0 : 0;
}

static void print_hist(const char *name, const uint32_t hist[GEN_HIST])
{
	printf("\"%s_p50_ms\":%.2f,\"%s_p99_ms\":%.2f,\"%s_p999_ms\":%.2f,\"%s_hist\":[", name, percentile_ms(hist, 0.5), name, percentile_ms(hist, 0.99), name,
	       percentile_ms(hist, 0.999), name);
	bool any = false;
	for (int i = 0; i < GEN_HIST; i++)
		if (hist[i]) {
			printf("%s[%.2f,%u]", any ? "," : "", i * 0.05, hist[i]);
			any = true;
		}
	printf("],");
}

static void print_threads(double window)
{
	bool any = false;
	printf("\"threads\":{");
	for (unsigned i = 0; i < n_threads; i++) {
		double percent = 100 * (threads[i].end_s - threads[i].begin_s) / window;
		if (percent < 0.05)
			continue;
		printf("%s\"%s\":%.2f", any ? "," : "", threads[i].name, percent);
		any = true;
	}
	printf("},");
}

/* Threads that lived through the window are known to the nanosecond; is there more by the coarse count, some ended within it. */
static double cpu_s(void)
{
	double sum = 0, coarse = end.cpu_s - begin.cpu_s;
	for (unsigned i = 0; i < n_threads; i++)
		sum += threads[i].end_s - threads[i].begin_s;
	return sum > coarse - 0.03 && sum < coarse + 0.03 ? sum : coarse;
}

#define COUNT(member) #member "\":%llu,\""
#define OF(member) (unsigned long long)j->member

int gen_report(void)
{
	const struct gen_judged *j = &gen_judged;
	const struct gen_counts *n = &gen_counts;
	struct use left;
	double window = (double)(end.at_us - begin.at_us) / 1e6, cpu = cpu_s(), own = end.own_s - begin.own_s;
	unsigned calls = gen_opt.mode == GEN_PLAY ? (unsigned)gen_opt.calls : n_setup;
	look(&left);
	qsort(setup_us, n_setup, sizeof *setup_us, by_value);
	printf("{\"mode\":\"%s\",\"transport\":\"%s\",\"codec\":\"%s\",\"srtp\":\"%s\",\"calls\":%d,\"begun\":%u,\"ok\":%u,\"failed\":%u,\"refused\":%u,\"last_refusal\":%d,\"scripts\":%u,"
	       "\"retransmissions\":%u,", gen_opt.mode == GEN_PLAY ? "play" : gen_opt.mode == GEN_SETUP ? "setup" : "storm", gen_opt.tls ? "TLS" : "UDP", gen_opt.codec->name, srtp_suite_name(gen_opt.suite),
	       gen_opt.calls, n->begun, n_setup, n->failed, n->refused, n->last_refusal, n->scripts, n->retransmissions);
	printf("\"window_s\":%.3f,\"cpu_s\":%.4f,\"core_percent\":%.2f,", window, cpu, 100 * cpu / window);
	if (calls)
		printf("\"core_percent_per_call\":%.5f,\"cpu_ms_per_setup\":%.4f,\"user_ms_per_setup\":%.4f,\"rss_kb_per_call\":%.2f,\"anon_kb_per_call\":%.2f,",
		       100 * cpu / window / calls, n_setup ? 1000 * cpu / n_setup : 0, n_setup ? 1000 * (end.user_s - begin.user_s) / n_setup : 0,
		       (end.rss_kb - idle.rss_kb) / calls, (end.anon_kb - idle.anon_kb) / calls);
	printf("\"rss_kb\":[%.0f,%.0f,%.0f],\"fds\":[%u,%u,%u],", idle.rss_kb, end.rss_kb, left.rss_kb, idle.fds, end.fds, left.fds);
	print_threads(window);
	printf("\"" COUNT(received) COUNT(sent) COUNT(send_errors) COUNT(lost) COUNT(doubled) COUNT(reordered) COUNT(wrong_ts) COUNT(wrong_marker), OF(received), OF(sent),
	       OF(send_errors), OF(lost), OF(doubled), OF(reordered), OF(wrong_ts), OF(wrong_marker));
	printf(COUNT(wrong_ssrc) COUNT(wrong_pt) COUNT(bad) COUNT(not_genuine) COUNT(known) COUNT(quiet) COUNT(unknown) COUNT(leaps) COUNT(overflow) "late\":%llu,", OF(wrong_ssrc), OF(wrong_pt),
	       OF(bad), OF(not_genuine), OF(known), OF(quiet), OF(unknown), OF(leaps), OF(overflow), OF(late));
	print_hist("interval", j->interval);
	print_hist("lateness", j->lateness);
	printf("\"latest_ms\":%.2f,\"setup_p50_ms\":%.2f,\"setup_p99_ms\":%.2f,\"setup_max_ms\":%.2f,", (double)j->latest_us / 1000, setup_ms(0.5), setup_ms(0.99), setup_ms(1));
	if (gen_opt.mode == GEN_STORM)
		printf("\"handshakes\":%u,\"handshakes_failed\":%u,\"handshake_max_ms\":%.1f,", gen_storm.made, gen_storm.failed, (double)gen_storm.longest_us / 1000);
	printf("\"generator\":{\"core_percent\":%.2f,\"late_p999_ms\":%.2f,\"latest_ms\":%.2f}}\n", 100 * own / window, percentile_ms(tick, 0.999),
	       (double)tick_latest_us / 1000);
	return n->failed || (gen_opt.mode != GEN_STORM && !n_setup) ? 1 : 0;
}
