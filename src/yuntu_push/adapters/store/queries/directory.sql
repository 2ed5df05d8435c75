-- name: forget
DELETE FROM account WHERE channel = :channel;

-- name: insert_account
INSERT INTO account (
  channel, advertiser_id, position, name, account_type, parent_id, valid, company, seen_at
) VALUES (
  :channel, :advertiser_id, :position, :name, :account_type, :parent_id, :valid, :company, :seen_at
);

-- name: insert_brand
INSERT INTO brand (channel, advertiser_id, brand_id, position, brand_name, virtual_adv_id)
VALUES (:channel, :advertiser_id, :brand_id, :position, :brand_name, :virtual_adv_id);

-- name: accounts
SELECT * FROM account WHERE :channel IS NULL OR channel = :channel ORDER BY channel, position;

-- name: brands
SELECT * FROM brand WHERE :channel IS NULL OR channel = :channel
ORDER BY channel, advertiser_id, position;
