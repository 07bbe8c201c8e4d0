"""SQL that installs a trigger whose function only the owner of the tables can influence."""

from __future__ import annotations

from pgtrigger.compiler import UpsertTriggerSql

# Unless `pg_temp` is named last, PostgreSQL searches temporary objects first.
SEARCH_PATH = "pg_catalog, public, pg_temp"
# A session with fewer digits would write rounded numbers into the history.
EXTRA_FLOAT_DIGITS = 1


class OwnerTriggerSql(UpsertTriggerSql):
    """Install the function as SECURITY DEFINER, with a fixed search path, for nobody else to call.

    It runs as its owner, who may write events, whoever changes the row. No temporary object can
    shadow one that it names, no setting disables it (pgtrigger's own template has one), and none
    changes what it writes. Migrations name this class, so a change of the template changes all
    installed triggers: make migrations for them.
    """

    def get_template(self) -> str:
        """Return the statements, with a placeholder for each part of the trigger."""
        return f"""
            CREATE OR REPLACE FUNCTION public.{{pgid}}() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = {SEARCH_PATH} SET extra_float_digits = {EXTRA_FLOAT_DIGITS}
            AS $$
                {{declare}}
                BEGIN
                    {{func}}
                END;
            $$;
            REVOKE ALL ON FUNCTION public.{{pgid}}() FROM PUBLIC;

            DROP TRIGGER IF EXISTS {{pgid}} ON public.{{table}};
            CREATE {{constraint}} TRIGGER {{pgid}}
                {{when}} {{operation}} ON public.{{table}}
                {{timing}}
                {{referencing}}
                FOR EACH {{level}} {{condition}}
                EXECUTE FUNCTION public.{{execute}};

            COMMENT ON TRIGGER {{pgid}} ON public.{{table}} IS '{{hash}}';
        """
