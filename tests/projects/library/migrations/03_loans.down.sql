DROP TABLE loans.loan;
DROP FUNCTION loans.never_before_today();
