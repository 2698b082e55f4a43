update person set name = left(name, 100) where length(name) > 100;
alter table person alter column name type varchar(100);
