"""How orders are paid: by card, wallet, invoice, transfer or voucher, at once, later or never."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.draws import Flags, Ints, Texts
from simulator.heads import Channel, Heads
from simulator.world import World

METHODS: Texts = np.array(["card", "wallet", "invoice", "transfer", "voucher"], dtype=object)
_CARD, _WALLET, _INVOICE, _TRANSFER, _VOUCHER = range(5)

NEVER = -1
"""Moment of an authorisation that never came."""

_SPLIT, _UNPAID, _MISTYPED = 0.04, 0.006, 0.03
"""Shares: orders paid in part by voucher, never authorised, transfers of a wrong amount."""


@dataclass(frozen=True, slots=True)
class Payments:
    """Tenders as arrays of one element per tender, in the order of the orders.

    Attributes:
        owner: position of the order among the heads.
        sequence: number of the tender within the order, from 1.
        method: position in `METHODS`.
        amount_minor: amount in the currency of the order.
        authorised: seconds since 1970, or `NEVER`.
        installments: number of instalments.
        has_card: whether a card was used.
        avs: address verification: Y match, Z postal code only, N none; empty without a card.
        cvv: card verification: M match, N none; empty without a card.
        paid: per order, when the last tender was authorised, or `NEVER`.
    """

    owner: Ints
    sequence: Ints
    method: Ints
    amount_minor: Ints
    authorised: Ints
    installments: Ints
    has_card: Flags
    avs: Texts
    cvv: Texts
    paid: Ints


def build_payments(world: World, heads: Heads, total_minor: Ints) -> Payments:
    """Make the tenders of the given orders; a voucher comes as the second of two."""
    method = _methods(world, heads)
    voucher = _vouchers(world, heads, method, total_minor)
    count = 1 + (voucher > 0)
    owner = np.repeat(np.arange(len(count)), count)
    sequence = 1 + np.concatenate([[0], np.diff(owner) == 0]).astype(np.int64)[: len(owner)]
    is_voucher = sequence == 2
    authorised = _authorised(world, heads, method)
    rest = total_minor - voucher + _mistyped(world, heads, method)
    used = np.where(is_voucher, _VOUCHER, method[owner])
    has_card = used == _CARD
    pays_later = world.draws.chance("payment/instalments", heads.order, 0.08)[owner] & has_card
    return Payments(
        owner=owner,
        sequence=sequence,
        method=used,
        amount_minor=np.where(is_voucher, voucher[owner], rest[owner]),
        authorised=np.where(is_voucher, heads.placed[owner], authorised[owner]),
        installments=np.where(pays_later, 3, 1),
        has_card=has_card,
        avs=np.where(has_card, _avs(world, heads)[owner], ""),
        cvv=np.where(has_card, _cvv(world, heads)[owner], ""),
        paid=authorised,
    )


def _methods(world: World, heads: Heads) -> Ints:
    draws, order = world.draws, heads.order
    people = draws.choice("payment/method", order, [0.58, 0.24, 0.10, 0.08])
    firms = draws.choice("payment/firm", order, [0.08, 0.0, 0.66, 0.26])
    thieves = draws.choice("payment/thief", order, [0.86, 0.14])
    honest = np.where(heads.channel == Channel.PHONE, firms, people)
    return np.where(heads.is_fraud, thieves, honest)


def _vouchers(world: World, heads: Heads, method: Ints, total_minor: Ints) -> Ints:
    draws, order = world.draws, heads.order
    part = 0.1 + 0.4 * draws.uniform("payment/voucher", order)
    # Who buys on invoice has no reason to part with a voucher first.
    is_split = draws.chance("payment/split", order, _SPLIT) & (method != _INVOICE)
    return np.where(is_split, (total_minor * part).astype(np.int64), 0)


def _authorised(world: World, heads: Heads, method: Ints) -> Ints:
    """Cards and wallets answer in seconds, invoices in hours, transfers take days."""
    draws, order = world.draws, heads.order
    chance = draws.uniform("payment/wait", order)
    least = np.array([2, 1, 1200, 40_000])[method]
    most = np.array([45, 20, 14_000, 330_000])[method]
    moment = heads.placed + (least + chance * (most - least)).astype(np.int64)
    # Transfers are forgotten most often: nothing reminds the buyer at the till.
    unpaid = _UNPAID * np.array([0.6, 0.3, 0.5, 7.0])[method]
    return np.where(draws.chance("payment/never", order, unpaid), NEVER, moment)


def _mistyped(world: World, heads: Heads, method: Ints) -> Ints:
    draws, order = world.draws, heads.order
    wrong = draws.chance("payment/mistyped", order, _MISTYPED) & (method == _TRANSFER)
    return np.where(wrong, draws.below("payment/slip", order, 19) * 10 - 90, 0)


def _avs(world: World, heads: Heads) -> Texts:
    draws, order = world.draws, heads.order
    honest = draws.choice("payment/avs", order, [0.90, 0.07, 0.03])
    thieves = draws.choice("payment/avs thief", order, [0.45, 0.25, 0.30])
    codes: Texts = np.array(["Y", "Z", "N"], dtype=object)
    return codes[np.where(heads.is_fraud, thieves, honest)]


def _cvv(world: World, heads: Heads) -> Texts:
    failed = world.draws.chance("payment/cvv", heads.order, np.where(heads.is_fraud, 0.2, 0.015))
    return np.where(failed, np.array("N", dtype=object), np.array("M", dtype=object))
