-- SPDX-License-Identifier: MIT
-- A journal as version 1 wrote it. Never change it: it stands for files on miners.

CREATE TABLE requests (
    id           INTEGER PRIMARY KEY,
    origin       TEXT NOT NULL,          -- validator, playground, cli, serve
    story_id     TEXT,                   -- the story that the request is a part of
    hotkey       TEXT,                   -- of who asked
    uid          INTEGER,
    peer         TEXT,
    task         TEXT,                   -- NULL: refused before it was known
    user_input   TEXT,                   -- cut where it is very long
    context_hash TEXT,                   -- of blueprint, characters, story_arc and chapter_ids
    received_ns  INTEGER NOT NULL,
    deadline_ms  INTEGER NOT NULL,       -- from received on
    took_ms      INTEGER NOT NULL,
    status       INTEGER NOT NULL,       -- as in HTTP
    message      TEXT,                   -- why, when it is not 200
    generator    TEXT,                   -- the name of who answered
    kind         TEXT,
    model        TEXT,
    technical    REAL,                   -- the rubric's raw points
    structure    REAL,
    seed         INTEGER
);
CREATE INDEX requests_received ON requests (received_ns);

-- What became of each generator of the chain.
CREATE TABLE steps (
    request    INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    step       INTEGER NOT NULL,
    wall_ns    INTEGER NOT NULL,
    hop        TEXT NOT NULL,
    kind       TEXT NOT NULL,
    account    TEXT,
    outcome    TEXT NOT NULL,            -- answered, failed, skipped
    code       TEXT NOT NULL,
    reason     TEXT,
    started_ms INTEGER NOT NULL,
    took_ms    INTEGER NOT NULL,
    hedged     INTEGER NOT NULL,
    PRIMARY KEY (request, step)
) WITHOUT ROWID;
CREATE INDEX steps_wall ON steps (wall_ns, outcome, hop, took_ms); -- all that the figures read

-- The calls of a step.
CREATE TABLE attempts (
    request          INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    step             INTEGER NOT NULL,
    attempt          INTEGER NOT NULL,
    hop              TEXT NOT NULL,
    kind             TEXT NOT NULL,
    account          TEXT,
    code             TEXT NOT NULL,
    reason           TEXT,
    started_ms       INTEGER NOT NULL,
    took_ms          INTEGER NOT NULL,
    repair           INTEGER NOT NULL,
    prompt_tokens    INTEGER NOT NULL,
    cached_tokens    INTEGER NOT NULL,
    generated_tokens INTEGER NOT NULL,
    requests         INTEGER NOT NULL,
    cost_usd         REAL NOT NULL,
    PRIMARY KEY (request, step, attempt)
) WITHOUT ROWID;

CREATE TABLE answers (
    request    INTEGER PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    bytes      INTEGER NOT NULL,
    output     TEXT,                     -- NULL: too long to be kept
    model_info TEXT
);

CREATE TABLE generator_states (
    id         INTEGER PRIMARY KEY,
    wall_ns    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    reason     TEXT
);
CREATE INDEX generator_states_wall ON generator_states (wall_ns);

-- Sums per minute and generator. They outlive what the size limit takes away: budgets and mode auto
-- must not forget because stories are long.
CREATE TABLE tallies (
    minute           INTEGER NOT NULL,
    hop              TEXT NOT NULL,
    kind             TEXT NOT NULL,
    account          TEXT NOT NULL,
    answers          INTEGER NOT NULL,
    failures         INTEGER NOT NULL,
    prompt_tokens    INTEGER NOT NULL,
    cached_tokens    INTEGER NOT NULL,
    generated_tokens INTEGER NOT NULL,
    requests         INTEGER NOT NULL,
    cost_usd         REAL NOT NULL,
    PRIMARY KEY (minute, hop, kind, account)
) WITHOUT ROWID;

-- The next request id that no program has taken yet.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters VALUES ('request', 1);
PRAGMA application_id = 1398035017;
PRAGMA user_version = 1;
UPDATE counters SET value = 42;
INSERT INTO requests VALUES (41, 'validator', NULL, '5Grw', NULL, '127.0.0.1', 'blueprint', 'the sea', NULL,
    1790000000000000000, 12000, 900, 200, NULL, 'local', 'local', 'tiny', 30, 40, 7);
INSERT INTO steps VALUES (41, 1, 1790000000000000000, 'local', 'local', NULL, 'answered', 'SF_OK', NULL, 0, 880, 0);
INSERT INTO attempts VALUES (41, 1, 1, 'local', 'local', NULL, 'SF_OK', NULL, 0, 880, 0, 10, 0, 200, 0, 0);
INSERT INTO answers VALUES (41, 13, '{"title":"x"}', NULL);
