-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- A deleted message keeps its audio until purge_us (0: none is left, as the release before deletes); notes, relation: mailbox/mbox.h.
ALTER TABLE message ADD COLUMN notes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN relation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN related TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN was BIGINT NOT NULL DEFAULT 1;
ALTER TABLE message ADD COLUMN deleted_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN purge_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX message_purge ON message (state, purge_us);
-- What owners of mailboxes chose: name and value, groups of recipients too.
CREATE TABLE mailbox_choice (
  mailbox TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, changed_us BIGINT NOT NULL,
  PRIMARY KEY (mailbox, name));
