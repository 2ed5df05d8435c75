-- How the latest run of each pushes entry ended. `wanted_at` is when it was first tried.
CREATE TABLE entry_run (
  entry     TEXT PRIMARY KEY,
  wanted_at TEXT NOT NULL,
  begun_at  TEXT NOT NULL,
  outcome   TEXT NOT NULL CHECK (outcome IN ('begun', 'later', 'refused', 'done')),
  code      TEXT,
  done_at   TEXT
) STRICT;
