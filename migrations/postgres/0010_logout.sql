-- somebody who proves again who they are goes on with the session they began: grants and `sid` refer to that one; null: it began itself
alter table sessions add column continues bigint;
create index sessions_by_continues on sessions (continues);
-- what lives with a session is found when it ends
create index grants_by_session on grants (session_id);
-- as whom the person granted (Practitioner/7), and the patient that was theirs to choose; a grant holds as long as both are true
alter table grants add column made_as text;
alter table grants add column related_patient text;
-- the organization consented for its clinicians (1): the grant holds as long as it does
alter table grants add column standing_consent bigint not null default 0;
-- secrets of this token that were replaced because their answer got lost: SHA-256 each, in hexadecimal, one after the other
alter table refresh_tokens add column replaced text not null default '';
