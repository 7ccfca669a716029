# Statements that must neither run nor do harm: one on each line.
# {outside} is a folder beside the lake with secrets, {data} the lake's Parquet, {catalog} its SQLite file,
# {port} a TCP port of this machine that listens.

# Files, by functions.
SELECT * FROM read_csv('{outside}/secret.csv')
SELECT * FROM read_csv_auto('{outside}/secret.csv')
SELECT * FROM read_text('{outside}/secret.csv')
SELECT * FROM read_blob('{outside}/secret.csv')
SELECT * FROM read_json('{outside}/secret.json')
SELECT * FROM read_json_auto('{outside}/secret.json')
SELECT * FROM read_json_objects('{outside}/secret.json')
SELECT * FROM read_ndjson('{outside}/secret.json')
SELECT * FROM read_ndjson_auto('{outside}/secret.json')
SELECT * FROM read_ndjson_objects('{outside}/secret.json')
SELECT * FROM read_parquet('{outside}/secret.parquet')
SELECT * FROM parquet_scan('{outside}/secret.parquet')
SELECT * FROM parquet_metadata('{outside}/secret.parquet')
SELECT * FROM parquet_full_metadata('{outside}/secret.parquet')
SELECT * FROM parquet_schema('{outside}/secret.parquet')
SELECT * FROM parquet_file_metadata('{outside}/secret.parquet')
SELECT * FROM parquet_kv_metadata('{outside}/secret.parquet')
SELECT * FROM parquet_bloom_probe('{outside}/secret.parquet', 'secret', 1)
SELECT * FROM read_duckdb('{outside}/secret.duckdb', table_name => 'secret')
SELECT * FROM glob('{outside}/*')
SELECT * FROM glob('/**')
SELECT * FROM sniff_csv('{outside}/secret.csv')
SELECT * FROM read_text('{data}/../../outside/secret.csv')
SELECT * FROM read_text('{data}main/../../../outside/*')
SELECT * FROM read_text('file://{outside}/secret.csv')
SELECT * FROM read_text('/proc/self/environ')
SELECT * FROM read_text('/proc/1/environ')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_blob('/dev/stdin')
SELECT * FROM read_parquet('{data}**/*.parquet')
SELECT * FROM glob('{data}**')

# ... in every corner of a statement.
WITH a AS (SELECT * FROM read_text('{outside}/secret.csv')) SELECT * FROM a
WITH a AS MATERIALIZED (FROM read_text('{outside}/secret.csv')) FROM a
WITH RECURSIVE a AS (SELECT content FROM read_text('{outside}/secret.csv') UNION ALL SELECT content FROM a WHERE false) FROM a
SELECT (SELECT content FROM read_text('{outside}/secret.csv'))
SELECT 1 WHERE EXISTS (FROM read_text('{outside}/secret.csv'))
SELECT 1 WHERE 'x' IN (SELECT content FROM read_text('{outside}/secret.csv'))
SELECT 1 WHERE 'x' = ANY (SELECT content FROM read_text('{outside}/secret.csv'))
SELECT * FROM runs ORDER BY (SELECT content FROM read_text('{outside}/secret.csv'))
SELECT * FROM runs LIMIT (SELECT size FROM read_text('{outside}/secret.csv'))
SELECT * FROM runs QUALIFY row_number() OVER (ORDER BY (SELECT content FROM read_text('{outside}/secret.csv'))) = 1
SELECT count(*) FILTER (WHERE EXISTS (FROM read_text('{outside}/secret.csv'))) FROM runs
SELECT list_transform([1], lambda x: (SELECT content FROM read_text('{outside}/secret.csv')))
SELECT CASE WHEN true THEN (SELECT content FROM read_text('{outside}/secret.csv')) END
SELECT sum(1) OVER (PARTITION BY (SELECT content FROM read_text('{outside}/secret.csv'))) FROM runs
SELECT * REPLACE ((SELECT content FROM read_text('{outside}/secret.csv')) AS name) FROM runs
SELECT 1 GROUP BY (SELECT content FROM read_text('{outside}/secret.csv'))
SELECT 1 UNION ALL SELECT size FROM read_text('{outside}/secret.csv')
SELECT * FROM runs, LATERAL (SELECT content FROM read_text('{outside}/secret.csv')) t
SELECT * FROM runs JOIN read_text('{outside}/secret.csv') ON true
SELECT * FROM runs POSITIONAL JOIN read_text('{outside}/secret.csv')
SELECT * FROM unnest((SELECT [content] FROM read_text('{outside}/secret.csv')))
VALUES ((SELECT content FROM read_text('{outside}/secret.csv')))
FROM (VALUES ((SELECT content FROM read_text('{outside}/secret.csv')))) t(a)
PIVOT read_text('{outside}/secret.csv') ON content USING count(*)
PIVOT (FROM read_text('{outside}/secret.csv')) ON content IN ('a') USING count(*)
PIVOT runs ON (SELECT content FROM read_text('{outside}/secret.csv')) USING count(*)
PIVOT runs ON name IN (SELECT content FROM read_text('{outside}/secret.csv')) USING count(*)
SELECT * FROM (PIVOT read_text('{outside}/secret.csv') ON content USING count(*))
UNPIVOT read_text('{outside}/secret.csv') ON content
DESCRIBE FROM read_text('{outside}/secret.csv')
DESCRIBE '{outside}/secret.csv'
SUMMARIZE FROM read_csv('{outside}/secret.csv')
SUMMARIZE '{outside}/secret.csv'
EXPLAIN FROM read_csv('{outside}/secret.csv')
EXPLAIN ANALYZE SELECT count(*) FROM scalars
EXPLAIN (FORMAT json) FROM read_csv('{outside}/secret.csv')
SELECT * FROM (DESCRIBE '{outside}/secret.csv')
SELECT * FROM (SUMMARIZE FROM read_csv('{outside}/secret.csv'))

# Files and addresses, by names.
FROM '{outside}/secret.csv'
SELECT * FROM "{outside}/secret.csv"
SELECT * FROM '{outside}/secret.parquet'
SELECT * FROM '{outside}/secret.json'
SELECT * FROM main."{outside}/secret.csv"
SELECT * FROM lake."{outside}/secret.csv"
SELECT * FROM 'file:{outside}/secret.csv'
SELECT * FROM '{data}**/*.parquet'
SELECT * FROM 'http://127.0.0.1:{port}/secret.csv'
SELECT * FROM 's3://secret/secret.parquet'
SELECT * FROM (WITH "{outside}/secret.csv" AS (SELECT 1) SELECT 1), "{outside}/secret.csv"
WITH a AS (SELECT * FROM '{outside}/secret.csv') FROM a
TABLE '{outside}/secret.csv'
PIVOT '{outside}/secret.csv' ON secret USING count(*)

# Catalogs and settings.
FROM duckdb_tables()
FROM duckdb_tables
FROM duckdb_databases
FROM duckdb_databases()
FROM system.main.duckdb_tables
FROM duckdb_settings()
FROM duckdb_secrets()
FROM duckdb_extensions()
FROM duckdb_functions()
FROM duckdb_logs
FROM duckdb_logs()
FROM duckdb_variables()
FROM duckdb_temporary_files()
FROM duckdb_external_file_cache()
FROM duckdb_memory()
FROM pg_catalog.pg_class
FROM pg_class
FROM pg_settings
FROM information_schema.tables
FROM sqlite_master
FROM pragma_database_list
FROM pragma_table_info('runs')
FROM pragma_storage_info('runs')
FROM pragma_database_size()
FROM which_secret('s3://a', 's3')
SHOW ALL TABLES
SHOW DATABASES
SHOW TABLES FROM system
DESCRIBE
SELECT * FROM (SHOW ALL TABLES)
SELECT * FROM (SHOW DATABASES)
WITH duckdb_databases AS (SELECT * FROM duckdb_databases) SELECT * FROM duckdb_databases
WITH RECURSIVE duckdb_databases AS (SELECT path FROM duckdb_databases UNION ALL SELECT path FROM duckdb_databases WHERE false) FROM duckdb_databases
WITH d AS (WITH sqlite_master AS (SELECT 1) SELECT 1) SELECT * FROM d, sqlite_master
SELECT (WITH duckdb_databases AS (SELECT 1) SELECT 1) FROM duckdb_databases
SELECT current_setting('secret_directory')
SELECT current_setting('lock_configuration')
SELECT getvariable('x')
SELECT getenv('HOME')
SELECT current_query()
SELECT pg_get_viewdef(1)
PRAGMA database_list
PRAGMA show_tables_expanded
PRAGMA import_database('{outside}')
PRAGMA enable_profiling
PRAGMA json_execute_serialized_sql('x')
SELECT * FROM query('SELECT * FROM read_text(''{outside}/secret.csv'')')
SELECT * FROM query_table('{outside}/secret.csv')
SELECT * FROM query_table(['runs', '{outside}/secret.csv'])
SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''{outside}/secret.csv'')'))
SELECT json_serialize_plan('FROM read_csv(''{outside}/secret.csv'')')
SELECT json_serialize_sql('SELECT 1')
SELECT write_log('x')
SELECT sleep_ms(60000)
SELECT pg_sleep(60)
SELECT setseed(0.5)
SELECT nextval('x')

# DuckLake's own functions and the catalog.
SELECT * FROM ducklake_cleanup_old_files('lake', cleanup_all => true)
SELECT * FROM ducklake_delete_orphaned_files('lake', cleanup_all => true)
SELECT * FROM ducklake_expire_snapshots('lake', versions => [1, 2, 3])
SELECT * FROM ducklake_merge_adjacent_files('lake')
SELECT * FROM ducklake_rewrite_data_files('lake', delete_threshold => 0)
SELECT * FROM ducklake_flush_inlined_data('lake')
SELECT * FROM ducklake_add_data_files('lake', 'hparams', '{outside}/secret.parquet')
SELECT * FROM ducklake_list_files('lake', 'hparams')
SELECT * FROM ducklake_snapshots('lake')
SELECT * FROM ducklake_options('lake')
SELECT * FROM ducklake_table_info('lake')
SELECT * FROM ducklake_table_insertions('lake', 'main', 'hparams', 0, 9)
SELECT * FROM ducklake_table_deletions('lake', 'main', 'hparams', 0, 9)
SELECT * FROM ducklake_table_changes('lake', 'main', 'hparams', 0, 9)
SELECT * FROM lake.snapshots()
FROM __ducklake_metadata_lake.main.ducklake_data_file
FROM __ducklake_metadata_lake.ducklake_snapshot
SELECT * FROM hparams AT (VERSION => 2)
SELECT * FROM hparams AT (TIMESTAMP => now() - INTERVAL 1 HOUR)
CALL ducklake_cleanup_old_files('lake', cleanup_all => true)
CALL ducklake_expire_snapshots('lake', versions => [1, 2, 3])
CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)
CALL ducklake_add_data_files('lake', 'hparams', '{outside}/secret.parquet')
CALL ducklake_set_option('lake', 'parquet_version', '1')
CALL lake.set_option('parquet_version', '1')

# Other databases, and other ways in.
SELECT * FROM sqlite_scan('{catalog}', 'ducklake_snapshot')
SELECT * FROM sqlite_scan('{outside}/secret.sqlite', 'secret')
SELECT * FROM sqlite_query('{outside}/secret.sqlite', 'SELECT 1')
SELECT * FROM postgres_scan('host=127.0.0.1 port={port}', 'public', 'secret')
SELECT * FROM postgres_query('x', 'SELECT 1')
SELECT * FROM mysql_scan('host=127.0.0.1 port={port}', 'x', 'y')
SELECT * FROM read_csv('http://127.0.0.1:{port}/secret.csv')
SELECT * FROM read_parquet('s3://secret/secret.parquet')
SELECT http_get('http://127.0.0.1:{port}/')
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM pandas_scan(1)
SELECT * FROM python_map_function(1)
SELECT * FROM seq_scan('runs')
SELECT * FROM summary((SELECT 1))
SELECT * FROM checkpoint()
SELECT * FROM enable_logging()
SELECT * FROM range(3) AS t, main.glob('*')
SELECT * FROM system.main.range(3)
ATTACH '{outside}/secret.duckdb' AS x
ATTACH '{outside}/secret.sqlite' AS x (TYPE sqlite)
ATTACH 'ducklake:sqlite:{catalog}' AS x
ATTACH 'ducklake:{outside}/new.duckdb' AS x (DATA_PATH '{outside}/')
ATTACH 'host=127.0.0.1 port={port}' AS x (TYPE postgres)
ATTACH ':memory:' AS x
ATTACH IF NOT EXISTS '{outside}/new.duckdb' AS x
DETACH lake
USE memory

# Writing.
COPY (SELECT 1) TO '{outside}/new.csv'
COPY (SELECT 1) TO '{live}' (FORMAT parquet)
COPY (SELECT 1) TO '{live}' (FORMAT parquet, USE_TMP_FILE false)
COPY (SELECT 1) TO '{data}new.parquet'
COPY hparams TO '{data}main/new' (FORMAT parquet, PARTITION_BY (name))
COPY hparams FROM '{outside}/secret.csv'
COPY FROM DATABASE lake TO memory
COPY (FROM read_text('{outside}/secret.csv')) TO '{data}new.csv'
EXPORT DATABASE '{outside}/new'
EXPORT DATABASE '{data}new'
IMPORT DATABASE '{outside}'
INSERT INTO hparams DEFAULT VALUES
INSERT INTO lake.main.hparams (run_id, name) SELECT 1, 'x'
UPDATE hparams SET name = 'x'
DELETE FROM hparams
DELETE FROM __ducklake_metadata_lake.main.ducklake_data_file
UPDATE __ducklake_metadata_lake.main.ducklake_metadata SET value = '{outside}/'
TRUNCATE hparams
MERGE INTO hparams USING runs ON hparams.run_id = runs.run_id WHEN MATCHED THEN DELETE
WITH a AS (SELECT 1) DELETE FROM hparams
DROP TABLE hparams
DROP VIEW runs
DROP SCHEMA lake.main CASCADE
ALTER TABLE hparams ADD COLUMN x INT
ALTER TABLE hparams RENAME TO x
CREATE TABLE x AS SELECT 1
CREATE TABLE lake.main.x (i INT)
CREATE OR REPLACE VIEW lake.main.runs AS SELECT 1
CREATE TEMP VIEW runs AS SELECT 1
CREATE MACRO f() AS TABLE FROM read_text('{outside}/secret.csv')
CREATE TYPE x AS ENUM (SELECT content FROM read_text('{outside}/secret.csv'))
CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')
CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')
CREATE SEQUENCE s
COMMENT ON TABLE hparams IS 'x'
VACUUM
CHECKPOINT
CHECKPOINT lake
ANALYZE

# Settings and sessions.
SET enable_external_access = true
SET lock_configuration = false
SET allowed_directories = ['/']
SET GLOBAL memory_limit = '100GB'
SET threads = 64
SET temp_directory = '{outside}/new'
SET log_query_path = '{outside}/new.log'
SET VARIABLE x = (SELECT content FROM read_text('{outside}/secret.csv'))
SET search_path = 'system'
SET profiling_output = '{outside}/new.json'
SET python_enable_replacements = true
SET extension_directory = '{outside}'
SET home_directory = '{outside}'
RESET enable_external_access
RESET lock_configuration
INSTALL httpfs
FORCE INSTALL sqlite
LOAD sqlite
LOAD '{outside}/secret.duckdb_extension'
UPDATE EXTENSIONS
BEGIN
COMMIT
ROLLBACK
PREPARE p AS SELECT * FROM read_text('{outside}/secret.csv')
EXECUTE p
DEALLOCATE p
SELECT 1; SELECT 2
SELECT 1; DROP TABLE hparams
SELECT 1 /* ; */ ; COPY (SELECT 1) TO '{outside}/new.csv'
; ; DROP TABLE hparams
-- only a comment

# Replacement scans of file-like names in every corner.
WITH a AS (FROM '{outside}/secret.csv'), b AS (SELECT 1) SELECT * FROM b
WITH a AS (SELECT 1) SELECT * FROM a UNION ALL BY NAME FROM '{outside}/secret.csv'
SELECT * FROM runs WHERE name IN (FROM '{outside}/secret.csv')
SELECT (FROM '{outside}/secret.csv')
SELECT [x FOR x IN (FROM '{outside}/secret.csv')]
SELECT exists(FROM '{outside}/secret.csv')
SELECT ARRAY(SELECT secret FROM '{outside}/secret.csv')
FROM (FROM '{outside}/secret.csv')
FROM (TABLE '{outside}/secret.csv')
SELECT * FROM runs SEMI JOIN '{outside}/secret.csv' s ON true
SELECT * FROM runs ANTI JOIN '{outside}/secret.csv' s ON true
SELECT * FROM runs ASOF JOIN '{outside}/secret.csv' s ON runs.run_id >= s.n
SELECT * FROM runs NATURAL JOIN '{outside}/secret.csv'
SELECT * FROM runs, LATERAL (FROM '{outside}/secret.csv' s WHERE s.n = runs.run_id)
SELECT * FROM '{outside}/secret.csv' EXCEPT FROM runs
SELECT * FROM '{outside}/secret.csv' INTERSECT ALL SELECT 'x', 1
SELECT * FROM '{outside}/*.csv' TABLESAMPLE 1 ROWS
SELECT * FROM ['{outside}/secret.csv', '{outside}/secret.csv']
SELECT * FROM ('{outside}/secret.csv') t
PIVOT (FROM '{outside}/secret.csv') ON secret IN ('a')
PIVOT_WIDER '{outside}/secret.csv' ON secret
UNPIVOT '{outside}/secret.csv' ON secret
UNPIVOT (FROM '{outside}/secret.csv') ON COLUMNS(*)
PIVOT_LONGER '{outside}/secret.csv' ON n
SELECT * FROM '{outside}/secret.csv' PIVOT (count(*) FOR secret IN ('a'))
SELECT * FROM '{outside}/secret.csv' UNPIVOT (v FOR k IN (n))
DESCRIBE SELECT * FROM '{outside}/secret.csv'
DESCRIBE TABLE '{outside}/secret.csv'
DESCRIBE (SUMMARIZE '{outside}/secret.csv')
SUMMARIZE SELECT * FROM '{outside}/secret.csv'
SUMMARIZE (FROM (FROM '{outside}/secret.csv'))
SHOW '{outside}/secret.csv'
SELECT * FROM (SHOW TABLES FROM lake)
SELECT * FROM (DESCRIBE FROM '{outside}/secret.csv')
EXPLAIN SELECT * FROM '{outside}/secret.csv'
EXPLAIN (ANALYZE) SELECT 1
EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM runs
EXPLAIN EXPLAIN SELECT 1
EXPLAIN COPY runs TO '{outside}/new.csv'
EXPLAIN PIVOT '{outside}/secret.csv' ON secret
WITH RECURSIVE a AS (SELECT 1 AS i UNION SELECT i + 1 FROM a, '{outside}/secret.csv' WHERE i < 3) FROM a
WITH RECURSIVE a(i) USING KEY (i) AS (SELECT 1 UNION SELECT n FROM '{outside}/secret.csv', a) FROM a
SELECT * FROM "{outside}/secret.csv"."main"."secret"
SELECT * FROM "file:{outside}/secret.parquet"
SELECT * FROM '{outside}/secret.csv' AS runs
SELECT * FROM runs AS "{outside}/secret.csv", "{outside}/secret.csv"
SELECT * FROM lake.main.'{outside}/secret.csv'
SELECT * FROM "main.runs; FROM read_text('{outside}/secret.csv')"
SELECT * FROM 'https://127.0.0.1:{port}/secret.parquet'
SELECT * FROM 'gs://secret/secret.parquet'
SELECT * FROM 'r2://secret/secret.parquet'
SELECT * FROM 'az://secret/secret.parquet'
SELECT * FROM 'hf://datasets/secret/secret.parquet'
SELECT * FROM '\\127.0.0.1\secret\secret.csv'
SELECT * FROM 'data:text/csv,secret'
SELECT * FROM '/dev/stdin'
SELECT * FROM '/dev/fd/0'
SELECT * FROM '/proc/self/fd/0'
SELECT * FROM '/proc/self/maps'
SELECT * FROM '~/.bashrc'
SELECT * FROM '../outside/secret.csv'
SELECT * FROM './secret.csv'
SELECT * FROM '{outside}/secret.json?x=1.csv'
SELECT * FROM '{outside}/%73ecret.csv'
SELECT * FROM '{outside}/secret.duckdb'
SELECT * FROM '{outside}/secret.sqlite'
SELECT * FROM '{outside}/secret.csv.gz'
SELECT * FROM '{outside}/secret.arrow'
SELECT * FROM '{outside}/secret.xlsx'
SELECT * FROM '{outside}/secret.avro'

# Readers by other names, and readers within expressions.
SELECT * FROM system.main.read_text('{outside}/secret.csv')
SELECT * FROM "read_text"('{outside}/secret.csv')
SELECT * FROM READ_TEXT('{outside}/secret.csv')
SELECT * FROM Read_Csv(path := '{outside}/secret.csv')
SELECT * FROM lake.read_text('{outside}/secret.csv')
SELECT * FROM read_text(['{outside}/secret.csv'])
SELECT * FROM read_text((SELECT '{outside}/secret.csv'))
SELECT * FROM read_csv('{outside}/secret.csv', columns = {'a': 'VARCHAR'}, store_rejects = true)
SELECT * FROM read_csv('{outside}/secret.csv', rejects_table = 'x')
SELECT * FROM read_xlsx('{outside}/secret.xlsx')
SELECT * FROM st_read('{outside}/secret.json')
SELECT * FROM st_read_meta('{outside}/secret.json')
SELECT * FROM st_drivers()
SELECT * FROM iceberg_scan('{outside}')
SELECT * FROM iceberg_metadata('{outside}')
SELECT * FROM delta_scan('{outside}')
SELECT * FROM read_avro('{outside}/secret.avro')
SELECT * FROM read_arrow('{outside}/secret.arrow')
SELECT * FROM scan_arrow_ipc([])
SELECT * FROM load_aws_credentials()
SELECT * FROM icu_calendar_names()
SELECT * FROM pg_timezone_names()
SELECT * FROM duckdb_secret_types()
SELECT * FROM duckdb_log_contexts()
SELECT * FROM duckdb_approx_database_count()
SELECT * FROM duckdb_prepared_statements()
SELECT * FROM duckdb_optimizers()
SELECT * FROM duckdb_keywords()
SELECT * FROM duckdb_types()
SELECT * FROM duckdb_coordinate_systems()
SELECT * FROM duckdb_connection_count()
SELECT * FROM duckdb_dependencies()
SELECT * FROM duckdb_constraints()
SELECT * FROM duckdb_indexes()
SELECT * FROM duckdb_sequences()
SELECT * FROM duckdb_schemas()
SELECT * FROM duckdb_views()
SELECT * FROM duckdb_columns()
SELECT * FROM duckdb_profiling_settings()
SELECT * FROM test_all_types()
SELECT * FROM test_vector_types(NULL::INT)
SELECT * FROM repeat('x', 100000000)
SELECT * FROM repeat_row(1, num_rows = 1000000000)
SELECT * FROM sql_auto_complete('SEL')
SELECT * FROM pragma_collations()
SELECT * FROM pragma_metadata_info()
SELECT * FROM pragma_platform()
SELECT * FROM pragma_show('runs')
SELECT * FROM pragma_user_agent()
SELECT * FROM pragma_version()
SELECT * FROM pragma_rowid()
SELECT * FROM storage_info('runs')
SELECT * FROM force_checkpoint('lake')
SELECT * FROM disable_logging()
SELECT * FROM set_log_level('trace')
SELECT * FROM truncate_duckdb_logs()
SELECT * FROM parse_duckdb_log_message('HTTP', 'x')
SELECT * FROM reservoir_sample(1)
SELECT * FROM json_each('[1]')
SELECT * FROM json_tree('[1]')
SELECT * FROM from_substrait('x')
SELECT * FROM check_peg_parser('SELECT 1')
SELECT * FROM sniff_csv('{outside}/secret.csv', sample_size = 1)
SELECT list_transform(['{outside}/secret.csv'], lambda p: (SELECT content FROM read_blob(p)))
SELECT list_transform(['{outside}/secret.csv'], lambda p: (FROM query_table(p)))
SELECT list_reduce(['{outside}/secret.csv'], lambda a, b: (SELECT content FROM read_text(a)))
SELECT (SELECT any_value(content) FROM read_blob(p)) FROM (VALUES ('{outside}/secret.csv')) t(p)
SELECT t.content FROM runs r, LATERAL read_text(r.path) t
SELECT '{outside}/secret.csv'.read_text()
SELECT read_text('{outside}/secret.csv')
SELECT read_csv('{outside}/secret.csv')
SELECT glob('{outside}/*')
SELECT COLUMNS(* EXCLUDE (content)) FROM read_text('{outside}/secret.csv')
SELECT COLUMNS(c -> (SELECT count(*) > 0 FROM read_text('{outside}/secret.csv'))) FROM runs
SELECT * REPLACE ((FROM query('SELECT 1')) AS name) FROM runs
SELECT UNPACK(COLUMNS(*)) FROM '{outside}/secret.csv'
SELECT struct_pack(a := (SELECT content FROM read_text('{outside}/secret.csv')))
SELECT MAP {'a': (SELECT content FROM read_text('{outside}/secret.csv'))}
SELECT TRY((SELECT content FROM read_text('{outside}/secret.csv')))
SELECT 1 LIMIT (SELECT count(*) FROM read_text('{outside}/secret.csv')) OFFSET 0
SELECT 1 OFFSET (SELECT count(*) FROM read_text('{outside}/secret.csv'))
SELECT 1 LIMIT (SELECT n FROM '{outside}/secret.csv')%
SELECT DISTINCT ON ((SELECT content FROM read_text('{outside}/secret.csv'))) 1
SELECT sum(1) OVER w FROM runs WINDOW w AS (ORDER BY (SELECT content FROM read_text('{outside}/secret.csv')))
SELECT sum(1) OVER (ORDER BY run_id ROWS (SELECT n FROM '{outside}/secret.csv') PRECEDING) FROM runs
SELECT string_agg(name, (SELECT content FROM read_text('{outside}/secret.csv'))) FROM runs
SELECT list(name ORDER BY (SELECT content FROM read_text('{outside}/secret.csv'))) FROM runs
SELECT 1 FROM runs GROUP BY CUBE ((SELECT content FROM read_text('{outside}/secret.csv')))
SELECT 1 FROM runs GROUP BY GROUPING SETS ((), ((SELECT content FROM read_text('{outside}/secret.csv'))))
SELECT 1 FROM runs HAVING (SELECT count(*) FROM read_text('{outside}/secret.csv')) > 0
SELECT 1 FROM runs USING SAMPLE (SELECT n FROM '{outside}/secret.csv')
SELECT * FROM range((SELECT n FROM '{outside}/secret.csv'))
SELECT * FROM unnest([(SELECT content FROM read_text('{outside}/secret.csv'))])
SELECT * FROM runs JOIN series ON (SELECT content FROM read_text('{outside}/secret.csv')) IS NOT NULL
SELECT name BETWEEN (SELECT content FROM read_text('{outside}/secret.csv')) AND 'z' FROM runs
SELECT name COLLATE "{outside}/secret" FROM read_text('{outside}/secret.csv')
SELECT name LIKE (SELECT content FROM read_text('{outside}/secret.csv')) FROM runs
SELECT $a$ x $a$, (SELECT content FROM read_text($b${outside}/secret.csv$b$))
SELECT CAST((SELECT content FROM read_text('{outside}/secret.csv')) AS VARCHAR)
SELECT (SELECT content FROM read_text('{outside}/secret.csv'))[1:2]
SELECT {'a': 1}[(SELECT content FROM read_text('{outside}/secret.csv'))]
SELECT ROW(1, (SELECT content FROM read_text('{outside}/secret.csv')))
SELECT POSITION((SELECT content FROM read_text('{outside}/secret.csv')) IN 'x')
SELECT EXTRACT(year FROM (SELECT last_modified FROM read_text('{outside}/secret.csv')))

# What tells of the server or of other sessions, by functions, casts and variables.
SELECT system.main.current_setting('memory_limit')
SELECT main.current_setting('memory_limit')
SELECT "current_setting"('TimeZone')
SELECT CURRENT_SETTING('TimeZone')
SELECT 'TimeZone'.current_setting()
SELECT list_transform(['secret_directory'], lambda x: current_setting(x))
SELECT COLUMNS(*)::VARCHAR FROM duckdb_settings()
SELECT getvariable('a' || 'b')
SELECT getenv('PATH')
SELECT list_transform(['HOME'], lambda x: getenv(x))
SELECT 'HOME'.getenv()
SELECT currval('x')
SELECT txid_current()
SELECT current_query_id()
SELECT current_connection_id()
SELECT current_transaction_id()
SELECT in_search_path('lake', 'main')
SELECT get_block_size('lake')
SELECT pg_typeof((SELECT content FROM read_text('{outside}/secret.csv')))
SELECT pg_postmaster_start_time()
SELECT pg_conf_load_time()
SELECT pg_is_other_temp_schema(1)
SELECT pg_my_temp_schema()
SELECT pg_size_pretty(1)
SELECT pg_get_expr('x', 1)
SELECT pg_get_constraintdef(1)
SELECT pg_table_is_visible(1)
SELECT pg_has_role('x', 'y')
SELECT has_table_privilege('runs', 'SELECT')
SELECT has_schema_privilege('main', 'USAGE')
SELECT has_database_privilege('lake', 'CONNECT')
SELECT obj_description(1)
SELECT col_description(1, 1)
SELECT shobj_description(1, 'x')
SELECT inet_client_addr()
SELECT inet_server_port()
SELECT write_log('x', level := 'error', scope := 'database')
SELECT json_serialize_sql('FROM read_text(''{outside}/secret.csv'')')
SELECT json_deserialize_sql(json_serialize_sql('SELECT 1'))
SELECT json_serialize_plan('SELECT 1')
FROM json_execute_serialized_sql('{"error": false}')
PRAGMA json_execute_serialized_sql('{"error": false}')
SELECT __internal_compress_integral_utinyint(1, 0)
SELECT __internal_decompress_string(1)
SELECT finalize(x) FROM (SELECT 1 AS x)
SELECT combine(1, 2)
SELECT sleep_ms(10)
SELECT is_histogram_other_bin(no_such_function(1))
SELECT nextval('lake.main.seq')
SELECT setseed(0.1), random()

# Statements of other kinds, in disguise.
CREATE OR REPLACE TEMP MACRO f(x) AS (SELECT content FROM read_text(x))
CREATE MACRO runs() AS TABLE SELECT 1
CREATE FUNCTION f() AS 1
CREATE TEMP TABLE runs AS SELECT 1
CREATE TABLE main.runs AS FROM '{outside}/secret.csv'
CREATE TABLE IF NOT EXISTS lake.main.hparams AS SELECT 1
CREATE OR REPLACE TABLE memory.main.runs AS SELECT 1
CREATE RECURSIVE VIEW v(a) AS SELECT 1
CREATE INDEX i ON hparams (name)
CREATE SCHEMA x
CREATE TYPE t AS ENUM ('a')
CREATE TRIGGER t AFTER INSERT ON hparams FOR EACH ROW SELECT 1
COMMENT ON COLUMN hparams.name IS 'x'
COMMENT ON VIEW runs IS NULL
DROP SECRET s
DROP MACRO f
DROP TYPE t
ALTER VIEW runs RENAME TO x
ALTER TABLE hparams SET PARTITIONED BY (name)
ALTER TABLE hparams SET SORTED BY (name)
ALTER DATABASE lake RENAME TO x
PREPARE q AS SELECT 1
PREPARE q AS DROP TABLE hparams
EXECUTE q('{outside}/secret.csv')
EXECUTE q(x := 1)
CALL pragma_version()
CALL range(3)
CALL enable_logging('HTTP')
CALL duckdb_settings()
CALL lake.snapshots()
CALL lake.merge_adjacent_files()
CALL ducklake_flush_inlined_data('lake')
PRAGMA version
PRAGMA table_info('runs')
PRAGMA storage_info('runs')
PRAGMA enable_external_access = true
PRAGMA memory_limit = '100GB'
PRAGMA threads = 64
PRAGMA user_agent
PRAGMA enable_object_cache
PRAGMA force_checkpoint
PRAGMA log_query_path = '{outside}/new.log'
PRAGMA temp_directory = '{outside}'
SET SESSION TimeZone = 'America/New_York'
SET LOCAL TimeZone = 'x'
SET Calendar = 'hebrew'
SET default_collation = 'NOCASE'
SET errors_as_json = false
SET enable_progress_bar = true
SET schema = 'system'
SET max_expression_depth = 1000000
SET custom_extension_repository = 'http://127.0.0.1:{port}'
SET http_proxy = '127.0.0.1:{port}'
SET s3_endpoint = '127.0.0.1:{port}'
SET ca_cert_file = '{outside}/secret.csv'
SET file_search_path = '{outside}'
SET enable_logging = true
SET logging_storage = 'file'
SET allow_unsigned_extensions = true
SET allow_parser_override_extension = 'strict'
SET VARIABLE a = 1
RESET VARIABLE a
RESET SESSION memory_limit
RESET ALL
SHOW VARIABLES
SHOW SETTINGS
SHOW SCHEMAS
SHOW TABLES FROM lake.main
SHOW TABLES FROM __ducklake_metadata_lake
SHOW MEMORY
SHOW search_path
INSTALL spatial FROM community
INSTALL '{outside}/secret.duckdb_extension'
INSTALL httpfs FROM 'http://127.0.0.1:{port}'
LOAD ducklake
LOAD icu
ATTACH DATABASE '{outside}/secret.duckdb' (READ_ONLY)
ATTACH OR REPLACE '{outside}/secret.duckdb' AS lake
ATTACH 'http://127.0.0.1:{port}/x.duckdb' AS x
ATTACH 'md:' AS x
ATTACH '' AS x (TYPE quack)
DETACH DATABASE IF EXISTS memory
USE lake.main
USE __ducklake_metadata_lake
BEGIN TRANSACTION READ ONLY
START TRANSACTION
ABORT
END
KILL 1
COPY (FROM runs) TO '/dev/stdout'
COPY (FROM runs) TO STDOUT
COPY (FROM runs) TO '{outside}/new' (FORMAT json)
COPY (FROM runs) TO '{outside}/new' (FORMAT blob)
COPY (FROM runs) TO 'http://127.0.0.1:{port}/new.csv'
COPY lake.main.hparams (name) TO '{outside}/new.csv'
COPY FROM DATABASE lake TO memory (SCHEMA)
EXPORT DATABASE lake TO '{outside}/new' (FORMAT parquet)
INSERT INTO hparams BY NAME SELECT 1 AS run_id
INSERT OR REPLACE INTO hparams VALUES (1)
INSERT INTO hparams SELECT * FROM hparams RETURNING *
UPDATE hparams SET name = 'x' RETURNING *
DELETE FROM hparams USING runs RETURNING *
WITH a AS (DELETE FROM hparams RETURNING *) SELECT * FROM a
WITH a AS (INSERT INTO hparams DEFAULT VALUES RETURNING *) SELECT * FROM a
WITH a AS (UPDATE hparams SET name = 'x' RETURNING *) SELECT * FROM a
WITH a AS MATERIALIZED (DROP TABLE hparams) SELECT 1
SELECT * FROM (DELETE FROM hparams RETURNING *)
SELECT * FROM (INSERT INTO hparams DEFAULT VALUES RETURNING *)
SELECT 1 INTO x
SELECT * FROM runs FOR UPDATE
VACUUM ANALYZE hparams
CHECKPOINT DATABASE lake
DO 'x'

# Several in one, and text that looks like another.
SELECT 1;;SELECT 2
SELECT 1 /* ' */; DROP TABLE hparams; /* ' */
SELECT ';'; DROP TABLE hparams
SELECT $$;$$; DROP TABLE hparams
SELECT "a;b" FROM runs; DROP TABLE hparams
SHOW TABLES; DROP TABLE hparams
EXPLAIN SELECT 1; DROP TABLE hparams
PIVOT runs ON name USING count(*); DROP TABLE hparams
PIVOT runs ON name IN ('a'); DROP TABLE hparams
BEGIN; DROP TABLE hparams; COMMIT
SELECT E'\'; DROP TABLE hparams; --'; DROP TABLE hparams
WITH pivot AS (SELECT 1) FROM '{outside}/secret.csv'
SELECT 'PIVOT runs ON name' FROM '{outside}/secret.csv'
EXPLAIN/**/ANALYZE SELECT 1
EXPLAIN(ANALYZE) SELECT 1
EXPLAIN -- x
SHOW/**/TABLES/**/FROM system

# Names: odd letters, odd lengths, names of CTEs that stand for others elsewhere.
WITH ｒｕｎｓ AS (SELECT 1) FROM ｒｕｎｓ２
SELECT * FROM ｒｕｎｓ
SELECT * FROM "runs "
SELECT * FROM "runs."
SELECT * FROM ".runs"
SELECT * FROM "lake.runs"
SELECT * FROM "лаке".runs
SELECT * FROM rúns
SELECT * FROM "ＲＥＡＤ_ＴＥＸＴ"('{outside}/secret.csv')
SELECT ｃｕｒｒｅｎｔ_ｓｅｔｔｉｎｇ('x')
SELECT curreNt_ſetting('x')
WITH "{outside}/secret.csv" AS (SELECT 1) FROM "{outside}/secret.csv"
WITH "a.b" AS (SELECT 1) FROM "a.b"
WITH "duckdb_settings" AS (SELECT 1) SELECT 1
WITH pg_class AS (SELECT 1) SELECT 1
WITH information_schema AS (SELECT 1) SELECT * FROM information_schema.tables
WITH system AS (SELECT 1) SELECT * FROM system.main.duckdb_settings
WITH a AS (WITH b AS (SELECT 1) FROM b) FROM b
SELECT * FROM (WITH inside AS (SELECT 1) FROM inside), inside
WITH a AS (SELECT 1), a2 AS (FROM a3), a3 AS (SELECT 1) FROM a2
SELECT * FROM memory.main.runs
SELECT * FROM temp.main.runs
SELECT * FROM temp.information_schema.tables
SELECT * FROM system.information_schema.columns
SELECT * FROM lake.information_schema.tables
SELECT * FROM lake.pg_catalog.pg_tables
SELECT * FROM __ducklake_metadata_lake.main.ducklake_metadata
SELECT * FROM lake.main.ducklake_metadata
SELECT * FROM lake.main.runs AT (VERSION => 1)
SELECT * FROM runs r JOIN hparams AT (TIMESTAMP => now()) h USING (run_id)
SELECT * FROM lake.main."runs" AT (VERSION => (SELECT 1))
