-- Who may what in headquarters' database, once, as its owner:
--     createdb aisle && psql -v ON_ERROR_STOP=1 -f roles.sql aisle
-- Passwords are given afterwards (\password aisle_collect), or none where the machine or a certificate says who comes.

CREATE ROLE aisle_collect LOGIN;    -- aislectl collect: makes its tables and partitions, and drops old days
CREATE ROLE aisle_report LOGIN;     -- reports, aislectl fleet: reads
CREATE ROLE aisle_privacy LOGIN;    -- aislectl hq customer: reads, and clears what names a customer

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO aisle_collect, aisle_privacy, aisle_report;

CREATE SCHEMA aisle AUTHORIZATION aisle_collect;
GRANT USAGE ON SCHEMA aisle TO aisle_report, aisle_privacy;
ALTER ROLE aisle_collect SET search_path = aisle;
ALTER ROLE aisle_report SET search_path = aisle;
ALTER ROLE aisle_privacy SET search_path = aisle;

-- Of each table that the collector makes; who was forgotten is put into one of them.
ALTER DEFAULT PRIVILEGES FOR ROLE aisle_collect IN SCHEMA aisle GRANT SELECT ON TABLES TO aisle_report;
ALTER DEFAULT PRIVILEGES FOR ROLE aisle_collect IN SCHEMA aisle GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO aisle_privacy;
ALTER DEFAULT PRIVILEGES FOR ROLE aisle_collect IN SCHEMA aisle GRANT USAGE ON SEQUENCES TO aisle_privacy;

-- A report that was forgotten does not stand in the way of a day that is to be dropped.
ALTER ROLE aisle_report SET statement_timeout = '1h';
ALTER ROLE aisle_report SET idle_in_transaction_session_timeout = '10min';
