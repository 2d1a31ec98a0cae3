// drivers/sqlite/catalog_rows.cpp: rows of the catalogs that are the same for every file, and views
// whose rows depend on who asks.
#include "drivers/sqlite/catalog_data.hpp"

namespace sluice::sqlite {

const char* const catalog_rows = R"sql(
CREATE UNIQUE INDEX pg_catalog.pg_class_oid ON pg_class(oid);
CREATE INDEX pg_catalog.pg_class_name ON pg_class(relname);
CREATE UNIQUE INDEX pg_catalog.pg_attribute_number ON pg_attribute(attrelid, attnum);
CREATE UNIQUE INDEX pg_catalog.pg_type_oid ON pg_type(oid);
CREATE INDEX pg_catalog.pg_type_name ON pg_type(typname);
CREATE UNIQUE INDEX pg_catalog.pg_proc_oid ON pg_proc(oid);
CREATE INDEX pg_catalog.pg_proc_name ON pg_proc(proname);
CREATE INDEX pg_catalog.pg_index_table ON pg_index(indrelid);
CREATE INDEX pg_catalog.pg_index_index ON pg_index(indexrelid);
CREATE INDEX pg_catalog.pg_constraint_table ON pg_constraint(conrelid);
CREATE UNIQUE INDEX pg_catalog.pg_constraint_oid ON pg_constraint(oid);
CREATE INDEX pg_catalog.pg_attrdef_column ON pg_attrdef(adrelid, adnum);

INSERT INTO pg_catalog.pg_namespace VALUES
  (11, 'pg_catalog', 10, NULL), (99, 'pg_toast', 10, NULL), (2200, 'public', 10, NULL),
  (13180, 'information_schema', 10, NULL);
INSERT INTO pg_catalog.pg_am VALUES
  (2, 'heap', 3, 't'), (403, 'btree', 330, 'i'), (405, 'hash', 331, 'i');
INSERT INTO pg_catalog.pg_tablespace VALUES
  (1663, 'pg_default', 10, NULL, NULL), (1664, 'pg_global', 10, NULL, NULL);
INSERT INTO pg_catalog.pg_language VALUES
  (12, 'internal', 10, 0, 0, 0, 0, 2246, NULL), (14, 'sql', 10, 0, 1, 0, 0, 2248, NULL);
ALTER TABLE pg_catalog.pg_language ADD COLUMN tableoid pg_26 INTEGER DEFAULT 2612;
INSERT INTO pg_catalog.pg_collation(oid, collname, collnamespace, collowner, collprovider,
  collisdeterministic, collencoding, collcollate, collctype) VALUES
  (100, 'default', 11, 10, 'd', 1, -1, NULL, NULL), (950, 'C', 11, 10, 'c', 1, -1, 'C', 'C'),
  (951, 'POSIX', 11, 10, 'c', 1, -1, 'POSIX', 'POSIX');
INSERT INTO pg_catalog.pg_range(rngtypid, rngsubtype, rngmultitypid, rngcollation, rngsubopc,
  rngcanonical, rngsubdiff) VALUES
  (3904, 23, 4451, 0, 1978, 0, 0), (3906, 1700, 4532, 0, 3125, 0, 0),
  (3908, 1114, 4533, 0, 3128, 0, 0), (3910, 1184, 4534, 0, 3127, 0, 0),
  (3912, 1082, 4535, 0, 3122, 0, 0), (3926, 20, 4536, 0, 3124, 0, 0);
INSERT INTO pg_catalog.pg_database(oid, datname, datdba, encoding, datlocprovider, datistemplate,
  datallowconn, datconnlimit, datfrozenxid, datminmxid, dattablespace, datcollate, datctype) VALUES
  (16383, 'main', 10, 6, 'c', 0, 1, -1, 0, 1, 1663, 'C', 'C');
)sql";

const char* const catalog_views = R"sql(
CREATE TABLE pg_catalog.pg_authid(oid pg_26 INTEGER, rolname pg_19 TEXT,
  rolsuper pg_16 INTEGER, rolinherit pg_16 INTEGER, rolcreaterole pg_16 INTEGER,
  rolcreatedb pg_16 INTEGER, rolcanlogin pg_16 INTEGER, rolreplication pg_16 INTEGER,
  rolbypassrls pg_16 INTEGER, rolconnlimit pg_23 INTEGER, rolpassword pg_25 TEXT,
  rolvaliduntil pg_1184 TEXT, rolconfig pg_1009 TEXT);
INSERT INTO pg_catalog.pg_authid VALUES(10, '', 0, 1, 0, 0, 1, 0, 0, -1, '********', NULL, NULL);
CREATE VIEW pg_catalog.pg_roles AS SELECT current_user() AS rolname, rolsuper, rolinherit,
  rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, rolpassword,
  rolvaliduntil, rolbypassrls, rolconfig, oid FROM pg_authid;
CREATE VIEW pg_catalog.pg_user AS SELECT current_user() AS usename, oid AS usesysid,
  rolcreatedb AS usecreatedb, rolsuper AS usesuper, rolreplication AS userepl,
  rolbypassrls AS usebypassrls, rolpassword AS passwd, rolvaliduntil AS valuntil,
  rolconfig AS useconfig FROM pg_authid;
CREATE VIEW pg_catalog.pg_shadow AS SELECT * FROM pg_user;
CREATE VIEW pg_catalog.pg_group AS SELECT rolname AS groname, oid AS grosysid,
  rolconfig AS grolist FROM pg_authid WHERE 0;
CREATE TABLE pg_catalog.sluice_setting(name pg_25 TEXT, vartype pg_25 TEXT);
INSERT INTO pg_catalog.sluice_setting VALUES ('application_name', 'string'),
  ('bytea_output', 'enum'), ('client_encoding', 'string'), ('client_min_messages', 'enum'),
  ('DateStyle', 'string'), ('default_transaction_isolation', 'enum'),
  ('default_transaction_read_only', 'bool'), ('extra_float_digits', 'integer'),
  ('integer_datetimes', 'bool'), ('IntervalStyle', 'enum'), ('lc_collate', 'string'),
  ('lc_ctype', 'string'), ('lock_timeout', 'integer'), ('max_identifier_length', 'integer'),
  ('max_index_keys', 'integer'), ('search_path', 'string'), ('server_encoding', 'string'),
  ('server_version', 'string'), ('server_version_num', 'integer'),
  ('standard_conforming_strings', 'bool'), ('statement_timeout', 'integer'),
  ('TimeZone', 'string'), ('transaction_isolation', 'enum'), ('transaction_read_only', 'bool');
CREATE VIEW pg_catalog.pg_settings AS SELECT name, current_setting(name, 1) AS setting,
  NULL AS unit, 'Sluice' AS category, name AS short_desc, NULL AS extra_desc,
  'user' AS context, vartype, 'default' AS source, NULL AS min_val, NULL AS max_val,
  NULL AS enumvals, current_setting(name, 1) AS boot_val,
  current_setting(name, 1) AS reset_val, NULL AS sourcefile, NULL AS sourceline,
  FALSE AS pending_restart FROM sluice_setting;
CREATE TABLE pg_catalog.sluice_activity(datid pg_26 INTEGER, usesysid pg_26 INTEGER,
  leader_pid pg_23 INTEGER, client_addr pg_25 TEXT, client_hostname pg_25 TEXT,
  client_port pg_23 INTEGER, backend_start pg_1184 TEXT, xact_start pg_1184 TEXT,
  query_start pg_1184 TEXT, state_change pg_1184 TEXT, wait_event_type pg_25 TEXT,
  wait_event pg_25 TEXT, state pg_25 TEXT, backend_xid pg_28 INTEGER,
  backend_xmin pg_28 INTEGER, query_id pg_20 INTEGER, query pg_25 TEXT,
  backend_type pg_25 TEXT, ssl pg_16 INTEGER);
INSERT INTO pg_catalog.sluice_activity(datid, usesysid, state, query, backend_type, ssl)
  VALUES (16383, 10, 'active', '', 'client backend', 0);
CREATE VIEW pg_catalog.pg_stat_activity AS SELECT datid, current_database() AS datname,
  pg_backend_pid() AS pid, leader_pid, usesysid, current_user() AS usename,
  current_setting('application_name', 1) AS application_name, client_addr, client_hostname,
  client_port, backend_start, xact_start, query_start, state_change, wait_event_type, wait_event,
  state, backend_xid, backend_xmin, query_id, query, backend_type FROM sluice_activity;
CREATE VIEW pg_catalog.pg_stat_ssl AS SELECT pg_backend_pid() AS pid, ssl, NULL AS version,
  NULL AS cipher, NULL AS bits, NULL AS client_dn, NULL AS client_serial, NULL AS issuer_dn
  FROM sluice_activity;
DROP TABLE information_schema.enabled_roles;
CREATE VIEW information_schema.enabled_roles AS SELECT current_user() AS role_name;
)sql";

const char* const catalog_derived = R"sql(
DELETE FROM pg_catalog.pg_tables;
INSERT INTO pg_catalog.pg_tables(schemaname, tablename, tableowner, hasindexes, hasrules,
  hastriggers, rowsecurity) SELECT nspname, relname, 'sluice', relhasindex, relhasrules,
  relhastriggers, 0 FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace n ON n.oid=relnamespace
  WHERE relkind='r';
DELETE FROM pg_catalog.pg_views;
INSERT INTO pg_catalog.pg_views(schemaname, viewname, viewowner, definition) SELECT nspname,
  relname, 'sluice', (SELECT definition FROM pg_catalog.sluice_definition WHERE classid=1259
  AND objid=c.oid) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=relnamespace
  WHERE relkind='v';
DELETE FROM pg_catalog.pg_indexes;
INSERT INTO pg_catalog.pg_indexes(schemaname, tablename, indexname, indexdef) SELECT 'public',
  t.relname, i.relname, definition FROM pg_catalog.pg_index JOIN pg_catalog.pg_class t ON
  t.oid=indrelid JOIN pg_catalog.pg_class i ON i.oid=indexrelid JOIN pg_catalog.sluice_definition
  ON classid=2610 AND objid=indexrelid AND objsubid=0;
DELETE FROM pg_catalog.pg_stat_user_tables;
INSERT INTO pg_catalog.pg_stat_user_tables(relid, schemaname, relname) SELECT oid, 'public', relname
  FROM pg_catalog.pg_class WHERE relkind='r' AND relnamespace=2200;
DELETE FROM information_schema.information_schema_catalog_name;
INSERT INTO information_schema.information_schema_catalog_name VALUES(current_database());
DELETE FROM information_schema.schemata;
INSERT INTO information_schema.schemata(catalog_name, schema_name, schema_owner) SELECT
  current_database(), nspname, 'sluice' FROM pg_catalog.pg_namespace;
DELETE FROM information_schema.tables;
INSERT INTO information_schema.tables(table_catalog, table_schema, table_name, table_type,
  is_insertable_into, is_typed) SELECT current_database(), nspname, relname, CASE relkind WHEN 'r'
  THEN 'BASE TABLE' ELSE 'VIEW' END, CASE relkind WHEN 'r' THEN 'YES' ELSE 'NO' END, 'NO'
  FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace n ON n.oid=relnamespace
  WHERE relkind IN ('r','v');
DELETE FROM information_schema.views;
INSERT INTO information_schema.views(table_catalog, table_schema, table_name, view_definition,
  check_option, is_updatable, is_insertable_into, is_trigger_updatable, is_trigger_deletable,
  is_trigger_insertable_into) SELECT current_database(), schemaname, viewname, definition, 'NONE',
  'NO', 'NO', 'NO', 'NO', 'NO' FROM pg_catalog.pg_views;
DELETE FROM information_schema.columns;
INSERT INTO information_schema.columns(table_catalog, table_schema, table_name, column_name,
  ordinal_position, column_default, is_nullable, data_type, character_maximum_length,
  character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale,
  datetime_precision, udt_catalog, udt_schema, udt_name, dtd_identifier, is_self_referencing,
  is_identity, identity_cycle, is_generated, generation_expression, is_updatable)
  SELECT current_database(), nspname, relname, attname, attnum,
  CASE attgenerated WHEN '' THEN adbin END, CASE attnotnull WHEN 0 THEN 'YES' ELSE 'NO' END,
  CASE WHEN typcategory='A' THEN 'ARRAY' ELSE format_type(atttypid, NULL) END,
  CASE WHEN atttypid IN (1042, 1043) AND atttypmod > 4 THEN atttypmod - 4 END,
  CASE WHEN atttypid IN (1042, 1043) AND atttypmod > 4 THEN 4 * (atttypmod - 4)
       WHEN atttypid IN (25, 1042, 1043) THEN 1073741824 END,
  CASE atttypid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
       WHEN 1700 THEN CASE WHEN atttypmod > 4 THEN (atttypmod - 4) >> 16 END END,
  CASE WHEN atttypid IN (20, 21, 23, 700, 701) THEN 2 WHEN atttypid=1700 THEN 10 END,
  CASE WHEN atttypid IN (20, 21, 23) THEN 0
       WHEN atttypid=1700 AND atttypmod > 4 THEN (atttypmod - 4) & 65535 END,
  CASE atttypid WHEN 1082 THEN 0 WHEN 1083 THEN 6 WHEN 1114 THEN 6 WHEN 1184 THEN 6 END,
  current_database(), 'pg_catalog', typname, CAST(attnum AS TEXT), 'NO', 'NO', 'NO',
  CASE attgenerated WHEN '' THEN 'NEVER' ELSE 'ALWAYS' END,
  CASE attgenerated WHEN '' THEN NULL ELSE adbin END, CASE relkind WHEN 'r' THEN 'YES' ELSE 'NO' END
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=relnamespace
  JOIN pg_catalog.pg_attribute a ON attrelid=c.oid JOIN pg_catalog.pg_type t ON t.oid=atttypid
  LEFT JOIN pg_catalog.pg_attrdef ON adrelid=c.oid AND adnum=attnum WHERE relkind IN ('r','v');
DELETE FROM information_schema.table_constraints;
INSERT INTO information_schema.table_constraints(constraint_catalog, constraint_schema,
  constraint_name, table_catalog, table_schema, table_name, constraint_type, is_deferrable,
  initially_deferred, enforced, nulls_distinct) SELECT current_database(), 'public', conname,
  current_database(), 'public', relname, CASE contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN
  'UNIQUE' WHEN 'f' THEN 'FOREIGN KEY' ELSE 'CHECK' END, CASE condeferrable WHEN 1 THEN 'YES' ELSE
  'NO' END, CASE condeferred WHEN 1 THEN 'YES' ELSE 'NO' END, 'YES', CASE contype WHEN 'u' THEN
  'YES' END FROM pg_catalog.pg_constraint JOIN pg_catalog.pg_class c ON c.oid=conrelid;
INSERT INTO information_schema.table_constraints(constraint_catalog, constraint_schema,
  constraint_name, table_catalog, table_schema, table_name, constraint_type, is_deferrable,
  initially_deferred, enforced) SELECT current_database(), 'public', '2200_' || attrelid || '_' ||
  attnum || '_not_null', current_database(), 'public', relname, 'CHECK', 'NO', 'NO', 'YES'
  FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_class c ON c.oid=attrelid
  WHERE attnotnull=1 AND relkind='r' AND attrelid >= 16384;
DELETE FROM information_schema.check_constraints;
INSERT INTO information_schema.check_constraints SELECT current_database(), 'public', conname,
  conbin FROM pg_catalog.pg_constraint WHERE contype='c';
INSERT INTO information_schema.check_constraints SELECT current_database(), 'public', '2200_' ||
  attrelid || '_' || attnum || '_not_null', attname || ' IS NOT NULL' FROM pg_catalog.pg_attribute
  JOIN pg_catalog.pg_class c ON c.oid=attrelid WHERE attnotnull=1 AND relkind='r' AND
  attrelid >= 16384;
DELETE FROM information_schema.key_column_usage;
INSERT INTO information_schema.key_column_usage SELECT current_database(), 'public', conname,
  current_database(), 'public', relname, attname, k.place, CASE contype WHEN 'f' THEN k.place END
  FROM pg_catalog.pg_constraint, "pg:unnest+:number:place"(conkey) AS k
  JOIN pg_catalog.pg_class c ON c.oid=conrelid
  JOIN pg_catalog.pg_attribute ON attrelid=conrelid AND attnum=k.number
  WHERE contype IN ('p','u','f');
DELETE FROM information_schema.constraint_column_usage;
INSERT INTO information_schema.constraint_column_usage SELECT current_database(), 'public', relname,
  attname, current_database(), 'public', conname FROM pg_catalog.pg_constraint,
  "pg:unnest+:number:place"(CASE contype WHEN 'f' THEN confkey ELSE conkey END) AS k
  JOIN pg_catalog.pg_class c ON c.oid=CASE contype WHEN 'f' THEN confrelid ELSE conrelid END
  JOIN pg_catalog.pg_attribute ON attrelid=c.oid AND attnum=k.number;
DELETE FROM information_schema.constraint_table_usage;
INSERT INTO information_schema.constraint_table_usage SELECT current_database(), 'public', relname,
  current_database(), 'public', conname FROM pg_catalog.pg_constraint JOIN pg_catalog.pg_class c
  ON c.oid=CASE contype WHEN 'f' THEN confrelid ELSE conrelid END;
DELETE FROM information_schema.referential_constraints;
INSERT INTO information_schema.referential_constraints SELECT current_database(), 'public',
  f.conname, current_database(), 'public', u.conname, 'NONE',
  CASE f.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
       WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END,
  CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
       WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END
  FROM pg_catalog.pg_constraint f LEFT JOIN pg_catalog.pg_constraint u ON u.conindid=f.conindid AND
  u.conrelid=f.confrelid AND u.contype IN ('p','u') WHERE f.contype='f';
DELETE FROM information_schema.triggers;
INSERT INTO information_schema.triggers(trigger_catalog, trigger_schema, trigger_name,
  event_manipulation, event_object_catalog, event_object_schema, event_object_table,
  action_statement, action_orientation, action_timing) SELECT current_database(), 'public', tgname,
  CASE WHEN tgtype & 4 THEN 'INSERT' WHEN tgtype & 8 THEN 'DELETE' ELSE 'UPDATE' END,
  current_database(), 'public', relname, definition, 'ROW', CASE WHEN tgtype & 64 THEN 'INSTEAD OF'
  WHEN tgtype & 2 THEN 'BEFORE' ELSE 'AFTER' END FROM pg_catalog.pg_trigger t JOIN
  pg_catalog.pg_class c ON c.oid=tgrelid JOIN pg_catalog.sluice_definition ON classid=2620 AND
  objid=t.oid;
DELETE FROM information_schema.table_privileges;
INSERT INTO information_schema.table_privileges SELECT 'sluice', 'PUBLIC',
  current_database(), table_schema, table_name, p.column1, 'NO', CASE p.column1 WHEN 'SELECT' THEN
  'YES' ELSE 'NO' END FROM information_schema.tables, (VALUES ('SELECT'), ('INSERT'), ('UPDATE'),
  ('DELETE')) p WHERE table_schema='public';
DELETE FROM information_schema.character_sets;
INSERT INTO information_schema.character_sets(character_set_name, character_repertoire, form_of_use,
  default_collate_catalog) VALUES('UTF8', 'UCS', 'UTF8', current_database());
)sql";

}  // namespace sluice::sqlite
