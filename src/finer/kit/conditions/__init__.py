"""One language for rules, segments, triggers and quality checks: SQL expressions over a typed catalogue of columns.

A text such as `amount > 800 and account.count_10s > 3` is parsed, checked against a Catalogue into one small typed
tree, and compiled from that tree to NumPy (the stream), Polars (batches, backtests) and DuckDB SQL (the lake). The
three agree row by row; tests/kit/test_conditions_agree.py proves it with random expressions and data.

Language
    Values      12.5, 'text' ('' is a quote), true, false, null, timestamp '2026-01-31 18:30:00' (UTC unless an
                offset is given), date '2026-01-31'; a column by its whole name, dots included; odd names in double
                quotes
    Comparison  = <> < <= > >=, between, in (fixed values), like (% any characters, _ one; nothing escapes them),
                is null, and all of them with not
    Logic       and, or, not; case when ... then ... else ... end; coalesce
    Numbers     + - * / %, abs, round (0 to 9 digits), floor, ceil, least, greatest
    Texts       length, lower, upper, starts_with
    Lists       in_list(column, 'name'): whether the column's text is on a list that is kept beside the records
    Timestamps  hour, dayofweek, least, greatest, + and - interval '30 days'
    Words may be in any case; names are exact. Comments (-- and /* */) are allowed. At most 4,000 characters.

Meaning, the same in every back end
    Number      Every number is an IEEE double, integers of columns included (exact up to 2**53; beyond, neighbours
                are equal). Nothing wraps and nothing raises: what is too large becomes infinite, and infinities are
                ordinary values above and below all others. -0 equals 0.
    NaN         is null, wherever it comes from: a column, infinity - infinity, 0 * infinity.
    Division    is a division of doubles: 7 / 2 is 3.5. x / 0 and x % 0 are null; a literal 0 as divisor is refused.
                a % b is a - b * trunc(a / b), with the sign of a.
    round       goes away from zero at one half: round(-2.5) is -3. round(x, n) is round(x * 10**n) / 10**n.
    Null        SQL's three-valued logic: comparing with null is null, null and false is false, null or true is true,
                not found in a list with a null is null. least and greatest pass over nulls. A condition that is null
                does not hold; in case, such a branch is not taken.
    Text        is compared by its UTF-8 bytes, case matters, '' is not null; length counts code points. lower and
                upper change A to Z only: other letters change differently in different engines.
    Timestamp   is a UTC microsecond of the years 1 to 9999, a date is its midnight; hour is that of UTC; dayofweek
                is 0 on Sunday to 6 on Saturday.
    Boolean     is compared with = true, <> false and so on only; it has no order.

Where a text stands only as a hash in the stream (Catalogue.hashed), it can be compared with =, <>, in and null.
"""
