DROP TABLE bookings;
DROP TABLE rooms;
DROP EXTENSION btree_gist;
