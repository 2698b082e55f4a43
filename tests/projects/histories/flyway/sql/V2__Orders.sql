create sequence order_seq start 1000;
create table orders (
  id bigint not null default nextval('order_seq') primary key,
  person_id int not null,
  total numeric(12,2) not null,
  state varchar(20) not null,
  placed timestamp not null default current_timestamp,
  version int not null default 0,
  constraint fk_orders_person foreign key (person_id) references person (id),
  constraint ck_orders_state check (state in ('NEW', 'PAID', 'SHIPPED'))
);
create index ix_orders_person on orders (person_id);
