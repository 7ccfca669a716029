-- What a cycle asked of its source, what that costs at the provider's list price, and why it did not go on.

ALTER TABLE cycles ADD COLUMN list_requests BIGINT;
ALTER TABLE cycles ADD COLUMN read_requests BIGINT;
ALTER TABLE cycles ADD COLUMN bytes_received BIGINT;
ALTER TABLE cycles ADD COLUMN files_looked BIGINT;
ALTER TABLE cycles ADD COLUMN cost DOUBLE;
ALTER TABLE cycles ADD COLUMN error VARCHAR;
ALTER TABLE cycles ADD COLUMN skipped VARCHAR;
ALTER TABLE cycles ADD COLUMN requests_per_day BIGINT;
ALTER TABLE cycles ADD COLUMN rescan_s DOUBLE;

-- The job of a cluster's scheduler that wrote a run, as it was last seen.
CREATE TABLE jobs (
    run_id BIGINT, source VARCHAR, job_id VARCHAR, job_name VARCHAR, job_user VARCHAR, job_state VARCHAR,
    job_nodes VARCHAR, partition VARCHAR, submitted_at TIMESTAMP, started_at TIMESTAMP, ended_at TIMESTAMP,
    exit_code VARCHAR, seen_at TIMESTAMP
);

-- A run whose job was just seen to run is running, however rarely it logs.
CREATE OR REPLACE VIEW runs AS
WITH f AS NOT MATERIALIZED (
    SELECT run_id, CAST(count(*) AS BIGINT) AS files, CAST(sum(size) AS BIGINT) AS size,
           CAST(sum(points) AS BIGINT) AS points, CAST(sum(records) AS BIGINT) AS records,
           max(last_step) AS last_step, max(attempts) AS attempts,
           min(first_wall_time) FILTER (first_wall_time BETWEEN -62135596800 AND 253402300799) AS first_wall,
           max(last_wall_time) FILTER (last_wall_time BETWEEN -62135596800 AND 253402300799) AS last_wall,
           -- What our own clock told when it was ahead by days says nothing.
           max(grew_at) FILTER (grew_at < epoch(now()) + 86400) AS grew_at, arg_min(host, file_id) AS host, arg_min(writer, file_id) AS writer,
           bit_xor(hash(stream || '/' || content_key)) FILTER (content_key IS NOT NULL) AS content
    FROM files WHERE run_id IS NOT NULL GROUP BY run_id
), copies AS (
    SELECT content, arg_max(run_id, CAST(records AS DOUBLE) * 1e12 - run_id) AS fullest
    FROM f WHERE content IS NOT NULL GROUP BY content HAVING count(*) > 1
), j AS NOT MATERIALIZED (
    SELECT run_id, job_id, job_name, job_user, job_state, job_nodes,
           CASE WHEN job_state IN ('RUNNING', 'COMPLETING', 'SUSPENDED', 'STOPPED', 'RESIZING', 'SIGNALING',
                                   'STAGE_OUT')
                THEN epoch(seen_at) END AS seen_running
    FROM jobs
)
SELECT r.run_id, r.run_key, r.source, r.machine, r.project, r.name, r.path,
       CASE WHEN r.end_at >= f.last_wall AND j.seen_running IS NULL THEN r.end_state
            WHEN abs(epoch(now()) - greatest(f.grew_at, j.seen_running)) < s.stalled_after_s THEN 'running'
            WHEN r.end_at >= f.last_wall THEN r.end_state
            WHEN abs(epoch(now()) - greatest(f.grew_at, j.seen_running)) < s.finished_after_s THEN 'stalled'
            ELSE 'finished' END AS state,
       make_timestamp(CAST(round(f.first_wall * 1000000) AS BIGINT)) AS created_at,
       make_timestamp(CAST(round(f.last_wall * 1000000) AS BIGINT)) AS last_event_at,
       f.last_wall - f.first_wall AS duration_s, f.host, f.writer, r.git_commit, r.command,
       f.attempts, f.points, f.last_step, r.group_name, r.end_reason, f.files, f.size,
       CASE WHEN c.fullest <> r.run_id THEN c.fullest END AS duplicate_of, r.discovered_at,
       j.job_id, j.job_name, j.job_user, j.job_state, j.job_nodes
FROM run_facts r
JOIN f ON f.run_id = r.run_id
LEFT JOIN copies c ON c.content = f.content
LEFT JOIN j ON j.run_id = r.run_id
LEFT JOIN source_facts s ON s.source = r.source;

ALTER TABLE jobs SET SORTED BY (run_id);
