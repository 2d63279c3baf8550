-- A contact that may get marketing mail, as the API and as an export write it.
CREATE MACRO marketable(value) AS
    CASE
        WHEN yes(value) OR lower(value) = 'marketing contact' THEN 'marketing'
        WHEN no(value) OR lower(value) = 'non-marketing contact' THEN 'non-marketing'
        ELSE value
    END;
