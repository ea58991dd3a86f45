/* SPDX-License-Identifier: Apache-2.0 */
/* files.c  Files that commands read and write. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "cert/order.h"
#include "cli/cli_private.h"
#include "trust/pem.h"

enum { AT_ONCE = 65536 };

int cli_read_file(struct cli *c, const char *path, size_t max, struct buf *b)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cli_error(c, CLI_NO, "%s cannot be read: %s", path, strerror(errno));
	buf_init(b, max);
	for (;;) {
		uint8_t *p = buf_reserve(b, AT_ONCE);
		ssize_t n = p ? read(fd, p, AT_ONCE) : -1;
		if (n <= 0) {
			int err = p ? errno : EFBIG;
			close(fd);
			if (n == 0)
				return CLI_GOOD;
			buf_free(b);
			return cli_error(c, CLI_NO, "%s cannot be read: %s", path, strerror(err));
		}
		buf_grew(b, (size_t)n);
	}
}

int cli_write_file(struct cli *c, const char *path, const void *data, size_t n, unsigned mode)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	const uint8_t *p = data;
	while (fd >= 0 && n) {
		ssize_t put = write(fd, p, n);
		if (put < 0 && errno != EINTR)
			break;
		p += put > 0 ? put : 0;
		n -= put > 0 ? (size_t)put : 0;
	}
	int err = fd < 0 || n ? errno : 0;
	if (fd >= 0 && close(fd) != 0 && !err)
		err = errno;
	return err ? cli_error(c, CLI_NO, "%s cannot be written: %s", path, strerror(err)) : CLI_GOOD;
}

void cli_arg_opt(struct cli *c, json_t *args, const char *opt, const char *key)
{
	const char *v = cli_opt(c, opt);
	if (v)
		json_object_set_new(args, key, json_string(v));
}

void cli_arg_path(struct cli *c, json_t *args, const char *opt, const char *key)
{
	const char *v = cli_opt(c, opt);
	char here[4096], path[8192];
	if (!v)
		return;
	if (*v == '/' || !*v || !getcwd(here, sizeof here))
		text_fill(path, sizeof path, v);
	else
		text_print(path, sizeof path, "%s/%s", here, v);
	json_object_set_new(args, key, json_string(path));
}

/* A PFX begins as SEQUENCE { INTEGER 3 ... (RFC 7292 4). */
static bool is_pkcs12(const struct buf *b)
{
	const uint8_t *p = b->p;
	size_t at = b->n > 8 && p[0] == 0x30 ? (p[1] & 0x80 ? 2 + (size_t)(p[1] & 0x7f) : 2) : 0;
	return at && at + 3 <= b->n && p[at] == 2 && p[at + 1] == 1 && p[at + 2] == 3;
}

int cli_no_certificate(struct cli *c, const char *path, const struct buf *b)
{
	if (is_pkcs12(b))
		return cli_error(c, CLI_NO, "%s is PKCS#12 (.pfx, .p12), which holds a key behind a passphrase; take it apart first:\n  openssl pkcs12 -in %s -nodes -out both.pem\n"
		                 "  umbel cert install both.pem", path, path);
	return cli_error(c, CLI_NO, "%s holds no certificate: neither PEM, nor DER, nor PKCS#7 (.p7b)", path);
}

bool cli_server_there(struct cli *c)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool there = fd >= 0 && text_print(sun.sun_path, sizeof sun.sun_path, "%s", c->socket) == 0 &&
	             connect(fd, (const struct sockaddr *)&sun, sizeof sun) == 0;
	if (fd >= 0)
		close(fd);
	return there;
}

int cli_read_certs(struct cli *c, const char *path, struct buf *pem)
{
	struct buf b;
	STACK_OF(X509) *all = NULL;
	int err = 0, code = cli_read_file(c, path, TRUST_PEM_MAX, &b);
	if (code)
		return code;
	(void)cert_answer_to_pem(&b); /* what is no certificate in any form is told below */
	buf_init(pem, 2 * TRUST_PEM_MAX);
	if (trust_pem_certs(&all, buf_as_text(&b)) != 0)
		code = cli_no_certificate(c, path, &b);
	for (int i = 0; !code && !err && i < sk_X509_num(all); i++)
		err = trust_pem_put_cert(pem, sk_X509_value(all, i));
	if (err)
		code = cli_error(c, CLI_NO, "%s cannot be read: %s", path, strerror(err));
	if (code)
		buf_free(pem);
	sk_X509_pop_free(all, X509_free);
	buf_free(&b);
	return code;
}
