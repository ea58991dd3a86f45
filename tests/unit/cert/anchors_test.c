/* SPDX-License-Identifier: Apache-2.0 */
#include "cert/anchors.h"
#include <errno.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert_events.h"
#include "support/certs.h"
#include "trust/pem.h"
#include "trust/rule.h"
#include "ut.h"

static unsigned loaded(const char *dir)
{
	struct trust_set *set;
	struct ev_report why = { 0 };
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(cert_anchors_load(set, dir, &why), 0);
	unsigned n = trust_set_anchors(set);
	mem_unref(set);
	return n;
}

static void what_is_trusted_by_command_is_kept(void **state)
{
	(void)state;
	const char *dir = ut_tmpdir();
	char file[512];
	struct tc a, b;
	struct buf pem;
	struct ev_report why = { 0 };
	struct trust_cert *c = mem_alloc(sizeof *c);
	unsigned n = 0;
	tc_root(&a, "A");
	tc_root(&b, "B");
	buf_init(&pem, TRUST_PEM_MAX);
	assert_int_equal(loaded(dir), 0);
	assert_int_equal(cert_anchors_add(dir, TEXT("nonsense"), &n, &why), EBADMSG);
	trust_pem_put_cert(&pem, a.cert);
	assert_int_equal(cert_anchors_add(dir, buf_as_text(&pem), &n, &why), 0);
	trust_pem_put_cert(&pem, b.cert);
	assert_int_equal(cert_anchors_add(dir, buf_as_text(&pem), &n, &why), 0);
	assert_int_equal(n, 2);
	assert_int_equal(loaded(dir), 2); /* the first is not kept twice */
	text_print(file, sizeof file, "%s/configured.pem", dir);
	tc_write_certs(file, &b.cert, 1);
	const char *files[] = { file };
	trust_cert_describe(c, b.cert);
	assert_int_equal(cert_anchors_remove(dir, files, 1, c->sha256, &why), EPERM);
	assert_int_equal(why.id, EV_CERT_ANCHOR_BY_FILE);
	assert_int_equal(loaded(dir), 2);
	trust_cert_describe(c, a.cert);
	assert_int_equal(cert_anchors_remove(dir, files, 1, "0000000000", &why), ENOENT);
	assert_int_equal(cert_anchors_remove(dir, files, 1, c->sha256, &why), 0);
	assert_int_equal(loaded(dir), 1);
	mem_free(c);
	buf_free(&pem);
	tc_free(&a);
	tc_free(&b);
}

static void one_that_is_damaged_is_no_empty_one(void **state)
{
	(void)state;
	const char *dir = ut_tmpdir();
	char path[512];
	struct trust_set *set;
	struct ev_report why = { 0 };
	struct tc a;
	struct buf pem;
	unsigned n;
	tc_root(&a, "A");
	buf_init(&pem, TRUST_PEM_MAX);
	trust_pem_put_cert(&pem, a.cert);
	assert_int_equal(cert_anchors_add(dir, buf_as_text(&pem), &n, &why), 0);
	assert_int_equal(truncate(cert_anchors_path(dir, path), 60), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(cert_anchors_load(set, dir, &why), EBADMSG);
	assert_int_equal(cert_anchors_add(dir, buf_as_text(&pem), &n, &why), EBADMSG); /* nothing is thrown away unasked */
	mem_unref(set);
	buf_free(&pem);
	tc_free(&a);
}

UT_MAIN(UT(what_is_trusted_by_command_is_kept), UT(one_that_is_damaged_is_no_empty_one))
