/* SPDX-License-Identifier: Apache-2.0 */
/* who.c  Who is called, and by whom. */
#include "dialogue/who.h"
#include "base/buf.h"

/* The names of a party that may be looked up: its whole URI, its user part. */
static const struct dir_user *user_of(const struct dir_view *view, const struct leg_party *p)
{
	const struct dir_user *u = *p->uri ? dir_find_uri(view, text_of(p->uri)) : NULL;
	if (!u && *p->user)
		u = dir_find_number(view, text_of(p->user));
	if (!u && *p->user)
		u = dir_find_name(view, text_of(p->user));
	return u;
}

/* A caller is one of ours by his whole URI or a whole extension: the end of an outside number proves nothing. */
static const struct dir_user *own_user(const struct dir_view *view, const struct leg_party *p)
{
	const struct dir_user *u = *p->uri ? dir_find_uri(view, text_of(p->uri)) : NULL;
	return u || !*p->user ? u : dir_find_extension(view, text_of(p->user));
}

static const struct cfg_attendant *attendant_of(const struct cfg *cfg, const struct leg_party *p)
{
	const struct cfg_attendant *aa = *p->user ? cfg_attendant_by_number(cfg, text_of(p->user)) : NULL;
	return aa || !*p->uri ? aa : cfg_attendant_by_number(cfg, text_of(p->uri));
}

/* "sip:voicemail@example.com;transport=tls" counts as "sip:voicemail@example.com". */
static bool same_place(const char *number_or_uri, const struct leg_party *p)
{
	if (text_is_nocase(text_of(p->user), number_or_uri))
		return *number_or_uri != '\0';
	struct text want = text_of(number_or_uri);
	if (text_starts_nocase(want, "sip:"))
		want = text_skip(want, 4);
	else if (text_starts_nocase(want, "sips:"))
		want = text_skip(want, 5);
	struct text user, host;
	if (!text_cut(want, '@', &user, &host))
		return false;
	return text_eq_nocase(user, text_of(p->user)) && text_eq_nocase(host, text_of(p->host));
}

/* The dial plan whose subscriber access this is; NULL: none. */
static const struct cfg_dialplan *access_of(const struct cfg *cfg, const struct leg_party *p)
{
	for (size_t i = 0; i < cfg->n_dialplans; i++)
		for (size_t k = 0; k < cfg->dialplans[i].access_numbers.n; k++)
			if (same_place(cfg->dialplans[i].access_numbers.v[k], p))
				return &cfg->dialplans[i];
	return NULL;
}

/* Whom a call was for before it was sent here. */
static const struct dir_user *redirected_from(const struct dir_view *view, const struct leg_info *info, struct dlg_who *who)
{
	const struct dir_user *u = NULL;
	for (unsigned i = info->n_diversions; !u && i > 0; i--) { /* the last one is the original */
		u = user_of(view, &info->diversion[i - 1].party);
		who->by = "Diversion";
	}
	for (unsigned i = 0; !u && i < info->n_history; i++) {
		u = user_of(view, &info->history[i].party);
		who->by = "History-Info";
	}
	return u;
}

/* What the redirection away from the mailbox says; the last one where none is of it. */
static void why_here(const struct dir_view *view, const struct leg_info *info, struct dlg_who *who)
{
	const struct leg_redirect *last = info->n_diversions ? &info->diversion[0] : NULL, *of_box = NULL;
	const struct leg_party *first = info->n_diversions ? &info->diversion[info->n_diversions - 1].party : &info->to;
	for (unsigned i = 0; i < info->n_diversions && !of_box; i++)
		if (user_of(view, &info->diversion[i].party) == who->box)
			of_box = &info->diversion[i];
	for (unsigned i = 0; i < info->n_history; i++) {
		const struct leg_redirect *h = &info->history[i];
		if (i == 0 && !info->n_diversions)
			first = &h->party;
		if (!of_box && *h->reason && user_of(view, &h->party) == who->box)
			of_box = h;
		if (!last && *h->reason)
			last = h;
	}
	who->reason = of_box && *of_box->reason ? of_box->reason : last ? last->reason : "";
	who->dialled = first->user;
	who->dialled_uri = first->uri;
}

void dlg_who_calls(const struct dir_view *view, const struct leg_info *info, struct dlg_who *who)
{
	const struct leg_party *p = *info->asserted.uri ? &info->asserted : &info->from;
	who->caller = NULL;
	who->caller_number[0] = who->caller_name[0] = '\0';
	/* Known to the gateway, but not to be shown: neither by his name in the directory (RFC 3325 9.3). */
	if (info->wants_privacy)
		return;
	if (info->headers_believed)
		who->caller = own_user(view, p);
	bool anonymous = text_is_nocase(text_of(p->user), "anonymous") || text_is_nocase(text_of(p->host), "anonymous.invalid");
	if (anonymous)
		return;
	text_fill(who->caller_number, sizeof(who->caller_number), p->user);
	const char *name = *p->display ? p->display : who->caller ? who->caller->display_name : "";
	text_fill(who->caller_name, sizeof(who->caller_name), name);
}

void dlg_looked_at(const struct leg_info *info, char dst[DLG_LOOKED_AT])
{
	struct buf b;
	buf_init(&b, DLG_LOOKED_AT - 1);
	buf_printf(&b, "Request-URI %s, To %s", *info->called.uri ? info->called.uri : "?", *info->to.uri ? info->to.uri : "?");
	for (unsigned i = 0; i < info->n_diversions; i++)
		buf_printf(&b, ", Diversion %s", info->diversion[i].party.uri);
	for (unsigned i = 0; i < info->n_history; i++)
		buf_printf(&b, ", History-Info %s", info->history[i].party.uri);
	if (!info->headers_believed)
		buf_str(&b, "; Diversion and History-Info of this gateway are not believed");
	else if (!info->n_diversions && !info->n_history)
		buf_str(&b, "; no Diversion, no History-Info");
	struct text t = b.p ? text_make(b.p, b.n) : TEXT_NONE;
	text_print(dst, DLG_LOOKED_AT, "%.*s", TEXT_FMT(t));
	buf_free(&b);
}

static void mailbox(struct dlg_who *who, const struct dir_user *u)
{
	who->box = u;
	/* Whoever calls his own mailbox wants to hear it, not to leave a message to himself. */
	who->kind = who->caller == u ? DLG_WHO_SUBSCRIBER : DLG_WHO_MAILBOX;
}

static void who_is_called(const struct dir_view *view, const struct leg_info *info, struct dlg_who *who)
{
	const struct cfg *cfg = dir_view_cfg(view);
	who->attendant = attendant_of(cfg, &info->called);
	if (who->attendant) {
		who->kind = DLG_WHO_ATTENDANT;
		return;
	}
	bool access = access_of(cfg, &info->called) != NULL;
	const struct dir_user *u = access ? NULL : user_of(view, &info->called);
	if (!u)
		u = redirected_from(view, info, who);
	if (!u && !(access && access_of(cfg, &info->to))) {
		u = user_of(view, &info->to);
		who->by = "To";
	}
	if (u) {
		mailbox(who, u);
		why_here(view, info, who);
		return;
	}
	if (access) {
		who->kind = DLG_WHO_SUBSCRIBER;
		who->box = who->caller;
		who->by = "Request-URI";
		return;
	}
	who->attendant = attendant_of(cfg, &info->to);
	who->kind = who->attendant ? DLG_WHO_ATTENDANT : DLG_WHO_NOBODY;
}

void dlg_who(const struct dir_view *view, const struct leg_info *info, struct dlg_who *who)
{
	const struct cfg *cfg = dir_view_cfg(view);
	*who = (struct dlg_who){ .by = "Request-URI", .reason = "", .dialled = "", .dialled_uri = "" };
	dlg_who_calls(view, info, who);
	who_is_called(view, info, who);
	if (who->kind == DLG_WHO_ATTENDANT)
		who->plan = cfg_dialplan(cfg, text_of(who->attendant->dialplan));
	else if (who->box)
		who->plan = dir_dialplan(view, who->box);
	const struct cfg_dialplan *access = who->kind == DLG_WHO_ATTENDANT ? NULL : access_of(cfg, &info->called);
	if (access && (!who->plan || (access->security != CFG_SECURITY_OFF && access->security >= who->plan->security)))
		who->plan = access;
}

const char *dlg_open_line(enum net_transport transport)
{
	return transport == NET_TLS ? NULL : net_transport_name(transport);
}

bool dlg_secure_enough(const struct dlg_who *who, enum net_transport transport)
{
	return !who->plan || who->plan->security == CFG_SECURITY_OFF || transport == NET_TLS;
}

enum sdes_want dlg_srtp(const struct cfg_dialplan *plan, const struct cfg_gateway *g)
{
	if (plan && plan->security == CFG_SECURITY_MEDIA)
		return SDES_REQUIRED;
	if (g && g->srtp != CFG_SRTP_AUTO)
		return g->srtp == CFG_SRTP_REQUIRED ? SDES_REQUIRED : g->srtp == CFG_SRTP_OPTIONAL ? SDES_OPTIONAL : SDES_OFF;
	return plan && plan->security == CFG_SECURITY_SIP ? SDES_OPTIONAL : SDES_OFF;
}
