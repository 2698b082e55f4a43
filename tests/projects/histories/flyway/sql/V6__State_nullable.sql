alter table orders add column shipped_at timestamp;
alter table orders add constraint ck_shipped check (state <> 'SHIPPED' or shipped_at is not null) not valid;
