CREATE TABLE terms (
    id int PRIMARY KEY,
    code char(6) NOT NULL UNIQUE CHECK (code ~ '^20[0-9]{2}(SP|FA)$'),
    starts date NOT NULL,
    ends date NOT NULL,
    CHECK (ends - starts BETWEEN 60 AND 180),
    CHECK (extract(isodow FROM starts) = 1)
);
CREATE TABLE courses (
    code varchar(9) PRIMARY KEY CHECK (code ~ '^[A-Z]{2,4} ?[0-9]{3}[A-Z]?$'),
    title text NOT NULL,
    credits numeric(3,1) NOT NULL CHECK (credits IN (0.5, 1, 1.5, 2, 3, 4)),
    level int NOT NULL CHECK (level BETWEEN 100 AND 999)
);
CREATE TABLE prerequisites (
    course varchar(9) NOT NULL REFERENCES courses ON DELETE CASCADE,
    requires varchar(9) NOT NULL REFERENCES courses ON DELETE CASCADE,
    PRIMARY KEY (course, requires),
    CHECK (course <> requires)
);
CREATE TABLE sections (
    term int NOT NULL REFERENCES terms,
    course varchar(9) NOT NULL REFERENCES courses,
    section smallint NOT NULL CHECK (section > 0),
    days bit(7) NOT NULL CHECK (days <> B'0000000'),
    from_time time NOT NULL,
    to_time time NOT NULL,
    capacity int NOT NULL,
    enrolled int NOT NULL DEFAULT 0,
    PRIMARY KEY (term, course, section),
    CHECK (from_time >= '07:00' AND to_time <= '22:00'),
    CHECK (to_time > from_time),
    CHECK (capacity > 0),
    CHECK (enrolled >= 0 AND enrolled <= capacity)
);
CREATE TABLE students (
    id int PRIMARY KEY CHECK (id BETWEEN 100000 AND 999999),
    email text NOT NULL UNIQUE CHECK (email LIKE '%@school.edu'),
    gpa numeric(3,2) CHECK (gpa >= 0.00 AND gpa <= 4.00),
    class_of int NOT NULL CHECK (class_of > 1990)
);
CREATE TABLE enrollments (
    student int NOT NULL REFERENCES students,
    term int NOT NULL,
    course varchar(9) NOT NULL,
    section smallint NOT NULL,
    grade varchar(2) CHECK (grade IN ('A', 'A-', 'B+', 'B', 'B-', 'C', 'D', 'F', 'I', 'W')),
    graded_at timestamptz,
    PRIMARY KEY (student, term, course),
    FOREIGN KEY (term, course, section) REFERENCES sections,
    CHECK ((grade IS NULL) = (graded_at IS NULL))
);
