-- A row that is not the latest of its record: Fivetran's history mode keeps every version.
CREATE MACRO outdated(active) AS no(active);
CREATE MACRO removed(flag, fivetran) AS yes(flag) OR yes(fivetran);
-- What an activity is, from the kind that Salesforce gives it and the one that people choose.
CREATE MACRO kind(subtype, type, usual) AS
    CASE
        WHEN lower(subtype) = 'call' OR regexp_matches(lower(type), '\bcall\b') THEN 'call'
        WHEN lower(subtype) IN ('email', 'listemail') OR regexp_matches(lower(type), '\be-?mail\b') THEN 'sales_email'
        WHEN regexp_matches(lower(type), '\b(meeting|demo)\b') THEN 'meeting'
        ELSE usual
    END;
