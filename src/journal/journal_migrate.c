/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "journal/journal_db.h"

/* Embedded at build time from journal_schema_<n>.sql. A version that was released never changes:
 * what is new goes into the next file. */
extern const struct sf_str journal_schema_1, journal_schema_2, journal_schema_3;

const struct journal_migration journal_migrations[] = {
    {&journal_schema_1},
    {&journal_schema_2},
    {&journal_schema_3},
};
const size_t journal_migrations_n = sizeof journal_migrations / sizeof journal_migrations[0];
