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
