CREATE TABLE meters (
    serial text PRIMARY KEY CHECK (serial ~ '^[0-9]{8}$'),
    location point NOT NULL,
    installed date NOT NULL CHECK (installed >= '2000-01-01'),
    unit text NOT NULL CHECK (unit IN ('kWh', 'm3', 'l'))
);
CREATE TABLE readings (
    serial text NOT NULL REFERENCES meters,
    taken_at timestamptz NOT NULL,
    value double precision NOT NULL CHECK (value >= 0 AND value <> 'NaN' AND value < 'Infinity'),
    quality smallint NOT NULL DEFAULT 100 CHECK (quality BETWEEN 0 AND 100),
    source text NOT NULL DEFAULT 'auto',
    corrected_by text,
    PRIMARY KEY (serial, taken_at),
    CHECK ((source = 'manual' AND corrected_by IS NOT NULL) OR (source = 'auto' AND corrected_by IS NULL))
) PARTITION BY RANGE (taken_at);
CREATE TABLE readings_2023 PARTITION OF readings FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE tariffs (
    region text NOT NULL,
    valid daterange NOT NULL,
    cents_per_unit numeric(8, 4) NOT NULL CHECK (cents_per_unit > 0 AND scale(cents_per_unit) <= 4),
    PRIMARY KEY (region, valid)
) PARTITION BY LIST (region);
CREATE TABLE tariffs_north PARTITION OF tariffs FOR VALUES IN ('NO', 'NE');
CREATE TABLE tariffs_south PARTITION OF tariffs FOR VALUES IN ('SO', 'SE', 'SW');
CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    serial text NOT NULL,
    taken_at timestamptz NOT NULL,
    severity int NOT NULL CHECK (severity > 0 AND severity < 6),
    acknowledged boolean NOT NULL DEFAULT false,
    acknowledged_at timestamptz,
    FOREIGN KEY (serial, taken_at) REFERENCES readings ON DELETE CASCADE,
    CHECK (acknowledged = (acknowledged_at IS NOT NULL))
);
