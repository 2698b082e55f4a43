CREATE TABLE departments (
    id int PRIMARY KEY,
    name text NOT NULL UNIQUE,
    manager_id int
);
CREATE TABLE employees (
    id int PRIMARY KEY,
    department_id int NOT NULL REFERENCES departments DEFERRABLE INITIALLY IMMEDIATE,
    badge char(6) NOT NULL UNIQUE CHECK (badge ~ '^[0-9]{6}$'),
    first_name varchar(50) NOT NULL,
    last_name varchar(50) NOT NULL,
    hired date NOT NULL,
    left_on date,
    salary numeric(10, 2) NOT NULL,
    bonus numeric(10, 2),
    ssn text UNIQUE CHECK (ssn SIMILAR TO '[0-9]{3}-[0-9]{2}-[0-9]{4}'),
    CONSTRAINT left_after_hired CHECK (left_on >= hired),
    CONSTRAINT pay CHECK (salary >= 12000 AND coalesce(bonus, 0) <= salary * 0.5)
);
ALTER TABLE departments ADD CONSTRAINT departments_manager FOREIGN KEY (manager_id) REFERENCES employees
    ON DELETE SET NULL;
CREATE TABLE job_history (
    employee_id int NOT NULL REFERENCES employees ON DELETE CASCADE,
    starts date NOT NULL,
    ends date NOT NULL,
    title text NOT NULL,
    grade smallint NOT NULL CHECK (grade IN (1, 2, 3, 5, 8)),
    PRIMARY KEY (employee_id, starts),
    CHECK (ends > starts)
);
CREATE TABLE reviews (
    employee_id int NOT NULL REFERENCES employees,
    reviewer_id int NOT NULL REFERENCES employees,
    year int NOT NULL CHECK (year >= 2000),
    score numeric(2,1) CHECK (score BETWEEN 1.0 AND 5.0 AND score * 2 = floor(score * 2)),
    UNIQUE (employee_id, reviewer_id, year),
    CHECK (employee_id <> reviewer_id)
);
