create table order_line (
  order_id bigint not null references orders (id) on delete cascade,
  line_no int not null,
  sku varchar(40) not null,
  qty int not null check (qty > 0),
  price numeric(12,2) not null,
  amount numeric(14,2) generated always as (qty * price) stored,
  primary key (order_id, line_no)
);
