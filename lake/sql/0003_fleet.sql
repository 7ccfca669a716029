-- What a cycle asked of its source, what that costs at the provider's list price, and why it did not go on.

ALTER TABLE cycles ADD COLUMN list_requests BIGINT;
ALTER TABLE cycles ADD COLUMN read_requests BIGINT;
ALTER TABLE cycles ADD COLUMN bytes_received BIGINT;
ALTER TABLE cycles ADD COLUMN files_looked BIGINT;
ALTER TABLE cycles ADD COLUMN cost DOUBLE;
ALTER TABLE cycles ADD COLUMN error VARCHAR;
ALTER TABLE cycles ADD COLUMN skipped VARCHAR;
