-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- What callers are saying at this moment (mailbox/draft.h), a row a part of a recording; the audio is the blob recording/ID.
CREATE TABLE recording (
  id TEXT NOT NULL PRIMARY KEY, message TEXT NOT NULL, -- the message that it belongs to, or will be
  owner TEXT NOT NULL, lease_until_us BIGINT NOT NULL, -- a process; when it may be taken for dead
  mailbox TEXT NOT NULL, caller_number TEXT NOT NULL, caller_name TEXT NOT NULL, session TEXT NOT NULL, started_us BIGINT NOT NULL,
  codec BIGINT NOT NULL, bytes BIGINT NOT NULL, complete BIGINT NOT NULL);
CREATE INDEX recording_message ON recording (message);
