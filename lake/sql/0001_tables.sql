-- The tables and views of a lake; docs/tables.md is held to this file by a test.
-- Physical order: run_id counts up in order of discovery, so that old and new runs lie in different files.

CREATE TABLE migrations (version INTEGER, name VARCHAR, applied_at TIMESTAMP);

-- What a source is; counts come from the rows themselves (view `sources`).
CREATE TABLE source_facts (
    source VARCHAR, uri VARCHAR, machine VARCHAR, kind VARCHAR, project VARCHAR, policy VARCHAR,
    stalled_after_s DOUBLE, finished_after_s DOUBLE
);

-- What is known of a run besides its files. run_key = the same in every lake.
CREATE TABLE run_facts (
    run_id BIGINT, run_key VARCHAR, source VARCHAR, machine VARCHAR, project VARCHAR, name VARCHAR,
    path VARCHAR, group_name VARCHAR, git_commit VARCHAR, command VARCHAR,
    end_state VARCHAR, end_reason VARCHAR, end_at DOUBLE, discovered_at TIMESTAMP
);

-- One row per event file, and its cursor: everything before offset_read is in the lake.
CREATE TABLE files (
    file_id BIGINT, run_id BIGINT, source VARCHAR, stream VARCHAR, path VARCHAR,
    size BIGINT, mtime_ns BIGINT, version VARCHAR,
    offset_read BIGINT, records BIGINT, points BIGINT,
    head_bytes BIGINT, head_hash VARCHAR, tail_bytes BIGINT, tail_hash VARCHAR, content_key VARCHAR,
    first_wall_time DOUBLE, last_wall_time DOUBLE, last_step BIGINT, attempts INTEGER,
    created_unix BIGINT, host VARCHAR, pid BIGINT, writer VARCHAR,
    grew_at DOUBLE, status VARCHAR, missing_since TIMESTAMP
);

-- Every scalar point ever read. file_id and record (ordinal in the file) say where it came from;
-- superseded = TensorBoard would no longer show it.
CREATE TABLE scalar_points (
    run_id BIGINT, stream VARCHAR, tag VARCHAR, step BIGINT, wall_time DOUBLE, value DOUBLE,
    attempt INTEGER, superseded BOOLEAN, file_id BIGINT, record BIGINT
);

-- Numeric tensors as flat row-major data, string tensors as strings; raw where neither is exact.
CREATE TABLE tensors (
    run_id BIGINT, stream VARCHAR, tag VARCHAR, step BIGINT, wall_time DOUBLE,
    plugin VARCHAR, dtype VARCHAR, shape BIGINT[], data DOUBLE[], strings VARCHAR[], raw BLOB,
    attempt INTEGER, superseded BOOLEAN, file_id BIGINT, record BIGINT
);

-- Images, audio, graphs and other byte strings; location = `path#offset+length` of the record when the bytes stay outside.
CREATE TABLE blobs (
    run_id BIGINT, stream VARCHAR, tag VARCHAR, step BIGINT, wall_time DOUBLE,
    plugin VARCHAR, idx INTEGER, mime VARCHAR, width INTEGER, height INTEGER, label VARCHAR,
    nbytes BIGINT, data BLOB, location VARCHAR,
    attempt INTEGER, superseded BOOLEAN, file_id BIGINT, record BIGINT
);

-- Append-only: what each piece of a file added to a series; the view `series` adds them up.
-- shift_* sums are of (value - shift) over finite values; shift is the same for all parts of a series.
CREATE TABLE series_parts (
    run_id BIGINT, stream VARCHAR, tag VARCHAR, kind VARCHAR, file_id BIGINT,
    plugin VARCHAR, data_class VARCHAR, content BLOB, description VARCHAR, display_name VARCHAR,
    points BIGINT, superseded BIGINT,
    first_step BIGINT, last_step BIGINT, last_wall_time DOUBLE, "first" DOUBLE, "last" DOUBLE,
    "min" DOUBLE, min_step BIGINT, "max" DOUBLE, max_step BIGINT,
    shift DOUBLE, shift_sum DOUBLE, shift_sum2 DOUBLE, finite BIGINT, nan_count BIGINT, inf_count BIGINT,
    attempt INTEGER
);

-- Every origin of a hyperparameter is kept; the smallest rank wins where one value is asked for.
CREATE TABLE hparams (
    run_id BIGINT, name VARCHAR, type VARCHAR, value VARCHAR, number DOUBLE, origin VARCHAR, rank INTEGER
);

CREATE TABLE artifacts (
    run_id BIGINT, kind VARCHAR, path VARCHAR, size BIGINT, mtime TIMESTAMP, step BIGINT
);

-- What lay beside event files when it was last looked at; content = a hash of names, sizes and times.
CREATE TABLE directories (source VARCHAR, path VARCHAR, content VARCHAR);

CREATE TABLE problems (
    "at" TIMESTAMP, source VARCHAR, path VARCHAR, "offset" BIGINT, bytes BIGINT, kind VARCHAR, message VARCHAR
);

CREATE TABLE cycles (
    started_at TIMESTAMP, ended_at TIMESTAMP, source VARCHAR, files_listed BIGINT, files_changed BIGINT,
    bytes_read BIGINT, points BIGINT, requests BIGINT, problems BIGINT
);

-- What upkeep keeps track of: when a step was last done, and an `erase` that is still to be done.
CREATE TABLE upkeep (step VARCHAR, "at" TIMESTAMP);

-- Event files and directories of deleted runs, as hashes of source and path: they are not read again.
CREATE TABLE deleted_paths (source VARCHAR, path_key VARCHAR);

-- The curve as TensorBoard shows it: a point goes when a later one of its series has the same or a smaller step.
CREATE VIEW scalars AS
SELECT run_id, stream, tag, step, wall_time, value, attempt,
       CASE WHEN wall_time BETWEEN -62135596800 AND 253402300799
            THEN make_timestamp(CAST(round(wall_time * 1000000) AS BIGINT)) END AS time
FROM scalar_points WHERE NOT superseded;

CREATE VIEW histograms AS
SELECT run_id, stream, tag, step, wall_time,
       data[1:len(data):3] AS "left", data[2:len(data):3] AS "right", data[3:len(data):3] AS "count", attempt
FROM tensors WHERE plugin = 'histograms' AND NOT superseded AND data IS NOT NULL;

CREATE VIEW texts AS
SELECT run_id, stream, tag, step, wall_time, array_to_string(strings, chr(10)) AS text, shape, attempt
FROM tensors WHERE plugin = 'text' AND NOT superseded AND strings IS NOT NULL;

-- One row per series: the parts added up. Only points on the curve count; `superseded` counts the others.
CREATE VIEW series AS
SELECT run_id, stream, tag, plugin, kind, description, display_name, points, superseded,
       first_step, last_step, last_wall_time, "first", "last", "min", min_step, "max", max_step,
       CASE WHEN finite > 0 THEN shift + shift_sum / finite END AS mean,
       CASE WHEN finite > 1
            THEN sqrt(greatest(shift_sum2 - shift_sum * shift_sum / finite, 0) / (finite - 1)) END AS std,
       nan_count, inf_count, attempts, data_class, content
FROM (
    SELECT run_id, stream, tag, kind,
           coalesce(any_value(plugin), '') AS plugin,
           coalesce(any_value(description), '') AS description,
           coalesce(any_value(display_name), '') AS display_name,
           coalesce(any_value(data_class), '') AS data_class,
           coalesce(any_value(content), ''::BLOB) AS content,
           CAST(sum(points) AS BIGINT) AS points, CAST(sum(superseded) AS BIGINT) AS superseded,
           min(first_step) AS first_step, max(last_step) AS last_step,
           arg_max(last_wall_time, last_step) AS last_wall_time,
           arg_min("first", first_step) AS "first", arg_max("last", last_step) AS "last",
           min("min") AS "min", arg_min(min_step, ("min", min_step)) AS min_step,
           max("max") AS "max", arg_min(max_step, (-"max", max_step)) AS max_step,
           any_value(shift) AS shift, sum(shift_sum) AS shift_sum, sum(shift_sum2) AS shift_sum2,
           CAST(sum(finite) AS BIGINT) AS finite, CAST(sum(nan_count) AS BIGINT) AS nan_count,
           CAST(sum(inf_count) AS BIGINT) AS inf_count, max(attempt) + 1 AS attempts
    FROM series_parts GROUP BY run_id, stream, tag, kind
);

-- One row per run. Copies of a run have the same files by content: duplicate_of names the fullest of them.
CREATE VIEW runs AS
WITH f AS NOT MATERIALIZED (
    SELECT run_id, CAST(count(*) AS BIGINT) AS files, CAST(sum(size) AS BIGINT) AS size,
           CAST(sum(points) AS BIGINT) AS points, CAST(sum(records) AS BIGINT) AS records,
           max(last_step) AS last_step, max(attempts) AS attempts,
           min(first_wall_time) FILTER (first_wall_time BETWEEN -62135596800 AND 253402300799) AS first_wall,
           max(last_wall_time) FILTER (last_wall_time BETWEEN -62135596800 AND 253402300799) AS last_wall,
           max(grew_at) AS grew_at, arg_min(host, file_id) AS host, arg_min(writer, file_id) AS writer,
           bit_xor(hash(stream || '/' || content_key)) FILTER (content_key IS NOT NULL) AS content
    FROM files WHERE run_id IS NOT NULL GROUP BY run_id
), copies AS (
    SELECT content, arg_max(run_id, CAST(records AS DOUBLE) * 1e12 - run_id) AS fullest
    FROM f WHERE content IS NOT NULL GROUP BY content HAVING count(*) > 1
)
SELECT r.run_id, r.run_key, r.source, r.machine, r.project, r.name, r.path,
       CASE WHEN r.end_at >= f.last_wall THEN r.end_state
            WHEN epoch(now()) - f.grew_at < s.stalled_after_s THEN 'running'
            WHEN epoch(now()) - f.grew_at < s.finished_after_s THEN 'stalled'
            ELSE 'finished' END AS state,
       make_timestamp(CAST(round(f.first_wall * 1000000) AS BIGINT)) AS created_at,
       make_timestamp(CAST(round(f.last_wall * 1000000) AS BIGINT)) AS last_event_at,
       f.last_wall - f.first_wall AS duration_s, f.host, f.writer, r.git_commit, r.command,
       f.attempts, f.points, f.last_step, r.group_name, r.end_reason, f.files, f.size,
       CASE WHEN c.fullest <> r.run_id THEN c.fullest END AS duplicate_of, r.discovered_at
FROM run_facts r
JOIN f ON f.run_id = r.run_id
LEFT JOIN copies c ON c.content = f.content
LEFT JOIN source_facts s ON s.source = r.source;

CREATE VIEW sources AS
SELECT s.source, s.uri, s.machine, s.kind, c.last_cycle_at, coalesce(f.files, 0) AS files,
       coalesce(r.runs, 0) AS runs, coalesce(p.problems, 0) AS problems, s.project, s.policy,
       s.stalled_after_s, s.finished_after_s
FROM source_facts s
LEFT JOIN (SELECT source, max(ended_at) AS last_cycle_at FROM cycles GROUP BY source) c ON c.source = s.source
LEFT JOIN (SELECT source, count(*) AS files FROM files GROUP BY source) f ON f.source = s.source
LEFT JOIN (SELECT source, count(*) AS runs FROM run_facts GROUP BY source) r ON r.source = s.source
LEFT JOIN (SELECT source, count(*) AS problems FROM problems GROUP BY source) p ON p.source = s.source;

ALTER TABLE run_facts SET SORTED BY (run_id);
ALTER TABLE files SET SORTED BY (run_id, file_id);
ALTER TABLE scalar_points SET SORTED BY (run_id, stream, tag, attempt, step);
ALTER TABLE tensors SET SORTED BY (run_id, stream, tag, attempt, step);
ALTER TABLE blobs SET SORTED BY (run_id, stream, tag, attempt, step);
ALTER TABLE series_parts SET SORTED BY (run_id, stream, tag);
ALTER TABLE hparams SET SORTED BY (name, run_id);
