/* SPDX-License-Identifier: Apache-2.0 */
/* main.c  umbeld: read the command line, check the configuration, build the node, run it, take it down. */
#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <unistd.h>
#include "base/mem.h"
#include "config/cfg.h"
#include "dialogue/check.h"
#include "server/server.h"

enum { GOOD = 0, FAILED = 1, USAGE = 2 };
#define DEFAULT_CONFIG "/etc/umbel/umbel.yaml"

static void help(FILE *out)
{
	fputs("usage: umbeld [--quiet] [--keep-user] [--allow-core] [FILE]\n"
	      "       umbeld --check FILE\n"
	      "       umbeld --sample | --version | --help\n"
	      "\n"
	      "Runs a node of the Umbel Unified Messaging server in the foreground until SIGTERM; SIGHUP reads the configuration anew.\n"
	      "\n"
	      "  FILE                configuration (default " DEFAULT_CONFIG "); -c, --config FILE says the same\n"
	      "      --check FILE    say all that is wrong with a configuration and exit: 0 nothing, 1 something\n"
	      "      --sample        print a commented sample configuration\n"
	      "  -q, --quiet         no events on standard error\n"
	      "      --keep-user     stay the user that started it, whatever node.user says\n"
	      "      --allow-core    let a crash leave a core file and a debugger attach; both may hold private keys\n"
	      "      --version\n"
	      "\n"
	      "examples:\n"
	      "  umbeld --check /etc/umbel/umbel.yaml\n"
	      "  umbeld ./umbel.yaml\n"
	      "See umbeld(8), umbel.yaml(5), umbel(1).\n",
	      out);
}

static int load(struct cfg **cfg, const char *path)
{
	struct cfg_errors errors = { 0 };
	struct buf b;
	buf_init(&b, 1 << 20);
	int err = cfg_load(cfg, path, CFG_WANT_NODE, &errors);
	if (err && (!errors.n || cfg_errors_print(&errors, &b)))
		fprintf(stderr, "umbeld: %s: %s\n", path, strerror(err));
	else if (err)
		fputs(buf_cstr(&b), stderr);
	buf_free(&b);
	cfg_errors_free(&errors);
	return err;
}

static int check(const char *path)
{
	struct cfg *cfg = NULL;
	struct cfg_errors errors = { 0 };
	struct buf b;
	if (load(&cfg, path))
		return FAILED;
	buf_init(&b, 1 << 20);
	unsigned bad = server_check_files(cfg, &errors);
	if (dlg_rules_check(cfg, &errors) == 0)
		bad = (unsigned)errors.n;
	if (bad && cfg_errors_print(&errors, &b) == 0)
		fputs(buf_cstr(&b), stderr);
	if (!bad)
		printf("%s: good: node %s, gateways: %zu, attendants: %zu, mailboxes: %zu\n", path, cfg->node.name, cfg->n_gateways, cfg->n_attendants,
		       cfg->n_mailboxes);
	buf_free(&b);
	cfg_errors_free(&errors);
	cfg_unref(cfg);
	return bad ? FAILED : GOOD;
}

static int sample(void)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	int err = cfg_sample(&b);
	if (!err)
		fputs(buf_cstr(&b), stdout);
	buf_free(&b);
	return err ? FAILED : GOOD;
}

static void say(const struct ev_report *why, int err)
{
	const struct ev_def *d = ev_def_find(why->id);
	struct buf b;
	buf_init(&b, 65536);
	if (!d) {
		fprintf(stderr, "umbeld: %s\n", strerror(err));
	} else {
		ev_render(d->text, why, &b);
		buf_str(&b, "\n");
		ev_render(d->cause, why, &b);
		buf_str(&b, "\n");
		ev_render(d->advice, why, &b);
		fprintf(stderr, "umbeld: %u %s: %s\n", d->id, d->name, buf_cstr(&b) ? buf_cstr(&b) : d->text);
	}
	buf_free(&b);
}

static int run(const struct server_prm *prm)
{
	struct server *server;
	struct ev_report why = { 0 };
	int err = server_create(&server, prm, &why);
	if (err) {
		say(&why, err);
		return FAILED;
	}
	err = server_run(server);
	server_destroy(server);
	return err ? FAILED : GOOD;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "config", 1, NULL, 'c' }, { "check", 1, NULL, 'C' }, { "sample", 0, NULL, 'S' }, { "quiet", 0, NULL, 'q' },
		                                 { "keep-user", 0, NULL, 'k' }, { "allow-core", 0, NULL, 'a' }, { "version", 0, NULL, 'V' }, { "help", 0, NULL, 'h' }, { 0 } };
	struct server_prm prm = { .path = DEFAULT_CONFIG };
	bool allow_cores = false;
	for (int o; (o = getopt_long(argc, argv, "c:qh", options, NULL)) != -1;) {
		switch (o) {
		case 'c': prm.path = optarg; break;
		case 'C': return check(optarg);
		case 'S': return sample();
		case 'q': prm.quiet = true; break;
		case 'k': prm.keep_user = true; break;
		case 'a': allow_cores = true; break;
		case 'V': puts("umbeld " UMBEL_VERSION); return GOOD;
		case 'h': help(stdout); return GOOD;
		default: help(stderr); return USAGE;
		}
	}
	if (optind < argc)
		prm.path = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "umbeld: what is \"%s\"?\n", argv[optind]);
		help(stderr);
		return USAGE;
	}
	struct cfg *cfg = NULL;
	mem_settle();
	server_keep_secrets(allow_cores);
	if (load(&cfg, prm.path))
		return FAILED;
	prm.cfg = cfg;
	int rc = run(&prm);
	cfg_unref(cfg);
	OPENSSL_cleanup();
	if (mem_live())
		fprintf(stderr, "umbeld: %zu blocks of memory were not given back\n", mem_live());
	return rc;
}
