"""Altered copies are found when lookups are asked to, and answers are HMA's when they are not."""

import io
from collections.abc import Iterator

import pytest
import requests
from PIL import Image, ImageOps

from tests.contract.answers import assert_canonical, message
from tests.contract.conftest import Serve
from tests.pictures import blank, photograph
from tests.served import Served

ORIGINAL = photograph("coffee.png")


def jpeg(image: Image.Image) -> tuple[str, bytes, str]:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return "copy.jpg", out.getvalue(), "image/jpeg"


def original() -> Image.Image:
    with Image.open(io.BytesIO(ORIGINAL)) as image:
        return image.convert("RGB")


MIRRORED = jpeg(ImageOps.mirror(original()))
FRAMED = jpeg(ImageOps.expand(original(), 60, "white"))
TURNED = jpeg(original().rotate(4))


def gif() -> tuple[str, bytes, str]:
    """Another picture, which is followed by the one that is banked."""
    with Image.open(io.BytesIO(photograph("rocket.jpg"))) as image:
        first = image.convert("RGB").resize(original().size)
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=[first.rotate(90), original()])
    return "copy.gif", out.getvalue(), "image/gif"


ANIMATED = gif()


@pytest.fixture(scope="module")
def content(api: Served) -> tuple[str, int]:
    """A bank, and the content in it."""
    api.post("/c/banks", json={"name": "VARIED"})
    added = api.post("/c/bank/VARIED/content", files={"photo": ("p.png", ORIGINAL, "image/png")})
    seen_by(api, added)
    return "VARIED", added.json()["id"]


def seen_by(api: Served, change: requests.Response) -> None:
    """Have the one process that serves load the snapshot with a change."""
    query = {"signal": "0" * 64, "signal_type": "pdq"}
    answer = api.get("/m/lookup", **query, min_snapshot=change.headers["X-HMA-Snapshot"])
    assert answer.status_code == 200, answer.text


def found(api: Served, file: tuple[str, bytes, str], **query: str) -> list[dict[str, object]]:
    answer = api.post("/m/lookup?banks=VARIED", files={"photo": file}, params=query)
    assert answer.status_code == 200, answer.text
    assert_canonical(answer)
    matches: list[dict[str, object]] = answer.json()["pdq"].get("VARIED", [])
    return matches


@pytest.mark.parametrize(
    ("file", "kind", "name"),
    [
        (MIRRORED, "orientation", "mirror"),
        (FRAMED, "margin", "margin"),
        (TURNED, "rotation", "rotation"),
        (ANIMATED, "frame", "frame 3"),
    ],
)
def test_upload(
    api: Served, content: tuple[str, int], file: tuple[str, bytes, str], kind: str, name: str
) -> None:
    """Found by its kind of variant, which the match names, or by all; not by itself or another."""
    (match,) = found(api, file, variants=kind)
    assert match["bank_content_id"] == content[1]
    assert match["variant"] == name
    assert int(str(match["distance"])) <= 20
    assert found(api, file, variants="all") == [match]
    assert found(api, file) == found(api, file, variants="") == []
    assert found(api, file, variants="contrast") == []


def test_named_once(api: Served, content: tuple[str, int]) -> None:
    """What the query itself is nearest to says nothing of variants, and is there once."""
    file = ("p.png", ORIGINAL, "image/png")
    same = [{"bank_content_id": content[1], "distance": "0"}]
    assert found(api, file, variants="all") == found(api, file) == same


def test_signal(api: Served, content: tuple[str, int]) -> None:
    """A hash is turned and mirrored by its bits."""
    signal = api.post("/h/hash", files={"photo": MIRRORED}).json()["pdq"]
    query = {"signal": signal, "signal_type": "pdq", "banks": "VARIED"}
    assert api.get("/m/lookup", **query).json() == {}
    (match,) = api.get("/m/lookup", **query, variants="all").json()["VARIED"]
    assert (match["bank_content_id"], match["variant"]) == (content[1], "mirror")
    broken = api.get("/m/lookup", **query | {"signal": "xyz"}, variants="all")
    assert message(broken, 400) == "invalid signal: invalid PDQ hash"


def test_hash_and_match(api: Served, content: tuple[str, int]) -> None:
    """The signals are those of the upload as it is, the matches those of its variants too."""
    answer = api.post("/m/hash_and_match?variants=all&banks=VARIED", files={"photo": MIRRORED})
    alone = api.post("/h/hash", files={"photo": MIRRORED}).json()
    assert answer.json()["hashes"] == alone
    assert answer.json()["matches"]["pdq"]["VARIED"][0]["variant"] == "mirror"


def test_unknown(api: Served) -> None:
    """A kind that there is none of is the caller's mistake, said with those there are."""
    answer = api.post("/m/lookup?variants=margin,sepia", files={"photo": MIRRORED})
    assert answer.status_code == 400
    assert message(answer, 400).startswith("no such variant 'sepia': there are orientation, margin")


def test_nothing_to_tell(api: Served) -> None:
    """A picture of one colour has no variants either, and is refused as without them."""
    file = ("b.png", blank(), "image/png")
    answer = api.post("/m/lookup?variants=all", files={"photo": file})
    assert message(answer, 400) == "invalid signal: invalid PDQ hash"


@pytest.fixture(scope="module")
def varied(serve: Serve) -> Iterator[Served]:
    """A server that looks for mirrored copies unless it is told otherwise."""
    with serve(variants="orientation") as served:
        yield served


def test_setting(varied: Served) -> None:
    """One setting switches variants on for every lookup; a request can switch them off."""
    varied.post("/c/banks", json={"name": "VARIED"})
    file = {"photo": ("p.png", ORIGINAL, "image/png")}
    seen_by(varied, varied.post("/c/bank/VARIED/content", files=file))
    assert found(varied, MIRRORED)[0]["variant"] == "mirror"
    assert found(varied, MIRRORED, variants="") == []
    assert found(varied, FRAMED) == []


def test_crops(api: Served) -> None:
    """A bank that is told to keeps crops: they match as the content, and are shown nowhere."""
    made = api.post("/c/banks", json={"name": "CROPPED", "crops": True})
    assert made.json() == {"name": "CROPPED", "matching_enabled_ratio": 1.0, "crops": True}
    whole = api.post("/h/hash", files={"photo": ("p.png", ORIGINAL, "image/png")}).json()
    added = api.post("/c/bank/CROPPED/content", files={"photo": ("p.png", ORIGINAL, "image/png")})
    assert added.json()["signals"] == whole
    seen_by(api, added)
    path = f"/c/bank/CROPPED/content/{added.json()['id']}"
    assert api.get(path, include_signals="true").json()["signals"] == whole
    (listed,) = api.get("/c/bank/CROPPED/contents").json()["contents"]
    assert listed["signals"] == whole
    counts = api.get("/c/bank/CROPPED/counts").json()
    assert (counts["contents"], counts["signals"]) == (1, {"pdq": 1})
    assert counts["crops"] > 20

    image = original()
    cut = jpeg(image.crop((60, 40, image.width - 60, image.height - 40)))
    query = "/m/lookup?banks=CROPPED"
    (match,) = api.post(query, files={"photo": cut}).json()["pdq"]["CROPPED"]
    assert match["bank_content_id"] == added.json()["id"]
    assert set(match) == {"bank_content_id", "distance"}
    assert api.post("/m/lookup?banks=VARIED", files={"photo": cut}).json() == {"pdq": {}}

    gone = api.delete(path)
    assert gone.json() == {"deleted": 1}
    seen_by(api, gone)
    assert api.post(query, files={"photo": cut}).json() == {"pdq": {}}
    changed = api.put("/c/bank/CROPPED", json={"crops": False}).json()
    assert changed == {"name": "CROPPED", "matching_enabled_ratio": 1.0}
