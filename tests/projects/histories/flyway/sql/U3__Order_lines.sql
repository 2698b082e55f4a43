drop table order_line;
