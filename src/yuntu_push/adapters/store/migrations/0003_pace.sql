-- How hard each API host may be called, shared by all processes; seconds since the epoch, 0: none.
CREATE TABLE pace (
  host         TEXT PRIMARY KEY,
  next_at      REAL NOT NULL,
  failures     INTEGER NOT NULL,
  paused_until REAL NOT NULL
) STRICT;
