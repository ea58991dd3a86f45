/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c  Asks the evaluator of trust/profile.h what the conformance run asks the real programs.
 *
 * `umbel-judge ANCHORS` reads lines of five fields with tabs between them, PROFILE SEAT SWITCH REFERENCE FILE, and answers each with one
 * line of JSON. SEAT is server or client; SWITCH on or off: whether the verifier's check is on; REFERENCE "-" for none; FILE the PEM chain
 * as shown, leaf first.                                                                                                    */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/buf.h"
#include "trust/pem.h"
#include "trust/profile.h"

static int certs_of(STACK_OF(X509) **certs, const char *file)
{
	struct buf b;
	buf_init(&b, TRUST_PEM_MAX);
	int err = trust_pem_file(&b, file);
	if (!err)
		err = trust_pem_certs(certs, buf_as_text(&b));
	buf_clear(&b);
	return err;
}

static X509_STORE *anchors_of(const char *file)
{
	STACK_OF(X509) *certs = NULL;
	X509_STORE *store = X509_STORE_new();
	if (!store || certs_of(&certs, file)) {
		X509_STORE_free(store);
		return NULL;
	}
	for (int i = 0; i < sk_X509_num(certs); i++)
		X509_STORE_add_cert(store, sk_X509_value(certs, i));
	sk_X509_pop_free(certs, X509_free);
	return store;
}

static json_t *answer(const struct trust_profile *p, struct trust_question *q, const char *file)
{
	STACK_OF(X509) *certs = NULL;
	int err = certs_of(&certs, file);
	if (err)
		return json_pack("{s:s}", "error", strerror(err));
	q->leaf = sk_X509_shift(certs);
	q->chain = certs;
	struct trust_answer a;
	trust_profile_judge(p, q, &a);
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "kind", trust_answer_kind_name(a.kind), "reason", a.name, "sentence",
			      a.sentence, "confidence", trust_confidence_name(a.confidence), "wanted", a.wanted, "offered", a.offered, "when",
			      (int)a.when, "foresees", a.sees, "remark", a.remark);
	X509_free(q->leaf);
	sk_X509_pop_free(certs, X509_free);
	return j ? j : json_pack("{s:s}", "error", "an answer that is not UTF-8");
}

static json_t *answer_line(char *line, X509_STORE *anchors)
{
	char *field[5] = { NULL };
	for (int i = 0; i < 5; i++)
		field[i] = strsep(&line, "\t");
	if (!field[4])
		return json_pack("{s:s}", "error", "five fields are wanted");
	const struct trust_profile *p = trust_profile_find(field[0]);
	if (!p)
		return json_pack("{s:s}", "error", "no such profile");
	struct trust_question q = { .seat = strcmp(field[1], "client") ? TRUST_SEAT_SERVER_CERT : TRUST_SEAT_CLIENT_CERT, .anchors = anchors,
				    .reference = strcmp(field[3], "-") ? field[3] : NULL, .now_s = (int64_t)time(NULL),
				    .enabled = strcmp(field[2], "off") ? TRUST_SWITCHED_ON : TRUST_SWITCHED_OFF };
	return answer(p, &q, field[4]);
}

int main(int argc, char **argv)
{
	X509_STORE *anchors = argc == 2 ? anchors_of(argv[1]) : NULL;
	if (!anchors) {
		fputs("usage: umbel-judge ANCHORS (a file of PEM certificates)\n", stderr);
		return 2;
	}
	char line[4096];
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		json_t *j = answer_line(line, anchors);
		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(j);
	}
	X509_STORE_free(anchors);
	return 0;
}
