"""Functions, operators and aggregates of PostgreSQL that never answer NULL to arguments that are not NULL.

A name stands here only where the manual's chapter 9 (or the function's source) gives no case of NULL. Left out on
purpose: `->` and `->>` (no such key), array_length (empty array), substring with a pattern, nullif, extract from
infinity, geometric intersections, json path queries, current_setting(…, true), lag and lead.
"""

# ruff: noqa: SIM905 (long lists of words read better as text)
from __future__ import annotations

from dbtrust.model.facts import Function

#: pg_proc.proname of functions that are total. Casts of the server are functions as well.
TOTAL_FUNCTIONS = frozenset(
    """
lower upper initcap length char_length character_length octet_length bit_length btrim ltrim rtrim left right
lpad rpad concat repeat replace reverse split_part starts_with strpos position translate md5 sha224 sha256
sha384 sha512 ascii chr to_hex to_bin to_oct quote_ident quote_literal quote_nullable substr overlay
regexp_replace regexp_count regexp_like regexp_split_to_array string_to_array string_to_table encode decode
convert_from convert_to unaccent format normalize like_escape to_date to_timestamp abs ceil ceiling floor
round trunc sign sqrt cbrt exp ln log log10 power pow mod div gcd lcm factorial random random_normal degrees
radians sin cos tan cot asin acos atan atan2 sinh cosh tanh pi width_bucket trim_scale now clock_timestamp
statement_timestamp transaction_timestamp timeofday date_trunc date_bin make_date make_time make_timestamp
make_timestamptz make_interval age justify_days justify_hours justify_interval isfinite timezone
current_date current_database current_user session_user current_schemas version pg_backend_pid txid_current
pg_current_xact_id inet_same_family to_json to_jsonb row_to_json array_to_json json_build_object
jsonb_build_object json_build_array jsonb_build_array json_array_length jsonb_array_length json_typeof
jsonb_typeof jsonb_strip_nulls json_strip_nulls jsonb_pretty cardinality array_append array_prepend
array_cat array_remove array_replace array_to_tsvector array_positions array_to_string array_fill trim_array
array_sample array_shuffle nextval lastval setval gen_random_uuid uuidv4 uuidv7 uuid_generate_v4 isempty
lower_inc upper_inc lower_inf upper_inf range_merge int4range int8range numrange daterange tsrange tstzrange
host text family masklen netmask network broadcast abbrev set_masklen hostmask inet_merge to_tsvector
to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd setweight strip numnode
hashtext hashtextextended pg_column_size num_nulls num_nonnulls int2 int4 int8 float4 float8 numeric bool
varchar bpchar char name bytea date timestamp timestamptz interval bit varbit regclass money oid citext
row_number rank dense_rank percent_rank cume_dist ntile
""".split()
)
#: Never NULL, whatever comes in (but an explicit VARIADIC NULL).
ALWAYS = frozenset({
    "concat", "json_build_object", "jsonb_build_object", "json_build_array", "jsonb_build_array", "quote_nullable",
})  # fmt: skip
#: Their namesakes on ranges are NULL for an empty or unbounded one.
OF_TEXT_ONLY = frozenset({"lower", "upper"})
#: Casts; of jsonb they are NULL for a JSON null from PostgreSQL 18 on.
CASTS = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "bool"})
#: pg_operator.oprname of operators that are total on every type but the geometric ones.
TOTAL_OPERATORS = frozenset(
    """
+ - * / % ^ || = <> < > <= >= ~ !~ ~* !~* ~~ !~~ ~~* !~~* ~>=~ ~<=~ ~>~ ~<~ @> <@ && ? ?| ?& & | << >> &< &>
-|- ^@ |/ ||/ @ !! <-> *= *<>
""".split()
)
#: Aggregates that are NULL only where no row (or no value that is not NULL) came in.
AGGREGATES = frozenset(
    """
sum avg min max bool_and bool_or every bit_and bit_or bit_xor array_agg string_agg json_agg jsonb_agg
json_object_agg jsonb_object_agg xmlagg any_value stddev_pop var_pop mode percentile_cont percentile_disc
range_agg range_intersect_agg
""".split()
)
#: Of these, the ones that count NULLs in: one row is enough.
AGGREGATES_OF_ROWS = frozenset({"array_agg", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg"})
#: Aggregates that are 0 where nothing came in.
COUNTS = frozenset({"count", "regr_count"})
#: Functions that give a set whose values are never NULL.
TOTAL_SETS = frozenset(
    """
generate_series generate_subscripts string_to_table regexp_split_to_table regexp_matches json_object_keys
jsonb_object_keys json_array_elements jsonb_array_elements jsonb_path_query
""".split()
)


def total(function: Function) -> bool:
    """Is a function of the server never NULL for arguments that are there?"""
    name, categories = function.name, function.categories
    if not function.builtin or "G" in categories:
        return False
    if name == "substring":
        return categories[1:2] == "N"
    if name in OF_TEXT_ONLY and categories != "S":
        return False
    if name in CASTS and "U" in categories:
        return False
    return name in TOTAL_FUNCTIONS
