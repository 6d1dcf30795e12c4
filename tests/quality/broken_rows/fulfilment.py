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
