-- When the message was sent that claimed the job last: tells two submissions of one job apart.
alter table jobs add column sent_at timestamptz;
