/* SPDX-License-Identifier: Apache-2.0 */
#include "srtp_oracle.h"
#include <errno.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
	srtp_t s;
	uint8_t key[64];
};

static void (*const set[])(srtp_crypto_policy_t *) = {
	NULL,
	srtp_crypto_policy_set_rtp_default, /* AES_CM_128_HMAC_SHA1_80 */
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
	srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
	srtp_crypto_policy_set_aes_gcm_128_16_auth, srtp_crypto_policy_set_aes_gcm_256_16_auth,
};

struct oracle *oracle_new(int suite, const uint8_t *key, bool send)
{
	static bool begun;
	if (!begun && srtp_init() != srtp_err_status_ok)
		return NULL;
	begun = true;
	struct oracle *o = calloc(1, sizeof *o);
	memcpy(o->key, key, 46);
	srtp_policy_t p = { .ssrc = { .type = send ? ssrc_any_outbound : ssrc_any_inbound }, .key = o->key, .window_size = 128 };
	set[suite](&p.rtp);
	set[suite](&p.rtcp);
	p.rtcp.auth_tag_len = p.rtcp.auth_tag_len == 4 ? 10 : p.rtcp.auth_tag_len; /* RFC 3711 5.2: short tags are for RTP alone */
	if (srtp_create(&o->s, &p) == srtp_err_status_ok)
		return o;
	free(o);
	return NULL;
}

void oracle_free(struct oracle *o)
{
	srtp_dealloc(o->s);
	free(o);
}

static int word(srtp_err_status_t st)
{
	switch (st) {
	case srtp_err_status_ok: return 0;
	case srtp_err_status_replay_fail: case srtp_err_status_replay_old: return EALREADY;
	case srtp_err_status_auth_fail: case srtp_err_status_parse_err: return EBADMSG;
	default: return EINVAL;
	}
}

int oracle_seal(struct oracle *o, uint8_t *p, size_t *n, bool rtcp)
{
	int len = (int)*n, err = word(rtcp ? srtp_protect_rtcp(o->s, p, &len) : srtp_protect(o->s, p, &len));
	*n = (size_t)len;
	return err;
}

int oracle_open(struct oracle *o, uint8_t *p, size_t *n, bool rtcp)
{
	int len = (int)*n, err = word(rtcp ? srtp_unprotect_rtcp(o->s, p, &len) : srtp_unprotect(o->s, p, &len));
	*n = (size_t)len;
	return err;
}
