"""Index word parts of our own: parts of file names, numbers and addresses, and any part of a run of
CJK or Thai. The next migration refills the index.
"""

from __future__ import annotations

import django.contrib.postgres.search
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import reviewapp.audit.trigger_sql

SEARCH_TEXT = r"""
-- The words of a text, as the search index holds them and as a search asks for them (`is_query`): in
-- lower case, compatibility forms folded, cut at signs and between letters and numbers. PostgreSQL's
-- parser then meets nothing but words, and takes none for a tag, an address, a file or a number.
--
-- Scripts without spaces, and Hangul, are cut into overlapping pairs of characters, so that each
-- part of a run is found. The first and the last character of a run also stand alone.
CREATE FUNCTION public.search_text(raw text, is_query boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    written text := raw;
    unspaced CONSTANT text := '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]';
BEGIN
    IF octet_length(written) > length(written) THEN
        written := normalize(written, NFKC);
        -- Invisible inside a word: soft hyphen, zero-width characters, marks of direction.
        written := regexp_replace(written, '[\u00ad\u200b-\u200f\u2060\ufeff]+', '', 'g');
    END IF;

    written := regexp_replace(
        written,
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9'
        '\u00bb-\u00bf\u00d7\u00f7\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u2e00-\u2e7f'
        '\u3000-\u3004\u3008-\u3020\u3030\u303d-\u3040\u30fb\ufe10-\ufe4f\ufff9-\uffff]+',
        ' ',
        'g'
    );

    IF octet_length(written) > length(written) AND written ~ unspaced THEN
        written := regexp_replace(written, unspaced || '+', ' \& ', 'g');
        -- ABCD becomes A AB BC CD D, and A becomes A A.
        written := regexp_replace(written, unspaced, '\& \&', 'g');
        IF is_query THEN
            written := regexp_replace(
                written, '(^|\s)(' || unspaced || ') ' || unspaced || '(?=\s|$)', '\1\2', 'g'
            );
            written := regexp_replace(
                written, '(^|\s)' || unspaced || ' (?=' || unspaced || '{2})', '\1', 'g'
            );
            written := regexp_replace(
                written, '(' || unspaced || '{2}) ' || unspaced || '(?=\s|$)', '\1', 'g'
            );
        END IF;
    END IF;

    -- Where two letters and two digits meet, or three of one kind and one of the other.
    written := regexp_replace(
        written,
        '([0-9](?=[^0-9 ]{3})|[0-9]{2}(?=[^0-9 ]{2})|[0-9]{3}(?=[^0-9 ])'
        '|[^0-9 ](?=[0-9]{3})|[^0-9 ]{2}(?=[0-9]{2})|[^0-9 ]{3}(?=[0-9]))',
        '\1 ',
        'g'
    );
    RETURN lower(written);
END
$function$;
"""

# A word such as `shoesCatalog` is indexed whole, and its parts at the end.
SEARCH_VECTOR = r"""
CREATE FUNCTION public.search_vector(raw text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    parts text := '';
BEGIN
    IF raw ~ '[a-z]{2}[A-Z]' THEN
        SELECT string_agg(regexp_replace(match[1], '([a-z]{2})(?=[A-Z])', '\1 ', 'g'), ' ')
        INTO parts
        FROM regexp_matches(raw, '([A-Za-z0-9]*[a-z]{2}[A-Z][A-Za-z0-9]*)', 'g') AS match;
    END IF;
    RETURN to_tsvector('simple', public.search_text(concat(raw, ' ', parts), false));
END
$function$;
"""

SEARCH_TERM = r"""
CREATE FUNCTION public.search_term(term text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    parts text := regexp_replace(term, '([a-z]{2})(?=[A-Z])', '\1 ', 'g');
    asked tsquery := phraseto_tsquery('simple', public.search_text(term, true));
BEGIN
    IF parts <> term THEN
        asked := asked || phraseto_tsquery('simple', public.search_text(parts, true));
    END IF;
    RETURN asked;
END
$function$;
"""


# The column of before, whose name its index has to have again.
GENERATE_SEARCH = """
ALTER TABLE annotations_annotation DROP COLUMN search;
ALTER TABLE annotations_annotation ADD COLUMN search tsvector GENERATED ALWAYS AS (
    to_tsvector(
        'simple'::regconfig,
        COALESCE(title, '') || ' ' || COALESCE(words, '') || ' ' || COALESCE(label, '') || ' '
            || COALESCE(reasoning, '') || ' ' || COALESCE(document_id, '')
    )
) STORED;
CREATE INDEX annotation_search ON annotations_annotation USING gin (search)
    WITH (gin_pending_list_limit = 64);
"""


class Migration(migrations.Migration):
    dependencies = [("annotations", "0012_whole_history")]

    operations = [
        migrations.RunSQL(SEARCH_TEXT, "DROP FUNCTION public.search_text(text, boolean)"),
        migrations.RunSQL(SEARCH_VECTOR, "DROP FUNCTION public.search_vector(text)"),
        migrations.RunSQL(SEARCH_TERM, "DROP FUNCTION public.search_term(text)"),
        # The column stays as it is, and its index too.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE annotations_annotation ALTER COLUMN search DROP EXPRESSION",
                    GENERATE_SEARCH,
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    "annotation",
                    "search",
                    django.contrib.postgres.search.SearchVectorField(editable=False, null=True),
                ),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='annotation',
            trigger=pgtrigger.compiler.Trigger(name='searched', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(declare='DECLARE document tsvector;', func="\n    IF TG_OP = 'UPDATE' AND OLD.search IS NOT NULL\n        AND (NEW.document_id, NEW.annotation_id, NEW.title, NEW.words)\n            IS NOT DISTINCT FROM (OLD.document_id, OLD.annotation_id, OLD.title, OLD.words)\n    THEN\n        IF (NEW.label, NEW.reasoning) IS NOT DISTINCT FROM (OLD.label, OLD.reasoning) THEN\n            NEW.search := OLD.search;\n            RETURN NEW;\n        END IF;\n        document := ts_filter(OLD.search, '{d}');\n    ELSE\n        document := public.search_vector(\n            concat_ws(' ', NEW.document_id, NEW.annotation_id, NEW.title, NEW.words)\n        );\n    END IF;\n    NEW.search := document\n        || setweight(public.search_vector(concat_ws(' ', NEW.label, NEW.reasoning)), 'A');\n    RETURN NEW;\n    ", hash='fb3f9f48a790b3c86575d12304ca9eb69234381e', operation='INSERT OR UPDATE OF "document_id", "annotation_id", "title", "words", "label", "reasoning"', pgid='pgtrigger_searched_32336', table='annotations_annotation', when='BEFORE')),
        ),
    ]
