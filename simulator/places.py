"""Where the shop sells and ships from: countries, cities and sites in Europe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A market.

    Attributes:
        code: ISO 3166-1 alpha-2.
        share: share of the households.
        currency: ISO 4217 code prices are shown in.
        per_euro: units of the currency a euro buys; fixed over the span.
        vat: value added tax contained in prices, 0 to 1.
        dial: country calling code.
        street: what street names end in.
    """

    code: str
    share: float
    currency: str
    per_euro: float
    vat: float
    dial: str
    street: str


@dataclass(frozen=True, slots=True)
class City:
    """A city; coordinates are degrees north and east of its centre."""

    country: str
    name: str
    region: str
    postal_prefix: str
    share: float
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Site:
    """A warehouse; `share` is the part of the demand it is stocked for."""

    code: str
    name: str
    country: str
    region: str
    city: str
    postal_code: str
    latitude: float
    longitude: float
    daily_capacity: int
    handling_minor: int
    share: float


COUNTRIES = (
    Country("DE", 0.33, "EUR", 1.0, 0.19, "49", "straße"),
    Country("FR", 0.16, "EUR", 1.0, 0.20, "33", " rue"),
    Country("NL", 0.10, "EUR", 1.0, 0.21, "31", "straat"),
    Country("ES", 0.09, "EUR", 1.0, 0.21, "34", " calle"),
    Country("IT", 0.08, "EUR", 1.0, 0.22, "39", " via"),
    Country("AT", 0.05, "EUR", 1.0, 0.20, "43", "gasse"),
    Country("BE", 0.04, "EUR", 1.0, 0.21, "32", "laan"),
    Country("GB", 0.09, "GBP", 0.86, 0.20, "44", " Road"),
    Country("SE", 0.06, "SEK", 11.2, 0.25, "46", "vägen"),
)

CITIES = (
    City("DE", "Berlin", "BE", "10", 3.6, 52.52, 13.40),
    City("DE", "Hamburg", "HH", "20", 1.8, 53.55, 9.99),
    City("DE", "München", "BY", "80", 1.5, 48.14, 11.58),
    City("DE", "Köln", "NW", "50", 1.1, 50.94, 6.96),
    City("DE", "Leipzig", "SN", "04", 0.6, 51.34, 12.37),
    City("FR", "Paris", "IDF", "75", 4.0, 48.86, 2.35),
    City("FR", "Lyon", "ARA", "69", 1.2, 45.76, 4.84),
    City("FR", "Bordeaux", "NAQ", "33", 0.8, 44.84, -0.58),
    City("NL", "Amsterdam", "NH", "10", 1.2, 52.37, 4.90),
    City("NL", "Eindhoven", "NB", "56", 0.5, 51.44, 5.48),
    City("ES", "Madrid", "MD", "28", 3.2, 40.42, -3.70),
    City("ES", "Valencia", "VC", "46", 0.9, 39.47, -0.38),
    City("IT", "Milano", "MI", "20", 1.6, 45.46, 9.19),
    City("IT", "Napoli", "NA", "80", 1.0, 40.85, 14.27),
    City("AT", "Wien", "9", "10", 1.9, 48.21, 16.37),
    City("AT", "Innsbruck", "7", "60", 0.3, 47.27, 11.39),
    City("BE", "Antwerpen", "VAN", "20", 0.6, 51.22, 4.40),
    City("BE", "Liège", "WLG", "40", 0.3, 50.63, 5.57),
    City("GB", "London", "LND", "SE", 5.0, 51.51, -0.13),
    City("GB", "Manchester", "MAN", "M1", 1.0, 53.48, -2.24),
    City("GB", "Glasgow", "GLG", "G2", 0.6, 55.86, -4.25),
    City("SE", "Stockholm", "AB", "11", 1.6, 59.33, 18.07),
    City("SE", "Göteborg", "O", "41", 0.6, 57.71, 11.97),
)

SITES = (
    Site("FRA", "Frankfurt hub", "DE", "HE", "Frankfurt am Main", "65933", 50.11, 8.68, 9000, 95,
         0.36),
    Site("LEJ", "Leipzig store", "DE", "SN", "Leipzig", "04435", 51.42, 12.24, 5000, 85, 0.18),
    Site("LIL", "Lille store", "FR", "HDF", "Lille", "59000", 50.63, 3.06, 5000, 105, 0.20),
    Site("ZAZ", "Zaragoza store", "ES", "AR", "Zaragoza", "50003", 41.65, -0.89, 3000, 80, 0.15),
    Site("MMX", "Malmö store", "SE", "M", "Malmö", "21115", 55.60, 13.00, 2500, 120, 0.11),
)  # fmt: skip
