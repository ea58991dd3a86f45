-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- What is said beside a name that several have, how it is typed on the keys, and when its owner works.
ALTER TABLE mailbox ADD COLUMN department TEXT NOT NULL DEFAULT '';
ALTER TABLE mailbox ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE mailbox ADD COLUMN alias TEXT NOT NULL DEFAULT ''; -- empty: its name
ALTER TABLE mailbox ADD COLUMN schedule TEXT NOT NULL DEFAULT '';
