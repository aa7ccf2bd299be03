-- Scenarios, executables, configurations, artifacts and executions, each as the JSON object that clients get.
CREATE TABLE IF NOT EXISTS objects (
    position INTEGER PRIMARY KEY,
    resource_group TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    UNIQUE (resource_group, kind, id)
);

CREATE TABLE IF NOT EXISTS metric_resources (
    position INTEGER PRIMARY KEY,
    resource_group TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    modified_at TEXT NOT NULL,
    UNIQUE (resource_group, execution_id)
);

-- Metrics as they were logged: JSON objects separated by commas, numbers and timestamps in their own spelling.
CREATE TABLE IF NOT EXISTS metric_batches (
    position INTEGER PRIMARY KEY,
    resource INTEGER NOT NULL REFERENCES metric_resources ON DELETE CASCADE,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS metric_batches_of_resource ON metric_batches (resource);

CREATE TABLE IF NOT EXISTS named_values (
    position INTEGER PRIMARY KEY,
    resource INTEGER NOT NULL REFERENCES metric_resources ON DELETE CASCADE,
    section TEXT NOT NULL CHECK (section IN ('tags', 'customInfo')),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (resource, section, name)
);

-- What runs wrote: JSON objects as clients get them; "instant" is nanoseconds since the epoch.
CREATE TABLE IF NOT EXISTS log_lines (
    position INTEGER PRIMARY KEY,
    resource_group TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    instant INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body))
);
CREATE INDEX IF NOT EXISTS log_lines_of_execution ON log_lines (resource_group, execution_id, instant, position);

-- What the sandbox remembers about itself: that it was seeded, how far the live training is.
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
