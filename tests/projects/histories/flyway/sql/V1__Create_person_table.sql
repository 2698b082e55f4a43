create table PERSON (
    ID int not null,
    NAME varchar(100) not null
);
alter table PERSON add constraint PERSON_PK primary key (ID);
