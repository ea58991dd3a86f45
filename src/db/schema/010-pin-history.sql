-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- PINs that were in use before the one in `pin`, hashed as that is, as many as the policy wants (pin_history).
CREATE TABLE pin_history (
	mailbox    TEXT   NOT NULL,
	changed_us BIGINT NOT NULL, -- when it came into use
	hash       TEXT   NOT NULL,
	PRIMARY KEY (mailbox, changed_us)
);
