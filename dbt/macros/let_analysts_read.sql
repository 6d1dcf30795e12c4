{#- Tables that were rebuilt stay readable, also where another account than the one that migrated
    the database runs dbt; a server without the role is left as it is. -#}
{% macro let_analysts_read() -%}
    do $$
    begin
        if exists (select from pg_catalog.pg_roles where rolname = 'analyst') then
            grant usage on schema staging, marts to analyst;
            grant select on all tables in schema staging, marts to analyst;
        end if;
    end
    $$
{%- endmacro %}
