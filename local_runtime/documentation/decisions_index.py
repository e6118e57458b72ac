"""The decisions by number: title and what was chosen, from the pages themselves."""

import re
from pathlib import Path

from local_runtime.documentation.markdown import table

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"


def decisions_index() -> str:
    """A Markdown table of the pages in `docs/decisions`."""
    return table(
        ("", "decision", "what was chosen"),
        (_row(page) for page in sorted(DECISIONS.glob("[0-9]*.md"))),
    )


def _row(page: Path) -> tuple[str, str, str]:
    text = page.read_text()
    heading = re.match(r"# (\d+)\. (.+)\n", text)
    if heading is None or int(heading[1]) != int(page.name[:4]):
        raise ValueError(f"{page} does not begin with `# {int(page.name[:4])}. Title`")
    return heading[1], f"[{heading[2]}]({page.name})", choice(text, page)


def choice(text: str, page: Path) -> str:
    """The first sentence of the choice; of a list of choices, what each begins with.

    Raises:
        ValueError: the page states none.
    """
    chosen = re.search(r"^\*\*Choice\.\*\*(.*?)(?=^\*\*|\Z)", text, re.DOTALL | re.MULTILINE)
    if chosen is None:
        raise ValueError(f"{page} has no **Choice.**")
    if chosen[1].lstrip().startswith("- *"):
        heads = re.findall(r"^- \*(.+?)\.?\*", chosen[1], re.DOTALL | re.MULTILINE)
        return "; ".join(heads) + "."
    paragraph = " ".join(re.split(r"\n\n|\n- ", chosen[1].strip())[0].split())
    sentence = re.match(r".+?[.;](?=\s|$)", paragraph)
    return (sentence[0] if sentence else paragraph).rstrip(":;.") + "."
