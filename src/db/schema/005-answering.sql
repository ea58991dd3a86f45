-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- Call answering: what a caller asked for his message, whether its owner is away and until when, who called and left nothing.
ALTER TABLE message ADD COLUMN urgent BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN private BIGINT NOT NULL DEFAULT 0;
CREATE TABLE away (
  mailbox TEXT NOT NULL PRIMARY KEY, until_us BIGINT NOT NULL, -- 0: until it is taken back
  changed_us BIGINT NOT NULL);
CREATE TABLE missed_call (
  id TEXT NOT NULL PRIMARY KEY, mailbox TEXT NOT NULL, caller_number TEXT NOT NULL, caller_name TEXT NOT NULL, session TEXT NOT NULL,
  at_us BIGINT NOT NULL, why TEXT NOT NULL, -- where the caller gave up
  reason TEXT NOT NULL); -- why the call came here: busy, no-answer ...; empty: not known
CREATE INDEX missed_call_mailbox ON missed_call (mailbox, at_us);
