/* SPDX-License-Identifier: Apache-2.0 */
/* refusal.c  The table of faults, and the phrases of status codes. */
#include <errno.h>
#include "sip/refusal.h"

static const struct {
	uint16_t status;
	const char *sentence;
} faults[SIP_FAULTS] = {
	[SIP_FAULT_NONE] = { 0, "" },
#define FAULT(name, status, sentence) [SIP_FAULT_##name] = { status, sentence },
#include "sip/faults.def"
#undef FAULT
};

static const struct {
	uint16_t status;
	const char *phrase;
} phrases[] = {
	{ 100, "Trying" },
	{ 180, "Ringing" },
	{ 181, "Call Is Being Forwarded" },
	{ 182, "Queued" },
	{ 183, "Session Progress" },
	{ 199, "Early Dialog Terminated" },
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 204, "No Notification" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Moved Temporarily" },
	{ 305, "Use Proxy" },
	{ 380, "Alternative Service" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 412, "Conditional Request Failed" },
	{ 413, "Request Entity Too Large" },
	{ 414, "Request-URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 417, "Unknown Resource-Priority" },
	{ 420, "Bad Extension" },
	{ 421, "Extension Required" },
	{ 422, "Session Interval Too Small" },
	{ 423, "Interval Too Brief" },
	{ 428, "Use Identity Header" },
	{ 429, "Provide Referrer Identity" },
	{ 430, "Flow Failed" },
	{ 433, "Anonymity Disallowed" },
	{ 436, "Bad Identity-Info" },
	{ 437, "Unsupported Certificate" },
	{ 438, "Invalid Identity Header" },
	{ 439, "First Hop Lacks Outbound Support" },
	{ 440, "Max-Breadth Exceeded" },
	{ 469, "Bad Info Package" },
	{ 480, "Temporarily Unavailable" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 483, "Too Many Hops" },
	{ 484, "Address Incomplete" },
	{ 485, "Ambiguous" },
	{ 486, "Busy Here" },
	{ 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" },
	{ 489, "Bad Event" },
	{ 491, "Request Pending" },
	{ 493, "Undecipherable" },
	{ 494, "Security Agreement Required" },
	{ 500, "Server Internal Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Server Time-out" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
	{ 555, "Push Notification Service Not Supported" },
	{ 580, "Precondition Failure" },
	{ 600, "Busy Everywhere" },
	{ 603, "Decline" },
	{ 604, "Does Not Exist Anywhere" },
	{ 606, "Not Acceptable" },
	{ 607, "Unwanted" },
	{ 608, "Rejected" },
};

int sip_refuse(struct sip_refusal *why, enum sip_fault fault, struct text at)
{
	if (why)
		*why = (struct sip_refusal){ fault, faults[fault].status, faults[fault].sentence, at };
	return EBADMSG;
}

const char *sip_fault_sentence(enum sip_fault fault)
{
	return (unsigned)fault < SIP_FAULTS ? faults[fault].sentence : "";
}

unsigned sip_fault_status(enum sip_fault fault)
{
	return (unsigned)fault < SIP_FAULTS ? faults[fault].status : 0;
}

char *sip_refusal_text(const struct sip_refusal *why, char *dst, size_t size)
{
	char at[128];

	if (why->fault == SIP_FAULT_NONE)
		text_fill(dst, size, "");
	else if (text_empty(why->at))
		text_fill(dst, size, why->sentence);
	else
		(void)text_print(dst, size, "%s (%s)", why->sentence, text_escape(why->at, at, sizeof(at)));
	return dst;
}

const char *sip_status_phrase(unsigned status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}
