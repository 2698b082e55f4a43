CREATE TABLE vehicle (
    id int PRIMARY KEY,
    plate text NOT NULL,
    attrs jsonb NOT NULL,
    code varchar(20) NOT NULL,
    owner varchar(2000) NOT NULL
);
CREATE INDEX vehicle_plate ON vehicle (plate);
CREATE TABLE ticket (
    id int PRIMARY KEY,
    vehicle int NOT NULL REFERENCES vehicle,
    opened timestamp NOT NULL,
    fine numeric NOT NULL
);
