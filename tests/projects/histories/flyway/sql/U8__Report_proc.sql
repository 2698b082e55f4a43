drop view open_orders;
drop procedure close_day(date);
