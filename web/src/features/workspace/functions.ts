import type { Suggestion } from "../../shared/ui/codeEditor";

const make = (label: string, detail: string, info: string): Suggestion => ({ label, detail, info });

/** The functions that questions to a lake need most; DuckDB has some eight hundred more. */
export const FUNCTIONS: readonly Suggestion[] = [
  make("count", "(*)", "How many rows."),
  make("sum", "(number)", "The sum."),
  make("avg", "(number)", "The mean."),
  make("min", "(value)", "The smallest."),
  make("max", "(value)", "The largest."),
  make("median", "(number)", "The value in the middle."),
  make("quantile_cont", "(number, share)", "The value below which that share lies."),
  make("stddev", "(number)", "The spread of a sample."),
  make("approx_count_distinct", "(value)", "About how many different values, fast."),
  make("list", "(value)", "All values as a list."),
  make("string_agg", "(text, separator)", "All texts joined."),
  make("first", "(value order by ...)", "The value of the first row."),
  make("date_trunc", "('day', moment)", "The beginning of the day, week, month ..."),
  make("date_diff", "('day', from, to)", "Whole days, hours ... between two moments."),
  make("time_bucket", "(interval '15 minutes', moment)", "The beginning of its stretch of time."),
  make("extract", "(hour from moment)", "A part of a moment."),
  make("strftime", "(moment, '%Y-%m')", "A moment as text."),
  make("coalesce", "(value, ...)", "The first that is not null."),
  make("nullif", "(value, other)", "Null where the two are equal."),
  make("round", "(number, digits)", "Rounded."),
  make("lower", "(text)", "In small letters."),
  make("starts_with", "(text, beginning)", "Whether it begins so."),
  make("regexp_matches", "(text, pattern)", "Whether a pattern is in it."),
  make("split_part", "(text, separator, n)", "The nth part."),
  make("list_contains", "(list, value)", "Whether a list holds it."),
  make("unnest", "(list)", "A row for each value."),
  make("row_number", "() over (...)", "The number of the row in its window."),
  make("lag", "(value) over (...)", "The value of the row before."),
  make("sum_no_overflow", "(number)", "The sum of whole numbers, exact."),
  make("arg_max", "(value, by)", "The value of the row where `by` is largest."),
];
