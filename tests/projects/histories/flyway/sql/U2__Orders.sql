drop table orders;
drop sequence order_seq;
