"""Variables of the server's environment that mean something here, for those who look after it.

Whether a variable is set is told, its value never: several hold passwords, and addresses may.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES: Mapping[str, str] = {
    "ECOM_HOME": "Folder of everything the platform keeps outside PostgreSQL.",
    "ECOM_DATABASE_URL": "The shop's database, where it is not the embedded one.",
    "ECOM_DAGSTER_URL": "Dagster's own database.",
    "ECOM_GATEWAY_DATABASE_URL": "The shop's database with the entrance's own account.",
    "ECOM_GATEWAY_DAGSTER_URL": "Dagster's database with the entrance's own account.",
    "ECOM_PUBLIC_URL": "Address people reach the entrance by.",
    "ECOM_TRUSTED_PROXIES": "Proxies whose forwarded headers count.",
    "ECOM_SESSION_IDLE_MINUTES": "A login ends after so long without a request.",
    "ECOM_SESSION_HOURS": "A login ends after so long in any case.",
    "ECOM_REDIS_URL": "Where several entrances count requests together.",
    "ECOM_OIDC_ISSUER": "A company's provider of logins.",
    "ECOM_OIDC_CLIENT_ID": "What the provider calls the entrance.",
    "ECOM_OIDC_CLIENT_SECRET": "The entrance's secret with the provider.",
    "ECOM_OIDC_ROLES": "Which groups of the provider have which roles.",
    "ECOM_OIDC_GROUPS_CLAIM": "Where the provider says a person's groups.",
    "ECOM_KAFKA_BROKERS": "Where order messages come from.",
    "ECOM_CATALOG_FOLDER": "Folder whose catalogue files are planned by themselves.",
    "ECOM_CATALOG_CURRENCY": "Currency of prices in those files.",
    "ECOM_STOCK_FOLDER": "Folder whose stock files are taken by themselves.",
    "ECOM_SMTP_HOST": "Server that sends letters; none are sent without it.",
    "ECOM_SMTP_PORT": "Its port.",
    "ECOM_SMTP_SECURITY": "How it is spoken to.",
    "ECOM_SMTP_USER": "Account on it.",
    "ECOM_SMTP_PASSWORD": "Password on it.",
    "ECOM_SMTP_TIMEOUT_S": "How long it may take.",
    "ECOM_MAIL_SENDER": "Whom letters are from.",
    "ECOM_MAIL_JOURNAL": "Who gets a copy of each letter.",
    "ECOM_MAIL_ARCHIVE": "Mailbox that says whether a letter was sent.",
    "ECOM_MAIL_ARCHIVE_DELAY_S": "How long that mailbox may lag behind.",
    "ECOM_MAIL_MOST_AGE_DAYS": "Letters older than that are not sent.",
    "ECOM_CHANNEL_FOLDERS": "Folder below which channels have theirs.",
    "ECOM_CHANNEL_HOSTS_ALLOWED": "Hosts of channels that need not be public.",
    "ECOM_SECRETS_KEY": "Keys that seal the credentials of channels.",
    "ECOM_VIES_URL": "The register of VAT ids.",
    "ECOM_VIES_REQUESTER": "The shop's own VAT id, with which it asks.",
    "ECOM_VIES_TIMEOUT_S": "How long the register may take.",
    "ECOM_HISTORY_DAYS": "How long runs are kept, where the shop sets nothing.",
    "ECOM_HISTORY_RUNS": "How many runs are kept, where the shop sets nothing.",
    "ECOM_LANGUAGE_MODEL": "Which language model writes texts.",
    "OPENAI_API_KEY": "Key of the language model.",
}
"""What each is for."""


def told(environment: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """Name, purpose, and whether it is set."""
    return [(name, about, bool(environment.get(name))) for name, about in VARIABLES.items()]
