CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE DOMAIN work_email AS email CHECK (VALUE LIKE '%@clinic.org');
CREATE DOMAIN percentage AS numeric(5,2) CHECK (VALUE >= 0 AND VALUE <= 100);
CREATE DOMAIN icd AS varchar(8) NOT NULL CONSTRAINT icd_shape CHECK (VALUE ~ '^[A-TV-Z][0-9][0-9AB](\.[0-9A-TV-Z]{1,4})?$');
CREATE TABLE patients (
    id uuid PRIMARY KEY,
    mrn text NOT NULL UNIQUE CHECK (mrn ~ '^MRN[0-9]{7}$'),
    born date NOT NULL,
    died date,
    sex char(1) NOT NULL CHECK (sex IN ('F', 'M', 'X')),
    contact email,
    weight_kg numeric(5,2) CHECK (weight_kg > 0 AND weight_kg < 500),
    height_cm numeric(5,1) CHECK (height_cm > 20 AND height_cm < 280),
    bmi numeric GENERATED ALWAYS AS (weight_kg / nullif((height_cm / 100) ^ 2, 0)) STORED,
    CONSTRAINT died_after_birth CHECK (died IS NULL OR died >= born)
);
CREATE TABLE doctors (
    id int PRIMARY KEY,
    name text NOT NULL,
    mail work_email NOT NULL,
    licence text NOT NULL,
    UNIQUE (licence)
);
CREATE TABLE visits (
    id bigint PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patients,
    doctor_id int NOT NULL REFERENCES doctors ON UPDATE CASCADE,
    at timestamptz NOT NULL,
    minutes int NOT NULL CHECK (minutes BETWEEN 5 AND 240 AND minutes % 5 = 0),
    diagnosis icd,
    saturation percentage,
    bp_systolic int CHECK (bp_systolic BETWEEN 40 AND 300),
    bp_diastolic int,
    CONSTRAINT bp CHECK (bp_diastolic < bp_systolic),
    CONSTRAINT bp_both CHECK (num_nulls(bp_systolic, bp_diastolic) IN (0, 2)),
    UNIQUE (doctor_id, at)
);
CREATE TABLE prescriptions (
    visit_id bigint NOT NULL REFERENCES visits ON DELETE CASCADE,
    line smallint NOT NULL,
    drug text NOT NULL,
    dose_mg numeric NOT NULL CHECK (dose_mg > 0),
    schedule time[] NOT NULL CHECK (array_length(schedule, 1) BETWEEN 1 AND 6),
    days int NOT NULL CHECK (days > 0 AND days <= 365),
    PRIMARY KEY (visit_id, line)
);
