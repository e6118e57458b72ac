"""`make docs`: write what is made from the program."""

from local_runtime.documentation.openapi_document import openapi
from local_runtime.documentation.pages import DOCS, PARTS, render_page


def main() -> None:
    (DOCS / "openapi.json").write_text(openapi())
    for page in PARTS:
        (DOCS / page).write_text(render_page(page))


if __name__ == "__main__":
    main()
