"""The one settings object: environment, then default, cast and checked, once.

The only place in `core` that reads the environment. Every variable begins with `HMA_`. Others have
such names too: Kubernetes gives every pod beside a Service called `hma` an `HMA_PORT`, and HMA's
clients have their own. So an unknown one is a warning, unless it is nearly the name of a setting: a
misspelt limit is worse than a crash at the start. `docs/settings.md` lists each of them.
"""

import functools
import logging
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from core.errors import BadInput, Misconfigured
from core.settings.shard import Shard
from core.settings.variant import select_variants

PREFIX = "HMA_"

_log = logging.getLogger(__name__)


def _split(value: Any) -> Any:
    """`"a, b"` → `("a", "b")`, so that a list fits an environment variable."""
    if isinstance(value, str):
        return tuple(part for part in (p.strip() for p in value.split(",")) if part)
    return value


def _shard(value: Any) -> Any:
    return Shard.parse(value) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Bytes = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseModel):
    """What one deployment is told. Frozen; `Settings.from_env()` is the usual way to one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store_url: str | None = Field(
        None, description="Object store root: s3://bucket/prefix, file:///path or memory://name."
    )
    store_endpoint: str | None = Field(
        None, description="S3 endpoint for stores other than AWS, e.g. http://127.0.0.1:9000."
    )
    store_key: str | None = Field(
        None, repr=False, description="S3 access key; else the AWS_* variables."
    )
    store_secret: str | None = Field(
        None, repr=False, description="S3 secret key; else the AWS_* variables."
    )
    single_writer: bool = Field(
        False, description="Vouch that one publisher runs, on a store without create-if-absent."
    )
    database_url: str | None = Field(
        None,
        repr=False,
        description="The catalog: sqlite:////path/to/file.db or postgresql+psycopg://…",
    )
    cache_dir: Path = Field(
        Path(tempfile.gettempdir()) / f"hma-cache-{os.getuid()}",
        description="Where segments are kept once they are fetched and verified.",
    )

    shard: Annotated[Shard, BeforeValidator(_shard)] = Field(
        Shard(),
        description="Which share of the index a `shard` function holds, and of how many: 1/4 to "
        "4/4 where there are four.",
    )
    shards: Names = Field(
        (),
        description="URLs of the `shard` functions that hold the index together. Who is given "
        "them asks them, and opens no index: `route`, and others that look up.",
    )
    shard_timeout_seconds: Seconds = Field(
        10.0, description="Longest wait for all shards; a lookup that one is missing from is 503."
    )

    signal_types: Names = Field(
        ("pdq", "video_md5"), description="Enabled signal types: names, or module:Class paths."
    )
    content_types: Names = Field(
        ("photo", "video"), description="Enabled content types: names, or module:Class paths."
    )
    extensions: Names = Field(
        (), description="threatexchange extension packages (modules with TX_MANIFEST) to enable."
    )
    exchange_apis: Names = Field(
        ("fb_threatexchange", "local_file", "ncmec", "sample", "stop_ncii", "tat"),
        description="Exchange APIs that can be fetched from: names, or module:Class paths.",
    )
    exchange_endpoints: Names = Field(
        (),
        description="Where exchanges are asked, if not where they always are: name=URL of a "
        "gateway before them, or of one that only looks like them.",
    )
    credentials_key: Names = Field(
        (),
        repr=False,
        description="Fernet key that exchange credentials are encrypted with at rest; "
        "older ones, which can still decrypt, after it.",
    )
    fetch_seconds: Seconds = Field(
        240.0,
        description="Longest that one call of fetch works, less than the function's time limit; "
        "the next call goes on.",
    )
    variants: Names = Field(
        (),
        description="What uploaded pictures are also looked up as, so that turned, framed or "
        "darkened copies are found: orientation, margin, rotation, edge, contrast, frame (each of "
        "an animation), or all.",
    )
    hash_in_match: bool = Field(
        True, description="Whether lookups take files and URLs; false answers 403 to those."
    )

    refresh_seconds: Seconds = Field(
        1.0, description="A lookup whose last look at the store is older looks again first."
    )
    max_stale_seconds: Seconds = Field(
        900.0, description="A snapshot nobody confirmed for this long answers 503, not matches."
    )
    grace_seconds: Seconds = Field(
        3600.0,
        description="Segments and snapshots that nothing names any more are kept this long, "
        "at least twice max_stale_seconds and longer than any function may run.",
    )
    tail_entries: Annotated[int, Field(gt=0)] = Field(
        256, description="Changes kept inline in a snapshot before they become a segment."
    )

    max_upload_bytes: Bytes = Field(
        100 << 20, description="Largest request body; more is answered 413 before it is read."
    )
    max_pixels: Annotated[int, Field(gt=0)] = Field(
        48 << 20,
        description="Largest image (width times height), checked before decoding; fewer in "
        "formats that take more memory. At the default an image takes up to 0.2 GB.",
    )
    max_video_seconds: Seconds = Field(
        120.0,
        description="Longest that hashing one video to vpdq may take; what takes longer is "
        "answered 413. Decoding 1080p takes some seconds for each minute.",
    )
    pdq_mode: Literal["exact", "fast"] = Field(
        "exact",
        description="exact: every bit as pdqhash has it. fast: of JPEGs no more is "
        "decoded than need be, in a third of the time, a few bits off.",
    )
    max_fetch_bytes: Bytes = Field(100 << 20, description="Largest file fetched from a URL.")
    fetch_timeout_seconds: Seconds = Field(
        10.0, description="Longest time one fetch from a URL may take, redirects included."
    )
    allowed_hostnames: Names = Field(
        (), description="If set, only these hosts are fetched from, and they may be private ones."
    )
    allowed_buckets: Names = Field(
        (),
        description="Buckets whose objects may be given in place of a URL: s3://name, gs://name. "
        "s3:// is read with the endpoint and the keys of the object store.",
    )
    gs_endpoint: str = Field(
        "https://storage.googleapis.com", description="Where objects of gs:// are read."
    )
    gs_key: str | None = Field(
        None, repr=False, description="Access id of an HMAC key that may read objects of gs://."
    )
    gs_secret: str | None = Field(None, repr=False, description="The secret of that HMAC key.")

    api_tokens: Names = Field(
        (),
        repr=False,
        description="If set, requests need one of these as `Authorization: Bearer …`; but for "
        "/status, /status/live and /site-map. The `hma` command sends the first.",
    )

    url: str = Field("http://127.0.0.1:5100", description="The server that the `hma` command asks.")

    @field_validator("variants")
    @classmethod
    def _check_variants(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return select_variants(names)
        except BadInput as error:
            raise ValueError(error.message) from error

    @field_validator("allowed_buckets")
    @classmethod
    def _are_buckets(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"(s3|gs)://[a-z0-9][a-z0-9._-]+[a-z0-9]", name):
                raise ValueError(f"{name} is no bucket: Input should be s3://name or gs://name")
        return names

    @field_validator("shards")
    @classmethod
    def _addresses(cls, shards: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not all(re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url) for url in shards):
            raise ValueError("Input should be URLs such as http://shard-1:8080")
        if len(set(shards)) < len(shards):
            raise ValueError("Input should name each shard once")
        if shards and info.data.get("shard", Shard()).of > 1:
            raise ValueError("who holds a shard (HMA_SHARD) does not ask others")
        return shards

    @field_validator("grace_seconds")
    @classmethod
    def _outlasts_staleness(cls, grace: float, info: ValidationInfo) -> float:
        if grace < 2 * info.data.get("max_stale_seconds", 0):
            raise ValueError("Input should be at least twice max_stale_seconds")
        return grace

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Settings from the `HMA_` variables of `environ`.

        Variables that no setting is near to are somebody else's: they are logged, once.

        Raises:
            Misconfigured: naming every misspelt variable and every bad value at once.
        """
        variables = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX)
        }
        unknown = variables.keys() - cls.model_fields.keys()
        meant = {name: nearest for name in unknown if (nearest := cls._nearest(name))}
        if foreign := sorted(unknown - meant.keys()):
            _warn_of_foreign(tuple(foreign))
        problems = [
            f"  {_variable(name)}: unknown setting, did you mean {_variable(nearest)}?"
            for name, nearest in sorted(meant.items())
        ]
        try:
            settings = cls.model_validate({n: v for n, v in variables.items() if n not in unknown})
        except ValidationError as error:
            problems += [f"  {_variable(str(e['loc'][0]))}: {e['msg']}" for e in error.errors()]
        if problems:
            listed = "\n".join(problems)
            raise Misconfigured(f"settings:\n{listed}\nSee docs/settings.md for every variable.")
        return settings

    @classmethod
    def _nearest(cls, name: str) -> str | None:
        """The setting that `name` is a slip of: one or two letters off, of a short one just one."""
        for known in cls.model_fields:
            if _edits(name, known) <= min(2, len(known) // 3):
                return known
        return None


@functools.cache  # settings are read by each command, and more than once by some
def _warn_of_foreign(names: tuple[str, ...]) -> None:
    _log.warning("ignored, since no setting is called so: %s", ", ".join(map(_variable, names)))


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _edits(first: str, second: str) -> int:
    """How many letters to insert, delete or replace to make one of the other (Levenshtein)."""
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, start=1):
        above, row = row, [i]
        for j, other in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != other)))
    return row[-1]
