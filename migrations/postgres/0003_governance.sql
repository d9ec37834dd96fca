-- The history of a client is read by its decisions, whatever else a busy client leaves in the record.
create index audit_records_by_client_event on audit_records (chain, client_id, event, seq);
