alter table person alter column name type varchar(200);
