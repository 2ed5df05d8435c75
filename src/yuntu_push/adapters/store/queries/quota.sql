-- name: uses
SELECT at FROM quota_use
WHERE kind = :kind AND subject = :subject AND at >= :since ORDER BY at;

-- name: use
INSERT INTO quota_use (kind, subject, at, call_id) VALUES (:kind, :subject, :at, :call_id);

-- name: carry_over
UPDATE quota_use SET at = :at WHERE use_id = (
  SELECT MAX(use_id) FROM quota_use
  WHERE call_id IN (
    SELECT same.call_id FROM push_call AS repetition
    JOIN push_call AS same USING (push_id, step, key)
    WHERE repetition.call_id = :call_id));

-- name: release
DELETE FROM quota_use WHERE call_id = :call_id;

-- name: subjects
SELECT DISTINCT kind, subject FROM quota_use WHERE at >= :since ORDER BY kind, subject;
