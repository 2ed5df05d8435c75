-- name: uses
SELECT at FROM quota_use
WHERE kind = :kind AND subject = :subject AND at >= :since ORDER BY at;

-- name: use
INSERT INTO quota_use (kind, subject, at, call_id) VALUES (:kind, :subject, :at, :call_id);

-- name: carry_over
UPDATE quota_use SET at = :at WHERE call_id = :call_id;

-- name: release
DELETE FROM quota_use WHERE call_id = :call_id;

-- name: subjects
SELECT DISTINCT kind, subject FROM quota_use WHERE at >= :since ORDER BY kind, subject;
