create function recompute_total() returns trigger language plpgsql as $$
begin
  update orders set total = coalesce((select sum(amount) from order_line where order_id = coalesce(new.order_id, old.order_id)), 0)
  where id = coalesce(new.order_id, old.order_id);
  return null;
end $$;
create trigger trg_total after insert or update or delete on order_line for each row execute function recompute_total();
