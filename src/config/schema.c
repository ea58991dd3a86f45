/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c  settings.def as tables, and how the groups hang together. */
#include "config/config_private.h"

#define ROW(type, key, t, member, def, lo, hi, when, help) { key, CFG_##t, offsetof(type, member), def, lo, hi, CFG_##when, help },

static const struct cfg_row node_rows[] = {
#define NODE(...) ROW(struct cfg_node, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row media_rows[] = {
#define MEDIA(...) ROW(struct cfg_node, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row identity_rows[] = {
#define IDENTITY(...) ROW(struct cfg_identity, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row speaker_rows[] = {
#define SPEAKER(...) ROW(struct cfg_speaker, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row admin_rows[] = {
#define ADMIN(...) ROW(struct cfg_node, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row log_rows[] = {
#define LOG(...) ROW(struct cfg_node, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row sip_rows[] = {
#define SIP(...) ROW(struct cfg_node, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row records_rows[] = {
#define RECORDS(...) ROW(struct cfg_node, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row hep_rows[] = {
#define HEP(...) ROW(struct cfg_node, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row other_rows[] = {
#define OTHER(...) ROW(struct cfg_peer_node, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row trust_rows[] = {
#define TRUST(...) ROW(struct cfg, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row gateway_rows[] = {
#define GATEWAY(...) ROW(struct cfg_gateway, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row judges_rows[] = {
#define JUDGES(...) ROW(struct cfg_gateway, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row tls_rows[] = {
#define TLS(...) ROW(struct cfg_gateway, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row login_rows[] = {
#define LOGIN(...) ROW(struct cfg_gateway, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row options_rows[] = {
#define OPTIONS(...) ROW(struct cfg_gateway, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row dialplan_rows[] = {
#define DIALPLAN(...) ROW(struct cfg_dialplan, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row call_rule_rows[] = {
#define CALLRULE(...) ROW(struct cfg_call_rule, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row schedule_rows[] = {
#define SCHEDULE(...) ROW(struct cfg_schedule, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row holiday_rows[] = {
#define HOLIDAY(...) ROW(struct cfg_holiday, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row features_rows[] = {
#define FEATURES(...) ROW(struct cfg_policy, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row texts_rows[] = {
#define TEXTS(...) ROW(struct cfg_policy, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row closed_rows[] = {
#define CLOSED(...) ROW(struct cfg_attendant, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row policy_rows[] = {
#define POLICY(...) ROW(struct cfg_policy, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row attendant_rows[] = {
#define ATTENDANT(...) ROW(struct cfg_attendant, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row department_rows[] = {
#define DEPARTMENT(...) ROW(struct cfg_department, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row mailbox_rows[] = {
#define MAILBOX(...) ROW(struct cfg_mailbox, __VA_ARGS__)
#include "config/settings.def"
};
static const struct cfg_row answer_rule_rows[] = {
#define ANSWERRULE(...) ROW(struct cfg_answer_rule, __VA_ARGS__)
#include "config/settings.def"
};

#define ROWS(r) r, sizeof r / sizeof r[0]
#define SUBS(s) s, sizeof s / sizeof s[0]

static const struct cfg_object media = { "node.media", "Sound", 0, ROWS(media_rows), NULL, 0 };
static const struct cfg_object identity = { "node.identities", "Certificates that this node can show", sizeof(struct cfg_identity), ROWS(identity_rows), NULL, 0 };
static const struct cfg_object speaker = { "node.speakers", "Who speaks names and the words of this configuration, by language", sizeof(struct cfg_speaker), ROWS(speaker_rows), NULL, 0 };
static const struct cfg_object admin = { "node.admin", "Administration", 0, ROWS(admin_rows), NULL, 0 };
static const struct cfg_object logging = { "node.log", "Where events go and how much is said", 0, ROWS(log_rows), NULL, 0 };
static const struct cfg_object sip = { "node.sip", "Timers and limits of SIP", 0, ROWS(sip_rows), NULL, 0 };
static const struct cfg_object records = { "node.call_records", "Records of calls that are over", 0, ROWS(records_rows), NULL, 0 };
static const struct cfg_object hep = { "node.trace.hep", "A Homer collector", 0, ROWS(hep_rows), NULL, 0 };
static const struct cfg_sub trace_subs[] = { { "hep", &hep, false, 0, 0, CFG_RESTART } };
static const struct cfg_object trace = { "node.trace", "Who is told what is said", 0, NULL, 0, SUBS(trace_subs) };
static const struct cfg_sub node_subs[] = {
	{ "media", &media, false, 0, 0, CFG_RESTART },
	{ "identities", &identity, true, offsetof(struct cfg_node, identities), offsetof(struct cfg_node, n_identities), CFG_LIVE },
	{ "speakers", &speaker, true, offsetof(struct cfg_node, speakers), offsetof(struct cfg_node, n_speakers), CFG_LIVE },
	{ "admin", &admin, false, 0, 0, CFG_RESTART },
	{ "log", &logging, false, 0, 0, CFG_RESTART },
	{ "sip", &sip, false, 0, 0, CFG_RESTART },
	{ "call_records", &records, false, 0, 0, CFG_LIVE },
	{ "trace", &trace, false, 0, 0, CFG_RESTART },
};
static const struct cfg_object node = { "node", "This node's own part: it differs from node to node", 0, ROWS(node_rows), SUBS(node_subs) };
static const struct cfg_object trust = { "trust", "Whom we believe", 0, ROWS(trust_rows), NULL, 0 };

static const struct cfg_object other = { "nodes", "The nodes of the service where each has a store of its own", sizeof(struct cfg_peer_node), ROWS(other_rows), NULL, 0 };
static const struct cfg_object judges = { "gateways.judges_us", "How the gateway judges the certificate that we show it", 0, ROWS(judges_rows), NULL, 0 };
static const struct cfg_object tls = { "gateways.tls", "TLS towards and from this gateway", 0, ROWS(tls_rows), NULL, 0 };
static const struct cfg_object login = { "gateways.login", "A password that the gateway and this server know", 0, ROWS(login_rows), NULL, 0 };
static const struct cfg_object options = { "gateways.options", "Watching the gateway by OPTIONS", 0, ROWS(options_rows), NULL, 0 };
static const struct cfg_sub gateway_subs[] = {
	{ "judges_us", &judges, false, 0, 0, CFG_LIVE },
	{ "tls", &tls, false, 0, 0, CFG_LIVE },
	{ "login", &login, false, 0, 0, CFG_LIVE },
	{ "options", &options, false, 0, 0, CFG_LIVE },
};
static const struct cfg_object gateway = { "gateways", "Peers: pools, proxies and PBXs that send us calls and get ours", sizeof(struct cfg_gateway),
	ROWS(gateway_rows), SUBS(gateway_subs) };
static const struct cfg_object call_rule = { "dialplans.rules", "Groups of outside numbers that may be allowed", sizeof(struct cfg_call_rule),
	ROWS(call_rule_rows), NULL, 0 };
static const struct cfg_sub dialplan_subs[] = {
	{ "rules", &call_rule, true, offsetof(struct cfg_dialplan, rules), offsetof(struct cfg_dialplan, n_rules), CFG_LIVE },
};
static const struct cfg_object dialplan = { "dialplans", "Numbers", sizeof(struct cfg_dialplan), ROWS(dialplan_rows), SUBS(dialplan_subs) };
static const struct cfg_object holiday = { "schedules.holidays", "Days on which the house is closed whatever the hours say", sizeof(struct cfg_holiday),
	ROWS(holiday_rows), NULL, 0 };
static const struct cfg_sub schedule_subs[] = {
	{ "holidays", &holiday, true, offsetof(struct cfg_schedule, holidays), offsetof(struct cfg_schedule, n_holidays), CFG_LIVE },
};
static const struct cfg_object schedule = { "schedules", "When a house is open, and its holidays", sizeof(struct cfg_schedule), ROWS(schedule_rows),
	SUBS(schedule_subs) };
static const struct cfg_object features = { "policies.features", "What the owners of the mailboxes may use", 0, ROWS(features_rows), NULL, 0 };
static const struct cfg_object texts = { "policies.texts", "What the letters to owners say besides extension, access number and PIN", 0, ROWS(texts_rows), NULL, 0 };
static const struct cfg_sub policy_subs[] = { { "features", &features, false, 0, 0, CFG_LIVE }, { "texts", &texts, false, 0, 0, CFG_LIVE } };
static const struct cfg_object policy = { "policies", "Rules and limits for mailboxes", sizeof(struct cfg_policy), ROWS(policy_rows), SUBS(policy_subs) };
static const struct cfg_object closed = { "attendants.closed", "What is otherwise while its schedule says closed", 0, ROWS(closed_rows), NULL, 0 };
static const struct cfg_object department = { "attendants.departments", "Departments that callers name otherwise, or that lead elsewhere than to their people",
	sizeof(struct cfg_department), ROWS(department_rows), NULL, 0 };
static const struct cfg_sub attendant_subs[] = {
	{ "closed", &closed, false, 0, 0, CFG_LIVE },
	{ "departments", &department, true, offsetof(struct cfg_attendant, departments), offsetof(struct cfg_attendant, n_departments), CFG_LIVE },
};
static const struct cfg_object attendant = { "attendants", "Auto attendants", sizeof(struct cfg_attendant), ROWS(attendant_rows), SUBS(attendant_subs) };
static const struct cfg_object answer_rule = { "mailboxes.rules", "Who is answered how: the first rule whose conditions all hold applies",
	sizeof(struct cfg_answer_rule), ROWS(answer_rule_rows), NULL, 0 };
static const struct cfg_sub mailbox_subs[] = {
	{ "rules", &answer_rule, true, offsetof(struct cfg_mailbox, rules), offsetof(struct cfg_mailbox, n_rules), CFG_LIVE },
};
static const struct cfg_object mailbox = { "mailboxes", "People and places with a mailbox; PINs, greetings and counters are never in this file",
	sizeof(struct cfg_mailbox), ROWS(mailbox_rows), SUBS(mailbox_subs) };
#define LIST(name, object) { #name, &object, true, offsetof(struct cfg, name), offsetof(struct cfg, n_##name), CFG_LIVE }
static const struct cfg_sub root_subs[] = {
	{ "node", &node, false, offsetof(struct cfg, node), 0, CFG_RESTART },
	{ "trust", &trust, false, 0, 0, CFG_LIVE },
	LIST(nodes, other), LIST(gateways, gateway), LIST(dialplans, dialplan), LIST(schedules, schedule), LIST(policies, policy), LIST(attendants, attendant), LIST(mailboxes, mailbox),
};
const struct cfg_object cfg_root = { "", "", 0, NULL, 0, SUBS(root_subs) };

/* ---- words ---- */

static const struct cfg_word transports[] = { { "udp", CFG_UDP }, { "tcp", CFG_TCP }, { "tls", CFG_TLS }, { "auto", CFG_TRANSPORT_AUTO } };
static const struct cfg_word rules[] = { { "san-or-cn", CFG_RULE_SAN_OR_CN }, { "rfc5922", CFG_RULE_RFC5922 }, { "cn-only", CFG_RULE_CN_ONLY } };
static const struct cfg_word profiles[] = {
#define PROFILE(id, name) { name, CFG_PROFILE_##id },
#include "config/profiles.def"
#undef PROFILE
};
static const struct cfg_word versions[] = { { "1.0", CFG_TLS_1_0 }, { "1.1", CFG_TLS_1_1 }, { "1.2", CFG_TLS_1_2 }, { "1.3", CFG_TLS_1_3 } };
static const struct cfg_word legacies[] = { { "off", CFG_LEGACY_OFF }, { "cbc", CFG_LEGACY_CBC }, { "tls10", CFG_LEGACY_TLS10 } };
static const struct cfg_word aways[] = { { "serve", CFG_AWAY_SERVE }, { "avoid", CFG_AWAY_AVOID }, { "refuse", CFG_AWAY_REFUSE } };
static const struct cfg_word reuses[] = { { "alias", CFG_REUSE_ALIAS }, { "any", CFG_REUSE_ANY }, { "never", CFG_REUSE_NEVER } };
static const struct cfg_word transfers_by[] = { { "auto", CFG_TRANSFER_AUTO }, { "refer", CFG_TRANSFER_REFER }, { "bridge", CFG_TRANSFER_BRIDGE } };
static const struct cfg_word autos[] = { { "auto", CFG_AUTO }, { "on", CFG_ON }, { "off", CFG_OFF } };
static const struct cfg_word orders[] = { { "last-first", CFG_LAST_FIRST }, { "first-last", CFG_FIRST_LAST }, { "alias", CFG_BY_ALIAS } };
static const struct cfg_word kinds[] = { { "extension", CFG_KIND_EXTENSION }, { "e164", CFG_KIND_E164 }, { "sip", CFG_KIND_SIP } };
static const struct cfg_word securities[] = { { "off", CFG_SECURITY_OFF }, { "sip", CFG_SECURITY_SIP }, { "sip-and-media", CFG_SECURITY_MEDIA } };
static const struct cfg_word srtps[] = { { "auto", CFG_SRTP_AUTO }, { "off", CFG_SRTP_OFF }, { "optional", CFG_SRTP_OPTIONAL }, { "required", CFG_SRTP_REQUIRED } };
static const struct cfg_word offers[] = { { "extension", CFG_OFFER_EXTENSION }, { "department", CFG_OFFER_DEPARTMENT }, { "title", CFG_OFFER_TITLE },
	{ "nothing", CFG_OFFER_NOTHING } };
static const struct cfg_word revocations[] = { { "leaf", CFG_REVOCATION_LEAF }, { "full", CFG_REVOCATION_FULL }, { "off", CFG_REVOCATION_OFF } };
static const struct cfg_word staples[] = { { "ask", CFG_STAPLE_ASK }, { "require", CFG_STAPLE_REQUIRE }, { "off", CFG_STAPLE_OFF } };
static const struct cfg_word actions[] = { { "extension", CFG_ACT_EXTENSION }, { "attendant", CFG_ACT_ATTENDANT }, { "mailbox", CFG_ACT_MAILBOX },
	{ "operator", CFG_ACT_OPERATOR }, { "dial-by-name", CFG_ACT_DIAL_BY_NAME }, { "log-on", CFG_ACT_SUBSCRIBER }, { "repeat", CFG_ACT_REPEAT },
	{ "hang-up", CFG_ACT_HANGUP }, { "hours", CFG_ACT_HOURS }, { "location", CFG_ACT_LOCATION }, { "language", CFG_ACT_LANGUAGE } };
static const struct cfg_word answers[] = { { "message", CFG_ANSWER_MESSAGE }, { "find-me", CFG_ANSWER_FIND_ME }, { "transfer", CFG_ANSWER_TRANSFER },
	{ "menu", CFG_ANSWER_MENU }, { "hang-up", CFG_ANSWER_HANGUP } };
static const struct cfg_word answer_keys[] = { { "find-me", CFG_ACT_FIND_ME }, { "transfer", CFG_ACT_TRANSFER }, { "message", CFG_ACT_MESSAGE },
	{ "operator", CFG_ACT_OPERATOR }, { "hang-up", CFG_ACT_HANGUP } };

static const struct cfg_word audio_forms[] = { { "wav_g711", CFG_AUDIO_G711 }, { "wav_pcm", CFG_AUDIO_PCM }, { "opus", CFG_AUDIO_OPUS }, { "mp3", CFG_AUDIO_MP3 } };

const struct cfg_word *cfg_words(enum cfg_type t, size_t *n)
{
	switch (t) {
	case CFG_TRANSPORT:
		return *n = sizeof transports / sizeof transports[0], transports;
	case CFG_RULE:
		return *n = sizeof rules / sizeof rules[0], rules;
	case CFG_PROFILE:
		return *n = sizeof profiles / sizeof profiles[0], profiles;
	case CFG_TLSVERSION:
		return *n = sizeof versions / sizeof versions[0], versions;
	case CFG_LEGACY:
		return *n = sizeof legacies / sizeof legacies[0], legacies;
	case CFG_STOREAWAY:
		return *n = sizeof aways / sizeof aways[0], aways;
	case CFG_REUSE:
		return *n = sizeof reuses / sizeof reuses[0], reuses;
	case CFG_TRANSFERBY:
		return *n = sizeof transfers_by / sizeof transfers_by[0], transfers_by;
	case CFG_NAMEORDER:
		return *n = sizeof orders / sizeof orders[0], orders;
	case CFG_REVOCATION:
		return *n = sizeof revocations / sizeof revocations[0], revocations;
	case CFG_STAPLE:
		return *n = sizeof staples / sizeof staples[0], staples;
	case CFG_URIKIND:
		return *n = sizeof kinds / sizeof kinds[0], kinds;
	case CFG_SECURITY:
		return *n = sizeof securities / sizeof securities[0], securities;
	case CFG_SRTP:
		return *n = sizeof srtps / sizeof srtps[0], srtps;
	case CFG_OFFERBY:
		return *n = sizeof offers / sizeof offers[0], offers;
	case CFG_AUTOONOFF:
		return *n = sizeof autos / sizeof autos[0], autos;
	case CFG_KEYS:
		return *n = sizeof actions / sizeof actions[0], actions;
	case CFG_ANSWER:
		return *n = sizeof answers / sizeof answers[0], answers;
	case CFG_AUDIOFORM:
		return *n = sizeof audio_forms / sizeof audio_forms[0], audio_forms;
	case CFG_ANSWERKEYS:
		return *n = sizeof answer_keys / sizeof answer_keys[0], answer_keys;
	default:
		return *n = 0, NULL;
	}
}

const char *cfg_word_of(enum cfg_type t, int value)
{
	size_t n;
	const struct cfg_word *w = cfg_words(t, &n);
	for (size_t i = 0; i < n; i++)
		if (w[i].value == value)
			return w[i].word;
	return "?";
}

bool cfg_is_list(enum cfg_type t)
{
	return t >= CFG_LISTEN;
}

enum cfg_type cfg_element(enum cfg_type list)
{
	switch (list) {
	case CFG_NAMES:
		return CFG_NAME;
	case CFG_HOSTS:
		return CFG_HOST;
	case CFG_PATHS:
		return CFG_PATH;
	case CFG_NUMBERS:
		return CFG_NUMBER;
	case CFG_TARGETS:
		return CFG_TARGET;
	case CFG_URIS:
		return CFG_URI;
	case CFG_ADDRESSES:
		return CFG_ADDRESS;
	case CFG_SOUNDS:
		return CFG_SOUND;
	case CFG_CODECS:
		return CFG_CODEC;
	default:
		return CFG_TEXT;
	}
}

const char *cfg_transport_name(enum cfg_transport t)
{
	return cfg_word_of(CFG_TRANSPORT, (int)t);
}

const char *cfg_rule_name(enum cfg_rule r)
{
	return cfg_word_of(CFG_RULE, (int)r);
}

const char *cfg_profile_name(enum cfg_profile p)
{
	return cfg_word_of(CFG_PROFILE, (int)p);
}

const char *cfg_reuse_name(enum cfg_reuse r)
{
	return cfg_word_of(CFG_REUSE, (int)r);
}

const char *cfg_transfer_by_name(enum cfg_transfer_by t)
{
	return cfg_word_of(CFG_TRANSFERBY, (int)t);
}

const char *cfg_legacy_name(enum cfg_legacy l)
{
	return cfg_word_of(CFG_LEGACY, (int)l);
}

const char *cfg_tls_version_name(enum cfg_tls_version v)
{
	return cfg_word_of(CFG_TLSVERSION, (int)v);
}

const char *cfg_action_name(enum cfg_action a)
{
	return cfg_word_of(CFG_KEYS, (int)a);
}

const char *cfg_answer_name(enum cfg_answer a)
{
	return cfg_word_of(CFG_ANSWER, (int)a);
}

const char *cfg_answer_key_name(enum cfg_action a)
{
	return cfg_word_of(CFG_ANSWERKEYS, (int)a);
}
