-- name: lane
SELECT next_at, failures, paused_until FROM pace WHERE host = :host;

-- name: keep
INSERT INTO pace (host, next_at, failures, paused_until)
VALUES (:host, :next_at, :failures, :paused_until)
ON CONFLICT (host) DO UPDATE
SET next_at = excluded.next_at, failures = excluded.failures, paused_until = excluded.paused_until;
