-- One schema holds one queue. What each column means is told in db/README.md.

CREATE SEQUENCE places;
CREATE SEQUENCE leases;

-- One row: the id tells this queue from every other, also where its processes are looked for.
CREATE TABLE queue (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  archived bigint NOT NULL DEFAULT 0
);
INSERT INTO queue DEFAULT VALUES;

CREATE TABLE settings (
  key text PRIMARY KEY,
  value json NOT NULL
);

-- The queues that jobs are in, each with what holds for it. In place of a name, * stands for all of them. Of one with a rate,
-- `begun` are the latest beginnings of jobs, as many as the rate allows.
CREATE TABLE queues (
  name text COLLATE "C" PRIMARY KEY,
  concurrency integer,
  rate_count integer,
  rate_ms integer,
  begun bigint[] NOT NULL DEFAULT '{}',
  paused boolean NOT NULL DEFAULT false
);
INSERT INTO queues (name) VALUES ('default');

-- What gives jobs by itself. `next_at` is the first instant that has not been fired.
CREATE TABLE schedules (
  name text COLLATE "C" PRIMARY KEY,
  next_at bigint NOT NULL,
  schedule json NOT NULL
);

-- Everything that has an id: the jobs of the queue, and the dead letters.
CREATE TABLE jobs (
  id text COLLATE "C" PRIMARY KEY,
  place bigint NOT NULL DEFAULT nextval('places'),
  state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'processing', 'completed', 'failed', 'dead')),
  due boolean NOT NULL,
  queue text COLLATE "C" NOT NULL DEFAULT 'default',
  priority integer NOT NULL,
  run_at bigint NOT NULL,
  attempts integer NOT NULL,
  max_retries integer NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  processing_started_at bigint,
  lease bigint,
  call bigint,
  worker_id text,
  waits_for text[],
  last_error text,
  terms json,
  history json,
  command text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX jobs_due ON jobs (queue, priority DESC, place) WHERE due;
CREATE INDEX jobs_waiting ON jobs (queue, run_at) WHERE state = 'pending' AND NOT due AND waits_for IS NULL;
CREATE INDEX jobs_depending ON jobs USING gin (waits_for) WHERE waits_for IS NOT NULL;
-- Of the jobs that have a key, one that is unfinished has it alone.
CREATE UNIQUE INDEX jobs_key ON jobs ((terms->>'key') COLLATE "C")
  WHERE state IN ('pending', 'processing') AND terms->>'key' IS NOT NULL;
CREATE INDEX jobs_processing ON jobs (worker_id) WHERE state = 'processing';
CREATE INDEX jobs_completed ON jobs (updated_at, place) WHERE state = 'completed';
CREATE INDEX jobs_failed ON jobs (updated_at) WHERE state IN ('failed', 'dead');
CREATE INDEX jobs_dead ON jobs (place) WHERE state = 'dead';

-- Completed jobs that have left the queue, in the order in which they left. Only ever added to.
CREATE TABLE archive (
  place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL,
  queue text COLLATE "C" NOT NULL DEFAULT 'default',
  priority integer NOT NULL,
  run_at bigint NOT NULL,
  attempts integer NOT NULL,
  max_retries integer NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  processing_started_at bigint,
  worker_id text,
  last_error text,
  terms json,
  history json,
  command text NOT NULL
);

-- Who is there: workers and supervisors, each of which renews its row every two seconds.
CREATE TABLE presence (
  id text COLLATE "C" PRIMARY KEY,
  token text NOT NULL,
  kind text NOT NULL,
  supervisor text,
  pid integer NOT NULL,
  start text NOT NULL,
  host text NOT NULL,
  boot text NOT NULL,
  pidns text NOT NULL,
  logs text NOT NULL,
  started_at bigint NOT NULL,
  stopping boolean NOT NULL DEFAULT false,
  renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  asked bigint[] NOT NULL DEFAULT '{}',
  queues json
) WITH (fillfactor = 50);

-- The end of what each attempt printed, or wrote to each of its streams, and where the whole of it is.
CREATE TABLE output (
  lease bigint NOT NULL,
  stream text NOT NULL CHECK (stream IN ('both', 'stdout', 'stderr')),
  id text COLLATE "C" NOT NULL,
  attempt integer NOT NULL,
  ended_at bigint NOT NULL,
  bytes bigint NOT NULL,
  host text NOT NULL,
  path text NOT NULL,
  tail bytea NOT NULL,
  PRIMARY KEY (lease, stream)
);
CREATE INDEX output_id ON output (id, lease);
CREATE INDEX output_ended_at ON output (ended_at);

-- Tells everyone who listens: 'work' when there may be something to claim or a setting has changed, else 'change'.
CREATE FUNCTION tell(what text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('queuectl:' || current_schema(), what)
$$;

-- What the end of these jobs does to those that wait for them: as `consequences` in src/job/dependency.ts. Returns those that
-- have failed of it.
CREATE FUNCTION tell_waiters(completed text[], lost text[], now_ms bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  all_failed text[] := '{}';
BEGIN
  PERFORM FROM jobs WHERE waits_for && (completed || lost) LIMIT 1;
  IF NOT FOUND THEN
    RETURN all_failed;
  END IF;
  -- Of the row itself, as it is once it can be locked: another end may have taken something out of it meanwhile.
  UPDATE jobs SET
    waits_for = (
      SELECT array_agg(other ORDER BY number) FROM unnest(waits_for) WITH ORDINALITY AS w (other, number)
      WHERE other <> ALL (completed)
    ),
    due = waits_for <@ completed AND run_at <= now_ms,
    updated_at = now_ms
  WHERE waits_for && completed;
  WHILE cardinality(lost) > 0 LOOP
    WITH failed AS (
      UPDATE jobs SET state = 'failed', due = false, waits_for = NULL, updated_at = now_ms,
        last_error = format('job %s, which it waited for, did not complete', (
          SELECT other FROM unnest(waits_for) WITH ORDINALITY AS w (other, number)
          WHERE other = ANY (lost) ORDER BY number LIMIT 1
        ))
      WHERE waits_for && lost
      RETURNING id
    )
    SELECT array_agg(id) INTO lost FROM failed;
    all_failed := all_failed || lost;
  END LOOP;
  PERFORM tell('work');
  RETURN all_failed;
END
$$;

-- A setting that holds for who asks. `own` are the settings of that process: {"over": those that stand over the stored ones,
-- "under": those that stand under them, "webhook": a command}.
CREATE FUNCTION setting(name text, own json) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(own->'over'->>name, (SELECT value #>> '{}' FROM settings WHERE key = name), own->'under'->>name)
$$;

-- Adds the hooks of these jobs, which have just ended: as `hooksOf` in src/job/hook.ts.
CREATE FUNCTION fire_hooks(ended text[], own json, now_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM settings WHERE key IN ('on_complete', 'on_dead', 'webhook_url');
  IF NOT FOUND AND coalesce(
    own->'over'->>'on_complete', own->'over'->>'on_dead', own->'over'->>'webhook_url'
  ) IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO jobs (
    id, state, due, queue, priority, run_at, attempts, max_retries, created_at, updated_at, terms, command
  )
  SELECT
    format('%s.%s.%s', CASE WHEN octet_length(j.id) <= 200 THEN j.id ELSE md5(j.id) END, h.name, now_ms),
    'pending', true, 'hooks', 0, now_ms, 0, setting('max_retries', own)::integer, now_ms, now_ms,
    json_strip_nulls(json_build_object('env', json_build_object(
      'JOB_ID', j.id,
      'JOB_COMMAND', left(j.command, 10000),
      'JOB_QUEUE', j.queue,
      'JOB_STATE', j.state,
      'JOB_ATTEMPTS', j.attempts::text,
      'JOB_ENDED_AT', now_ms::text,
      'JOB_ERROR', CASE WHEN j.state <> 'completed' THEN left(j.last_error, 10000) END
    ), 'no_retry_on', CASE h.name WHEN 'webhook' THEN json_build_array(64) END)),
    h.command
  FROM unnest(ended) WITH ORDINALITY AS e (id, number)
  JOIN jobs j ON j.id = e.id AND j.queue <> 'hooks'
  CROSS JOIN LATERAL (SELECT CASE j.state WHEN 'completed' THEN 'on_complete' ELSE 'on_dead' END) AS n (name)
  CROSS JOIN LATERAL (
    SELECT n.name, setting(n.name, own)
    UNION ALL SELECT 'webhook', own->>'webhook' WHERE setting('webhook_url', own) <> ''
  ) AS h (name, command)
  WHERE h.command <> ''
  ORDER BY e.number, h.name
  ON CONFLICT (id) DO NOTHING;
  IF FOUND THEN
    INSERT INTO queues (name) VALUES ('hooks') ON CONFLICT DO NOTHING;
    PERFORM tell('work');
  END IF;
END
$$;

-- Writes what became of attempts, as far as their leases still hold, and returns the leases that did.
CREATE FUNCTION finish(ends json, own json, now_ms bigint) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  ended bigint[];
  completed text[];
  lost text[];
BEGIN
  WITH changed AS (
    UPDATE jobs j SET
      state = e.state,
      due = e.state = 'pending' AND e.run_at <= now_ms,
      place = CASE e.state WHEN 'dead' THEN nextval('places') ELSE j.place END,
      run_at = coalesce(e.run_at, j.run_at),
      attempts = e.attempts,
      updated_at = e.updated_at,
      processing_started_at = e.processing_started_at,
      worker_id = e.worker_id,
      last_error = e.last_error,
      -- A success leaves it as it is.
      history = coalesce(e.history, j.history)
    FROM json_to_recordset(ends) AS e (
      id text, lease bigint, state text, run_at bigint, attempts integer, updated_at bigint,
      processing_started_at bigint, worker_id text, last_error text, history json
    )
    WHERE j.id = e.id AND j.lease = e.lease AND j.state = 'processing'
    RETURNING j.id, j.lease, e.state
  )
  SELECT array_agg(lease), array_agg(id) FILTER (WHERE state = 'completed'),
    array_agg(id) FILTER (WHERE state IN ('dead', 'failed'))
  INTO ended, completed, lost FROM changed;

  IF completed IS NOT NULL OR lost IS NOT NULL THEN
    completed := coalesce(completed, '{}');
    lost := coalesce(lost, '{}');
    PERFORM fire_hooks(completed || lost || tell_waiters(completed, lost, now_ms), own, now_ms);
  END IF;

  IF ends::text LIKE '%"state":"pending"%' THEN
    PERFORM tell('work');
  END IF;
  RETURN coalesce(ended, '{}');
END
$$;

-- Keeps the ends of what attempts printed.
CREATE FUNCTION keep_output(printed json, now_ms bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO output (lease, stream, id, attempt, ended_at, bytes, host, path, tail)
  SELECT lease, stream, id, attempt, now_ms, bytes, host, path, decode(tail, 'base64')
  FROM json_to_recordset(printed) AS p (
    lease bigint, stream text, id text, attempt integer, bytes bigint, host text, path text, tail text
  )
  -- Whoever took the job away from a lost machine could say no more than where to look.
  ON CONFLICT (lease, stream) DO UPDATE SET bytes = excluded.bytes, path = excluded.path, tail = excluded.tail
  WHERE output.bytes = 0
$$;

-- The beginnings that count for the rate of a queue: as `within` in src/job/rate.ts.
CREATE FUNCTION begun_lately(q queues, now_ms bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
  SELECT at FROM unnest(q.begun) AS b (at) WHERE at > now_ms - q.rate_ms AND at <= now_ms + q.rate_ms
$$;

-- When a queue that has used up its rate opens again; null where it is open.
CREATE FUNCTION opens_again(q queues, now_ms bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT at + q.rate_ms FROM begun_lately(q, now_ms) AS b (at) ORDER BY at DESC OFFSET q.rate_count - 1 LIMIT 1
$$;

-- Keeps when these jobs were begun, of queues with a rate. Their rows are locked by open_queues.
CREATE FUNCTION keep_beginnings(claimed json, now_ms bigint) RETURNS void LANGUAGE sql AS $$
  UPDATE queues q SET begun = ARRAY(
    SELECT at FROM (
      SELECT at FROM unnest(q.begun || array_fill(now_ms, ARRAY[c.number])) AS b (at)
      WHERE at <= now_ms + q.rate_ms ORDER BY at DESC LIMIT q.rate_count
    ) latest ORDER BY at
  )
  FROM (SELECT job->>'queue' AS name, count(*)::integer AS number FROM json_array_elements(claimed) AS j (job) GROUP BY 1) c
  WHERE q.name = c.name AND q.rate_count IS NOT NULL
$$;

-- The queues that may be claimed from by who serves some of them, or all, and how many more of their jobs may be begun: null for
-- any number. Of a queue that is limited, only one transaction at a time learns that, and keeps the others waiting until it ends.
CREATE FUNCTION open_queues(serves text[], now_ms bigint) RETURNS TABLE (name text, room bigint, has_rate boolean)
LANGUAGE plpgsql AS $$
DECLARE
  q queues;
BEGIN
  PERFORM FROM queues WHERE queues.name = '*' AND paused;
  IF FOUND THEN
    RETURN;
  END IF;
  -- By name, so that no two wait for each other.
  FOR q IN
    SELECT * FROM queues
    WHERE NOT paused AND queues.name <> '*' AND (serves IS NULL OR queues.name = ANY (serves)) ORDER BY queues.name
  LOOP
    name := q.name;
    room := NULL;
    IF q.concurrency IS NOT NULL OR q.rate_count IS NOT NULL THEN
      -- Nobody need wait for what has nothing to give.
      PERFORM FROM jobs WHERE due AND queue = q.name LIMIT 1;
      CONTINUE WHEN NOT FOUND;
      SELECT * INTO q FROM queues WHERE queues.name = q.name FOR UPDATE;
      CONTINUE WHEN q.paused;
      IF q.concurrency IS NOT NULL THEN
        SELECT q.concurrency - count(*) INTO room FROM jobs WHERE state = 'processing' AND queue = q.name;
      END IF;
      IF q.rate_count IS NOT NULL THEN
        room := least(room, q.rate_count - (SELECT count(*) FROM begun_lately(q, now_ms)));
      END IF;
      CONTINUE WHEN room <= 0;
    END IF;
    has_rate := q.rate_count IS NOT NULL;
    RETURN NEXT;
  END LOOP;
END
$$;

-- Marks the delayed jobs whose time has come: from here on they are counted among those that are due.
CREATE FUNCTION ripen(now_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM queues q WHERE EXISTS (
    SELECT FROM jobs
    WHERE state = 'pending' AND NOT due AND waits_for IS NULL AND queue = q.name AND run_at <= now_ms
  ) LIMIT 1;
  IF FOUND THEN
    UPDATE jobs SET due = true FROM (
      SELECT ripe.id FROM queues q CROSS JOIN LATERAL (
        SELECT id FROM jobs
        WHERE state = 'pending' AND NOT due AND waits_for IS NULL AND queue = q.name AND run_at <= now_ms
        ORDER BY run_at LIMIT 10000 FOR UPDATE SKIP LOCKED
      ) ripe
    ) come WHERE jobs.id = come.id;
  END IF;
END
$$;

-- Ends attempts and gives the claimant its jobs, in one commit. The answer: {"ended": [leases], "forgotten": [jobs],
-- "claimed": [jobs], "next_due": when the next of the pending jobs that are left is due, or null, "next_schedule": when a
-- schedule gives its next job, or null, "split_logs": the setting, or null}.
CREATE FUNCTION settle(
  ends json, own json, printed json, claimant text, most integer, serves text[], only_id text, holds bigint[],
  now_ms bigint
) RETURNS json LANGUAGE plpgsql
-- Planned once, and by the indexes, whatever the statistics say of a table that is empty now and full in a minute.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  ended bigint[] := '{}';
  claimed json := '[]';
  forgotten json := '[]';
  chosen text[] := '{}';
  queue_names text[] := '{}';
  first text[];
  next_due bigint;
  waiting bigint;
  opens bigint;
  any_rate boolean := false;
  q record;
  rules queues;
BEGIN
  IF ends IS NOT NULL THEN
    ended := finish(ends, own, now_ms);
  END IF;
  IF printed IS NOT NULL THEN
    PERFORM keep_output(printed, now_ms);
  END IF;

  -- Claims that count although this worker was never told of them.
  IF most > 0 AND holds IS NOT NULL THEN
    SELECT coalesce(json_agg(f), '[]') INTO forgotten FROM (
      SELECT * FROM jobs
      WHERE state = 'processing' AND worker_id = claimant AND lease <> ALL (holds)
      ORDER BY place LIMIT most
    ) f;
    most := most - json_array_length(forgotten);
  END IF;

  PERFORM ripen(now_ms);

  IF only_id IS NOT NULL THEN
    SELECT array_agg(queue) INTO serves FROM jobs WHERE id = only_id AND (serves IS NULL OR queue = ANY (serves));
    serves := coalesce(serves, '{}');
  END IF;

  IF most > 0 THEN
    FOR q IN SELECT * FROM open_queues(serves, now_ms) LOOP
      -- One more than is taken, to know whether any is left: looking for the first due job is what costs most here.
      IF only_id IS NULL THEN
        SELECT coalesce(array_agg(c.id), '{}') INTO first FROM (
          SELECT id FROM jobs WHERE due AND queue = q.name
          ORDER BY priority DESC, place LIMIT least(most + 1, q.room) FOR UPDATE SKIP LOCKED
        ) c;
      ELSE
        SELECT coalesce(array_agg(c.id), '{}') INTO first FROM (
          SELECT id FROM jobs WHERE due AND id = only_id FOR UPDATE SKIP LOCKED
        ) c;
      END IF;
      CONTINUE WHEN first = '{}';
      chosen := chosen || first;
      queue_names := queue_names || q.name;
      any_rate := any_rate OR q.has_rate;
    END LOOP;
    IF cardinality(queue_names) > 1 THEN
      SELECT array_agg(c.id) INTO chosen FROM (
        SELECT id FROM jobs WHERE id = ANY (chosen) ORDER BY priority DESC, place LIMIT most + 1
      ) c;
    END IF;
    WITH taken AS (
      UPDATE jobs SET
        state = 'processing',
        due = false,
        attempts = attempts + 1,
        updated_at = now_ms,
        processing_started_at = now_ms,
        worker_id = claimant,
        lease = nextval('leases')
      WHERE id = ANY (chosen[:most])
      RETURNING *
    )
    SELECT coalesce(json_agg(t ORDER BY t.priority DESC, t.place), '[]') INTO claimed FROM taken t;
    IF any_rate THEN
      PERFORM keep_beginnings(claimed, now_ms);
    END IF;
  END IF;

  IF cardinality(chosen) > most THEN
    next_due := now_ms;
  ELSE
    FOR rules IN
      SELECT * FROM queues WHERE NOT paused AND name <> '*' AND (serves IS NULL OR name = ANY (serves))
        AND NOT EXISTS (SELECT FROM queues everyone WHERE everyone.name = '*' AND everyone.paused)
    LOOP
      -- A queue that is full is told of when a job of it ends.
      CONTINUE WHEN rules.concurrency <= (SELECT count(*) FROM jobs WHERE state = 'processing' AND queue = rules.name);
      opens := CASE WHEN rules.rate_count IS NOT NULL THEN opens_again(rules, now_ms) END;
      IF only_id IS NOT NULL THEN
        SELECT greatest(run_at, opens) INTO next_due FROM jobs
        WHERE id = only_id AND state = 'pending' AND waits_for IS NULL;
        EXIT;
      END IF;
      PERFORM FROM jobs WHERE due AND queue = rules.name LIMIT 1;
      IF FOUND THEN
        next_due := least(next_due, coalesce(opens, now_ms));
        EXIT WHEN opens IS NULL;
      ELSE
        SELECT run_at INTO waiting FROM jobs
        WHERE state = 'pending' AND NOT due AND waits_for IS NULL AND queue = rules.name ORDER BY run_at LIMIT 1;
        -- With nothing, it is nothing: greatest would take the other.
        next_due := least(next_due, CASE WHEN waiting IS NOT NULL THEN greatest(waiting, opens) END);
      END IF;
    END LOOP;
  END IF;
  RETURN json_build_object('ended', ended, 'forgotten', forgotten, 'claimed', claimed, 'next_due', next_due,
    'next_schedule', (SELECT min(next_at) FROM schedules),
    'split_logs', (SELECT value FROM settings WHERE key = 'split_logs'));
END
$$;

-- Moves up to `most` completed jobs, those that were completed first, into the archive; `keep` stay. Returns how many.
CREATE FUNCTION archive_completed(keep bigint, most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  surplus bigint;
  moved bigint;
BEGIN
  -- One at a time, or each would take the surplus away.
  PERFORM FROM queue FOR UPDATE;
  SELECT count(*) - keep INTO surplus FROM jobs WHERE state = 'completed';
  IF surplus <= 0 THEN
    RETURN 0;
  END IF;
  WITH gone AS (
    -- An array, so that each is looked up by its id: joined, they would be looked for among the completed ones.
    DELETE FROM jobs WHERE id = ANY (ARRAY(
      SELECT id FROM jobs WHERE state = 'completed' ORDER BY updated_at, place LIMIT least(surplus, most)
    ))
    RETURNING *
  )
  INSERT INTO archive (
    id, queue, priority, run_at, attempts, max_retries, created_at, updated_at, processing_started_at, worker_id,
    last_error, terms, history, command
  )
  SELECT id, queue, priority, run_at, attempts, max_retries, created_at, updated_at, processing_started_at, worker_id,
    last_error, terms, history, command
  FROM gone ORDER BY updated_at, place;
  GET DIAGNOSTICS moved = ROW_COUNT;
  UPDATE queue SET archived = archived + moved;
  RETURN moved;
END
$$;
