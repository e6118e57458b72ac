"""threatexchange's types for text, PDFs and text in pictures work as plug-ins, unmodified."""

import io
import random
import shutil
import textwrap
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from core.errors import BadInput
from core.signal_types.hash_content import hash_content
from tests.deployment import Deployment, settings_for
from tests.pictures import photograph

WORDS = (
    *("cat", "sat", "red", "mat", "while", "somebody", "threw", "their", "ball", "over", "our"),
    *("old", "garden", "fence", "before", "anyone", "could", "see", "where", "it", "went"),
)


def text_of(seed: int, words: int = 2000) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def deployed(folder: Path, **settings: str) -> Deployment:
    return Deployment(settings_for(folder, **settings))


def hashed(services: Deployment, content_type: str, content: bytes) -> dict[str, str]:
    types = services.signal_types
    found = hash_content(types, services.settings, content_type, content).signals
    return {name: types.validate(name, signal) for name, signal in found.items()}


def matching(services: Deployment, signal: str, signal_type: str) -> list[int]:
    services.publisher.publish(signal_type)
    return services.matching(signal, signal_type)


def test_text_is_found_by_tlsh(tmp_path: Path) -> None:
    """A text with some words changed is found, another is not; both by a linear scan."""
    pytest.importorskip("tlsh", reason="py-tlsh is not installed")
    services = deployed(tmp_path, signal_types="text_tlsh", content_types="text")
    original = text_of(1)
    signal = hashed(services, "text", original.encode())["text_tlsh"]
    assert services.signal_types.validate("text_tlsh", signal) == signal
    assert services.signal_types.kind("text_tlsh").name == "generic"
    banked = services.add(signal, signal_type="text_tlsh")
    copy = hashed(services, "text", original.replace("garden", "park", 3).encode())["text_tlsh"]
    assert copy != signal
    assert matching(services, copy, "text_tlsh") == [banked]
    other = "".join(random.Random(2).choices("qwertzuiopQWERTZUIOP0123456789", k=2000))
    unlike = hashed(services, "text", other.encode())["text_tlsh"]
    assert matching(services, unlike, "text_tlsh") == []


def pdf(text: str) -> bytes:
    """A PDF of one page with `text` in it."""
    lines = "".join(f"({line}) Tj 0 -12 Td " for line in textwrap.wrap(text, 90))
    page = f"BT /F1 10 Tf 20 780 Td {lines}ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Courier>>",
    ]
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, one in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj%s endobj\n" % (number, one))
    start = out.tell()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    out.write(f"xref\n0 6\n0000000000 65535 f \n{table}".encode())
    out.write(f"trailer<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF".encode())
    return out.getvalue()


def test_a_pdf_is_found_by_the_text_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extension in docs/extensions.md: a PDF with some words changed matches."""
    pytest.importorskip("tlsh", reason="py-tlsh is not installed")
    pytest.importorskip("pdfminer", reason="pdfminer.six is not installed")
    page = (Path(__file__).parents[3] / "docs" / "extensions.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    (tmp_path / "documents.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    services = deployed(tmp_path, signal_types="pdq", extensions="documents")
    original = text_of(3)
    signal = hashed(services, "pdf", pdf(original))["pdf_tlsh"]
    banked = services.add(signal, signal_type="pdf_tlsh")
    copy = hashed(services, "pdf", pdf(original.replace("garden", "park", 3)))["pdf_tlsh"]
    assert copy != signal
    assert matching(services, copy, "pdf_tlsh") == [banked]


def memo(text: str) -> bytes:
    """A page with writing above a photograph, as a PNG."""
    page = Image.new("RGB", (800, 900), "white")
    with Image.open(io.BytesIO(photograph())) as image:
        page.paste(image.convert("RGB"), (144, 300))
    ImageDraw.Draw(page).text((60, 100), text, "black", ImageFont.load_default(40))
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def test_pictures_are_told_apart_by_the_text_in_them(tmp_path: Path) -> None:
    """Two pictures alike but for what is written in them: only the one with those words.

    The type takes texts for alike unless nine in ten letters differ.
    """
    pytest.importorskip("pytesseract", reason="pytesseract is not installed")
    if shutil.which("tesseract") is None:
        pytest.skip("the program tesseract is not installed")
    services = deployed(tmp_path, signal_types="pdq_ocr", content_types="photo")
    signal = hashed(services, "photo", memo("the cat sat on a red mat"))["pdq_ocr"]
    assert "red mat" in signal
    banked = services.add(signal, signal_type="pdq_ocr")
    again = hashed(services, "photo", memo("the cat sat on a red mat"))["pdq_ocr"]
    assert matching(services, again, "pdq_ocr") == [banked]
    other = hashed(services, "photo", memo("9876 5432 10 WXYZ 777"))["pdq_ocr"]
    assert matching(services, other, "pdq_ocr") == []


def test_a_signal_that_its_type_cannot_compare_is_refused(tmp_path: Path) -> None:
    """A picture without text has one of pdq_ocr; banked, it would fail every later search."""
    pytest.importorskip("pytesseract", reason="pytesseract is not installed")
    services = deployed(tmp_path, signal_types="pdq_ocr", content_types="photo")
    with pytest.raises(BadInput, match="malformed pdq_ocr hash"):
        services.signal_types.validate("pdq_ocr", "0" * 64 + ",")
