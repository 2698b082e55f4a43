-- name: newest
-- claim: no sort
SELECT t.id, t.opened, v.plate FROM ticket t JOIN vehicle v ON v.id = t.vehicle ORDER BY t.opened DESC LIMIT 20;

-- name: colored
-- claim: index only on vehicle
-- example: color = 'c7'
SELECT id, attrs FROM vehicle WHERE attrs ->> 'color' = :color ORDER BY id;

-- name: coded
-- claim: index only on vehicle
-- example: code = 'K7'
SELECT plate FROM vehicle WHERE code = :code;

-- name: owned
-- claim: no seq scan
-- example: owner = 'owner 7'
SELECT id FROM vehicle WHERE owner = :owner;
