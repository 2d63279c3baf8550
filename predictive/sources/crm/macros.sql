-- What the mappings say in every query: times, flags and lists as CRMs write them. All raw columns are text.

-- The time that the text says, as text with its offset; NULL if it says none. Loaders write hours without a leading zero
-- and leave the offset out; APIs write milliseconds since the epoch. A date without a clock stays a date. Every macro
-- uses its argument as few times as it can, since DuckDB copies it to each place.
CREATE MACRO utc(value) AS
    nullif(regexp_extract(
        CASE
            WHEN regexp_full_match(value, '[0-9]{12,13}') THEN
                strftime(make_timestamp(TRY_CAST(value AS BIGINT) * 1000), '%Y-%m-%d %H:%M:%S.%f') || '+00'
            ELSE regexp_replace(
                regexp_replace(trim(value), '^(\d{4}-\d\d-\d\d)[ T](\d):', '\1 0\2:'),
                '^(.{10}[T ][0-9:.]+)$', '\1{offset}')
        END, '^{time}$'), '');
-- A date that a warehouse has landed as a midnight.
CREATE MACRO day(value) AS regexp_replace(utc(value), '[T ]00:00(:00(\.0+)?)?([-+Z].*)?$', '');
-- When something dated to the day happened, if it also has a time on that very day.
CREATE MACRO not_before(value, began) AS
    CASE WHEN length(value) = 10 AND left(began, 10) = value THEN began ELSE value END;
CREATE MACRO moment(value) AS TRY_CAST(value AS TIMESTAMPTZ);
CREATE MACRO yes(value) AS coalesce(lower(trim(value)) IN ('true', 't', '1', 'yes'), false);
CREATE MACRO no(value) AS coalesce(lower(trim(value)) IN ('false', 'f', '0', 'no'), false);
CREATE MACRO ids(value) AS
    list_filter(
        list_transform(string_split_regex(value, '[;,]'), lambda id: trim(split_part(id, ':', 1))), lambda id: id <> '');
CREATE MACRO snake(value) AS nullif(trim(regexp_replace(lower(value), '[^a-z0-9]+', '_', 'g'), '_'), '');
