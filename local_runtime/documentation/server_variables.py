"""What functions-framework, gunicorn and uvicorn, below a function, read of the environment.

Read in their source and tried; a test finds names in functions-framework that are not here.
"""

from dataclasses import dataclass

from local_runtime.documentation.markdown import table


@dataclass(frozen=True)
class ServerVariable:
    """A variable that an operator may set.

    Attributes:
        name: of the variable.
        default: what holds without it, as the source has it.
        effect: what it does to one of our functions.
    """

    name: str
    default: str
    effect: str


VARIABLES = (
    ServerVariable(
        "FUNCTION_TARGET",
        "",
        "The function to serve: `hash`, `match`, … Same as `--target`; needed.",
    ),
    ServerVariable(
        "FUNCTION_SOURCE",
        "main.py",
        "The file that it is in: `functions/match.py`. Same as `--source`. "
        "The image passes the file that is named as `FUNCTION_TARGET` is.",
    ),
    ServerVariable("HOST", "0.0.0.0", "The address to listen on. Same as `--host`."),  # noqa: S104
    ServerVariable(
        "PORT", "8080", "The port to listen on. Same as `--port`. Most platforms set it themselves."
    ),
    ServerVariable(
        "WORKERS",
        "1",
        "Processes that serve, beside one that watches them and starts a new one when one ends. "
        "Each has its own event loop and connections. Those of one machine share the "
        "files of the index that they map, not what they loaded besides. Leave it at 1 where "
        "the platform starts more instances; else one a core.",
    ),
    ServerVariable(
        "CLOUD_RUN_TIMEOUT_SECONDS",
        "0",
        "A worker whose event loop has not come round for so long is killed and replaced, and its "
        "requests are lost; 0 is never. It limits no single request: that is for the platform, "
        "and for `HMA_FETCH_SECONDS` and the other limits among the settings.",
    ),
    ServerVariable(
        "GUNICORN_LOG_LEVEL",
        "error",
        "Messages of the server from this level on: `debug`, `info`, `warning`, `error`. With "
        "`info` it says which worker started or ended. What a function itself warns of is printed "
        "whatever this says.",
    ),
    ServerVariable(
        "FORWARDED_ALLOW_IPS",
        "127.0.0.1,::1",
        "Proxies whose `X-Forwarded-For` and `-Proto` are believed, read by gunicorn. "
        "No answer depends on them.",
    ),
    ServerVariable(
        "DEBUG",
        "off",
        "uvicorn alone serves in one process, without gunicorn, and says what it does. "
        "`WORKERS` means nothing then. For development. Same as `--debug`.",
    ),
)

WITHOUT_EFFECT = {
    "THREADS": "threads of functions that are not ASGI, as ours are. Threads of ours: as many as "
    "cores to hash, 16 each to fetch, to read the index, and for the catalog",
    "THREADED_TIMEOUT_ENABLED": "ends requests in those threads",
    "GUNICORN_CMD_ARGS": "read by the `gunicorn` command, which is not used here",
    "WEB_CONCURRENCY": "a default of gunicorn and of uvicorn; `WORKERS` and its default go before",
    "LOG_LEVEL": "read by nobody: see `GUNICORN_LOG_LEVEL`",
    "LOG_EXECUTION_ID": "marks the log lines of Flask functions",
    "FUNCTION_USE_ASGI": "what our functions are says so already",
    "FUNCTION_SIGNATURE_TYPE": "`http` is the default, and the one that works",
}
"""Variables that one may have read of, and why they change nothing here."""

NOT_FOR_OPERATORS = {
    "ENTRY_POINT": "Google's Python 3.7 runtime set it",
    "K_SERVICE": "Cloud Run sets it; only read together with ENTRY_POINT",
    "FUNCTION_NAME": "written, not read, together with ENTRY_POINT",
    "FUNCTION_TRIGGER_TYPE": "written, not read, together with ENTRY_POINT",
}
"""What functions-framework names besides, each with the reason why nobody sets it."""


def server_variables() -> str:
    """A Markdown table of the variables that do something."""
    return table(
        ("variable", "default", "what it does"),
        (
            (
                f"`{variable.name}`",
                f"`{variable.default}`" if variable.default else "",
                variable.effect,
            )
            for variable in VARIABLES
        ),
    )


def variables_without_effect() -> str:
    """A Markdown table of those that do nothing."""
    return table(
        ("variable", "why it changes nothing"),
        ((f"`{name}`", reason) for name, reason in WITHOUT_EFFECT.items()),
    )
