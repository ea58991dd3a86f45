-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- SHA-256 of the chunk in hexadecimal; '' where a release before wrote it: then nothing is compared.
ALTER TABLE blob_chunk ADD COLUMN hash TEXT NOT NULL DEFAULT '';
