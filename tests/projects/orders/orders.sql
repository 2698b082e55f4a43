-- name: newest_of
-- claim: cost at most 25
-- example: customer = 7
SELECT id, day FROM orders WHERE customer = :customer ORDER BY day DESC LIMIT 5;

-- name: amounts
-- claim: uses orders_day_customer on orders index only
-- claim: no sort
-- example: day = date '2024-03-01'
SELECT customer, amount FROM orders WHERE day = :day ORDER BY customer;

-- name: label
-- claim: uses small_pkey on small
-- example: id = 5
SELECT label FROM small WHERE id = :id;

-- name: first_of_region
-- claim: no sort
-- example: country = 7, region = 7
SELECT id, padding FROM towns WHERE country = :country AND region = :region ORDER BY id LIMIT 5;

-- name: of_country
-- claim: no sort
-- example: country = 7
SELECT id, padding FROM towns WHERE country = :country ORDER BY region;

-- name: by_country
-- claim: no seq scan
-- claim: cost at most 400
-- example: country = 7
SELECT id, padding FROM towns WHERE country = :country;

-- name: typed
-- claim: uses orders_pkey on orders
-- example: id = 5.0
SELECT status FROM orders WHERE id = :id;

-- name: of_email
-- claim: uses orders_lower on orders
-- example: email = 'User5@example.org'
SELECT id FROM orders WHERE email = :email;

-- name: not_closed
-- claim: uses orders_open on orders
-- example: customer = 7
SELECT id FROM orders WHERE customer = :customer AND status <> 'closed';

-- name: note_like
-- claim: uses orders_note on orders
-- example: beginning = 'note 77%'
SELECT id FROM orders WHERE note LIKE :beginning;

-- name: placed
-- claim: uses orders_place on orders
-- example: place = 'place 7'
SELECT id FROM orders WHERE place = :place;

-- name: total
-- claim: reads at most 1 blocks
SELECT sum(amount) FROM orders;

-- name: typo
-- claim: uses order_lower on orders
-- example: email = 'user5@example.org'
SELECT id FROM orders WHERE lower(email) = :email;

-- name: rename!
-- claim: uses orders_note on orders
-- example: id = 7
UPDATE orders SET note = 'new' WHERE id = :id;

-- name: broken
-- claim: no sort
SELECT nothing FROM orders;

-- name: label_of_many
-- claim: uses small_pkey on small at 5_000 rows in small
-- claim: uses small_pkey on small at 40 rows in small
-- claim: no sort at 9 rows in nowhere
-- example: id = 5
SELECT label FROM small WHERE id = :id;

-- name: gain
-- claim: at least 1_000_000x faster than without towns_pkey
-- example: id = 5
SELECT region FROM towns WHERE id = :id;

-- name: utility
-- claim: no sort
SHOW work_mem;
