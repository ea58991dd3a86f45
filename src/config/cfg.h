/* SPDX-License-Identifier: Apache-2.0 */
/* cfg.h  The configuration as one immutable value, read from YAML.
 *
 * cfg_load() reads a whole file, collects every error with its place and its cure, and gives a `struct cfg` only when there is
 * none. The value is counted (cfg_ref, cfg_unref) and never changes: a reload makes a new one and cfg_diff() tells what is
 * different. All texts and arrays belong to the value. A text that was not given is "" (never NULL), an array has its length
 * beside it. Times are milliseconds, whatever unit the key in the file has. Keys, units, defaults and help stand in
 * settings.def, from which the man page comes too. PINs, greetings and counters are never in the file. Any thread.        */
#ifndef CONFIG_CFG_H
#define CONFIG_CFG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/text.h"

struct zone;

enum { CFG_NODES_MAX = 32, CFG_NAME_SIZE = 64, CFG_FILE_MAX_BYTES = 4 << 20, CFG_DEPTH_MAX = 16, CFG_ERRORS_MAX = 200 };

/* 1-based; 0,0 where a value is a default and stands nowhere. */
struct cfg_pos {
	uint32_t line, column;
};

enum cfg_transport { CFG_UDP, CFG_TCP, CFG_TLS, CFG_TRANSPORT_AUTO /* of a gateway: as DNS says */ };
enum cfg_rule { CFG_RULE_SAN_OR_CN, CFG_RULE_RFC5922, CFG_RULE_CN_ONLY };
/* How a gateway judges the certificate that we show. */
enum cfg_profile {
#define PROFILE(id, name) CFG_PROFILE_##id,
#include "config/profiles.def"
#undef PROFILE
	CFG_PROFILES
};
enum cfg_tls_version { CFG_TLS_1_0 = 0x0301, CFG_TLS_1_1 = 0x0302, CFG_TLS_1_2 = 0x0303, CFG_TLS_1_3 = 0x0304 };
enum cfg_revocation { CFG_REVOCATION_LEAF, CFG_REVOCATION_FULL, CFG_REVOCATION_OFF };
enum cfg_staple { CFG_STAPLE_ASK, CFG_STAPLE_REQUIRE, CFG_STAPLE_OFF };
enum cfg_legacy { CFG_LEGACY_OFF, CFG_LEGACY_CBC, CFG_LEGACY_TLS10 };
/* May our own requests travel on a connection that the peer opened? */
/* A node that is cut off from its store. */
enum cfg_store_away {
	CFG_AWAY_SERVE,  /* serves on by its own disk */
	CFG_AWAY_AVOID,  /* ... and tells pools by OPTIONS to choose another node */
	CFG_AWAY_REFUSE, /* takes no new calls */
};
enum cfg_reuse {
	CFG_REUSE_ALIAS, /* only when its Via says alias (RFC 5923) */
	CFG_REUSE_ANY,
	CFG_REUSE_NEVER,
};
enum cfg_auto { CFG_AUTO, CFG_ON, CFG_OFF };
/* How recordings lie in the store. */
enum cfg_audio_form { CFG_AUDIO_G711, CFG_AUDIO_PCM, CFG_AUDIO_OPUS, CFG_AUDIO_MP3 };
/* How a caller of the gateway is put through. */
enum cfg_transfer_by {
	CFG_TRANSFER_AUTO,   /* REFER; bridged where the gateway refuses that */
	CFG_TRANSFER_REFER,
	CFG_TRANSFER_BRIDGE, /* by a call of ours, joined with his */
};
enum cfg_action { CFG_ACT_EXTENSION, CFG_ACT_ATTENDANT, CFG_ACT_MAILBOX, CFG_ACT_OPERATOR, CFG_ACT_DIAL_BY_NAME, CFG_ACT_SUBSCRIBER,
	CFG_ACT_REPEAT, CFG_ACT_HANGUP, CFG_ACT_HOURS, CFG_ACT_LOCATION, CFG_ACT_LANGUAGE,
	CFG_ACT_FIND_ME, CFG_ACT_TRANSFER, CFG_ACT_MESSAGE }; /* the last three: of answering rules alone */
enum cfg_answer { CFG_ANSWER_MESSAGE, CFG_ANSWER_FIND_ME, CFG_ANSWER_TRANSFER, CFG_ANSWER_MENU, CFG_ANSWER_HANGUP };
enum cfg_name_order { CFG_LAST_FIRST, CFG_FIRST_LAST, CFG_BY_ALIAS };
enum cfg_offer_by { CFG_OFFER_EXTENSION, CFG_OFFER_DEPARTMENT, CFG_OFFER_TITLE, CFG_OFFER_NOTHING };
enum cfg_uri_kind { CFG_KIND_EXTENSION, CFG_KIND_E164, CFG_KIND_SIP };
enum cfg_security { CFG_SECURITY_OFF, CFG_SECURITY_SIP, CFG_SECURITY_MEDIA };
enum cfg_srtp { CFG_SRTP_AUTO, CFG_SRTP_OFF, CFG_SRTP_OPTIONAL, CFG_SRTP_REQUIRED };

struct cfg_strings {
	const char *const *v;
	size_t n;
};

struct cfg_listen {
	struct cfg_pos pos;
	enum cfg_transport transport;
	const char *address; /* an IP address; never a name */
	uint16_t port;
};

struct cfg_identity {
	struct cfg_pos pos;
	const char *name;
	const char *cert, *key, *chain; /* PEM files; chain "" when cert holds it all */
	const char *ocsp; /* DER file; "" none */
};

/* Who speaks a language; the first members are those of every list's. */
struct cfg_speaker {
	struct cfg_pos pos;
	const char *language; /* "de-AT", "de" */
	const char *voice;    /* "flite", or one of espeak-ng's */
};

struct cfg_media {
	const char *address; /* "" = the address the signalling uses */
	uint16_t port_min, port_max;
	uint32_t threads; /* 0 = one a core */
	uint64_t rtp_timeout_ms;
};

struct cfg_sip {
	uint64_t t1_ms, t2_ms, t4_ms;
	uint64_t invite_timeout_ms; /* our own INVITEs: no final answer */
	uint64_t transfer_timeout_ms; /* no final NOTIFY after REFER */
	uint64_t handshake_timeout_ms, message_timeout_ms, connect_timeout_ms, idle_ms;
	uint32_t reserved_calls; /* of max_calls: for owners of mailboxes */
	bool busy_when_full;
	uint32_t max_calls, max_calls_per_source, max_connections, max_connections_per_source, max_connections_per_gateway;
	uint32_t max_handshakes, max_handshakes_per_s, max_messages_per_s, max_strangers_per_s, max_calls_per_s;
	uint32_t retry_after_s;
	uint32_t session_timer_s; /* 0: none asked for */
};

struct cfg_level {
	struct cfg_pos pos;
	const char *category, *level;
};

/* A Homer collector. */
struct cfg_hep {
	const char *host; /* "" none */
	uint16_t port;
	uint32_t id;
	const char *key;
	bool redact;
};

struct cfg_node {
	struct cfg_pos pos;
	const char *name, *fqdn, *service;
	const struct cfg_listen *listen;
	size_t n_listen;
	struct cfg_media media;
	const struct cfg_identity *identities;
	size_t n_identities;
	const char *identity; /* the one shown where nothing else says so; "" = the first */
	const char *store; /* "sqlite:PATH" or "postgresql://..." */
	const char *store_ca, *store_certificate, *store_key; /* files for PostgreSQL over TLS; "" none */
	uint32_t store_connections;
	const char *admin_socket, *admin_http; /* http: "ADDRESS:PORT" or "" for none */
	const char *admin_crl; /* "ADDRESS:PORT" where revocation lists alone are served; "" with the others */
	const char *admin_group; /* who may use the socket besides its owner; "" nobody */
	const char *data, *voice; /* data: spool and private state; voice: folder of prompt sets */
	const char *voice_set;
	const struct cfg_speaker *speakers;
	size_t n_speakers;
	const char *user; /* run as; "" = stay */
	const char *renew_command; /* run when a certificate nears its end; "" none */
	uint32_t renew_before_days;
	const char *log_json; /* JSON lines file; "" none */
	bool log_journal;
	const struct cfg_level *levels;
	size_t n_levels;
	struct cfg_strings dns; /* server addresses with optional :port; none = resolv.conf */
	struct cfg_sip sip;
	struct cfg_hep hep;
	uint64_t receipt_ms; /* how long a receipt waits for the store before the local spool counts */
	uint64_t drain_ms;
	enum cfg_store_away store_away;
	uint32_t keep_records_days;
};

/* A node of the service that has a store of its own; this one may be among them. */
struct cfg_peer_node {
	struct cfg_pos pos;
	const char *name, *fqdn;
	const char *address; /* where it is dialled; the fqdn if none was given */
	uint16_t port;
};

struct cfg_judges_us {
	enum cfg_profile profile;
	struct cfg_strings known_names; /* names by which the gateway knows this organisation's nodes */
};

struct cfg_tls {
	enum cfg_tls_version min, max;
	enum cfg_legacy legacy;
};

struct cfg_options {
	bool on;
	uint64_t interval_ms, timeout_ms;
	uint32_t misses, answers; /* in a row, to go down and to come up */
};

/* A password that both sides know. */
struct cfg_login {
	const char *user, *password, *realm; /* user "": none */
	bool demanded, md5_only;
};

struct cfg_gateway {
	struct cfg_pos pos;
	const char *name;
	const char *address; /* FQDN or IP; its members come from DNS */
	uint16_t port; /* 0 = SRV, else the transport's default */
	enum cfg_transport transport;
	const char *identity; /* ours, shown to it; "" = the node's */
	const char *sni; /* "" = address when that is a name */
	enum cfg_rule rule;
	struct cfg_strings accept_names; /* empty with TLS means nobody; the default is the address when that is a name */
	struct cfg_strings sources; /* plain transports: addresses or CIDR it calls from; default: what its address resolves to */
	struct cfg_judges_us judges_us;
	struct cfg_tls tls;
	struct cfg_login login;
	enum cfg_reuse reuse;
	enum cfg_transfer_by transfer;
	enum cfg_auto inband_dtmf;
	bool symmetric_rtp, comfort_noise;
	enum cfg_srtp srtp; /* auto: as the security of the dial plan says */
	bool trusted_headers; /* believe P-Asserted-Identity, Diversion, History-Info */
	bool asserted_identity; /* and tell it the same of ours */
	struct cfg_strings codecs; /* "pcmu" ...; none: the default */
	struct cfg_options options;
	bool lamp; /* may get NOTIFY message-summary */
	uint32_t subscriptions; /* ... and at most so many by SUBSCRIBE; 0: none */
	bool calls_in;
	bool redirect; /* its calls are sent to another node while this one takes none */
	uint32_t max_calls; /* 0: the node's max_calls_per_source */
	const char *transfer_test; /* number or sip URI tried by `umbel check --live` */
};

struct cfg_dialplan {
	struct cfg_pos pos;
	const char *name;
	const char *gateway; /* where transfers to its extensions and its lamps go */
	const char *domain; /* host part of URIs made from extensions; "" = the gateway's address */
	uint32_t extension_digits; /* 0 = any */
	struct cfg_strings access_numbers; /* numbers or URIs of subscriber access */
	const char *operator_number; /* extension or mailbox name */
	const char *language;
	enum cfg_name_order name_order;
	enum cfg_offer_by offer_by;
	enum cfg_uri_kind kind;
	enum cfg_security security;
	uint64_t max_call_ms, max_recording_ms, silence_ms; /* the last two: bounds for what policies say */
	uint32_t input_failures; /* of attendants that do not say */
	const char *outside_line, *international_prefix, *national_prefix, *country_code; /* digits; "" none */
	const struct cfg_call_rule *rules;
	size_t n_rules;
};

/* Outside numbers; rules of one name are one group. See directory/rules.h for what patterns mean. */
struct cfg_call_rule {
	struct cfg_pos pos;
	const char *name; /* of the group */
	const char *pattern, *dial; /* dial "": as typed */
	const char *comment;
};

/* ---- when a house is open ---- */
enum { CFG_DAY_MIN = 1440 };
struct cfg_period {
	struct cfg_pos pos;
	uint16_t day; /* it begins on: 0 Monday to 6 Sunday */
	uint16_t from_min, to_min; /* since that day's midnight; to_min is not in it, and up to 2 * CFG_DAY_MIN: over midnight */
};

struct cfg_date {
	int16_t year; /* 0: every year */
	int16_t month, day; /* month 0: not given */
	int16_t minute; /* of the day; -1: not given */
};

struct cfg_holiday {
	struct cfg_pos pos;
	const char *name; /* may stand several times */
	struct cfg_date from, to; /* to: inclusive without a time; not given: from's day */
	const char *greeting, *greeting_prompt;
};

/* A holiday of a calendar, in minutes since 1970-01-01 00:00 on the clock of the schedule's zone. */
struct cfg_calendar_day {
	int64_t from_min, to_min; /* to_min is not in it */
	const char *name;
};

struct cfg_schedule {
	struct cfg_pos pos;
	const char *name;
	const char *time_zone; /* IANA */
	struct zone *zone; /* of that name; belongs to the configuration */
	const struct cfg_period *hours; /* the whole week where the file has none */
	size_t n_hours;
	const struct cfg_holiday *holidays;
	size_t n_holidays;
	const char *calendar; /* path of an iCalendar file, or its address (cfg_calendar_is_address); "" none */
	const char *calendar_ca; /* PEM file of those who may have signed that server's certificate; "": those of the system */
	bool calendar_plain_http;
	uint64_t calendar_refresh_ms;
	const struct cfg_calendar_day *days; /* its events, by time: of a file as they were when the configuration was read, of an address by cfg_with_calendars() */
	size_t n_days;
};

/* What owners may use. */
struct cfg_features {
	bool answering_rules, play_on_phone, lamp, missed_calls, directory;
};

/* What the letters to owners say besides what all of them say (directory/letter.h); lines, "" nothing. */
struct cfg_texts {
	const char *welcome, *pin_reset;
};

struct cfg_policy {
	struct cfg_pos pos;
	const char *name;
	uint32_t pin_min_length, pin_tries_per_call, pin_tries_per_mailbox;
	bool pin_allow_trivial, level_recordings;
	uint64_t max_greeting_ms, max_recording_ms, min_recording_ms, silence_ms, max_call_ms;
	uint32_t input_failures;
	uint32_t max_messages; /* kept per mailbox */
	uint32_t quota_warning_percent; /* of max_messages */
	uint32_t pin_lifetime_days; /* 0: for ever */
	uint32_t pin_history; /* PINs, the present one among them, that must not be chosen again */
	struct cfg_strings allowed_rules; /* groups of its dial plan's rules */
	uint32_t outside_calls_per_hour; /* by those; 0: no cap */
	struct cfg_features features;
	struct cfg_texts texts;
	uint32_t deleted_days; /* how long deleted ones can be brought back */
	enum cfg_audio_form audio_format; /* how messages lie in the store */
};

struct cfg_menu_key {
	struct cfg_pos pos;
	char key; /* '0'..'9', '*', '#', or 't' for the time-out */
	enum cfg_action action;
	const char *target; /* extension, attendant, mailbox or language; "" for the others */
	const char *say; /* spoken name of the choice; "" = the target's own */
};

/* An attendant while its house is closed. */
struct cfg_closed {
	const char *greeting, *greeting_prompt, *menu, *menu_prompt;
	const struct cfg_menu_key *keys; /* those of the open hours if not given */
	size_t n_keys;
	const char *operator_number; /* "": nobody, where any of this was given */
	bool dial;
};

/* What callers may ask an attendant for besides people. Departments of mailboxes need no entry; this is for other words, sounds and ways. */
struct cfg_department {
	struct cfg_pos pos;
	const char *name;        /* as mailboxes or a key's words write it */
	struct cfg_strings also; /* other words for it */
	struct cfg_strings pronunciation;
	const char *attendant;   /* where it leads; "": to the key of that name, else to its people */
};

struct cfg_attendant {
	struct cfg_pos pos;
	const char *name;
	struct cfg_strings numbers; /* extensions, E.164 numbers */
	struct cfg_strings uris; /* sip: URIs */
	const char *dialplan; /* "" = the first */
	const char *greeting; /* text to be spoken; "" = the standard welcome */
	const char *greeting_prompt; /* or a prompt of the catalogue by name */
	const char *business_name, *location;
	const char *schedule; /* "": always open */
	const char *announcement, *announcement_prompt;
	bool announcement_to_its_end;
	const char *menu, *menu_prompt; /* instead of words made from the keys */
	const struct cfg_menu_key *keys;
	size_t n_keys;
	const char *operator_number; /* extension or mailbox name; "" = the dial plan's, or none */
	bool dial_by_extension, dial_by_name;
	bool speech, speech_direct; /* a spoken name is understood; and needs no confirmation when it is beyond doubt */
	bool allow_extensions; /* typed, without a mailbox */
	struct cfg_strings allowed_rules; /* groups of its dial plan's rules */
	uint32_t outside_calls_per_hour; /* by those; 0: no cap */
	struct cfg_closed closed;
	const struct cfg_department *departments;
	size_t n_departments;
	uint64_t digit_timeout_ms, input_timeout_ms;
	uint32_t input_failures;
	const char *language;
};

/* Who is answered how: the first one whose conditions all hold. */
struct cfg_answer_rule {
	struct cfg_pos pos;
	const char *name;
	struct cfg_strings callers; /* numbers (* at the end: whatever follows), mailboxes, URIs, or inside, outside, anonymous; none: everybody */
	const char *open, *closed; /* schedules; "": at any time */
	struct cfg_strings dialled, reasons; /* none: any */
	const char *greeting;
	enum cfg_answer action;
	struct cfg_strings find; /* at most two */
	uint64_t ring_ms;
	const char *transfer;
	const struct cfg_menu_key *keys;
	size_t n_keys;
	bool message;
};

struct cfg_mailbox {
	struct cfg_pos pos;
	const char *name; /* [0-9A-Za-z._-]{1,64} */
	const char *display_name;
	const char *first_name, *last_name; /* from display_name when not given */
	const char *spoken_name; /* text for the speech engine; "" = display_name */
	struct cfg_strings pronunciation; /* how callers say the name, the likeliest first: other words, or sounds in slashes (base/phones.h) */
	const char *department, *title;
	const char *alias; /* its name when not given */
	const char *schedule; /* when its owner works; "": always */
	struct cfg_strings extensions, sip_uris;
	const char *dialplan, *policy; /* "" = the first */
	bool dialable; /* callers of attendants may reach it by name or extension */
	struct cfg_strings allowed_transfers; /* further extensions or mailbox names its callers may be put through to (besides its operator) */
	const char *operator_number; /* 0 in the greeting; "" = the dial plan's */
	bool lamp;
	const char *lamp_gateway; /* "" = the dial plan's gateway */
	const char *lamp_uri; /* whom the NOTIFY names; "" = first sip_uri, else extension@domain */
	const char *language;
	const struct cfg_answer_rule *rules; /* the first that applies counts */
	size_t n_rules;
};

struct cfg_trust {
	struct cfg_strings ca_files;
	struct cfg_strings crl_files;
	enum cfg_revocation revocation;
	enum cfg_staple ocsp;
	bool strict;
};

/* One revision of the configuration. */
struct cfg {
	const char *path; /* as given to cfg_load */
	bool has_node; /* false: only objects, as for `umbel apply` */
	const char *source; /* text of the objects' file, for other nodes; "" when they stand in a node's own file */
	struct cfg_node node;
	struct cfg_trust trust;
	const struct cfg_peer_node *nodes; /* part of a node's own file, as `node` is */
	size_t n_nodes;
	const struct cfg_gateway *gateways;
	size_t n_gateways;
	const struct cfg_dialplan *dialplans;
	size_t n_dialplans;
	const struct cfg_schedule *schedules;
	size_t n_schedules;
	const struct cfg_policy *policies;
	size_t n_policies;
	const struct cfg_attendant *attendants;
	size_t n_attendants;
	const struct cfg_mailbox *mailboxes;
	size_t n_mailboxes;
};

/* ---- errors ---- */
struct cfg_error {
	char *file; /* owned */
	struct cfg_pos pos;
	char *key, *what, *fix; /* "gateways[0].transport", "is \"tsl\"", "use one of udp, tcp, tls (did you mean tls?)" */
};

/* Zero it before the first use. Errors stand in the order of the file; after CFG_ERRORS_MAX `more` counts. */
struct cfg_errors {
	struct cfg_error *v;
	size_t n, room, more;
};

void cfg_errors_free(struct cfg_errors *e);
/* One more, for those who check what config/ cannot know; it takes its place in the order of the file. */
void cfg_fail(struct cfg_errors *e, const char *file, struct cfg_pos pos, const char *key, const char *fix, const char *what, ...)
	__attribute__((format(printf, 6, 7)));
/* "file:line:column: key: what: fix" of one error; a line each, with a line feed, of all. */
int cfg_error_print(const struct cfg_error *e, struct buf *out);
int cfg_errors_print(const struct cfg_errors *e, struct buf *out);

/* ---- loading ---- */
enum cfg_want {
	CFG_WANT_NODE, /* a whole file: `node:` must be there */
	CFG_WANT_OBJECTS, /* the organisation's objects alone; `node:` is an error */
};
/* 0 and a value with one reference; EINVAL with `errors` filled (also for an unreadable file); ENOMEM. Reads a file: not on the loop
 * thread of a busy node, use a worker. */
int cfg_load(struct cfg **cp, const char *path, enum cfg_want want, struct cfg_errors *errors);
/* The same from memory; `path` is the name used in errors. */
int cfg_parse(struct cfg **cp, const char *path, struct text yaml, enum cfg_want want, struct cfg_errors *errors);
/* The node part of one with the objects (and the trust, if it names any CA) of the other, checked together; `path` is the node's. It holds
 * references to both. Errors as above. */
int cfg_merge(struct cfg **cp, const struct cfg *node, const struct cfg *objects, struct cfg_errors *errors);
/* Calendars from addresses are fetched by others (directory/calendars.h); here their text becomes days. `find` gives the text of a schedule's
 * calendar: 0, or an errno where there is none. */
typedef int (cfg_calendar_h)(const struct cfg_schedule *s, struct buf *ics, void *arg);
bool cfg_calendar_is_address(const char *calendar);
bool cfg_has_calendars(const struct cfg *c); /* any of an address */
/* `base` with the days of all calendars of addresses found anew; one that is not found, or is no calendar, keeps the days that it has. It holds
 * references to what base is made of. Takes as long as parsing does: not on the loop. 0, ENOMEM. */
int cfg_with_calendars(struct cfg **cp, const struct cfg *base, cfg_calendar_h *find, void *arg);
/* How many days an iCalendar has for that schedule. 0; EINVAL: it is none; E2BIG: too many events repeat; ENOMEM. Any thread. */
int cfg_calendar_count(const char *time_zone, struct text ics, size_t *n);
enum { CFG_CALENDAR_MAX_BYTES = 2 << 20 };
/* Whether any gateway, dial plan, policy, attendant or mailbox is defined. A node's file without any leaves them to the store. */
bool cfg_has_objects(const struct cfg *c);
struct cfg *cfg_ref(const struct cfg *c);
struct cfg *cfg_unref(const struct cfg *c); /* always NULL */

/* Place in the file of a value, given the address of the member that holds it (&gw->identity); 0,0 if it is a default. */
struct cfg_pos cfg_pos_of(const struct cfg *c, const void *member);

/* ---- finding; NULL if there is none; "" finds the first dial plan and policy ---- */
const struct cfg_gateway *cfg_gateway(const struct cfg *c, struct text name);
/* Whether that entry of `nodes` is this node itself. */
bool cfg_is_self(const struct cfg *c, const struct cfg_peer_node *n);
const struct cfg_dialplan *cfg_dialplan(const struct cfg *c, struct text name);
const struct cfg_schedule *cfg_schedule(const struct cfg *c, struct text name);
const struct cfg_policy *cfg_policy(const struct cfg *c, struct text name); /* never NULL: without any, the defaults */
const struct cfg_attendant *cfg_attendant(const struct cfg *c, struct text name);
const struct cfg_attendant *cfg_attendant_by_number(const struct cfg *c, struct text number_or_uri);
const struct cfg_mailbox *cfg_mailbox(const struct cfg *c, struct text name);
const struct cfg_identity *cfg_identity(const struct cfg *c, struct text name); /* "" = the node's default */

/* ---- what changed ---- */
enum cfg_change_kind { CFG_ADDED, CFG_REMOVED, CFG_CHANGED };
struct cfg_change {
	enum cfg_change_kind kind;
	bool restart; /* takes effect only after a restart */
	char *key; /* "node.sip.t1_ms", "gateways.pool.identity"; owned */
};
struct cfg_changes {
	struct cfg_change *v;
	size_t n, room;
};
/* 0, ENOMEM. Objects are matched by name, so their order does not matter. */
int cfg_diff(const struct cfg *was, const struct cfg *now, struct cfg_changes *out);
void cfg_changes_free(struct cfg_changes *c);

/* Words of the file for values: "tls", "san-or-cn" ... */
const char *cfg_transport_name(enum cfg_transport t);
/* It speaks TLS, or will where DNS says so. */
static inline bool cfg_may_speak_tls(enum cfg_transport t)
{
	return t == CFG_TLS || t == CFG_TRANSPORT_AUTO;
}
const char *cfg_rule_name(enum cfg_rule r);
const char *cfg_profile_name(enum cfg_profile p);
const char *cfg_reuse_name(enum cfg_reuse r);
const char *cfg_transfer_by_name(enum cfg_transfer_by t);
const char *cfg_legacy_name(enum cfg_legacy l);
const char *cfg_tls_version_name(enum cfg_tls_version v); /* "1.2" */
const char *cfg_action_name(enum cfg_action a);
const char *cfg_answer_name(enum cfg_answer a); /* "find-me" */
const char *cfg_answer_key_name(enum cfg_action a); /* of a rule's key */

/* The commented sample file, from settings.def. */
int cfg_sample(struct buf *out);

#endif
