-- Accounts and brands as last seen on the platform, per channel.
CREATE TABLE account (
  channel       TEXT NOT NULL,
  advertiser_id INTEGER NOT NULL,
  position      INTEGER NOT NULL,
  name          TEXT NOT NULL,
  account_type  TEXT NOT NULL,
  parent_id     INTEGER,
  valid         INTEGER NOT NULL,
  company       TEXT NOT NULL,
  seen_at       TEXT NOT NULL,
  PRIMARY KEY (channel, advertiser_id)
) STRICT;

CREATE TABLE brand (
  channel        TEXT NOT NULL,
  advertiser_id  INTEGER NOT NULL,
  brand_id       INTEGER NOT NULL,
  position       INTEGER NOT NULL,
  brand_name     TEXT NOT NULL,
  virtual_adv_id INTEGER NOT NULL,
  PRIMARY KEY (channel, advertiser_id, brand_id),
  FOREIGN KEY (channel, advertiser_id) REFERENCES account ON DELETE CASCADE
) STRICT;
