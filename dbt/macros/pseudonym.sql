{#- Customers' natural keys may be e-mail addresses, so analysts see their SHA-256 instead. -#}
{% macro pseudonym(column) -%}
    encode(sha256(convert_to({{ column }}, 'UTF8')), 'hex')
{%- endmacro %}
