alter table orders drop constraint ck_shipped;
alter table orders drop column shipped_at;
