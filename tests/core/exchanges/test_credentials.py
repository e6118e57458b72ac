"""Credentials are sealed at rest where there is a key, and nobody hears of them."""

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet

from core.errors import BadInput, Misconfigured
from core.exchanges.credentials import Seal, redact
from tests.core.exchanges.scripted import SECRET
from tests.deployment import Deployment

Deploy = Callable[..., Deployment]
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def stored(services: Deployment) -> str:
    return str(services.catalog.credentials.get("scripted"))


def test_with_a_key_the_database_never_sees_them(deploy: Deploy) -> None:
    """And they come back as they were; {} deletes them."""
    services = deploy(credentials_key=OLD)
    services.credentials.set("scripted", {"token": SECRET})
    assert "s3cret" not in stored(services)
    assert services.credentials.get("scripted").token == SECRET
    services.credentials.set("scripted", {})
    assert not services.credentials.has("scripted")
    assert services.credentials.get("scripted") is None


def test_a_key_may_come_later_and_be_replaced(deploy: Deploy) -> None:
    """What is in plain text or sealed with an older key can still be read, and is sealed anew."""
    deploy().credentials.set("scripted", {"token": SECRET})
    sealing = deploy(credentials_key=OLD)
    assert sealing.credentials.get("scripted").token == SECRET
    sealing.credentials.set("scripted", {"token": SECRET})
    both = deploy(credentials_key=f"{NEW},{OLD}")
    assert both.credentials.get("scripted").token == SECRET
    both.credentials.set("scripted", {"token": SECRET})
    assert deploy(credentials_key=NEW).credentials.get("scripted").token == SECRET


@pytest.mark.parametrize("key", ["", NEW], ids=["none", "another"])
def test_without_their_key_they_are_lost_but_told_of(deploy: Deploy, key: str) -> None:
    """The error says what to do, and that there are some is still known."""
    deploy(credentials_key=OLD).credentials.set("scripted", {"token": SECRET})
    other = deploy(credentials_key=key)
    assert other.credentials.has("scripted")
    with pytest.raises(Misconfigured, match="HMA_CREDENTIALS_KEY"):
        other.credentials.get("scripted")


def test_a_key_that_is_none_is_told_without_repeating_it() -> None:
    """It may be nearly right, and so nearly a secret."""
    with pytest.raises(Misconfigured, match="no Fernet key") as caught:
        Seal((f"x{OLD}",))
    assert OLD not in str(caught.value)


@pytest.mark.parametrize("given", [{"token": ""}, {"token": 5}, {"tocken": SECRET}, [], SECRET])
def test_bad_credentials_are_not_stored_and_not_repeated(deploy: Deploy, given: object) -> None:
    """The message names the API and perhaps a field."""
    services = deploy()
    with pytest.raises(BadInput) as caught:
        services.credentials.set("scripted", given)
    assert "s3cret" not in str(caught.value)
    assert not services.credentials.has("scripted")


def test_redacting() -> None:
    """Values go however they are quoted; a value too short to cut out takes the sentence along."""
    assert redact("a/b c, a%2Fb%20c, a%2Fb+c, a/b%20c", {"key": "a/b c"}) == (
        "[redacted], [redacted], [redacted], [redacted]"
    )
    assert redact("said no", {"user": "alice", "password": "no"}) == (
        "(an error that repeats our credentials)"
    )
    assert redact("said no", {"user": "alice", "password": None, "more": [""]}) == "said no"
    assert redact("said no", None) == "said no"
