alter table person add column customer_no varchar(12);
update person set customer_no = 'C' || lpad(id::text, 8, '0');
alter table person alter column customer_no set not null;
alter table person add constraint uq_customer_no unique (customer_no);
