ALTER TABLE tasks ADD COLUMN reminded_at timestamptz;
CREATE INDEX tasks_without_reminder ON tasks (due) WHERE reminded_at IS NULL AND NOT done;
