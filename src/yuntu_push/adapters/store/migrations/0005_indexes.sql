-- For homes with many pushes: history by channel, pushes by audience, quota uses by write.
CREATE INDEX push_by_channel ON push (channel, created_at);
CREATE INDEX push_by_audience ON push (custom_audience_id);
CREATE INDEX quota_use_by_call ON quota_use (call_id);
