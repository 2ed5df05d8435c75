-- name: insert_push
INSERT INTO push (
  push_id, name, audience_name, channel, channel_kind, client, segment, segment_version,
  fingerprint, ids_total, audience_type, description, source_type, id_types, advertiser_id,
  account_name, company, mode, twin, entry, follows, publish_at, asked, state, position,
  data_source_id, custom_audience_id, progress_at, created_at, updated_at
) VALUES (
  :push_id, :name, :audience_name, :channel, :channel_kind, :client, :segment, :segment_version,
  :fingerprint, :ids_total, :audience_type, :description, :source_type, :id_types, :advertiser_id,
  :account_name, :company, :mode, :twin, :entry, :follows, :publish_at, :asked, :state,
  :position, :data_source_id, :custom_audience_id, :created_at, :created_at, :created_at
);

-- name: insert_part
INSERT INTO push_part (push_id, position, path, id_type, size, ids, md5, operation)
VALUES (:push_id, :position, :path, :id_type, :size, :ids, :md5, :operation);

-- name: insert_brand
INSERT INTO push_brand (
  push_id, brand_id, position, brand_name, virtual_adv_id, state, yuntu_audience_id, submitted_at
) VALUES (
  :push_id, :brand_id, :position, :brand_name, :virtual_adv_id, :state, :yuntu_audience_id,
  :submitted_at);

-- name: insert_target
INSERT INTO push_target (push_id, advertiser_id, position, owner, state, group_size)
VALUES (:push_id, :advertiser_id, :position, :owner, :state, :group_size);

-- name: insert_step
INSERT INTO push_step (push_id, position, name, state) VALUES (:push_id, :position, :name, :state);

-- name: pushes
SELECT * FROM push WHERE push_id IN (SELECT value FROM json_each(:push_ids));

-- name: parts
SELECT * FROM push_part WHERE push_id IN (SELECT value FROM json_each(:push_ids))
ORDER BY position;

-- name: brands
SELECT * FROM push_brand WHERE push_id IN (SELECT value FROM json_each(:push_ids))
ORDER BY position;

-- name: targets
SELECT * FROM push_target WHERE push_id IN (SELECT value FROM json_each(:push_ids))
ORDER BY position;

-- name: steps
SELECT * FROM push_step WHERE push_id IN (SELECT value FROM json_each(:push_ids))
ORDER BY position;

-- name: calls
SELECT * FROM push_call WHERE push_id IN (SELECT value FROM json_each(:push_ids))
ORDER BY call_id;

-- name: find
SELECT push_id FROM push
WHERE state IN (SELECT value FROM json_each(:states))
  AND (:called IS NULL OR name = :called OR audience_name = :called
    OR substr(push_id, 1, length(:called)) = :called)
  AND (:data_sources IS NULL OR data_source_id IN (SELECT value FROM json_each(:data_sources))
    OR custom_audience_id IN (SELECT value FROM json_each(:audiences)))
  AND (:channel IS NULL OR channel = :channel)
  AND (:entry IS NULL OR entry = :entry)
  AND (:since IS NULL OR created_at >= :since)
  AND (:brand IS NULL OR EXISTS (
    SELECT 1 FROM push_brand
    WHERE push_brand.push_id = push.push_id
      AND (CAST(brand_id AS TEXT) = :brand OR brand_name = :brand)))
ORDER BY created_at DESC, rowid DESC
LIMIT COALESCE(:most, -1);

-- name: twin
SELECT push_id FROM push
WHERE twin = :twin AND state NOT IN ('failed', 'cancelled', 'superseded')
ORDER BY created_at DESC LIMIT 1;

-- name: known_pairs
SELECT DISTINCT push.advertiser_id, push_brand.brand_id
FROM push JOIN push_brand USING (push_id)
WHERE push.state NOT IN ('cancelled', 'failed');

-- name: copies
SELECT COUNT(*) AS made FROM push_call
JOIN push USING (push_id)
JOIN push_brand ON push_brand.push_id = push.push_id
 AND push_call.key = 'brand:' || push_brand.brand_id
WHERE push.custom_audience_id = :custom_audience_id
  AND push_brand.virtual_adv_id = :virtual_adv_id
  AND push_call.step = 'copy' AND push_call.state IN ('done', 'found', 'decided');

-- name: on_data_source
SELECT push_id FROM push WHERE data_source_id = :data_source_id ORDER BY created_at DESC, rowid DESC;

-- name: working_on
SELECT push_id FROM push
WHERE data_source_id = :data_source_id AND state IN ('pending', 'running', 'waiting', 'stalled')
  AND push_id NOT IN (SELECT value FROM json_each(:but))
LIMIT 1;

-- name: claim
UPDATE push SET state = 'running', next_at = NULL, updated_at = :at WHERE push_id = :push_id;

-- name: claim_step
UPDATE push_step
SET state = 'running', attempts = attempts + 1, started_at = COALESCE(started_at, :at),
    finished_at = NULL, failure = NULL
WHERE push_id = :push_id AND position = :position;

-- name: retry_brands
UPDATE push_brand SET state = 'pending', failure = NULL
WHERE push_id = :push_id AND state = 'failed';

-- name: retry_targets
UPDATE push_target SET state = 'pending', group_size = 1, failure = NULL
WHERE push_id = :push_id AND state = 'failed';

-- name: touch
UPDATE push SET updated_at = :at WHERE push_id = :push_id;

-- name: progress
UPDATE push SET progress_at = :at, failures = 0, looks = 0, updated_at = :at
WHERE push_id = :push_id;

-- name: restate
UPDATE push
SET state = :state, failures = :failures, looks = :looks, next_at = :next_at, reason = :reason,
    failure = :failure, updated_at = :at,
    progress_at = COALESCE(:progress_at, progress_at)
WHERE push_id = :push_id;

-- name: restate_step
UPDATE push_step SET state = :state, failure = :failure, finished_at = :finished_at
WHERE push_id = :push_id AND position = :position;

-- name: next_step
UPDATE push SET position = position + 1 WHERE push_id = :push_id;

-- name: begin_step
UPDATE push_step SET state = 'running', attempts = 1, started_at = :at
WHERE push_id = :push_id AND position = :position;

-- name: move
UPDATE push
SET state = :state, updated_at = :at, next_at = NULL, reason = NULL, failure = :failure
WHERE push_id = :push_id;

-- name: learn_push
UPDATE push
SET data_source_id = COALESCE(:data_source_id, data_source_id),
    custom_audience_id = COALESCE(:custom_audience_id, custom_audience_id),
    delivery_status = COALESCE(:delivery_status, delivery_status),
    upload_num = COALESCE(:upload_num, upload_num),
    cover_num = COALESCE(:cover_num, cover_num)
WHERE push_id = :push_id;

-- name: learn_part
UPDATE push_part
SET path = :path, md5 = :md5, size = :size, ids = :ids, file_path = :file_path,
    uploaded_at = :uploaded_at
WHERE push_id = :push_id AND position = :position;

-- name: learn_brand
INSERT INTO push_brand (
  push_id, brand_id, position, brand_name, virtual_adv_id, state, yuntu_audience_id, submitted_at,
  failure
) VALUES (
  :push_id, :brand_id,
  (SELECT COALESCE(MAX(position) + 1, 0) FROM push_brand WHERE push_id = :push_id),
  :brand_name, :virtual_adv_id, :state, :yuntu_audience_id, :submitted_at, :failure)
ON CONFLICT (push_id, brand_id) DO UPDATE
SET state = excluded.state, yuntu_audience_id = excluded.yuntu_audience_id,
    submitted_at = excluded.submitted_at, failure = excluded.failure;

-- name: learn_target
UPDATE push_target SET state = :state, group_size = :group_size, failure = :failure
WHERE push_id = :push_id AND advertiser_id = :advertiser_id;

-- name: open_call
INSERT INTO push_call (push_id, step, key, attempt, fingerprint, before, intent_at, state)
VALUES (
  :push_id, :step, :key,
  (SELECT COUNT(*) + 1 FROM push_call
   WHERE push_id = :push_id AND step = :step AND key = :key),
  :fingerprint, :before, :at, 'open');

-- name: call
SELECT * FROM push_call WHERE call_id = :call_id;

-- name: call_in_doubt
SELECT call_id FROM push_call
WHERE push_id = :push_id AND step = :step AND key = :key AND state IN ('open', 'unknown');

-- name: settle_call
UPDATE push_call SET state = :state, settled_at = :at WHERE call_id = :call_id;

-- name: events
SELECT at, kind, subject, was, became FROM push_event
WHERE push_id = :push_id ORDER BY event_id;

-- name: past_steps
SELECT name, started_at, finished_at FROM push_step
WHERE push_id IN (
    SELECT push_id FROM push WHERE channel = :channel ORDER BY created_at DESC LIMIT 60)
  AND state = 'succeeded' AND started_at IS NOT NULL AND finished_at IS NOT NULL
ORDER BY finished_at DESC;
