-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- Calls that are over. Figures that were not measured are -1; texts that do not apply are empty.
CREATE TABLE call_record (
  id TEXT NOT NULL PRIMARY KEY, -- the session that ties the events of the call together
  parent TEXT NOT NULL, -- id of the call that this one was made for
  call_id TEXT NOT NULL, node TEXT NOT NULL, started_us BIGINT NOT NULL,
  day TEXT NOT NULL, -- in which it began, by the clock of its node: YYYY-MM-DD
  duration_ms BIGINT NOT NULL, kind TEXT NOT NULL, direction TEXT NOT NULL, transport TEXT NOT NULL, gateway TEXT NOT NULL,
  gateway_address TEXT NOT NULL, dialplan TEXT NOT NULL, called TEXT NOT NULL, caller TEXT NOT NULL, caller_name TEXT NOT NULL,
  dialled TEXT NOT NULL, offer_result TEXT NOT NULL, drop_reason TEXT NOT NULL, reason TEXT NOT NULL, caller_mailbox TEXT NOT NULL,
  callee_mailbox TEXT NOT NULL, attendant TEXT NOT NULL, transferred_to TEXT NOT NULL, codec TEXT NOT NULL, band TEXT NOT NULL,
  received BIGINT NOT NULL, lost BIGINT NOT NULL, peer_lost BIGINT NOT NULL, jitter_us BIGINT NOT NULL, round_trip_us BIGINT NOT NULL,
  nmos_centi BIGINT NOT NULL, degradation_centi BIGINT NOT NULL, degradation_jitter_centi BIGINT NOT NULL,
  degradation_loss_centi BIGINT NOT NULL, burst_density_centi BIGINT NOT NULL, burst_gap_ms BIGINT NOT NULL, steps BIGINT NOT NULL,
  steps_lost BIGINT NOT NULL);
CREATE INDEX call_record_started ON call_record (started_us, id);
CREATE INDEX call_record_attendant ON call_record (attendant, started_us);
-- What a caller did in attendants, one after the other.
CREATE TABLE call_step (
  record TEXT NOT NULL, seq BIGINT NOT NULL, started_us BIGINT NOT NULL, -- of the call
  at_ms BIGINT NOT NULL, attendant TEXT NOT NULL, menu TEXT NOT NULL, what TEXT NOT NULL, value TEXT NOT NULL, target TEXT NOT NULL,
  PRIMARY KEY (record, seq));
CREATE INDEX call_step_started ON call_step (started_us);
CREATE INDEX call_step_attendant ON call_step (attendant, started_us);
-- What became of the mailboxes that a call had to do with.
CREATE TABLE call_box (
  record TEXT NOT NULL, mailbox TEXT NOT NULL, started_us BIGINT NOT NULL, called BIGINT NOT NULL, messages BIGINT NOT NULL,
  missed BIGINT NOT NULL, logons BIGINT NOT NULL, failed BIGINT NOT NULL,
  PRIMARY KEY (record, mailbox));
CREATE INDEX call_box_mailbox ON call_box (mailbox, started_us, record);
CREATE INDEX call_box_started ON call_box (started_us);
-- Days in figures: they stay when the records of single calls are deleted.
CREATE TABLE call_day (
  day TEXT NOT NULL, node TEXT NOT NULL, gateway TEXT NOT NULL, dialplan TEXT NOT NULL, attendant TEXT NOT NULL, kind TEXT NOT NULL,
  offer_result TEXT NOT NULL, band TEXT NOT NULL, calls BIGINT NOT NULL, duration_ms BIGINT NOT NULL, received BIGINT NOT NULL,
  lost BIGINT NOT NULL, n_jitter BIGINT NOT NULL, jitter_us BIGINT NOT NULL, n_round_trip BIGINT NOT NULL, round_trip_us BIGINT NOT NULL,
  n_nmos BIGINT NOT NULL, nmos_centi BIGINT NOT NULL,
  PRIMARY KEY (day, node, gateway, dialplan, attendant, kind, offer_result, band));
