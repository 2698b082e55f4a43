drop trigger trg_total on order_line;
drop function recompute_total();
