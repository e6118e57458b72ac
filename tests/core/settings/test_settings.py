"""Settings come from the environment, checked once, with all problems told together."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import Misconfigured
from core.settings import Settings


def test_defaults_need_no_environment() -> None:
    """An empty environment is a valid one, and says nothing of where the index is."""
    settings = Settings.from_env({})
    assert settings.store_url is None
    assert settings.database_url is None
    assert settings.signal_types == ("pdq", "video_md5")
    assert settings.refresh_seconds == 1.0


def test_variables_are_cast() -> None:
    """Text becomes what the setting is: numbers, switches, paths and lists."""
    settings = Settings.from_env(
        {
            "HMA_MAX_STALE_SECONDS": "12.5",
            "HMA_MAX_PIXELS": "1000",
            "HMA_SINGLE_WRITER": "true",
            "HMA_CACHE_DIR": "/var/cache/hma",
            "HMA_SIGNAL_TYPES": "pdq, my.types:Mine,",
            "HMA_EXTENSIONS": "",
        }
    )
    assert settings.max_stale_seconds == 12.5
    assert settings.max_pixels == 1000
    assert settings.single_writer is True
    assert settings.cache_dir == Path("/var/cache/hma")
    assert settings.signal_types == ("pdq", "my.types:Mine")
    assert settings.extensions == ()


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"HMA_SHARD": "5/4"}, "HMA_SHARD: Value error, there is no shard 5/4"),
        ({"HMA_SHARD": "one"}, "HMA_SHARD: Value error, a shard is its number and how many"),
        ({"HMA_SHARDS": "shard-1:8080"}, "HMA_SHARDS: Value error, Input should be URLs"),
        ({"HMA_SHARDS": "http://user:secret@shard-1"}, "HMA_SHARDS: Value error, Input should be"),
        ({"HMA_SHARDS": "http://a, http://a"}, "HMA_SHARDS: Value error, Input should name each"),
        ({"HMA_SHARDS": "http://a", "HMA_SHARD": "1/2"}, "HMA_SHARDS: Value error, who holds"),
    ],
)
def test_shards_that_cannot_be(environ: dict[str, str], said: str) -> None:
    """A share that is none, addresses that are none, and a shard that would ask others."""
    with pytest.raises(Misconfigured) as caught:
        Settings.from_env(environ)
    assert said in caught.value.message
    assert "secret" not in caught.value.message


def test_a_shard_survives_being_written_down() -> None:
    """Settings that go to another process as JSON are the same there."""
    settings = Settings.from_env({"HMA_SHARD": "2/4"})
    assert str(settings.shard) == "2/4"
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_other_peoples_variables_are_left_alone() -> None:
    """Only names that begin with the prefix are ours."""
    assert Settings.from_env({"PATH": "/bin", "HMAX": "1", "hma_url": "x"}) == Settings()


FOREIGN = {
    "HMA_SERVICE_HOST": "10.0.0.1",
    "HMA_SERVICE_PORT": "80",
    "HMA_PORT": "tcp://10.0.0.1:80",
    "HMA_PORT_80_TCP": "tcp://10.0.0.1:80",
    "HMA_PORT_80_TCP_ADDR": "10.0.0.1",
    "HMA_STORE_PORT": "tcp://10.0.0.2:9000",
    "HMA_SERVICE_URL": "http://hma",
    "HMA_API_KEY": "of a client",
    "HMA_ENV": "staging",
    "HMA_LOG": "info",
}


def test_what_others_call_theirs_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Kubernetes' variables of a Service called hma, and clients' own, are a warning, once."""
    for _ in range(3):
        assert Settings.from_env(FOREIGN | {"HMA_PDQ_MODE": "fast"}) == Settings(pdq_mode="fast")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    for name, value in FOREIGN.items():
        assert name in record.getMessage()
        assert "/" not in value or value not in record.getMessage()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HMA_STORE_URI", "HMA_STORE_URL"),
        ("HMA_STOREURL", "HMA_STORE_URL"),
        ("HMA_DATABSE_URL", "HMA_DATABASE_URL"),
        ("HMA_MAX_UPLOAD_BYTE", "HMA_MAX_UPLOAD_BYTES"),
        ("HMA_API_TOKN", "HMA_API_TOKENS"),
        ("HMA_PDQ_MDOE", "HMA_PDQ_MODE"),
        ("HMA_UR", "HMA_URL"),
    ],
)
def test_a_slip_is_an_error(name: str, meant: str) -> None:
    """A name that is one or two letters off a setting's stops us, and says which was meant."""
    with pytest.raises(Misconfigured, match=f"{name}: unknown setting, did you mean {meant}?"):
        Settings.from_env({name: "x"})


def test_every_problem_is_told_at_once() -> None:
    """One error names each misspelt variable and each bad value, and where they are described."""
    with pytest.raises(Misconfigured) as caught:
        Settings.from_env(
            {"HMA_STORE_URI": "s3://x", "HMA_MAX_PIXELS": "many", "HMA_REFRESH_SECONDS": "0"}
        )
    message = caught.value.message
    assert "HMA_STORE_URI: unknown setting" in message
    assert "HMA_MAX_PIXELS: Input should be a valid integer" in message
    assert "HMA_REFRESH_SECONDS: Input should be greater than 0" in message
    assert "docs/settings.md" in message


def test_a_bad_secret_is_not_repeated() -> None:
    """Neither an error nor the settings themselves print what may hold a password."""
    secret = {"HMA_STORE_SECRET": "hunter2", "HMA_DATABASE_URL": "postgresql://u:hunter2@h/d"}
    with pytest.raises(Misconfigured) as caught:
        Settings.from_env({**secret, "HMA_MAX_PIXELS": "many"})
    assert "hunter2" not in caught.value.message
    assert "hunter2" not in repr(Settings.from_env(secret))


def test_settings_cannot_change() -> None:
    """Whoever holds the settings can rely on them."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().max_pixels = 1  # type: ignore[misc]


def test_every_setting_says_what_it_does() -> None:
    """The documentation's table is made of the descriptions, so each has one."""
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
