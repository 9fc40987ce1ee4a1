-- SPDX-License-Identifier: MIT
-- Which answers are parts of one story: the contexts that a request carries are the answers to
-- earlier ones, byte for byte. Hashes: BLAKE2b of 128 bits, hexadecimal.

CREATE TABLE stories (
    id             INTEGER PRIMARY KEY,  -- the request that began it; requests.story_id names it
    last_request   INTEGER NOT NULL,     -- the newest part
    received_ns    INTEGER NOT NULL,     -- of that one
    origin         TEXT NOT NULL,        -- of the first, as the next two
    hotkey         TEXT,
    user_input     TEXT,
    title          TEXT,
    blueprint_hash TEXT,                 -- of the part, whoever wrote it; NULL: there is none
    characters_hash TEXT,
    arc_hash       TEXT,
    parts          INTEGER NOT NULL,     -- written here: 1 blueprint, 2 characters, 4 story_arc
    chapters       INTEGER NOT NULL      -- written here: bit N is chapter N
);
CREATE INDEX stories_last ON stories (last_request);
-- One for each way to find the story of a next part: by what was written here, and, of chapters
-- after somebody else's story_arc, by that.
CREATE INDEX stories_blueprint ON stories (blueprint_hash) WHERE parts & 1;
CREATE INDEX stories_characters ON stories (characters_hash) WHERE parts & 2;
CREATE INDEX stories_arc ON stories (arc_hash) WHERE parts & 4;
CREATE INDEX stories_foreign_arc ON stories (arc_hash) WHERE arc_hash NOT NULL AND parts & 4 = 0;
CREATE INDEX requests_story ON requests (story_id) WHERE story_id NOT NULL;

-- Contexts that were not written here, so that a story can be read whole.
CREATE TABLE contexts (
    hash    TEXT PRIMARY KEY,
    request INTEGER NOT NULL,            -- the newest that carried it
    text    TEXT NOT NULL
);
CREATE INDEX contexts_request ON contexts (request);
