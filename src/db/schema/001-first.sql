-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- One text for both engines: TEXT, BIGINT, BYTEA. Times are microseconds since 1970, UTC.
CREATE TABLE blob_chunk (
  id TEXT NOT NULL, seq BIGINT NOT NULL, bytes BYTEA NOT NULL,
  PRIMARY KEY (id, seq));
CREATE TABLE outbox (
  id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
  version BIGINT NOT NULL, -- grows with each replacement, so that a try in flight does not remove a newer order
  state BIGINT NOT NULL, -- 0 waiting, 1 failed for good
  tries BIGINT NOT NULL, created_us BIGINT NOT NULL, due_us BIGINT NOT NULL,
  lease_owner TEXT NOT NULL, lease_until_us BIGINT NOT NULL, error TEXT NOT NULL,
  UNIQUE (kind, key));
CREATE INDEX outbox_due ON outbox (state, due_us);
CREATE TABLE lease (
  name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, until_us BIGINT NOT NULL);
CREATE TABLE node (
  name TEXT NOT NULL PRIMARY KEY, fqdn TEXT NOT NULL, version TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
  started_us BIGINT NOT NULL, beat_us BIGINT NOT NULL, calls BIGINT NOT NULL);
CREATE TABLE revision (
  number BIGINT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, node TEXT NOT NULL, applied_us BIGINT NOT NULL,
  objects TEXT NOT NULL); -- the file applied for all nodes; empty when one node's own file was the source
CREATE TABLE mailbox (
  name TEXT NOT NULL PRIMARY KEY, -- lower case
  display_name TEXT NOT NULL, first_name TEXT NOT NULL, last_name TEXT NOT NULL, spoken_name TEXT NOT NULL,
  language TEXT NOT NULL, dialplan TEXT NOT NULL, policy TEXT NOT NULL, operator_number TEXT NOT NULL,
  extensions TEXT NOT NULL, sip_uris TEXT NOT NULL, allowed_transfers TEXT NOT NULL, -- lists: one a line
  dialable BIGINT NOT NULL, lamp BIGINT NOT NULL, lamp_gateway TEXT NOT NULL, lamp_uri TEXT NOT NULL,
  managed_by_file BIGINT NOT NULL, removed BIGINT NOT NULL, revision BIGINT NOT NULL);
CREATE TABLE pin (
  mailbox TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL, must_change BIGINT NOT NULL, failures BIGINT NOT NULL,
  locked BIGINT NOT NULL, changed_us BIGINT NOT NULL, logon_us BIGINT NOT NULL);
CREATE TABLE message (
  id TEXT NOT NULL PRIMARY KEY, mailbox TEXT NOT NULL, state BIGINT NOT NULL, -- 0 new, 1 saved, 2 deleted (without audio)
  caller_number TEXT NOT NULL, caller_name TEXT NOT NULL, session TEXT NOT NULL, node TEXT NOT NULL,
  received_us BIGINT NOT NULL, duration_ms BIGINT NOT NULL, bytes BIGINT NOT NULL, codec BIGINT NOT NULL,
  cut BIGINT NOT NULL, changed_us BIGINT NOT NULL);
CREATE INDEX message_mailbox ON message (mailbox, state, received_us);
CREATE TABLE greeting (
  mailbox TEXT NOT NULL, kind TEXT NOT NULL, codec BIGINT NOT NULL, blob TEXT NOT NULL, bytes BIGINT NOT NULL, changed_us BIGINT NOT NULL,
  PRIMARY KEY (mailbox, kind));
CREATE TABLE gateway_flow (
  node TEXT NOT NULL, gateway TEXT NOT NULL, flow BIGINT NOT NULL, -- what each node last knew of calls in, OPTIONS, transfer, lamp
  works BIGINT NOT NULL, state BIGINT NOT NULL, at_us BIGINT NOT NULL, worked_us BIGINT NOT NULL, failed_us BIGINT NOT NULL,
  verdict TEXT NOT NULL, certainty TEXT NOT NULL, sentence TEXT NOT NULL,
  PRIMARY KEY (node, gateway, flow));
