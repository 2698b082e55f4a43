alter table person drop column customer_no;
