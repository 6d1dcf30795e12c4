{#- Schemas are named exactly as configured: `staging` and `marts`, the same in every database. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
