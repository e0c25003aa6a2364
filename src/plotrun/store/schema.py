"""The tables of the store, as steps: a change to them is one more step, never a changed one."""

_FIRST = """
CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    stage TEXT NOT NULL,
    created_at REAL NOT NULL,
    ended_at REAL,
    failed INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX workers_by_job ON workers (job, created_at);
CREATE INDEX workers_ended ON workers (ended_at);
CREATE INDEX workers_alive ON workers (stage) WHERE stage != 'ended';
CREATE TABLE deliveries (
    worker TEXT NOT NULL,
    number INTEGER NOT NULL,
    job TEXT NOT NULL,
    delivered_at REAL NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (worker, number)
) STRICT;
CREATE INDEX deliveries_by_job ON deliveries (job);
CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    failures_in_row INTEGER NOT NULL DEFAULT 0,
    last_failure_at REAL,
    paused TEXT,
    ended INTEGER NOT NULL DEFAULT 0,
    holds TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE TABLE listed_jobs (
    position INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    plotter TEXT NOT NULL,
    wanted INTEGER NOT NULL
) STRICT;
CREATE TABLE uses (
    path TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT;
CREATE TABLE progress (
    worker TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    job TEXT,
    worker TEXT,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_kind ON events (kind, number);
CREATE TABLE kept_logs (
    wanted INTEGER PRIMARY KEY,
    workers TEXT NOT NULL
) STRICT;
"""

_FINISH_REQUESTS_AND_MEASURED = """
CREATE TABLE finish_requests (
    worker TEXT PRIMARY KEY
) STRICT;
CREATE TABLE measured (
    worker TEXT NOT NULL,
    number INTEGER NOT NULL,
    plotter TEXT NOT NULL,
    k INTEGER,
    size_key TEXT NOT NULL,
    at REAL NOT NULL,
    bytes INTEGER NOT NULL,
    tmp_bytes INTEGER,
    seconds REAL,
    delivery_seconds REAL,
    longest_silence REAL NOT NULL,
    phases TEXT NOT NULL,
    PRIMARY KEY (worker, number)
) STRICT;
CREATE INDEX measured_by_plotter ON measured (plotter, k, at)
"""

_LISTED_AT = """
ALTER TABLE jobs ADD COLUMN listed_at REAL
"""

_PLOT_HEADERS_AND_REMOVALS = """
CREATE TABLE plot_headers (
    directory BLOB NOT NULL,
    name BLOB NOT NULL,
    size INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    plot_id BLOB,
    k INTEGER,
    format TEXT,
    compression INTEGER,
    pool BLOB,
    PRIMARY KEY (directory, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE clearings (
    number INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    worker TEXT NOT NULL,
    for_plot TEXT,
    directory BLOB NOT NULL,
    complete INTEGER NOT NULL,
    open INTEGER NOT NULL
) STRICT;
CREATE INDEX clearings_open ON clearings (directory) WHERE open = 1;
CREATE TABLE removals (
    number INTEGER PRIMARY KEY,
    clearing INTEGER NOT NULL,
    at REAL NOT NULL,
    path BLOB NOT NULL,
    plot_id TEXT NOT NULL,
    k INTEGER NOT NULL,
    format TEXT NOT NULL,
    size INTEGER NOT NULL,
    made_at REAL NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE INDEX removals_by_time ON removals (at)
"""

_EVENTS_BETWEEN_JOBS = """
CREATE TABLE due_events (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    due_at REAL NOT NULL,
    job TEXT,
    worker TEXT
) STRICT;
CREATE TABLE asked_starts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    asker TEXT NOT NULL,
    name TEXT NOT NULL,
    remaining INTEGER NOT NULL,
    started INTEGER NOT NULL DEFAULT 0,
    refused TEXT
) STRICT;
CREATE UNIQUE INDEX asked_starts_of ON asked_starts (job, asker, name) WHERE asker != 'hand';
CREATE TABLE start_times (
    job TEXT NOT NULL,
    words TEXT NOT NULL,
    next_at REAL NOT NULL,
    PRIMARY KEY (job, words)
) STRICT;
ALTER TABLE jobs ADD COLUMN events_paused INTEGER NOT NULL DEFAULT 0
"""

_REQUESTS = """
CREATE TABLE requests (
    worker TEXT NOT NULL,
    what TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (worker, what)
) STRICT
"""

FORMS = (
    _FIRST,
    _FINISH_REQUESTS_AND_MEASURED,
    _LISTED_AT,
    _PLOT_HEADERS_AND_REMOVALS,
    _EVENTS_BETWEEN_JOBS,
    _REQUESTS,
)
"""A store of form n has the tables of the first n steps; 0 is an empty file."""
