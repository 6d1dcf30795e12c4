"""No address that is not public is called, in whatever disguise it comes."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.addresses import (
    Address,
    AddressRefused,
    Allowed,
    Resolve,
    is_public,
    judged,
    read_target,
    resolved,
)

PRIVATE = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
PRIVATE_6 = [
    "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32",
    "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "3fff::/20",
]  # fmt: skip
NOBODY = Allowed()


def _in(networks: Sequence[str]) -> st.SearchStrategy[ipaddress.IPv4Address]:
    drawn = [st.ip_addresses(network=each) for each in networks]
    return st.one_of(drawn)  # type: ignore[arg-type]


def _answering(*addresses: object) -> Resolve:
    return lambda host, port, within_s: [str(each) for each in addresses]


@given(_in(PRIVATE))
def test_no_private_address_is_public_not_even_within_one_of_version_6(
    address: ipaddress.IPv4Address,
) -> None:
    number = int(address)
    prefixes = ("::ffff:0:0", "::", "64:ff9b::", "2002::")
    bases = [int(ipaddress.IPv6Address(prefix)) for prefix in prefixes]
    shifts = (0, 0, 0, 80)
    disguised = [ipaddress.IPv6Address(base | number << shift)
                 for base, shift in zip(bases, shifts, strict=True)]  # fmt: skip
    whole: list[Address] = [address, *disguised]
    assert not any(map(is_public, whole))
    target = read_target("https://shop.example", NOBODY)
    for each in whole:
        # Beside a public one too: who may add one address to a name may make any the first.
        for answer in ((each,), ("8.8.8.8", each)):
            with pytest.raises(AddressRefused):
                judged(target, _answering(*answer), 1)


@given(_in(PRIVATE_6))
def test_no_private_address_of_version_6_is_public(address: ipaddress.IPv4Address) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_what_is_public_is_outside_of_all_private_networks(
    address: ipaddress.IPv4Address,
) -> None:
    inside = any(address in ipaddress.ip_network(network) for network in PRIVATE)
    assert is_public(address) is (not inside and address.is_global)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2a00:1450:4001::1", "2606:4700::1111"])
def test_public_addresses_are_called(address: str) -> None:
    target = read_target("https://shop.example/store/", NOBODY)
    assert (target.authority, target.path) == ("shop.example", "/store")
    assert judged(target, _answering(address), 1) == [address]


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example", "https://shop.example:8443", "ftp://shop.example", "shop.example",
        "https://", "https:///x", "https://user@shop.example", "https://a:b@shop.example",
        "https://shop.example?x=1", "https://shop.example#x", "https://shop.example\\@evil.example",
        "https://shop.example:99999", "https://shop.example:x", "https://sh\u00f6p.example",
        "https://shop.example/\r\nHost: x", "https://shop_x.example", "https://[::1", "//x",
        "https://[fe80::1%25eth0]/", "https://" + "a" * 600, "https://shop.example/a b", "",
        "file:///etc/passwd", "gopher://x", "https://%31%32%37.0.0.1/",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_address_is_refused_unasked(address: str) -> None:
    with pytest.raises(AddressRefused):
        read_target(address, NOBODY)


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.1", "017700000001", "localhost", "127.0.0.1", "[::1]",
             "[::ffff:127.0.0.1]", "0"],
)  # fmt: skip
def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    try:
        target = read_target(f"https://{host}", NOBODY)
    except AddressRefused:
        return
    with pytest.raises(AddressRefused):
        judged(target, resolved, 5)


def test_listed_hosts_may_be_private_and_plain_but_never_a_metadata_service() -> None:
    allowed = Allowed.of_text("Shop.internal:8080, other.internal")
    target = read_target("http://shop.internal:8080", allowed)
    assert judged(target, _answering("10.0.0.5"), 1) == ["10.0.0.5"]
    for plain in ("http://shop.internal", "https://shop.internal:8081", "https://other.internal:1"):
        with pytest.raises(AddressRefused):
            read_target(plain, allowed)
    for never in ("169.254.169.254", "fd00:ec2::254", "224.0.0.1", "::", "::ffff:10.0.0.5"):
        with pytest.raises(AddressRefused):
            judged(target, _answering(never), 1)


def test_a_name_that_nobody_knows_is_said_to_be_unknown() -> None:
    def fails(host: str, port: int, within_s: float) -> Sequence[str]:
        raise OSError

    target = read_target("https://nowhere.example", NOBODY)
    with pytest.raises(AddressRefused, match=r"nowhere\.example is not known"):
        judged(target, fails, 1)
    with pytest.raises(OSError, match="was not resolved"):
        resolved("no-such-name.invalid", 443, 5)
