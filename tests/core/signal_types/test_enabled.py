"""Types are loaded by name, path and extension; what they do not check is checked here."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from threatexchange.content_type.photo import PhotoContent
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.raw_text import RawTextSignal
from threatexchange.signal_type.signal_base import TrivialSignalTypeIndex

from core.errors import BadInput, Misconfigured
from core.settings import Settings
from core.signal_types.enabled import CONTENT_TYPES, SIGNAL_TYPES, SignalTypes

EXTENSION = Path(__file__).parents[2] / "extension_example"

PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"

WITHOUT_MORE = (*("pdq", "raw_text", "trend_query", "url", "url_md5", "video_md5", "video_sha256"),)
"""The signal types that come with threatexchange and work with nothing else installed."""


def types(
    *signal_types: str, content_types: str = "photo,video", extensions: str = ""
) -> SignalTypes:
    settings = {
        "signal_types": signal_types or ("pdq", "video_md5"),
        "content_types": content_types,
        "extensions": extensions,
    }
    return SignalTypes.from_settings(Settings.model_validate(settings))


@pytest.fixture
def with_extension(monkeypatch: pytest.MonkeyPatch) -> SignalTypes:
    """The default types and those of an extension that was installed apart from us."""
    monkeypatch.syspath_prepend(str(EXTENSION))
    return types(extensions="captions")


class EqualsIndex(TrivialSignalTypeIndex):  # type: ignore[misc]
    """Inherits from the exact index, and may look up in its own way."""


class ShoutedSignal(RawTextSignal):  # type: ignore[misc]
    """A signal type of one's own, whose code is not as careful as ours."""

    @classmethod
    def get_index_cls(cls) -> type[EqualsIndex]:
        return EqualsIndex

    @classmethod
    def validate_signal_str(cls, signal_str: str) -> str:
        if signal_str == "divide":
            return str(1 / 0)
        if signal_str == "silent":
            raise ValueError
        return signal_str.upper()

    @classmethod
    def compare_hash(cls, hash1: str, hash2: str) -> None:
        raise KeyError(hash1)


class OtherPdqSignal(PdqSignal):  # type: ignore[misc]
    """Another type that calls itself pdq."""

    @classmethod
    def get_name(cls) -> str:
        return "pdq"


SHOUTED = "tests.core.signal_types.test_enabled:ShoutedSignal"


def test_pdq_and_video_md5_are_the_default() -> None:
    """Nothing set: the two types that HMA has switched on, of photos and videos."""
    default = SignalTypes.from_settings(Settings())
    assert list(default.enabled()) == ["pdq", "video_md5"]
    assert default.get("pdq") is PdqSignal
    assert list(default.content_types) == ["photo", "video"]
    assert default.get_content("photo") is PhotoContent


@pytest.mark.parametrize("name", WITHOUT_MORE)
def test_types_of_threatexchange_go_by_the_name_they_give_themselves(name: str) -> None:
    """Each is enabled by the very name under which it then answers."""
    assert list(types(name).enabled()) == [name]


def test_content_types_go_by_the_name_they_give_themselves() -> None:
    """All of them at once, each under its own name."""
    assert list(types(content_types=",".join(CONTENT_TYPES)).content_types) == list(CONTENT_TYPES)


def test_a_type_is_loaded_by_its_path() -> None:
    """`module:Class`, one's own or one of threatexchange's, beside a name."""
    own = types("pdq", SHOUTED, "threatexchange.signal_type.md5:VideoMD5Signal")
    assert list(own.enabled()) == ["pdq", "shouted", "video_md5"]
    assert own.get("video_md5") is VideoMD5Signal


def test_an_extension_brings_all_its_types(with_extension: SignalTypes) -> None:
    """Its signal and content types are enabled beside those that are named."""
    assert list(with_extension.enabled()) == ["pdq", "video_md5", "caption_words"]
    assert with_extension.get_content("caption").get_name() == "caption"
    assert list(with_extension.hashers("caption")) == ["caption_words"]
    assert with_extension.kind("caption_words").name == "generic"
    assert with_extension.validate("caption_words", "the cat\nthe hat") == "cat hat the"
    compared = with_extension.compare("caption_words", "cat hat the", "cat mat the")
    assert (compared.match, compared.distance.pretty_str()) == (True, "2")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"signal_types": "pqd"}, "HMA_SIGNAL_TYPES: there is no 'pqd'. Use any of pdq, "),
        ({"signal_types": "nowhere:Signal"}, "No module named 'nowhere'"),
        ({"signal_types": "core.hashing.pdq:nothing"}, "no attribute 'nothing'"),
        ({"signal_types": "core.hashing.pdq:Pdq"}, "'core.hashing.pdq:Pdq' is not a SignalType"),
        (
            {"signal_types": "core.hashing.pdq:compute"},
            "'core.hashing.pdq:compute' is not a SignalType",
        ),
        ({"content_types": "sculpture"}, "HMA_CONTENT_TYPES: there is no 'sculpture'"),
        ({"content_types": SIGNAL_TYPES["pdq"]}, "is not a ContentType"),
        ({"extensions": "nowhere"}, "HMA_EXTENSIONS: 'nowhere' cannot be loaded: "),
        ({"extensions": "core.hashing.pdq"}, "missing TX_MANIFEST"),
        (
            {"signal_types": "pdq,tests.core.signal_types.test_enabled:OtherPdqSignal"},
            "two types call themselves 'pdq': threatexchange.signal_type.pdq.signal:PdqSignal and ",
        ),
    ],
)
def test_what_cannot_be_loaded_stops_the_start(settings: dict[str, str], said: str) -> None:
    """A misspelt or broken type is an error that names the setting and the reason."""
    with pytest.raises(Misconfigured) as caught:
        SignalTypes.from_settings(Settings.model_validate(settings))
    assert said in caught.value.message


def test_a_broken_extension_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extension without one of its own requirements names that, and not just itself."""
    (tmp_path / "needy_extension.py").write_text("import a_package_nobody_installed\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Misconfigured, match="a_package_nobody_installed"):
        types(extensions="needy_extension")
    assert "needy_extension" not in sys.modules


def test_unknown_and_disabled_types_are_told_apart() -> None:
    """The contract's words for both, of signal types and of content types."""
    default = types(content_types="photo")
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: default.get("sha0"), "No such SignalType 'sha0'"),
        (lambda: default.get("raw_text"), "SignalType 'raw_text' is not enabled"),
        (lambda: default.validate("url", "x"), "SignalType 'url' is not enabled"),
        (lambda: default.kind("PDQ"), "No such SignalType 'PDQ'"),
        (lambda: default.get_content("file"), "no such content_type: 'file'"),
        (lambda: default.hashers("video"), "content_type video is disabled"),
    ]
    for ask, said in cases:
        with pytest.raises(BadInput) as caught:
            ask()
        assert caught.value.message == said


def test_kinds() -> None:
    """PDQ is searched by bits, digests by equality, and the rest by its own code."""
    every = types(*WITHOUT_MORE, SHOUTED)
    assert {name: every.kind(name).name for name in every.enabled()} == {
        "pdq": "binary",
        "raw_text": "generic",
        "trend_query": "generic",
        "url": "exact",
        "url_md5": "exact",
        "video_md5": "exact",
        "video_sha256": "exact",
        "shouted": "generic",
    }
    assert (every.threshold("pdq"), every.threshold("video_md5")) == (31, 0)


def test_hashers_are_those_that_apply_and_can_hash() -> None:
    """Text has signals, but only the types that make them from a file are hashers of it."""
    every = types(*WITHOUT_MORE, content_types="photo,video,text,url")
    assert {name: list(every.hashers(name)) for name in every.content_types} == {
        "photo": ["pdq"],
        "video": ["video_md5", "video_sha256"],
        "text": [],
        "url": ["url_md5"],
    }


@pytest.mark.parametrize(
    ("name", "signal", "normalised"),
    [
        ("pdq", PDQ, PDQ),
        ("video_md5", "  CAB08B36195EDB1A1231D2D09FA450E0\n", "cab08b36195edb1a1231d2d09fa450e0"),
        ("raw_text", " Ünïcode \U0001f600 text ", "Ünïcode \U0001f600 text"),
        ("url", "https://example.org/\n", "https://example.org/"),
        ("url_md5", "\tanything", "anything"),
        ("trend_query", '{"and": [], "not": []}\n', '{"and": [], "not": []}'),
        ("shouted", "hey", "HEY"),
    ],
)
def test_signals_are_normalised_once(name: str, signal: str, normalised: str) -> None:
    """A valid signal takes its stored form, and that form stays as it is."""
    every = types(*WITHOUT_MORE, SHOUTED)
    assert every.validate(name, signal) == normalised
    assert every.validate(name, normalised) == normalised


@pytest.mark.parametrize(
    ("name", "signal", "reason"),
    [
        *(
            ("pdq", signal, "invalid PDQ hash")
            for signal in (
                *("", "0", PDQ + "\n", "\n" + PDQ, PDQ[:-1], PDQ + "0", PDQ.upper(), "z" * 64),
                *("\uff11" * 64, PDQ[:-1] + "\n", f" {PDQ}", "0x" + PDQ[2:]),
            )
        ),
        ("video_md5", "abc", "'abc' is not a valid MD5 hash"),
        ("video_sha256", "f" * 63, f"'{'f' * 63}' is not a valid SHA256 hash"),
        ("raw_text", "", "empty hash"),
        ("raw_text", "  \n", "empty hash"),
        ("raw_text", "a\0b", "signals must be Unicode text without NUL characters"),
        ("url", "http://\ud800", "signals must be Unicode text without NUL characters"),
        ("trend_query", "{}", "'and'"),
        ("trend_query", "[" * 100_000, "maximum recursion depth"),
        ("shouted", "divide", "division by zero"),
        ("shouted", "silent", "ValueError"),
    ],
)
def test_malformed_signals_are_refused(name: str, signal: str, reason: str) -> None:
    """Whatever a type's own code lets pass or raises, the answer is a reason without a prefix."""
    with pytest.raises(BadInput) as caught:
        types(*WITHOUT_MORE, SHOUTED).validate(name, signal)
    assert caught.value.message.startswith(reason)


def test_signals_are_compared() -> None:
    """With a distance, without one, and by types that only match text with text."""
    every = types(*WITHOUT_MORE)
    near = every.compare("pdq", PDQ, PDQ[:-1] + "3")
    assert (near.match, near.distance.distance) == (True, 1)
    assert not every.compare("pdq", "0" * 64, "f" * 64).match
    assert every.compare("video_md5", "a", "a").match
    query = '{"and": [{"or": ["ball"]}], "not": []}'
    assert every.compare("trend_query", query, "play ball").match


def test_a_comparison_that_fails_is_bad_input() -> None:
    """What the code of a type raises does not go further."""
    with pytest.raises(BadInput, match="'A'"):
        types(SHOUTED).compare("shouted", "A", "B")
