/* SPDX-License-Identifier: Apache-2.0 */
/* anchors.h  Authorities that were trusted by command: they lie in DATA/tls/anchors.pem, besides those that the configuration names (trust.ca), and
 * are read at every start and reload. What a file of the configuration trusts is taken out there and nowhere else. Worker or start-up. */
#ifndef CERT_ANCHORS_H
#define CERT_ANCHORS_H
#include "event/report.h"
#include "trust/identity.h"

/* DATA/tls/anchors.pem. Returns dst (512 bytes). */
char *cert_anchors_path(const char *data_dir, char *dst);
/* Puts them into a set that is being built: 0, also when there are none. */
int cert_anchors_load(struct trust_set *set, const char *data_dir, struct ev_report *why);
/* Keeps the certificates of the text; those kept before are not kept twice. `n`: how many the text holds. EBADMSG, EACCES ... */
int cert_anchors_add(const char *data_dir, struct text pem, unsigned *n, struct ev_report *why);
/* Keeps the one whose fingerprint begins so no more. 0; ENOENT: none was added by command; EPERM: the configuration trusts it, `why` names the
 * file; ENOTUNIQ: several begin so. */
int cert_anchors_remove(const char *data_dir, const char *const *ca_files, unsigned n_files, const char *sha256, struct ev_report *why);

#endif
