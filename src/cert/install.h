/* SPDX-License-Identifier: Apache-2.0 */
/* install.h  From files that a CA gave back to the identity in use.
 *
 * What is installed by command lies as one file (key and chain together, so that one rename replaces both) in the node's data folder:
 * DATA/tls/NAME.pem, mode 0600. It takes the place of the configured files of that identity as long as it is younger than they are.  */
#ifndef CERT_INSTALL_H
#define CERT_INSTALL_H
#include "base/clock.h"
#include "cert/request.h"
#include "event/bus.h"
#include "trust/identity.h"

/* Where the identity of that name is installed; dst of 512 bytes. Returns dst. */
char *cert_installed_path(const char *data_dir, const char *name, char *dst);
/* Makes a key (DATA/tls/NAME.key, mode 0600) and a request for it (DATA/tls/NAME.csr, whose path goes to csr_file, 512 bytes, and whose text to
 * `csr`, either may be NULL). The key of the request before stays as NAME.key.old: its answer may still be on its way. Worker. */
int cert_request_files(const char *data_dir, const char *name, enum cert_key_kind kind, const struct cert_names *names, enum cert_usage usage,
		       struct buf *csr, char *csr_file, struct ev_report *why);
/* Where the request lies: DATA/tls/NAME.csr. Returns dst (512 bytes). */
char *cert_request_path(const char *data_dir, const char *name, char *dst);
/* Where the answer of a CA is waited for: DATA/tls/NAME.crt. Returns dst (512 bytes). */
char *cert_awaited_path(const char *data_dir, const char *name, char *dst);
/* Loads an identity: the installed one if there is one and it is younger than the configured certificate file, else the configured. To be
 * used wherever identities are loaded. Errors as trust_identity_load(). When an installed one is there and was not used, `why` says so also on
 * success; otherwise it is empty then. Startup or worker. */
int cert_load_identity(struct trust_identity **ip, const struct trust_identity_prm *configured, const char *data_dir, struct ev_report *why);

struct cert_examine_prm {
	const struct trust_set *set;
	const char *fqdn, *service;
	int64_t now_s;
	bool dials;  /* gateways are shown it: it must do as a client certificate */
	bool serves; /* it is the default one: it must do as a server certificate */
};
/* Checks before use: chain against the set's anchors in the roles that it has, dates, usages, our FQDN among the names. What stops it is an
 * error with `why`; what is only questionable goes to `each`. 0, EKEYREJECTED ... EINVAL. Worker. */
int cert_examine(const struct trust_identity *id, const struct cert_examine_prm *prm, struct ev_report *why, trust_warn_h *each, void *arg);
/* Writes the installed file (atomically; one that was there is kept as NAME.pem.old), reads it back, and gives the identity as it will be
 * loaded from now on. Worker. */
int cert_write_installed(struct trust_identity **installed, const char *data_dir, const struct trust_identity *id, const char *name,
			 struct ev_report *why);
/* The installed file is used from the next start on only if it is no older than the configured one; by a clock that was wrong it may be. Worker. */
int cert_outlive(const char *data_dir, const char *name, const char *configured_file);
/* Takes the installed file out again, or puts NAME.pem.old back. Worker. */
int cert_unwrite_installed(const char *data_dir, const char *name);
/* Puts an identity into use under its name: listener and dialler show it on new connections from now on. Event 2431. Loop thread. */
int cert_put_live(struct trust_keeper *keeper, struct trust_identity *id, struct ev_bus *bus);
/* Takes an identity out of use. */
int cert_take_out(struct trust_keeper *keeper, const char *name);

/* Chain and key that a CA's answer consists of: `key_pem` TEXT_NONE means the key that the last request made, or else the one in use, or else that of the request before. A chain in the
 * wrong order is put right, and `each` (may be NULL) told so. What comes back is examined by cert_examine(), written by
 * cert_write_installed(), and put into use by cert_put_live(); swap.h is the whole errand. Worker. */
int cert_from_answer(struct trust_identity **ip, const char *name, struct text chain_pem, struct text key_pem, const char *data_dir,
		     const struct trust_set *set, struct ev_report *why, trust_warn_h *each, void *arg);

#endif
