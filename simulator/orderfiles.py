"""Files of the orders and of all that refers to them, written block by block.

Orders, lines and payments carry the faults of `simulator.mess`; the accounts of the files and the
counts of faults are the truth that an importer is held to.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from simulator import mess
from simulator.basefiles import Accounts
from simulator.csvfile import CsvFile, addresses_of_network, moments, rows_of, tokens
from simulator.draws import Flags, Ints, Texts
from simulator.heads import CHANNELS, Channel, Heads, build_heads, external_ids
from simulator.lines import Lines, build_lines
from simulator.mess import Fault
from simulator.outcomes import KINDS, build_events, build_labels
from simulator.payments import METHODS, NEVER, build_payments
from simulator.places import COUNTRIES
from simulator.world import World

_KEY = ("channel", "external_id")
_ORDERS = (
    *_KEY, "received_at", "placed_at", "promised_at", "currency", "customer_key", "name", "email",
    "phone", "line1", "city", "region", "postal_code", "country", "latitude", "longitude",
    "ip_address", "device_id", "shipping_minor", "total_minor",
)  # fmt: skip
_LINES = (
    *_KEY, "line_no", "sku", "quantity", "unit_price_minor", "discount_minor", "tax_minor",
)  # fmt: skip
_PAYMENTS = (
    *_KEY, "sequence", "method", "amount_minor", "installments", "authorised_at",
    "provider_reference", "card_fingerprint", "avs_result", "cvv_result",
)  # fmt: skip
_EVENTS = (*_KEY, "kind", "happened_at", "score", "note")
_LABELS = (*_KEY, "label", "known_at", "source")
_TRUTH = (*_KEY, "fault", "fraud")

_NAME, _PLACED, _TOTAL = _ORDERS.index("name"), _ORDERS.index("placed_at"), -1
_BAD_MOMENTS = ("yesterday", "2025-02-30 10:00:00", "06/01/2025 9:14", "2025-13-01 00:00:00", "")


class OrderFiles:
    """The files of the orders, and the demand per week and product seen so far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stack = ExitStack()
        self.demand = np.zeros((world.spec.days // 7, world.spec.skus), dtype=np.int64)
        self.faults: Counter[str] = Counter()
        self.frauds = 0

    def open(self, folder: Path) -> OrderFiles:
        """Create the files in `folder`; use the result as a context manager."""
        headers = {
            "orders": _ORDERS, "order_lines": _LINES, "payments": _PAYMENTS,
            "observed_events": _EVENTS, "labels": _LABELS, "truth": _TRUTH,
        }  # fmt: skip
        self._files = {
            stem: self._stack.enter_context(CsvFile(folder, stem, header))
            for stem, header in headers.items()
        }
        return self

    def __enter__(self) -> OrderFiles:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def accounts(self) -> Accounts:
        """What is to become of the rows so far; the truth is no file to import."""
        return {file.name: file.account for stem, file in self._files.items() if stem != "truth"}

    def write(self, start: int, stop: int) -> None:
        """Write the orders from `start` to before `stop`."""
        order = np.arange(start, stop)
        heads = build_heads(self._world, order)
        lines = build_lines(self._world, heads)
        fault = mess.faults(self._world, order)
        names = CHANNELS[heads.channel], external_ids(order, heads.channel)
        paid = self._payments(heads, lines, fault, names)
        self._lines(heads, lines, fault, names)
        self._outcomes(heads, lines, paid, fault, names)
        self._orders(heads, lines, fault, start, stop)
        self._truth(heads, fault, names)
        self._count_demand(heads, lines)

    def _orders(self, heads: Heads, lines: Lines, fault: Ints, start: int, stop: int) -> None:
        again, behind = mess.coming_again(self._world, start, stop)
        # The first row may lie in an earlier block, so the order is made once more.
        late = build_heads(self._world, again)
        first = _order_rows(self._world, heads, lines)
        second = _order_rows(self._world, late, build_lines(self._world, late))
        revised = mess.faults(self._world, again) == Fault.REVISED_ORDER
        for place in np.flatnonzero(revised).tolist():
            second[place] = _revise(second[place], int(late.placed[place]))
        for place in np.flatnonzero(fault).tolist():
            first[place] = _damage(first[place], Fault(int(fault[place])), place + start)
        rows = [*first, *second]
        # A second row comes right behind the order it was delayed to.
        turn = np.lexsort((np.arange(len(rows)), np.concatenate([heads.order, behind])))
        file = self._files["orders"]
        file.rows([rows[place] for place in turn.tolist()])
        file.account.superseded += len(again)
        file.account.parked += int(mess.is_unusable(fault).sum())

    def _lines(self, heads: Heads, lines: Lines, fault: Ints, names: tuple[Texts, Texts]) -> None:
        sku, quantity = self._world.catalog.sku[lines.product], lines.quantity.copy()
        found, is_first = fault[lines.owner], lines.line_no == 1
        for place in np.flatnonzero((found == Fault.UNKNOWN_SKU) & is_first).tolist():
            sku[place] = f"XX-{lines.key[place]:08d}"
        quantity[(found == Fault.NEGATIVE_QUANTITY) & is_first] *= -1
        times = np.where((found == Fault.DUPLICATE_LINE) & is_first, 2, 1)
        row = np.repeat(np.arange(len(times)), np.where(found == Fault.WITHOUT_LINES, 0, times))
        file, owner = self._files["order_lines"], lines.owner[row]
        file.columns(
            names[0][owner], names[1][owner], lines.line_no[row], sku[row], quantity[row],
            lines.unit_minor[row], lines.discount_minor[row], lines.tax_minor[row],
        )  # fmt: skip
        file.account.superseded += int((times == 2).sum())
        file.account.parked += int(mess.is_unusable(fault)[owner].sum())

    def _payments(
        self, heads: Heads, lines: Lines, fault: Ints, names: tuple[Texts, Texts]
    ) -> Ints:
        """Write the tenders; returns when each order was paid."""
        payments = build_payments(self._world, heads, lines.total_minor)
        owner = payments.owner
        word = self._world.draws.word("card/token", heads.card)
        card = np.where(payments.has_card, tokens("card-", word)[owner], "")
        numbers = zip(heads.order[owner].tolist(), payments.sequence.tolist(), strict=True)
        file = self._files["payments"]
        file.columns(
            names[0][owner], names[1][owner], payments.sequence, METHODS[payments.method],
            payments.amount_minor, payments.installments, moments(payments.authorised, NEVER),
            [f"PR{order + 1:09d}-{sequence}" for order, sequence in numbers],
            card, payments.avs, payments.cvv,
        )  # fmt: skip
        file.account.parked += int(mess.is_unusable(fault)[owner].sum())
        return payments.paid

    def _outcomes(
        self, heads: Heads, lines: Lines, paid: Ints, fault: Ints, names: tuple[Texts, Texts]
    ) -> None:
        is_lost = mess.is_unusable(fault)
        events = build_events(self._world, heads, lines, paid)
        file, owner = self._files["observed_events"], events.owner
        score = np.where(events.value > 0, events.value.astype(object), "")
        file.columns(
            names[0][owner], names[1][owner], KINDS[events.kind], moments(events.moment, NEVER),
            score, events.reason,
        )  # fmt: skip
        file.account.parked += int(is_lost[owner].sum())
        labels = build_labels(self._world, heads)
        verdict = np.where(labels.is_fraud, "fraud", "legitimate")
        self._files["labels"].columns(*names, verdict, moments(labels.known), labels.source)
        self._files["labels"].account.parked += int(is_lost.sum())

    def _truth(self, heads: Heads, fault: Ints, names: tuple[Texts, Texts]) -> None:
        kinds: Texts = np.array(["", *(each.name.lower() for each in Fault if each)], dtype=object)
        pattern = np.where(heads.is_fraud, "account_takeover", "").astype(object)
        is_ring = heads.ring >= 0
        pattern[is_ring] = [f"ring-{ring + 1:06d}" for ring in heads.ring[is_ring].tolist()]
        told: Flags = (fault > 0) | heads.is_fraud
        self._files["truth"].columns(
            names[0][told], names[1][told], kinds[fault[told]], pattern[told]
        )
        self.faults.update(kinds[fault[fault > 0]].tolist())
        self.frauds += int(heads.is_fraud.sum())

    def _count_demand(self, heads: Heads, lines: Lines) -> None:
        week = (heads.placed - self._world.spec.start_s) // (7 * 86_400)
        place = week[lines.owner] * self._world.spec.skus + lines.product
        units = np.bincount(place, weights=lines.quantity, minlength=self.demand.size)
        self.demand += units.astype(np.int64).reshape(self.demand.shape)


def _order_rows(world: World, heads: Heads, lines: Lines) -> list[tuple[object, ...]]:
    """The rows of `orders.csv` as they should be."""
    draws, order, channel = world.draws, heads.order, heads.channel
    who, where = world.people.contacts(heads.customer), world.people.addresses(heads.address)
    is_market = (channel == Channel.BAZAAR) | (channel == Channel.NORDMARKT)
    # Marketplaces hide how to reach their customers behind a relay.
    relay = who.key + "@relay." + CHANNELS[channel] + ".example.org"
    received = heads.placed + 3 + draws.below("order/received", order, 500)
    promised = (heads.placed // 86_400 + 4 + draws.below("order/promise", order, 3)) * 86_400
    return rows_of(
        CHANNELS[channel], external_ids(order, channel), moments(received), moments(heads.placed),
        moments(promised + 20 * 3600), _of_country("currency")[heads.country], who.key, who.name,
        np.where(is_market, relay, who.email), np.where(is_market, "", who.phone),
        where.line1, where.city, where.region, where.postal_code,
        _of_country("code")[heads.country], where.latitude, where.longitude,
        addresses_of_network(draws.word("network/address", heads.network)),
        tokens("dev-", draws.word("device/token", heads.device)),
        lines.shipping_minor, lines.total_minor,
    )  # fmt: skip


def _of_country(attribute: str) -> Texts:
    return np.array([getattr(each, attribute) for each in COUNTRIES], dtype=object)


def _damage(row: tuple[object, ...], fault: Fault, order: int) -> tuple[object, ...]:
    """The row with its fault; faults that do not lie in the order row leave it as it is."""
    cells = list(row)
    if fault == Fault.MISSING_COUNTRY:
        cells[_ORDERS.index("country")] = ""
    elif fault == Fault.TOTAL_DIFFERS:
        cells[_TOTAL] = int(str(cells[_TOTAL])) + 1_000
    elif fault == Fault.UNKNOWN_CURRENCY:
        cells[_ORDERS.index("currency")] = ("XXQ", "EURO")[order % 2]
    elif fault == Fault.BAD_TIMESTAMP:
        cells[_PLACED] = _BAD_MOMENTS[order % len(_BAD_MOMENTS)]
    elif fault == Fault.WRONG_FIELD_COUNT:
        cells = cells[:-4] if order % 2 else [*cells, "", "checked"]
    elif fault == Fault.NOT_UTF8:
        cells[_NAME] = "Gr\udcfcn M\udcf6rk"  # Latin-1 bytes where UTF-8 is promised
    return tuple(cells)


def _revise(row: tuple[object, ...], placed: int) -> tuple[object, ...]:
    """The row of an order whose customer corrected the address a while later."""
    cells = list(row)
    cells[_ORDERS.index("received_at")] = str(moments(np.array([placed + 3_600]))[0])
    cells[_ORDERS.index("line1")] = f"{cells[_ORDERS.index('line1')]}, 2nd floor"
    return tuple(cells)
