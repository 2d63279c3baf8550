-- What the mappings say in every query: times, flags and lists as CRMs write them. All raw columns are text.

-- The time that the text says, as text with its offset; NULL if it says none. Fivetran writes UTC without an offset, and
-- hours without a leading zero; APIs write milliseconds since the epoch. A date without a clock stays a date.
CREATE MACRO dated(value) AS
    CASE
        WHEN regexp_full_match(value, '[0-9]{12,13}') THEN
            strftime(make_timestamp(CAST(value AS BIGINT) * 1000), '%Y-%m-%d %H:%M:%S.%f')
        ELSE regexp_replace(trim(value), '^(\d{4}-\d\d-\d\d)[ T](\d):', '\1 0\2:')
    END;
CREATE MACRO readable(value) AS
    CASE WHEN regexp_full_match(value, '{time}') AND TRY_CAST(left(value, 10) AS DATE) IS NOT NULL THEN value END;
CREATE MACRO clock(value) AS readable(dated(value));
CREATE MACRO utc(value) AS
    CASE WHEN regexp_full_match(clock(value), '.{10}[T ][0-9:.]+') THEN clock(value) || '{offset}' ELSE clock(value) END;
-- A date that a warehouse has landed as a midnight.
CREATE MACRO day(value) AS regexp_replace(utc(value), '[T ]00:00(:00(\.0+)?)?([-+Z].*)?$', '');
-- When something dated to the day happened, if it also has a time on that very day.
CREATE MACRO not_before(value, began) AS
    CASE WHEN length(value) = 10 AND left(began, 10) = value THEN began ELSE value END;
CREATE MACRO moment(value) AS TRY_CAST(value AS TIMESTAMPTZ);
CREATE MACRO yes(value) AS coalesce(lower(trim(value)) IN ('true', 't', '1', 'yes'), false);
CREATE MACRO no(value) AS coalesce(lower(trim(value)) IN ('false', 'f', '0', 'no'), false);
CREATE MACRO ids(value) AS
    list_filter(list_transform(string_split_regex(value, '[;,]'), lambda id: trim(split_part(id, ':', 1))), lambda id: id <> '');
CREATE MACRO snake(value) AS nullif(trim(regexp_replace(lower(value), '[^a-z0-9]+', '_', 'g'), '_'), '');
