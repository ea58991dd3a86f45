-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- Where a node takes calls: "udp:192.0.2.11:5060 tls:192.0.2.11:5061"; '' while it does not say.
ALTER TABLE node ADD COLUMN listen TEXT NOT NULL DEFAULT '';
