-- SPDX-License-Identifier: MIT
-- What the chain said of this miner at each sync with it. Amounts in rao (10^-9).

CREATE TABLE standings (
    id                   INTEGER PRIMARY KEY,
    wall_ns              INTEGER NOT NULL,
    netuid               INTEGER NOT NULL,
    block                INTEGER NOT NULL,   -- of the metagraph
    hotkey               TEXT NOT NULL,
    uid                  INTEGER,            -- NULL: not registered, as all that follows
    stake_rao            INTEGER,
    emission_rao         INTEGER,            -- of the last epoch
    incentive            INTEGER,            -- share of 65535
    position             INTEGER,            -- 1 is the miner with the highest incentive
    miners               INTEGER,
    immunity_left_blocks INTEGER             -- NULL too: the node did not tell
);
CREATE INDEX standings_wall ON standings (wall_ns);
