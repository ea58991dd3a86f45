/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c  Limits, and a filter of system calls: no sockets, nobody else's memory, no other namespaces. */
#include "umbel-speech/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMORY_MAX ((rlim_t)3 << 30) /* of addresses: threads' stacks and arenas count too */
enum { FILE_MAX_BYTES = 64 << 20 /* word lists in memory files */, FILES_MAX = 128 };

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif
#define DENY(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static void no_network(void)
{
#ifdef ARCH
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(socket), DENY(connect), DENY(bind), DENY(listen), DENY(accept), DENY(accept4),
		DENY(ptrace), DENY(process_vm_readv), DENY(process_vm_writev), DENY(mount), DENY(unshare), DENY(setns), DENY(bpf), DENY(perf_event_open),
		DENY(keyctl), DENY(add_key), DENY(request_key), DENY(init_module), DENY(finit_module), DENY(kexec_load),
#ifdef __x86_64__
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), /* the calls of x32 are other numbers for the same */
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
#endif
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof code / sizeof *code, code };
	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
#endif
}

/* When memory is short, this process goes before the calls do. */
static void die_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "800", 3);
		close(fd);
	}
}

void sandbox_enter(void)
{
	struct rlimit none = { 0, 0 }, file = { FILE_MAX_BYTES, FILE_MAX_BYTES }, files = { FILES_MAX, FILES_MAX }, memory = { MEMORY_MAX, MEMORY_MAX };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	die_first();
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_FSIZE, &file);
	setrlimit(RLIMIT_NOFILE, &files);
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SHADOWED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(SHADOWED)
	(void)memory; /* sanitizers reserve terabytes */
#else
	setrlimit(RLIMIT_AS, &memory);
#endif
	signal(SIGPIPE, SIG_IGN);
	no_network();
}
