"""Broken rows of warehouses, carriers, parcels and documents."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

ROWS = (
    Broken(
        "documents.series",
        "series_next_number_follows",
        "UPDATE documents.series SET next_number = 7",
        ({"series": "INV-2018"},),
    ),
    Broken(
        "documents.invoices",
        "invoices_number_gapless",
        "UPDATE documents.invoices SET number = 9 WHERE invoice_id = 2",
        ({"invoice_id": "2"},),
    ),
    Broken(
        "documents.packing_slips",
        "packing_slips_units_equal_parcel",
        "UPDATE documents.packing_slips SET units = 9 WHERE shipment_id = 1",
        ({"shipment_id": "1"},),
    ),
    Broken(
        "transport.carriers",
        "carriers_required_values_present",
        "ALTER TABLE transport.carriers ALTER COLUMN name DROP NOT NULL;"
        "UPDATE transport.carriers SET name = NULL",
        ({"carrier_code": "POST"},),
    ),
    Broken(
        "transport.services",
        "services_limits_positive",
        "UPDATE transport.services SET max_weight_g = 0 WHERE service_code = 'EXP'",
        ({"service_code": "EXP"},),
    ),
    Broken(
        "transport.zones",
        "zones_ranges_disjoint",
        "UPDATE transport.zones SET from_km = 100 WHERE zone_code = 'FAR'",
        ({"zone_code": "FAR"}, {"zone_code": "NEAR"}),
    ),
    Broken(
        "transport.rates",
        "rates_bands_disjoint",
        "UPDATE transport.rates SET service_code = 'STD', from_g = 100 WHERE rate_id = 2",
        ({"rate_id": "1"}, {"rate_id": "2"}),
    ),
    Broken(
        "transport.rate_lists",
        "rate_lists_applied_without_failures",
        "ALTER TABLE transport.rate_lists"
        " DROP CONSTRAINT rate_lists_applied_without_failures_check;"
        "INSERT INTO transport.rate_lists (file_name, content_hash, plan_hash, state, created,"
        " changed, unchanged, failed, previewed_by, previewed_at, decided_by, decided_at)"
        " VALUES ('f', 'c', 'p', 'applied', 0, 0, 0, 1, 'a', '2018-01-01Z', 'a', '2018-01-01Z')",
        ({"rate_list_id": "1"},),
    ),
    Broken(
        "transport.rate_list_rows",
        "rate_list_rows_rate_list_id_exists",
        "ALTER TABLE transport.rate_list_rows"
        " DROP CONSTRAINT rate_list_rows_rate_list_id_fkey;"
        "INSERT INTO transport.rate_list_rows (rate_list_id, row_number, outcome, field, problem,"
        " message, replaces) VALUES (9, 2, 'error', 'price', 'missing', 'is empty', '[]')",
        ({"rate_list_id": "9", "row_number": "2"},),
    ),
    Broken(
        "transport.carrier_choices",
        "carrier_choices_chosen_is_eligible",
        "UPDATE transport.carrier_choices SET is_eligible = false WHERE order_id = 2 AND is_chosen",
        ({"order_id": "2", "site_code": "N", "service_code": "STD"},),
    ),
    Broken(
        "transport.shipments",
        "shipments_cost_equals_choice",
        "UPDATE transport.shipments SET cost_minor = 1 WHERE shipment_id = 2",
        ({"shipment_id": "2"},),
    ),
    Broken(
        "warehouse.withdrawals",
        "withdrawals_site_code_exists",
        "INSERT INTO warehouse.withdrawals (order_id, order_line_id, sku, site_code, quantity,"
        " allocated_as_of, withdrawn_as_of, run_id)"
        " VALUES (1, 1, 'A', 'moon', 1, '2018-01-01Z', '2018-01-02Z', 'run')",
        ({"withdrawal_id": "1"},),
    ),
    Broken(
        "warehouse.sites",
        "sites_latitude_in_range",
        "UPDATE warehouse.sites SET latitude = 123 WHERE site_code = 'N'",
        ({"site_code": "N"},),
    ),
    Broken(
        "warehouse.site_hours",
        "site_hours_opens_before_cut_off",
        "ALTER TABLE warehouse.site_hours DROP CONSTRAINT site_hours_opens_before_cut_off_check;"
        "INSERT INTO warehouse.site_hours (site_code, weekday, opens, cut_off)"
        " VALUES ('N', 1, '17:00', '09:00')",
        ({"site_code": "N", "weekday": "1"},),
    ),
    Broken(
        "warehouse.site_closures",
        "site_closures_site_code_exists",
        "ALTER TABLE warehouse.site_closures DROP CONSTRAINT site_closures_site_code_fkey;"
        "INSERT INTO warehouse.site_closures (site_code, closed_date, reason)"
        " VALUES ('moon', '2018-12-25', 'Christmas')",
        ({"site_code": "moon", "closed_date": "2018-12-25"},),
    ),
    Broken(
        "warehouse.site_loads",
        "site_loads_allocated_equals_allocations",
        "UPDATE warehouse.site_loads SET allocated = 9 WHERE sku = 'A'",
        ({"sku": "A", "site_code": "N"},),
    ),
    Broken(
        "warehouse.allocations",
        "allocations_quantity_within_reservation",
        "UPDATE warehouse.allocations SET quantity = 5 WHERE allocation_id = 3",
        ({"allocation_id": "3"},),
    ),
)
