/* SPDX-License-Identifier: Apache-2.0 */
/* ca_private.h  What the files of the private CA share: its certificate and key, read and tried. */
#ifndef CERT_CA_PRIVATE_H
#define CERT_CA_PRIVATE_H
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "event/report.h"

struct ca_pair {
	X509 *cert;
	EVP_PKEY *key;
};
/* Key NULL: the file beside the certificate with the ending .key. ca_pair_free() in any case. */
int ca_pair_read(struct ca_pair *p, const char *cert_file, const char *key_file, struct ev_report *why);
void ca_pair_free(struct ca_pair *p);
/* Sets the event with file and error; returns err. */
int ca_complain(struct ev_report *why, uint16_t event, const char *file, const char *error, int err);
/* Hexadecimal, upper case; dst of CERT_SERIAL_SIZE. */
char *ca_serial_words(const ASN1_INTEGER *serial, char *dst);

#endif
