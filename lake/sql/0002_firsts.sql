-- When a series began, and where it first was NaN or infinite: so that no question needs its points.

ALTER TABLE series_parts ADD COLUMN first_wall_time DOUBLE;
ALTER TABLE series_parts ADD COLUMN nan_step BIGINT;
ALTER TABLE series_parts ADD COLUMN inf_step BIGINT;

-- Steps only go up on a curve, and those of the parts of a series do not overlap: what a part begins
-- with, and what is in it, is told by its steps.
CREATE TEMP TABLE begins AS
SELECT s.run_id, s.stream, s.tag, s.kind, s.file_id, s.first_step, any_value(p.wall_time) AS first_wall_time
FROM series_parts s JOIN (
    SELECT run_id, stream, tag, 'scalar' AS kind, file_id, step, wall_time FROM scalar_points WHERE NOT superseded
    UNION ALL
    SELECT run_id, stream, tag, 'tensor', file_id, step, wall_time FROM tensors WHERE NOT superseded
    UNION ALL
    SELECT run_id, stream, tag, 'blob', file_id, step, wall_time FROM blobs WHERE NOT superseded
) p ON (p.run_id, p.stream, p.tag, p.kind, p.file_id, p.step)
     = (s.run_id, s.stream, s.tag, s.kind, s.file_id, s.first_step)
GROUP BY ALL;

CREATE TEMP TABLE odd AS
SELECT s.run_id, s.stream, s.tag, s.kind, s.file_id, s.first_step,
       min(p.step) FILTER (isnan(p.value)) AS nan_step, min(p.step) FILTER (isinf(p.value)) AS inf_step
FROM series_parts s
JOIN scalar_points p ON (p.run_id, p.stream, p.tag, p.file_id) = (s.run_id, s.stream, s.tag, s.file_id)
    AND p.step BETWEEN s.first_step AND s.last_step
WHERE s.kind = 'scalar' AND s.nan_count + s.inf_count > 0 AND NOT p.superseded AND NOT isfinite(p.value)
GROUP BY ALL;

CREATE TEMP TABLE brought AS
SELECT s.* REPLACE (b.first_wall_time AS first_wall_time, o.nan_step AS nan_step, o.inf_step AS inf_step)
FROM series_parts s
LEFT JOIN begins b USING (run_id, stream, tag, kind, file_id, first_step)
LEFT JOIN odd o USING (run_id, stream, tag, kind, file_id, first_step);

-- Written anew, since a table is asked for by run and rows that are updated lose their order.
DELETE FROM series_parts;
INSERT INTO series_parts BY NAME SELECT * FROM brought ORDER BY run_id, stream, tag;

DROP TABLE brought;
DROP TABLE odd;
DROP TABLE begins;

CREATE OR REPLACE VIEW series AS
SELECT run_id, stream, tag, plugin, kind, description, display_name, points, superseded,
       first_step, last_step, first_wall_time, last_wall_time, "first", "last", "min", min_step, "max", max_step,
       CASE WHEN finite > 0 THEN shift + shift_sum / finite END AS mean,
       CASE WHEN finite > 1
            THEN sqrt(greatest(shift_sum2 - shift_sum * shift_sum / finite, 0) / (finite - 1)) END AS std,
       nan_count, nan_step, inf_count, inf_step, attempts, data_class, content
FROM (
    SELECT run_id, stream, tag, kind,
           coalesce(any_value(plugin), '') AS plugin,
           coalesce(any_value(description), '') AS description,
           coalesce(any_value(display_name), '') AS display_name,
           coalesce(any_value(data_class), '') AS data_class,
           coalesce(any_value(content), ''::BLOB) AS content,
           CAST(sum(points) AS BIGINT) AS points, CAST(sum(superseded) AS BIGINT) AS superseded,
           min(first_step) AS first_step, max(last_step) AS last_step,
           arg_min(first_wall_time, first_step) AS first_wall_time,
           arg_max(last_wall_time, last_step) AS last_wall_time,
           arg_min("first", first_step) AS "first", arg_max("last", last_step) AS "last",
           min("min") AS "min", arg_min(min_step, ("min", min_step)) AS min_step,
           max("max") AS "max", arg_min(max_step, (-"max", max_step)) AS max_step,
           any_value(shift) AS shift, sum(shift_sum) AS shift_sum, sum(shift_sum2) AS shift_sum2,
           CAST(sum(finite) AS BIGINT) AS finite,
           CAST(sum(nan_count) AS BIGINT) AS nan_count, min(nan_step) AS nan_step,
           CAST(sum(inf_count) AS BIGINT) AS inf_count, min(inf_step) AS inf_step,
           max(attempt) + 1 AS attempts
    FROM series_parts GROUP BY run_id, stream, tag, kind
);
