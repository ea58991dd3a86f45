/* SPDX-License-Identifier: Apache-2.0 */
/* ossl.h  What OpenSSL takes of the heap, counted in blocks as large as the buffer of a TLS record. A program counts from its start when it calls any of these. */
#ifndef TESTS_OSSL_H
#define TESTS_OSSL_H

unsigned ossl_large(void);            /* such blocks that it holds now */
unsigned long ossl_large_taken(void); /* and how often it took one */

#endif
