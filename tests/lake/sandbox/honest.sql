# What people ask: one statement on each line.
SELECT * FROM runs ORDER BY run_id
FROM runs SELECT name, points WHERE run_id > 2 ORDER BY ALL
SELECT * FROM series ORDER BY ALL
SELECT * FROM scalars ORDER BY run_id, tag, step
SELECT * FROM sources
SELECT * FROM problems
SELECT * FROM histograms
SELECT * FROM texts
SELECT * FROM tensors
SELECT * FROM blobs
SELECT * FROM artifacts
SELECT * FROM cycles
SELECT * FROM files ORDER BY file_id
TABLE hparams ORDER BY ALL
SELECT count(*) FROM lake.main.scalar_points
DESCRIBE runs
DESCRIBE SELECT run_id, name AS n FROM runs
SHOW runs
SHOW TABLES
SUMMARIZE hparams
SUMMARIZE SELECT value, step FROM scalars WHERE tag = 'loss' AND NOT isnan(value)
SELECT column_name FROM (DESCRIBE scalars)
PIVOT series ON tag USING max(max) GROUP BY run_id ORDER BY run_id
PIVOT series ON tag IN ('loss', 'acc') USING max(max) AS top, min(min) GROUP BY run_id ORDER BY 1
PIVOT (FROM hparams WHERE run_id < 4) ON name, run_id USING any_value(number) GROUP BY origin
PIVOT scalars ON run_id USING avg(value) GROUP BY tag ORDER BY tag
PIVOT runs ON (run_id % 2 = 0) USING count(*)
WITH s AS (FROM series WHERE tag <> 'lr') PIVOT s ON tag USING any_value("last") GROUP BY run_id ORDER BY 1
PIVOT runs ON name USING count(*)
SELECT * FROM hparams PIVOT (any_value(number) FOR name IN ('lr', 'wd')) ORDER BY run_id
UNPIVOT (SELECT run_id, min, max FROM series) ON min, max INTO NAME what VALUE v ORDER BY ALL
SELECT tag, step, avg(value) OVER (PARTITION BY run_id, tag ORDER BY step ROWS 9 PRECEDING) AS smooth FROM scalars WHERE step < 50 ORDER BY ALL
SELECT name, row_number() OVER w, lag(points) OVER w, ntile(2) OVER w FROM runs WINDOW w AS (ORDER BY run_id) ORDER BY run_id
SELECT run_id, tag, value FROM scalars QUALIFY rank() OVER (PARTITION BY tag ORDER BY value DESC, run_id) = 1 ORDER BY ALL
WITH best AS (SELECT run_id, min(value) AS v FROM scalars WHERE tag = 'loss' AND NOT isnan(value) GROUP BY 1) SELECT r.name, b.v FROM runs r JOIN best b USING (run_id) ORDER BY v
WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i * 2 FROM n WHERE i < 1000) SELECT * FROM n ORDER BY i
WITH runs AS (SELECT 1 AS one) SELECT * FROM runs
SELECT r.name, h.value FROM runs r ASOF JOIN hparams h ON r.run_id >= h.run_id AND r.name <> h.name ORDER BY ALL
SELECT s.tag, l.v FROM (SELECT DISTINCT tag FROM series) s, LATERAL (SELECT max(value) AS v FROM scalars WHERE tag = s.tag AND step = 3) l ORDER BY ALL
SELECT * FROM range(3) a(i), generate_series(1, 2) b(j), unnest(['x', 'y']) c(k) ORDER BY ALL
SELECT run_id, unnest([first, last]) AS v FROM series ORDER BY ALL
SELECT unnest({'a': 1, 'b': [2, 3]}), unnest([{'x': 1}, {'x': 2}], recursive := true)
SELECT list_transform([1, 2, 3], lambda x: x * 2), list_filter(range(9), lambda x: x % 2 = 0), [x + 1 for x in [1, 2]]
SELECT list(value ORDER BY step)[1:5], list_sort(list(DISTINCT tag)), array_agg(step)[1] FROM scalars WHERE step < 5
SELECT list_aggregate([1, 2, 3], 'sum'), list_distinct([1, 1]), flatten([[1], [2]]), list_zip([1], ['a'])
SELECT name.upper(), r.name.lower().replace('run', 'R'), name[1:2], 'a' || name FROM runs r ORDER BY ALL
SELECT regexp_extract(name, '"([0-9]+)"', 1), regexp_matches(name, 'run'), regexp_replace(name, '[^0-9]', '', 'g'), name SIMILAR TO '.*1.*', name LIKE '%1%', name ILIKE 'IT%', name GLOB '*1*', name ~ 'it.*' FROM runs ORDER BY ALL
SELECT strftime(created_at, '%Y-%m'), date_trunc('day', created_at), created_at + INTERVAL 1 DAY, extract('year' FROM created_at), created_at::DATE, age(created_at, TIMESTAMP '2000-01-01'), created_at AT TIME ZONE 'Europe/Berlin', epoch(created_at), time_bucket(INTERVAL 1 WEEK, created_at) FROM runs ORDER BY ALL
SELECT strptime('2024-01-02', '%Y-%m-%d'), DATE '2024-02-29' - DATE '2024-01-01', make_timestamp(1700000000000000), date_diff('day', DATE '2024-01-01', DATE '2024-02-29'), dayname(DATE '2024-01-01'), last_day(DATE '2024-02-01')
SELECT '{"a": [1, {"b": null}]}'::JSON ->> '$.a[0]', json_extract('{"x": 1}', '$.x'), json_object('k', 1), list(name ORDER BY name)::JSON, to_json({'q': 1}), json_keys('{"z": 1}'), json_array_length('[1, 2]') FROM runs
SELECT coalesce(NULL, 1), nullif(1, 1), ifnull(NULL, 2), CASE run_id WHEN 1 THEN 'a' ELSE 'b' END, if(true, 1, 2), greatest(1, 2), run_id IN (1, 2), run_id BETWEEN 2 AND 3, run_id IS DISTINCT FROM NULL FROM runs ORDER BY ALL
SELECT count(DISTINCT tag), count(*) FILTER (step > 3), quantile_cont(step, 0.5), stddev(step), mode(tag), arg_max(step, step), string_agg(DISTINCT tag, ',' ORDER BY tag), histogram(attempt), approx_quantile(step, 0.5) FROM scalars
SELECT tag, run_id, grouping(tag), count(*) FROM series GROUP BY CUBE (tag, run_id) ORDER BY ALL
SELECT tag, count(*) FROM series GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 2 OFFSET 1
SELECT * EXCLUDE (path) REPLACE (upper(name) AS name) RENAME (run_id AS id) FROM run_facts ORDER BY ALL
SELECT COLUMNS('.*_step'), max(COLUMNS(* EXCLUDE tag)) OVER () FROM (SELECT tag, first_step, last_step FROM series) ORDER BY ALL
SELECT DISTINCT ON (tag) tag, run_id FROM series ORDER BY tag, run_id
SELECT tag FROM series EXCEPT SELECT 'lr' ORDER BY 1
SELECT tag FROM series INTERSECT SELECT 'lr' UNION BY NAME SELECT 1 AS n ORDER BY ALL
SELECT name FROM runs WHERE run_id = ANY (SELECT run_id FROM hparams WHERE number > 1) AND EXISTS (FROM series) ORDER BY 1
SELECT 1 AS a, 2 AS a, 3 AS a_1
SELECT 1.5::DECIMAL(9, 2), 170141183460469231731687303715884105727::HUGEINT, 'x'::BLOB, uuid_extract_version(uuid()), {'a': 1, 'b': 'x'}, MAP {'k': 1}, [1, NULL], TIME '12:00', INTERVAL 3 HOURS, 'nan'::DOUBLE, NULL, 1::BIT, 'a'::ENUM('a', 'b')
SELECT try_cast('x' AS INT), TRY(1 / 0), 7 // 2, 7 % 4, 2 ** 3, 5 & 3, ~1, 1 << 3, @(-2), 4!
SELECT hash(name), md5(name), sha256(name), base64('x'::BLOB), format('{}-{:.2f}', name, 1.5), printf('%d', 3) FROM runs ORDER BY ALL
SELECT levenshtein('a', 'b'), split_part('a/b', '/', 2), trim(' x '), lpad('x', 3, '0'), contains('abc', 'b'), position('b' IN 'abc')
SELECT name COLLATE NOCASE FROM runs ORDER BY name COLLATE NOCASE DESC NULLS LAST
VALUES (1, 'a'), (2, 'b')
FROM (VALUES (1, 'a')) AS t(n, s)
SELECT x.n FROM (SELECT {'n': 1} AS x)
SELECT current_date IS NOT NULL, now() IS NOT NULL, typeof(1), pi(), version() IS NOT NULL
SELECT count(*) FROM scalars TABLESAMPLE 100%
EXPLAIN SELECT 1
/* a comment */ SELECT 1 -- and another
SELECT ';' AS "a;b";
SELECT 0 WHERE false
PIVOT (FROM series WHERE tag = 'none such') ON tag USING max(max) GROUP BY run_id ORDER BY run_id
PIVOT (SELECT run_id, NULL::VARCHAR AS n, 1 AS v FROM runs) ON n USING sum(v) AS s, count(*) AS c GROUP BY run_id ORDER BY run_id;
PIVOT (SELECT run_id, tag, NULL::INT AS n, max FROM series) ON tag, n USING sum(max) GROUP BY run_id ORDER BY run_id
PIVOT (FROM runs WHERE false) ON name USING count(*)
SELECT r.run_id, s.step, s.value FROM runs r ASOF LEFT JOIN scalars s ON r.run_id = s.run_id AND r.points >= s.step WHERE s.tag = 'loss' OR s.tag IS NULL ORDER BY ALL
SELECT a.step, a.value, b.value FROM scalars a ASOF JOIN scalars b USING (run_id, step) WHERE a.tag = 'loss' AND b.tag = 'acc' AND a.step < 5 AND a.run_id = 1 ORDER BY ALL
SELECT run_id, step, avg(value) OVER (PARTITION BY run_id ORDER BY step RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING EXCLUDE CURRENT ROW) AS around FROM scalars WHERE tag = 'loss' AND step BETWEEN 1 AND 20 ORDER BY ALL
SELECT run_id, first_value(value IGNORE NULLS) OVER w, nth_value(value, 3) OVER w, cume_dist() OVER w, dense_rank() OVER w, percent_rank() OVER w FROM scalars WHERE tag = 'acc' AND step < 6 WINDOW w AS (PARTITION BY run_id ORDER BY step) ORDER BY ALL
SELECT run_id, quantile_cont(value, [0.1, 0.5, 0.9]), quantile_disc(value, 0.25), median(value), mad(value), skewness(value), kurtosis(value), entropy(step) FROM scalars WHERE tag = 'loss' AND NOT isnan(value) GROUP BY ALL ORDER BY ALL
SELECT corr(a.value, b.value), regr_slope(a.value, b.value), covar_pop(a.value, b.value), approx_count_distinct(a.step) FROM scalars a JOIN scalars b USING (run_id, step) WHERE a.tag = 'loss' AND b.tag = 'acc' AND NOT isnan(a.value) AND NOT isnan(b.value)
SELECT tag, max_by(step, value, 2), min_by(step, value), bool_and(step >= 0), bit_xor(step), product(2), count_if(step > 5), any_value(tag), first(step ORDER BY step DESC) FROM scalars WHERE step < 9 GROUP BY ALL ORDER BY ALL
SELECT [x * 2 FOR x IN range(10) IF x % 2 = 1], [y.upper() FOR y IN ['a', 'b']], list_reduce([1, 2, 3], lambda a, b: a + b), list_transform([1, 2], lambda x, i: x * i)
SELECT * FROM (SELECT unnest(range(1000)) AS i) USING SAMPLE 100 PERCENT (bernoulli) ORDER BY i
SELECT count(*) FROM runs USING SAMPLE 1000 ROWS
SELECT count(*) FROM scalars TABLESAMPLE reservoir(100%) REPEATABLE (7)
FROM runs SELECT run_id % 2 AS odd, count(*) AS n, sum(points) GROUP BY ALL HAVING n > 0 ORDER BY ALL
SELECT run_id, tag, count(*) FROM series GROUP BY ROLLUP (run_id, tag) ORDER BY ALL NULLS FIRST LIMIT 20
SELECT run_id, tag, grouping_id(run_id, tag) FROM series GROUP BY GROUPING SETS ((run_id), (tag), ()) ORDER BY ALL
WITH RECURSIVE walk(i, path) AS (SELECT 1, [1] UNION ALL SELECT i + 1, list_append(path, i + 1) FROM walk WHERE i < 5) SELECT * FROM walk ORDER BY i
WITH a AS MATERIALIZED (FROM series), b AS NOT MATERIALIZED (FROM a WHERE kind = 'scalar') SELECT count(*) FROM a, b WHERE a.tag = b.tag
SELECT * FROM (SELECT 1 AS a) POSITIONAL JOIN (SELECT 2 AS b)
SELECT r.name FROM runs r SEMI JOIN series s USING (run_id) ORDER BY 1
SELECT r.name FROM runs r ANTI JOIN (SELECT 1 AS run_id) s USING (run_id) ORDER BY 1
SELECT r.run_id, t.* FROM runs r LEFT JOIN LATERAL (SELECT max(value) AS top FROM scalars s WHERE s.run_id = r.run_id AND s.tag = 'acc' AND NOT isnan(value)) t ON true ORDER BY ALL
SELECT s.* FROM (SELECT {'a': 1, 'b': 'x'} AS s)
SELECT struct_extract({'a': 1}, 'a'), map_keys(MAP {'a': 1}), map_from_entries([('k', 1)])['k'], element_at(MAP {'a': 1}, 'a'), map_values(MAP {'a': 1}), cardinality(MAP {'a': 1}), struct_insert({'a': 1}, b := 2)
SELECT regexp_extract_all('a1b22', '([0-9]+)', 1), regexp_split_to_array('a,b', ','), string_split_regex('a1b', '[0-9]'), regexp_full_match('abc', 'a.c'), regexp_extract('k=v', '(\w)=(\w)', ['k', 'v'])
SELECT name, points FROM runs ORDER BY points DESC NULLS LAST, name COLLATE NOCASE LIMIT 50% OFFSET 1
SELECT UNNEST(MAP_ENTRIES(MAP {'a': 1, 'b': 2})) AS entry ORDER BY entry
UNPIVOT (SELECT run_id, min, max, first FROM series WHERE tag = 'loss') ON COLUMNS(* EXCLUDE run_id) INTO NAME what VALUE v ORDER BY ALL
SELECT * FROM (SELECT run_id, min, max FROM series) UNPIVOT INCLUDE NULLS (v FOR what IN (min, max)) ORDER BY ALL
PIVOT (SELECT run_id, tag, last FROM series) ON tag IN ('loss', 'acc') USING first(last) AS v, count(*) AS n GROUP BY run_id ORDER BY run_id LIMIT 3
FROM (PIVOT series ON tag IN ('loss', 'acc') USING max(max) GROUP BY run_id) SELECT run_id, loss - acc AS gap ORDER BY ALL
WITH p AS (PIVOT series ON tag IN ('loss') USING max(max) GROUP BY run_id) SELECT * FROM p JOIN runs USING (run_id) ORDER BY run_id
SUMMARIZE SELECT tag, points FROM series WHERE kind = 'scalar'
FROM (SUMMARIZE runs) SELECT column_name, null_percentage ORDER BY column_name
FROM (DESCRIBE scalars) SELECT column_name, column_type
DESCRIBE WITH a AS (SELECT 1 AS one) SELECT * FROM a
SELECT time_bucket(INTERVAL 1 HOUR, time), count(*), min(time) FROM scalars GROUP BY 1 ORDER BY 1
SELECT to_timestamp(1700000000), epoch_ms(1700000000000), strftime(TIMESTAMP '2024-01-02', '%d.%m.'), datepart('week', DATE '2024-01-02'), date_trunc('month', DATE '2024-01-31'), age(TIMESTAMP '2024-01-02', TIMESTAMP '2024-01-01'), generate_series(DATE '2024-01-01', DATE '2024-01-03', INTERVAL 1 DAY)
SELECT coalesce(h.number, -1) AS lr, count(*) FILTER (r.state = 'finished') AS done, string_agg(r.name, '; ' ORDER BY r.name) FROM runs r LEFT JOIN hparams h ON h.run_id = r.run_id AND h.name = 'lr' GROUP BY ALL ORDER BY ALL
SELECT lag(value, 1, 0) OVER (PARTITION BY run_id ORDER BY step) AS before, value - lag(value) OVER (PARTITION BY run_id ORDER BY step) AS change FROM scalars WHERE tag = 'lr' AND step BETWEEN 1 AND 9 ORDER BY ALL
SELECT run_id FROM runs WHERE (run_id, name) IN (SELECT (run_id, name) FROM run_facts) AND run_id <> ALL (SELECT 99) ORDER BY 1
SELECT * FROM runs WHERE name = $$it's run "1"$$ AND path LIKE 'p/%' ESCAPE '\'
SELECT json_extract_string('{"a": {"b": [1, 2]}}', '$.a.b[1]'), json_array(1, 'a'), json_transform('{"a": 1}', '{"a": "INT"}'), '{"a": 1}'::JSON->'a', json_type('[]'), json_structure('{"a": 1}'), json_merge_patch('{"a": 1}', '{"b": 2}'), json_valid('{') FROM runs
SELECT CASE WHEN isinf('inf'::DOUBLE) THEN 1 END, isfinite(1.0::DOUBLE), nullif('a', ''), sign(-2), gcd(12, 8), bit_count(7), round_even(2.5, 0), equi_width_bins(0, 10, 2, true), fdiv(7, 2)
SELECT ntile(4) OVER (ORDER BY points, run_id) AS quarter, run_id FROM runs QUALIFY quarter <= 2 ORDER BY ALL
SELECT DISTINCT tag, first(kind) OVER (PARTITION BY tag) AS kind FROM series ORDER BY ALL
SELECT 'größe' AS "größe", '日本' AS "列", '😀' AS "🚀", 'a' AS "a b", length('😀é'), unicode('é'), chr(128512), strip_accents('é'), reverse('añb'), nfc_normalize('é')
