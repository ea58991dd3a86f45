/* SPDX-License-Identifier: Apache-2.0 */
/* renew.c  Certificates that near their end are renewed by a program of the administrator (node.renew_command): key and request are made here, the program
 * is called as COMMAND IDENTITY REQUEST ANSWER, and what it put into ANSWER goes the way of every certificate (cert/swap.h). It runs as the
 * server's user, is waited for on the loop by its pidfd, and ended after ten minutes.                                              */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "admin/errand_private.h"
#include "admin/words.h"
#include "base/mem.h"
#include "cert/install.h"
#include "cert/order.h"
#include "cert/plan.h"
#include "cert_events.h"
#include "net/tmr.h"
#include "trust/pem.h"

enum { LOOK_MS = 600 * 1000, FIRST_MS = 5000, AGAIN_MS = 6 * 3600 * 1000, LIMIT_MS = 600 * 1000, TRIED_MAX = 64 };

struct admin_renew {
	struct admin *admin;
	struct tmr timer;
	struct {
		char identity[TRUST_LABEL_SIZE];
		int64_t at_ms;
	} tried[TRIED_MAX];
	unsigned n_tried;
	struct renewal *now; /* one at a time */
};

struct renewal {
	struct admin_renew *r; /* NULL: the admin is gone */
	struct errand *errand;
	char identity[TRUST_LABEL_SIZE], data[512], command[512], csr_file[512], answer[512];
	enum cert_key_kind kind;
	struct cert_names names;
	pid_t pid;
	int pidfd;
	struct loop_io io;
	struct tmr limit;
	struct buf chain;
	struct ev_report why;
};

static void end(struct renewal *n, const char *reason)
{
	struct ev_report *e = reason && n->r ? mem_alloc(sizeof *e) : NULL;
	if (e) {
		ev_set(e, EV_CERT_RENEW_FAILED);
		ev_str(e, "identity", n->identity);
		ev_str(e, "command", n->command);
		ev_str(e, "reason", reason);
		ev_emit(n->r->admin->prm.bus, e);
	}
	mem_free(e);
	if (n->r)
		n->r->now = NULL;
	tmr_cancel(&n->limit);
	loop_io_del(&n->io);
	if (n->pidfd >= 0)
		close(n->pidfd);
	if (n->errand)
		errand_free(n->errand);
	buf_free(&n->chain);
	mem_free(n);
}

/* ---- the answer ---- */

static int read_work(void *arg)
{
	struct renewal *n = arg;
	int err = trust_pem_file(&n->chain, n->answer);
	return err ? err : cert_answer_to_pem(&n->chain);
}

static void read_done(enum pool_result result, int err, void *arg)
{
	struct renewal *n = arg;
	struct errand *x = n->errand;
	if (!n->r || result != POOL_DONE || !n->r->admin->cfg) {
		end(n, admin_words(err == ENOENT ? ADMIN_HINT_RENEW_NO_ANSWER : ADMIN_HINT_RENEW_NO_CERT));
		return;
	}
	if (errand_swap(x, n->identity, buf_as_text(&n->chain), TEXT_NONE, NULL) != 0) {
		end(n, strerrordesc_np(ENOMEM));
		return;
	}
	n->errand = NULL; /* it ends itself, and says how */
	end(n, NULL);
}

/* ---- the program ---- */

static void program_over(struct loop_io *io, uint32_t events, void *arg)
{
	struct renewal *n = arg;
	siginfo_t info = { 0 };
	char reason[96];
	(void)io;
	(void)events;
	if (waitid(P_PID, (id_t)n->pid, &info, WEXITED | WNOHANG) != 0 || !info.si_pid)
		return;
	loop_io_del(&n->io);
	tmr_cancel(&n->limit);
	n->pid = 0;
	if (info.si_code != CLD_EXITED || info.si_status != 0) {
		text_print(reason, sizeof reason, "%s %d", admin_words(info.si_code == CLD_EXITED ? ADMIN_HINT_RENEW_STATUS : ADMIN_HINT_RENEW_SIGNAL), info.si_status);
		end(n, reason);
	} else if (pool_submit(n->r->admin->prm.crypto, read_work, read_done, n) != 0) {
		end(n, admin_words(ADMIN_HINT_BUSY));
	}
}

static void too_long(void *arg)
{
	struct renewal *n = arg;
	kill(n->pid, SIGKILL); /* program_over() tells the rest */
}

/* The loop's thread holds signals back; the program must not. */
static int spawn(struct renewal *n)
{
	char *argv[] = { n->command, n->identity, n->csr_file, n->answer, NULL };
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t files;
	sigset_t none;
	extern char **environ;
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	int err = posix_spawn(&n->pid, n->command, &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (err)
		return err;
	n->pidfd = (int)syscall(SYS_pidfd_open, n->pid, 0);
	err = n->pidfd < 0 ? errno : loop_io_add(n->r->admin->prm.loop, &n->io, n->pidfd, EPOLLIN, program_over, n);
	if (err) { /* nobody would hear of its end: it must not go on beside the next one */
		kill(n->pid, SIGKILL);
		(void)waitpid(n->pid, NULL, 0);
		n->pid = 0;
	}
	return err;
}

/* ---- key and request ---- */

static int request_work(void *arg)
{
	struct renewal *n = arg;
	(void)unlink(n->answer); /* the answer to an older request */
	return cert_request_files(n->data, n->identity, n->kind, &n->names, CERT_USAGE_BOTH, NULL, n->csr_file, &n->why);
}

static void request_done(enum pool_result result, int err, void *arg)
{
	struct renewal *n = arg;
	char sentence[512];
	if (!n->r || result != POOL_DONE) {
		end(n, n->why.id ? ev_sentence(&n->why, sentence, sizeof sentence) : strerrordesc_np(err));
		return;
	}
	if ((err = spawn(n)) != 0) {
		end(n, strerrordesc_np(err));
		return;
	}
	tmr_start(n->r->admin->prm.loop, &n->limit, LIMIT_MS, too_long, n);
}

static bool plan(struct renewal *n, struct admin *a)
{
	struct cert_plan_prm prm = { .identity = n->identity, .fqdn = a->cfg->node.fqdn, .service = a->cfg->node.service, .gateways = n->errand->gateways,
		                     .n_gateways = n->errand->n_gateways };
	struct cert_plan *p = mem_alloc(sizeof *p);
	bool one = false;
	if (p) {
		cert_plan_make(p, &prm);
		one = p->n == 1;
		n->names = p->one[0].names;
	}
	mem_free(p);
	return one;
}

static void renew(struct admin_renew *r, const struct trust_identity *id)
{
	struct admin *a = r->admin;
	struct ev_report why = { 0 };
	struct renewal *n = mem_zalloc(1, sizeof *n);
	if (!n)
		return;
	n->r = r;
	n->pidfd = -1;
	buf_init(&n->chain, TRUST_PEM_MAX);
	text_fill(n->identity, sizeof n->identity, trust_identity_name(id));
	text_fill(n->data, sizeof n->data, a->cfg->node.data);
	text_fill(n->command, sizeof n->command, a->cfg->node.renew_command);
	cert_awaited_path(n->data, n->identity, n->answer);
	n->kind = text_starts(text_of(trust_identity_cert(id)->key), "EC") ? CERT_KEY_EC_P256 : CERT_KEY_RSA_2048;
	n->errand = errand_new(a, NULL, "renewal");
	int err = n->errand ? errand_begin(n->errand, n->identity, &why) : ENOMEM;
	if (err == EBUSY) { /* somebody sees to it */
		end(n, NULL);
		return;
	}
	ev_set(&why, EV_CERT_RENEWING);
	ev_str(&why, "identity", n->identity);
	ev_str(&why, "cn", trust_identity_cn(id));
	ev_str(&why, "command", n->command);
	ev_emit(a->prm.bus, &why);
	if (err || !plan(n, a))
		end(n, err ? strerrordesc_np(err) : admin_words(ADMIN_HINT_RENEW_SPLIT));
	else if (pool_submit(a->prm.crypto, request_work, request_done, n) != 0)
		end(n, admin_words(ADMIN_HINT_BUSY));
	else
		r->now = n;
}

/* ---- when ---- */

static bool tried_lately(struct admin_renew *r, const char *identity)
{
	int64_t now = clock_mono_ms(r->admin->prm.clock);
	unsigned i = 0;
	while (i < r->n_tried && strcmp(r->tried[i].identity, identity) != 0)
		i++;
	if (i < r->n_tried && now - r->tried[i].at_ms < AGAIN_MS)
		return true;
	if (i == TRIED_MAX)
		return true;
	r->n_tried += i == r->n_tried;
	text_fill(r->tried[i].identity, sizeof r->tried[i].identity, identity);
	r->tried[i].at_ms = now;
	return false;
}

static void look(void *arg)
{
	struct admin_renew *r = arg;
	struct admin *a = r->admin;
	const struct cfg_node *node = a->cfg && a->cfg->has_node ? &a->cfg->node : NULL;
	tmr_start(a->prm.loop, &r->timer, LOOK_MS, look, r);
	if (!node || !node->renew_command[0] || r->now)
		return;
	struct trust_set *set = trust_keeper_get(a->prm.trust);
	int64_t now_s = clock_real_s(a->prm.clock);
	for (unsigned i = 0; i < trust_set_count(set) && !r->now; i++) {
		const struct trust_identity *id = trust_set_at(set, i);
		int64_t left_s = trust_identity_not_after_s(id) - now_s;
		if (left_s < (int64_t)node->renew_before_days * 86400 && !strchr(trust_identity_name(id), '+') && !tried_lately(r, trust_identity_name(id)))
			renew(r, id);
	}
	mem_unref(set);
}

int admin_renew_start(struct admin *a)
{
	if (!a->prm.trust || !a->prm.crypto)
		return 0;
	struct admin_renew *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return ENOMEM;
	r->admin = a;
	a->renew = r;
	tmr_start(a->prm.loop, &r->timer, FIRST_MS, look, r);
	return 0;
}

void admin_renew_stop(struct admin *a)
{
	struct admin_renew *r = a->renew;
	if (!r)
		return;
	tmr_cancel(&r->timer);
	struct renewal *n = r->now;
	if (n && n->pid) { /* the program may end as it likes; nobody waits for it */
		n->r = NULL;
		end(n, NULL);
	} else if (n) {
		n->r = NULL; /* the worker is coming back */
	}
	mem_free(r);
	a->renew = NULL;
}
