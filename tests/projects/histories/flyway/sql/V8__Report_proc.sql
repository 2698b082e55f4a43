create procedure close_day(d date) language sql as $$ update orders set state = 'PAID' where state = 'NEW' and placed::date = d $$;
create view open_orders as select o.id, p.name, o.total from orders o join person p on p.id = o.person_id where o.state = 'NEW';
