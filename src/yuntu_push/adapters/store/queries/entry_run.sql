-- name: begin
INSERT INTO entry_run (entry, wanted_at, begun_at, outcome) VALUES (:entry, :at, :at, 'begun')
ON CONFLICT (entry) DO UPDATE
SET wanted_at = CASE WHEN :again THEN wanted_at ELSE excluded.wanted_at END,
    begun_at = excluded.begun_at, outcome = 'begun', code = NULL;

-- name: end
UPDATE entry_run
SET outcome = :outcome, code = :code,
    done_at = CASE WHEN :outcome = 'done' THEN :at ELSE done_at END
WHERE entry = :entry;

-- name: all
SELECT * FROM entry_run ORDER BY entry;
