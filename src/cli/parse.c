/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c  The command line by the table: noun, verb, options, arguments; help and completion from the same rows. */
#include "cli/cli_private.h"
#include <errno.h>
#include <stdarg.h>
#include "base/text.h"

#define SOCKET_DEFAULT "/run/umbel/umbel.sock"

static const struct cli_opt common[] = {
	{ "json", NULL, "print JSON instead of text for people" },
	{ "socket", "PATH", "where the server takes commands (default: $UMBEL_SOCKET, else " SOCKET_DEFAULT ")" },
	{ "help", NULL, "explain this command" },
	{ NULL, NULL, NULL },
};

static const struct cli_cmd *find(const char *noun, const char *verb)
{
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++)
			if (strcmp(x->noun, noun) == 0 && (!x->verb || (verb && strcmp(x->verb, verb) == 0)))
				return x;
	return NULL;
}

static bool noun_known(const char *noun)
{
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++)
			if (strcmp(x->noun, noun) == 0)
				return true;
	return false;
}

/* A noun may stand alone, as the last row of its group, and have verbs as well. */
static bool has_verbs(const char *noun)
{
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++)
			if (x->verb && strcmp(x->noun, noun) == 0)
				return true;
	return false;
}

static void usage_line(FILE *out, const struct cli_cmd *x)
{
	fprintf(out, "umbel %s%s%s%s%s", x->noun, x->verb ? " " : "", x->verb ? x->verb : "", *x->args ? " " : "", x->args);
}

static void print_opts(FILE *out, const struct cli_opt *o)
{
	for (; o && o->name; o++) {
		char left[64];
		text_print(left, sizeof left, "%s%s%s%s", o->name[1] ? "--" : "-", o->name, o->value ? " " : "", o->value ? o->value : "");
		fprintf(out, "  %-24s %s\n", left, o->help);
	}
}

void cli_help(FILE *out, const struct cli_cmd *x)
{
	fprintf(out, "Usage: ");
	usage_line(out, x);
	fprintf(out, "%s\n\n%s.\n", x->opts ? " [options]" : "", x->summary);
	if (x->help)
		fprintf(out, "\n%s\n", x->help);
	fprintf(out, "\nOptions:\n");
	print_opts(out, x->opts);
	print_opts(out, common);
	fprintf(out, "\nExamples:\n%s\n", x->examples);
	fprintf(out, "\nExit code: 0 good, 1 the answer is no or something failed, 2 wrong usage, 3 no server reached.\n");
}

static void help_noun(FILE *out, const char *noun)
{
	fprintf(out, "Usage: umbel %s VERB ...\n\n", noun);
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++)
			if (strcmp(x->noun, noun) == 0) {
				char left[80];
				text_print(left, sizeof left, "%s%s%s", x->verb ? x->verb : "", *x->args && x->verb ? " " : "", x->args);
				fprintf(out, "  %-28s %s\n", left, x->summary);
			}
	fprintf(out, "\numbel %s VERB --help explains one of them, with examples.\n", noun);
}

void cli_overview(FILE *out)
{
	fprintf(out, "Usage: umbel NOUN VERB [arguments] [--json] [--socket PATH]\n\n");
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++) {
			char left[80];
			text_print(left, sizeof left, "%s%s%s%s%s", x->noun, x->verb ? " " : "", x->verb ? x->verb : "", *x->args ? " " : "", x->args);
			fprintf(out, "  %-38s %s\n", left, x->summary);
		}
	fprintf(out, "\numbel NOUN VERB --help explains one of them, with examples. See also umbel(1).\n");
}

static const struct cli_opt *find_opt(const struct cli_opt *o, const char *name, size_t n)
{
	for (; o && o->name; o++)
		if (strlen(o->name) == n && strncmp(o->name, name, n) == 0)
			return o;
	return NULL;
}

static int wrong(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int wrong(struct cli *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fprintf(c->err, "umbel: ");
	vfprintf(c->err, fmt, ap);
	fputc('\n', c->err);
	va_end(ap);
	if (c->cmd) {
		fprintf(c->err, "Usage: ");
		usage_line(c->err, c->cmd);
		fprintf(c->err, "\n       (umbel %s%s%s --help explains it)\n", c->cmd->noun, c->cmd->verb ? " " : "", c->cmd->verb ? c->cmd->verb : "");
	}
	return CLI_USAGE;
}

/* One word that begins with '-'. *used: whether the next word was its value. */
static int take_option(struct cli *c, const char *word, const char *next, bool *used)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct cli_opt *o = c->cmd ? find_opt(c->cmd->opts, name, n) : NULL;
	if (!o)
		o = find_opt(common, name, n);
	*used = false;
	if (!o)
		return wrong(c, "there is no option %s", word);
	if (c->n_opt == CLI_OPTS)
		return wrong(c, "too many options");
	const char *value = "";
	if (o->value) {
		value = equals ? equals + 1 : next;
		*used = !equals;
		if (!value)
			return wrong(c, "%s wants a value: %s", word, o->value);
	} else if (equals) {
		return wrong(c, "%.*s takes no value", (int)(equals - word), word);
	}
	c->opt[c->n_opt].opt = o;
	c->opt[c->n_opt++].value = value;
	return 0;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* Options before the noun are the common ones; noun and verb are the first two words that are none. */
static int take_command(struct cli *c, int argc, char **argv, int *at)
{
	const char *noun = NULL;
	int i = 1;
	for (; i < argc; i++) {
		bool used;
		if (!is_option(argv[i]))
			break;
		int err = take_option(c, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);
		if (err)
			return err;
		i += used;
	}
	if (i < argc)
		noun = argv[i++];
	if (!noun || strcmp(noun, "help") == 0) {
		cli_overview(noun || cli_opt(c, "help") ? c->out : c->err);
		return noun || cli_opt(c, "help") ? -1 : CLI_USAGE;
	}
	c->cmd = find(noun, i < argc ? argv[i] : NULL);
	if (c->cmd && !c->cmd->verb && has_verbs(noun) && i < argc && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "help") == 0)) {
		help_noun(c->out, noun);
		return -1;
	}
	if (c->cmd && !c->cmd->verb && has_verbs(noun) && i < argc && !is_option(argv[i])) {
		c->cmd = NULL;
		return wrong(c, "umbel %s has no \"%s\"; umbel %s --help lists what there is", noun, argv[i], noun);
	}
	if (c->cmd) {
		*at = c->cmd->verb ? i + 1 : i;
		return 0;
	}
	if (!noun_known(noun))
		return wrong(c, "there is no command \"%s\"; umbel help lists all", noun);
	if (i >= argc || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "help") == 0) {
		help_noun(i < argc ? c->out : c->err, noun);
		return i < argc ? -1 : CLI_USAGE;
	}
	return wrong(c, "umbel %s has no \"%s\"; umbel %s --help lists what there is", noun, argv[i], noun);
}

static int take_rest(struct cli *c, int argc, char **argv, int at)
{
	bool only_words = false;
	for (int i = at; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && is_option(argv[i])) {
			bool used;
			int err = take_option(c, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);
			if (err)
				return err;
			i += used;
		} else {
			if (c->n_pos == CLI_POS || c->n_pos == c->cmd->max)
				return wrong(c, "\"%s\" is one word too many", argv[i]);
			c->pos[c->n_pos++] = argv[i];
		}
	}
	return 0;
}

int cli_parse(struct cli *c, int argc, char **argv)
{
	int at = 0;
	int err = take_command(c, argc, argv, &at);
	if (!err)
		err = take_rest(c, argc, argv, at);
	if (err)
		return err;
	if (cli_opt(c, "help")) {
		cli_help(c->out, c->cmd);
		return -1;
	}
	if (c->n_pos < c->cmd->min)
		return wrong(c, "%s is missing", c->cmd->args);
	c->json = cli_opt(c, "json") != NULL;
	c->socket = cli_opt(c, "socket");
	if (!c->socket)
		c->socket = getenv("UMBEL_SOCKET");
	if (!c->socket || !*c->socket)
		c->socket = SOCKET_DEFAULT;
	return 0;
}

const char *cli_opt(const struct cli *c, const char *name)
{
	for (unsigned i = c->n_opt; i > 0; i--)
		if (strcmp(c->opt[i - 1].opt->name, name) == 0)
			return c->opt[i - 1].value;
	return NULL;
}

const char *cli_opt_nth(const struct cli *c, const char *name, unsigned n)
{
	for (unsigned i = 0; i < c->n_opt; i++)
		if (strcmp(c->opt[i].opt->name, name) == 0 && n-- == 0)
			return c->opt[i].value;
	return NULL;
}

int cli_opt_number(struct cli *c, const char *name, uint64_t max, uint64_t otherwise, uint64_t *value)
{
	const char *s = cli_opt(c, name);
	*value = otherwise;
	if (!s || text_u64(text_of(s), max, value) == 0)
		return 0;
	wrong(c, "--%s wants a number of at most %llu, not \"%s\"", name, (unsigned long long)max, s);
	return EINVAL;
}

int cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct cli c = { .out = out, .err = err };
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		fprintf(out, "umbel " UMBEL_VERSION "\n");
		return CLI_GOOD;
	}
	int code = cli_parse(&c, argc, argv);
	if (code)
		return code < 0 ? CLI_GOOD : code;
	return c.cmd->run(&c);
}

/* ---- completion ---- */

static void words_of_noun(FILE *out, const char *noun)
{
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++)
			if (strcmp(x->noun, noun) == 0 && x->verb)
				fprintf(out, " %s", x->verb);
}

static void options_of(FILE *out, const struct cli_cmd *x)
{
	for (const struct cli_opt *o = x->opts; o && o->name; o++)
		fprintf(out, " %s%s", o->name[1] ? "--" : "-", o->name);
	for (const struct cli_opt *o = common; o->name; o++)
		fprintf(out, " --%s", o->name);
}

static bool first_of_noun(const struct cli_cmd *x, unsigned g)
{
	for (unsigned i = 0; i <= g; i++)
		for (const struct cli_cmd *y = cli_groups[i]; y->noun; y++) {
			if (y == x)
				return true;
			if (strcmp(y->noun, x->noun) == 0)
				return false;
		}
	return true;
}

int cli_completion_bash(FILE *out)
{
	fprintf(out, "# bash completion for umbel, printed by: umbel completion bash\n_umbel() {\n"
	             "\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" noun=\"${COMP_WORDS[1]}\" verb=\"${COMP_WORDS[2]}\" words=\"\"\n"
	             "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords=\"help");
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++)
			if (first_of_noun(x, g))
				fprintf(out, " %s", x->noun);
	fprintf(out, "\"\n\telif [ \"$COMP_CWORD\" -eq 2 ] && [[ \"$cur\" != -* ]]; then\n\t\tcase \"$noun\" in\n");
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++)
			if (x->verb && first_of_noun(x, g)) {
				fprintf(out, "\t\t%s) words=\"", x->noun);
				words_of_noun(out, x->noun);
				fprintf(out, "\" ;;\n");
			}
	fprintf(out, "\t\tesac\n\telse\n\t\tcase \"$noun $verb\" in\n");
	for (unsigned g = 0; cli_groups[g]; g++)
		for (const struct cli_cmd *x = cli_groups[g]; x->noun; x++) {
			fprintf(out, "\t\t\"%s %s\"%s) words=\"", x->noun, x->verb ? x->verb : "", x->verb ? "" : "*");
			options_of(out, x);
			fprintf(out, "\" ;;\n");
		}
	fprintf(out, "\t\tesac\n\tfi\n\tif [ -n \"$words\" ] && { [ \"$COMP_CWORD\" -le 2 ] || [[ \"$cur\" == -* ]]; }; then\n"
	             "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n\telse\n\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	             "\tfi\n}\ncomplete -F _umbel umbel\n");
	return CLI_GOOD;
}

int cli_time_ms(struct cli *c, const char *option, const char *s, int64_t *ms)
{
	struct text t = text_of(s);
	uint64_t n, unit = 1000;
	char last = t.n ? t.p[t.n - 1] : '0';
	if (last == 's' || last == 'm' || last == 'h' || last == 'd') {
		unit = last == 's' ? 1000 : last == 'm' ? 60000 : last == 'h' ? 3600000 : 86400000;
		t = text_head(t, t.n - 1);
	}
	if (text_u64(t, 86400, &n) || !n || n * unit > 86400000)
		return cli_error(c, CLI_USAGE, "--%s wants a time of at most 24 h such as 90s, 10m or 2h, not \"%s\"", option, s);
	*ms = (int64_t)(n * unit);
	return CLI_GOOD;
}
