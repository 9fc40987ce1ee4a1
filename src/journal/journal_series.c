/* SPDX-License-Identifier: MIT */
#include "journal/journal_rows.h"

enum sf_err journal_series(struct journal_reader *r, const struct journal_series *o, json_t **out,
                           struct sf_errbuf *eb)
{
    const struct journal_given list[] = {GIVEN_NUMBER(o->since_ns), GIVEN_NUMBER(o->step_ns),
                                         GIVEN_NUMBER(o->n), GIVEN_TEXT(o->origin)};
    return journal_rows(
        r,
        "WITH RECURSIVE steps (step) AS (SELECT 0 UNION ALL SELECT step + 1 FROM steps WHERE "
        "step + 1 < ?3), asked AS (SELECT (received_ns - ?1) / ?2 AS step, took_ms, status FROM "
        "requests WHERE received_ns >= ?1 AND received_ns < ?1 + ?2 * ?3 AND (?4 IS NULL OR origin "
        "= ?4)), ranked AS (SELECT step, took_ms, row_number() OVER (PARTITION BY step ORDER BY "
        "took_ms) AS at, count(*) OVER (PARTITION BY step) AS n FROM asked WHERE status = 200), "
        "times AS (SELECT step, min(CASE WHEN at * 2 >= n THEN took_ms END) AS p50_ms, min(CASE "
        "WHEN at * 20 >= n * 19 THEN took_ms END) AS p95_ms FROM ranked GROUP BY step), sums AS "
        "(SELECT step, sum(status = 200) AS answers, sum(status <> 200) AS failures, sum(status = "
        "408) AS late, avg(status = 200) AS valid_share FROM asked GROUP BY step) "
        "SELECT (?1 + step * ?2) / 1000000000 AS t, ifnull(answers, 0) AS answers, "
        "ifnull(failures, 0) AS failures, valid_share, p50_ms, p95_ms, ifnull(late, 0) AS late "
        "FROM steps LEFT JOIN sums USING (step) LEFT JOIN times USING (step) ORDER BY step",
        list, sizeof list / sizeof list[0], out, eb);
}
