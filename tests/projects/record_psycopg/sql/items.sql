-- name: item_count
SELECT count(*) FROM item;
