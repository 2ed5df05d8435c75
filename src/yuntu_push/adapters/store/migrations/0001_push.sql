-- Pushes: the task, its parts, places and steps, every write to the platform, quotas, history.
-- Moments are ISO 8601 in UTC with microseconds, so that text order is time order.
CREATE TABLE push (
  push_id            TEXT PRIMARY KEY,
  name               TEXT NOT NULL,
  audience_name      TEXT NOT NULL,
  channel            TEXT NOT NULL,
  channel_kind       TEXT NOT NULL,
  client             TEXT,
  segment            TEXT NOT NULL,
  segment_version    INTEGER NOT NULL,
  fingerprint        TEXT NOT NULL,
  ids_total          INTEGER NOT NULL,
  audience_type      TEXT NOT NULL,
  description        TEXT NOT NULL,
  source_type        TEXT NOT NULL,
  id_types           TEXT NOT NULL,
  advertiser_id      INTEGER NOT NULL,
  account_name       TEXT NOT NULL,
  company            TEXT NOT NULL,
  mode               TEXT NOT NULL,
  twin               TEXT NOT NULL,
  entry              TEXT,
  follows            TEXT REFERENCES push,
  publish_at         TEXT,
  asked              TEXT NOT NULL,
  state              TEXT NOT NULL CHECK (state IN (
    'pending', 'running', 'waiting', 'succeeded', 'partial', 'failed', 'cancelled', 'superseded',
    'needs_operator', 'stalled')),
  position           INTEGER NOT NULL DEFAULT 0,
  failures           INTEGER NOT NULL DEFAULT 0,
  looks              INTEGER NOT NULL DEFAULT 0,
  next_at            TEXT,
  reason             TEXT,
  failure            TEXT,
  data_source_id     TEXT,
  custom_audience_id INTEGER,
  delivery_status    TEXT,
  upload_num         INTEGER,
  cover_num          INTEGER,
  progress_at        TEXT NOT NULL,
  created_at         TEXT NOT NULL,
  updated_at         TEXT NOT NULL
) STRICT;

-- The name is the only key against duplicates that the platform has.
CREATE UNIQUE INDEX push_audience_name ON push (advertiser_id, audience_name)
  WHERE mode = 'create';
CREATE INDEX push_by_state ON push (state, next_at);
CREATE INDEX push_by_twin ON push (twin);
CREATE INDEX push_by_data_source ON push (data_source_id);

CREATE TABLE push_part (
  push_id     TEXT NOT NULL REFERENCES push ON DELETE CASCADE,
  position    INTEGER NOT NULL,
  path        TEXT NOT NULL,
  id_type     TEXT NOT NULL,
  size        INTEGER NOT NULL,
  ids         INTEGER NOT NULL,
  md5         TEXT NOT NULL,
  operation   INTEGER,
  file_path   TEXT,
  uploaded_at TEXT,
  PRIMARY KEY (push_id, position)
) STRICT;

CREATE TABLE push_brand (
  push_id           TEXT NOT NULL REFERENCES push ON DELETE CASCADE,
  brand_id          INTEGER NOT NULL,
  position          INTEGER NOT NULL,
  brand_name        TEXT NOT NULL,
  virtual_adv_id    INTEGER NOT NULL,
  state             TEXT NOT NULL,
  yuntu_audience_id INTEGER,
  submitted_at      TEXT,
  failure           TEXT,
  PRIMARY KEY (push_id, brand_id)
) STRICT;

CREATE TABLE push_target (
  push_id       TEXT NOT NULL REFERENCES push ON DELETE CASCADE,
  advertiser_id INTEGER NOT NULL,
  position      INTEGER NOT NULL,
  owner         INTEGER NOT NULL,
  state         TEXT NOT NULL,
  group_size    INTEGER NOT NULL,
  failure       TEXT,
  PRIMARY KEY (push_id, advertiser_id)
) STRICT;

CREATE TABLE push_step (
  push_id     TEXT NOT NULL REFERENCES push ON DELETE CASCADE,
  position    INTEGER NOT NULL,
  name        TEXT NOT NULL,
  state       TEXT NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  started_at  TEXT,
  finished_at TEXT,
  failure     TEXT,
  PRIMARY KEY (push_id, position)
) STRICT;

-- One row per write to the platform, committed before the write is made.
CREATE TABLE push_call (
  call_id     INTEGER PRIMARY KEY AUTOINCREMENT,
  push_id     TEXT NOT NULL REFERENCES push ON DELETE CASCADE,
  step        TEXT NOT NULL,
  key         TEXT NOT NULL,
  attempt     INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  before      TEXT NOT NULL,
  intent_at   TEXT NOT NULL,
  state       TEXT NOT NULL,
  settled_at  TEXT
) STRICT;

CREATE INDEX push_call_by_push ON push_call (push_id, step, key);
-- No second write of a kind while the effect of one is not known.
CREATE UNIQUE INDEX push_call_in_doubt ON push_call (push_id, step, key)
  WHERE state IN ('open', 'unknown');

CREATE TABLE quota_use (
  use_id  INTEGER PRIMARY KEY AUTOINCREMENT,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  at      TEXT NOT NULL,
  call_id INTEGER REFERENCES push_call ON DELETE SET NULL
) STRICT;

CREATE INDEX quota_use_by_subject ON quota_use (kind, subject, at);

CREATE TABLE push_event (
  event_id INTEGER PRIMARY KEY AUTOINCREMENT,
  push_id  TEXT NOT NULL REFERENCES push ON DELETE CASCADE,
  at       TEXT NOT NULL,
  kind     TEXT NOT NULL,
  subject  TEXT NOT NULL,
  was      TEXT,
  became   TEXT NOT NULL
) STRICT;

CREATE INDEX push_event_by_push ON push_event (push_id, event_id);

CREATE TRIGGER push_only_forward BEFORE UPDATE OF position ON push
WHEN NEW.position < OLD.position
BEGIN
  SELECT RAISE(ABORT, 'a push never goes back to an earlier step');
END;

CREATE TRIGGER push_call_settled_once BEFORE UPDATE OF state ON push_call
WHEN OLD.state NOT IN ('open', 'unknown') AND NEW.state <> OLD.state
BEGIN
  SELECT RAISE(ABORT, 'the outcome of a write is recorded once');
END;

CREATE TRIGGER push_created AFTER INSERT ON push
BEGIN
  INSERT INTO push_event (push_id, at, kind, subject, was, became)
  VALUES (NEW.push_id, NEW.created_at, 'push', NEW.mode, NULL, NEW.state);
END;

CREATE TRIGGER push_moved AFTER UPDATE OF state ON push
WHEN NEW.state <> OLD.state
BEGIN
  INSERT INTO push_event (push_id, at, kind, subject, was, became)
  VALUES (NEW.push_id, NEW.updated_at, 'push', NEW.mode, OLD.state, NEW.state);
END;

CREATE TRIGGER push_step_moved AFTER UPDATE OF state ON push_step
WHEN NEW.state <> OLD.state
BEGIN
  INSERT INTO push_event (push_id, at, kind, subject, was, became)
  SELECT NEW.push_id, updated_at, 'step', NEW.name, OLD.state, NEW.state
  FROM push WHERE push.push_id = NEW.push_id;
END;

CREATE TRIGGER push_brand_moved AFTER UPDATE OF state ON push_brand
WHEN NEW.state <> OLD.state
BEGIN
  INSERT INTO push_event (push_id, at, kind, subject, was, became)
  SELECT NEW.push_id, updated_at, 'brand', CAST(NEW.brand_id AS TEXT), OLD.state, NEW.state
  FROM push WHERE push.push_id = NEW.push_id;
END;

CREATE TRIGGER push_call_opened AFTER INSERT ON push_call
BEGIN
  INSERT INTO push_event (push_id, at, kind, subject, was, became)
  VALUES (NEW.push_id, NEW.intent_at, 'call', NEW.step || ' ' || NEW.key, NULL, NEW.state);
END;

CREATE TRIGGER push_call_moved AFTER UPDATE OF state ON push_call
WHEN NEW.state <> OLD.state
BEGIN
  INSERT INTO push_event (push_id, at, kind, subject, was, became)
  VALUES (NEW.push_id, COALESCE(NEW.settled_at, NEW.intent_at), 'call',
          NEW.step || ' ' || NEW.key, OLD.state, NEW.state);
END;
