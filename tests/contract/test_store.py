"""One suite for every object store: memory, local files, moto, SeaweedFS and MinIO."""

import gc
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier, Event
from uuid import uuid4

import pytest

from core.errors import Misconfigured, ObjectExists, ObjectMissing, StoreUnavailable
from core.settings import Settings
from core.store import ObjectInfo, ObjectStore, honours_create, open_store
from local_runtime.store.s3_server import S3Server
from tests.servers import MOTO_PAGE, boto3_client, settings_for

MB = 1 << 20
S3 = ["moto_server", "seaweedfs", "minio"]

ODD_KEYS = [
    "plain",
    "a/b/c/d/e/f/g",
    "with space/and  two",
    "ünïcode/日本語/🦆",
    "e\N{COMBINING ACUTE ACCENT}/\N{LATIN SMALL LETTER E WITH ACUTE}",
    "percent%20/100%/%2F",
    "plus+and&amp;<tag>\"quote'",
    "question?x=y&z#fragment",
    "colon:at@/semi;comma,/a::b/c:d",
    "equals=/tilde~/star*/[brackets]/{braces}",
    "pipe|/caret^/`tick`",
    "trailing dot./trailing space /x",
    "ends in..two/dots..",
    "UPPER/upper",
    "0" * 20 + ".json",
    "long/" + "x" * 250,
]

BAD_KEYS = [
    "",
    "/",
    "/leading",
    "trailing/",
    "two//slashes",
    ".",
    "..",
    "a/../b",
    "a/./b",
    ".hidden",
    "new\nline",
    "nul\0",
    "lone\ud800surrogate",
    "long" + "x" * 255,
    "much/" * 200 + "longer",
    "back\\slash",
    "key?versionId=1",
]


@dataclass(frozen=True)
class Place:
    """Somewhere a store can be opened several times over the same objects."""

    settings: Settings

    def open(self) -> ObjectStore:
        return open_store(self.settings)


@pytest.fixture(params=["memory", "file", *S3])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each kind of store in turn, empty."""
    if request.param == "memory":
        return Place(Settings(store_url=f"memory://{uuid4().hex}"))
    if request.param == "file":
        (tmp_path / "store").mkdir()
        return Place(Settings(store_url=(tmp_path / "store").as_uri()))
    return Place(settings_for(request.getfixturevalue(request.param)))


@pytest.fixture
def store(place: Place) -> ObjectStore:
    return place.open()


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that give way at nearly every step, so that they meet in the middle of one."""
    usual, often = sys.getswitchinterval(), gc.get_threshold()

    def give_way(*_: object) -> None:
        os.sched_yield()

    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    gc.callbacks.append(give_way)
    yield
    gc.callbacks.remove(give_way)
    gc.set_threshold(*often)
    sys.setswitchinterval(usual)


@pytest.fixture(params=S3)
def server(request: pytest.FixtureRequest) -> S3Server:
    """Each S3 server in turn."""
    server: S3Server = request.getfixturevalue(request.param)
    return server


def contents(store: ObjectStore, prefix: str = "") -> dict[str, bytes]:
    return {info.key: store.get(info.key) for info in store.list(prefix)}


def every_call(store: ObjectStore, key: str) -> list[Callable[[], object]]:
    """Each method that takes a key."""
    return [
        lambda: store.get(key),
        lambda: store.get_range(key, 0, 1),
        lambda: store.create(key, b"x"),
        lambda: store.put(key, b"x"),
        lambda: store.upload(key, Path(__file__)),
        lambda: store.delete(key),
    ]


class TestReadingAndWriting:
    @pytest.mark.parametrize("size", [0, 1, 20 * MB])
    def test_what_is_written_is_read(self, store: ObjectStore, tmp_path: Path, size: int) -> None:
        """put, create and upload write every byte, of empty, tiny and 20 MB objects."""
        data = random.Random(size).randbytes(size)
        source = tmp_path / "source.bin"
        source.write_bytes(data)
        store.put("put", data)
        store.create("create", data)
        store.upload("upload", source)
        assert store.get("put") == data
        assert store.get("create") == data
        assert store.get("upload") == data
        assert {info.size for info in store.list("")} == {size}

    def test_put_and_upload_replace(self, store: ObjectStore, tmp_path: Path) -> None:
        """Writing again leaves the last content, also when it is shorter."""
        source = tmp_path / "source.bin"
        source.write_bytes(b"3")
        store.put("key", b"111")
        store.put("key", b"22")
        assert store.get("key") == b"22"
        store.upload("key", source)
        assert store.get("key") == b"3"

    def test_upload_in_parts(self, store: ObjectStore, tmp_path: Path) -> None:
        """A file of several parts, the last one odd, arrives whole and in order."""
        data = random.Random(1).randbytes(50 * MB + 17)
        source = tmp_path / "source.bin"
        source.write_bytes(data)
        store.upload("big", source)
        assert store.list("big") == [ObjectInfo("big", len(data))]
        assert store.get("big") == data

    def test_upload_of_a_missing_file(self, store: ObjectStore, tmp_path: Path) -> None:
        """A source that cannot be read is the caller's OSError, and nothing is written."""
        with pytest.raises(FileNotFoundError):
            store.upload("key", tmp_path / "nowhere")
        assert store.list("") == []

    def test_a_missing_object(self, store: ObjectStore) -> None:
        """Reading an absent key says so, also below and beside keys that exist."""
        store.put("folder/key", b"x")
        for key in ("nothing", "folder", "folder/key2", "folder/ke", "folder/other/key"):
            with pytest.raises(ObjectMissing, match=key):
                store.get(key)
            with pytest.raises(ObjectMissing, match=key):
                store.get_range(key, 0, 10)

    def test_delete(self, store: ObjectStore) -> None:
        """A deleted object is missing and unlisted; deleting it again is fine."""
        store.put("folder/a", b"x")
        store.put("folder/ab", b"y")
        store.delete("folder/a")
        store.delete("folder/a")
        store.delete("never/was")
        with pytest.raises(ObjectMissing):
            store.get("folder/a")
        assert contents(store) == {"folder/ab": b"y"}
        store.create("folder/a", b"again")
        assert store.get("folder/a") == b"again"

    def test_two_roots_share_nothing(self, place: Place) -> None:
        """A root's objects are not seen from a root whose name begins alike."""
        url = place.settings.store_url
        assert url is not None
        if url.startswith("file"):
            Path(url.removeprefix("file://") + "x").mkdir()
        other = open_store(place.settings.model_copy(update={"store_url": url + "x"}))
        place.open().put("key", b"here")
        assert contents(other) == {}
        with pytest.raises(ObjectMissing):
            other.get("key")
        other.create("key", b"there")
        assert contents(place.open()) == {"key": b"here"}

    def test_another_store_at_the_same_place(self, place: Place) -> None:
        """What one store has acknowledged, the next one opened there finds at once."""
        writer, reader = place.open(), place.open()
        for number in range(20):
            with pytest.raises(ObjectMissing):
                reader.get(f"{number:020}.json")
            writer.create(f"{number:020}.json", b"%d" % number)
            assert reader.get(f"{number:020}.json") == b"%d" % number
            assert len(reader.list("")) == number + 1


class TestRanges:
    def test_a_range_is_a_slice(self, store: ObjectStore) -> None:
        """A range reads what a slice of the bytes holds, also at and past the end."""
        digits = b"0123456789"
        store.put("digits", digits)
        for start in (0, 1, 9, 10, 11, 10**6):
            for end in (start, start + 1, start + 5, start + 1000):
                assert store.get_range("digits", start, end) == digits[start:end], (start, end)

    def test_ranges_of_an_empty_object(self, store: ObjectStore) -> None:
        """Any range of an empty object is empty."""
        store.put("empty", b"")
        assert store.get_range("empty", 0, 1) == b""
        assert store.get_range("empty", 5, 9) == b""

    def test_ranges_of_a_large_object(self, store: ObjectStore) -> None:
        """Parallel ranges put together give a 20 MB object."""
        data = random.Random(2).randbytes(20 * MB + 3)
        store.put("large", data)
        with ThreadPoolExecutor(8) as pool:
            parts = pool.map(
                lambda start: store.get_range("large", start, start + 3 * MB),
                range(0, len(data), 3 * MB),
            )
            assert b"".join(parts) == data

    def test_no_range(self, store: ObjectStore) -> None:
        """A range that counts from the end or runs backwards is refused, not guessed at."""
        store.put("digits", b"0123456789")
        for start, end in ((-1, 5), (5, 4), (-5, -1)):
            with pytest.raises(ValueError, match="not a range"):
                store.get_range("digits", start, end)


class TestKeys:
    def test_odd_keys(self, store: ObjectStore, tmp_path: Path) -> None:
        """Keys with spaces, quotes, escapes and any script are kept exactly."""
        source = tmp_path / "source.bin"
        wanted = {key: key.encode() for key in ODD_KEYS}
        for number, (key, data) in enumerate(wanted.items()):
            source.write_bytes(data)
            if number % 3 == 0:
                store.put(key, data)
            elif number % 3 == 1:
                store.create(key, data)
            else:
                store.upload(key, source)
        assert contents(store) == wanted
        for key, data in wanted.items():
            assert store.get_range(key, 0, 5) == data[:5]
            assert [info.key for info in store.list(key)] == [key]
            with pytest.raises(ObjectExists):
                store.create(key, b"other")
            store.delete(key)
        assert store.list("") == []

    def test_bad_keys(self, store: ObjectStore) -> None:
        """A key that some store would bend into another one is refused by all methods."""
        for key in BAD_KEYS:
            for call in every_call(store, key):
                with pytest.raises(ValueError, match=r"not a key|surrogates"):
                    call()
        assert store.list("") == []


class TestListing:
    def test_a_prefix_is_a_string(self, store: ObjectStore) -> None:
        """A listing holds exactly the keys that begin with the prefix, sorted, with sizes."""
        keys = ["a", "ab", "b-c", "b/a", "b/ab", "b/c/d", "b/cc", "b0", "c/d", "á"]
        for key in reversed(keys):
            store.put(key, key.encode())
        prefixes = {key[:length] for key in keys for length in range(len(key) + 1)}
        for prefix in (*prefixes, "b/c/d/", "b/c/d/e", "B/", "no", "no/", "no/thing"):
            wanted = [key for key in keys if key.startswith(prefix)]
            assert store.list(prefix) == [ObjectInfo(key, len(key.encode())) for key in wanted]

    def test_an_empty_store(self, store: ObjectStore) -> None:
        """A root that nothing was ever written under lists nothing."""
        assert store.list("") == []

    def test_bad_prefixes(self, store: ObjectStore) -> None:
        """A prefix that leaves the root, or that no key can have, is refused."""
        for prefix in ("/", "../", "a/../", "a//", ".drafts/"):
            with pytest.raises(ValueError, match="not a key"):
                store.list(prefix)

    def test_more_than_a_page(self, store: ObjectStore, request: pytest.FixtureRequest) -> None:
        """Listings go on past the 1,000 keys of one answer (100 of moto's), sorted throughout."""
        page = MOTO_PAGE if "moto_server" in request.node.name else 1_000
        keys = [f"many/{number:04}" for number in range(page + 50)]
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda key: store.put(key, b"1"), ["manx", "many0", *keys]))
        assert store.list("many/") == [ObjectInfo(key, 1) for key in keys]
        assert len(store.list("many")) == page + 51
        assert len(store.list(keys[-1][:-1])) == 10


class TestCreate:
    def test_the_first_stays(self, store: ObjectStore) -> None:
        """Creating a key that is taken is refused and changes nothing, empty content too."""
        store.create("key", b"")
        with pytest.raises(ObjectExists, match="key"):
            store.create("key", b"second")
        assert store.get("key") == b""

    def test_one_of_32_wins(self, place: Place) -> None:
        """Of 32 writers who create one key at once, exactly one succeeds, and it is theirs."""
        stores = [place.open() for _ in range(4)]
        start = Barrier(32)

        def create(key: str, writer: int) -> bool:
            start.wait(30)
            try:
                stores[writer % 4].create(key, b"%d" % writer)
            except ObjectExists:
                return False
            return True

        with ThreadPoolExecutor(32) as pool:
            for number in range(3):
                key = f"race/{number}"
                won = list(pool.map(create, [key] * 32, range(32)))
                assert won.count(True) == 1
                assert stores[0].get(key) == b"%d" % won.index(True)

    @pytest.mark.usefixtures("restless")
    def test_memory_is_safe_for_threads(self) -> None:
        """Writers side by side win each of 2,000 keys once; who lists sees ever more of them."""
        store = open_store(Settings(store_url=f"memory://{uuid4().hex}"))
        start, done = Barrier(5), Event()

        def keys_won(writer: int) -> int:
            start.wait(30)
            won = 0
            for number in range(2_000):
                with suppress(ObjectExists):
                    store.create(f"{number}", b"%d" % writer)
                    won += 1
            return won

        def seen() -> list[int]:
            start.wait(30)
            counts = []
            while not done.is_set():
                counts.append(len(store.list("")))
            return counts

        with ThreadPoolExecutor(5) as pool:
            look = pool.submit(seen)
            try:
                assert sum(pool.map(keys_won, range(4))) == 2_000
            finally:
                done.set()
            assert look.result() == sorted(look.result())

    def test_the_probe(self, store: ObjectStore) -> None:
        """The probe finds that the store honours create, and leaves nothing behind."""
        assert honours_create(store)
        assert store.list("") == []

    @pytest.mark.usefixtures("restless")
    @pytest.mark.parametrize("how", ["create", "put", "upload"])
    def test_never_seen_half_written(self, store: ObjectStore, tmp_path: Path, how: str) -> None:
        """A reader who looks all the while sees no object, or one of the whole ones."""
        whole = [letter * (4 * MB) for letter in (b"a", b"b", b"c")]
        source = tmp_path / "source.bin"
        done = Event()

        def look() -> set[bytes | None]:
            seen: set[bytes | None] = set()
            while not done.is_set():
                try:
                    seen.add(store.get("key"))
                except ObjectMissing:
                    seen.add(None)
                assert {info.size for info in store.list("key")} <= {4 * MB}
            return seen

        with ThreadPoolExecutor(2) as pool:
            seen = [pool.submit(look) for _ in range(2)]
            try:
                for data in whole:
                    if how == "create":
                        store.delete("key")
                        store.create("key", data)
                    elif how == "put":
                        store.put("key", data)
                    else:
                        source.write_bytes(data)
                        store.upload("key", source)
            finally:
                done.set()
        assert set().union(*(look.result() for look in seen)) <= {None, *whole}


class TestOtherClients:
    """What we write is plain S3 to others, and the other way round."""

    def test_boto3(self, server: S3Server, tmp_path: Path) -> None:
        """boto3 reads what we wrote, byte for byte, and we read what it wrote."""
        settings = settings_for(server)
        store, client = open_store(settings), boto3_client(server)
        prefix = str(settings.store_url).removeprefix(f"s3://{server.bucket}/")
        source = tmp_path / "source.bin"
        source.write_bytes(random.Random(3).randbytes(40 * MB))
        store.upload("upload", source)
        written = {key: key.encode() * 3 for key in ODD_KEYS}
        for key, data in written.items():
            store.put(key, data)
        for key, data in {**written, "upload": source.read_bytes()}.items():
            got = client.get_object(Bucket=server.bucket, Key=f"{prefix}/{key}")
            assert got["Body"].read() == data
        listed = client.list_objects_v2(Bucket=server.bucket, Prefix=f"{prefix}/")
        assert {o["Key"] for o in listed["Contents"]} == {
            f"{prefix}/{key}" for key in (*ODD_KEYS, "upload")
        }
        for key in ODD_KEYS:
            client.put_object(Bucket=server.bucket, Key=f"{prefix}/theirs/{key}", Body=b"theirs")
        assert contents(store, "theirs/") == {f"theirs/{key}": b"theirs" for key in ODD_KEYS}

    def test_minio(self, server: S3Server) -> None:
        """The minio client reads what we wrote, byte for byte, and we read what it wrote."""
        import io

        from minio import Minio

        settings = settings_for(server)
        store = open_store(settings)
        prefix = str(settings.store_url).removeprefix(f"s3://{server.bucket}/")
        client = Minio(
            server.endpoint.removeprefix("http://"), server.key, server.secret, secure=False
        )
        for key in ODD_KEYS:
            store.create(key, key.encode())
        for key in ODD_KEYS:
            with client.get_object(server.bucket, f"{prefix}/{key}") as got:
                assert got.data == key.encode()
        listed = client.list_objects(server.bucket, f"{prefix}/", recursive=True)
        assert {o.object_name for o in listed} == {f"{prefix}/{key}" for key in ODD_KEYS}
        for key in ODD_KEYS:
            client.put_object(server.bucket, f"{prefix}/theirs/{key}", io.BytesIO(b"theirs"), 6)
        assert contents(store, "theirs/") == {f"theirs/{key}": b"theirs" for key in ODD_KEYS}

    def test_folder_markers_are_no_objects(self, server: S3Server) -> None:
        """The empty object that a console makes for a folder is not listed."""
        settings = settings_for(server)
        prefix = str(settings.store_url).removeprefix(f"s3://{server.bucket}/")
        client = boto3_client(server)
        client.put_object(Bucket=server.bucket, Key=f"{prefix}/", Body=b"")
        client.put_object(Bucket=server.bucket, Key=f"{prefix}/folder/", Body=b"")
        store = open_store(settings)
        store.put("folder/key", b"x")
        assert store.list("") == [ObjectInfo("folder/key", 1)]


UPLOAD = """
import resource, sys
from pathlib import Path
from core.settings import Settings
from core.store import open_store

unit = 1 if sys.platform == "darwin" else 1024
store = open_store(Settings.from_env())
store.upload("small", Path(__file__) if "__file__" in globals() else Path(sys.executable))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
store.upload("large", Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before)
"""


class TestProcesses:
    @pytest.mark.parametrize("kind", ["file", "seaweedfs"])
    def test_upload_holds_little(
        self, kind: str, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        """Uploading 256 MB takes less than 100 MB of memory."""
        source = tmp_path / "source.bin"
        with source.open("wb") as file:
            file.truncate(256 * MB)
        environ = {"HMA_STORE_URL": tmp_path.as_uri()}
        if kind != "file":
            environ = request.getfixturevalue(kind).environ()
        grown = subprocess.run(
            [sys.executable, "-c", UPLOAD, str(source)],
            env={**os.environ, **environ},
            capture_output=True,
            check=True,
        )
        assert int(grown.stdout) < 100 * MB

    def test_after_a_fork(self, server: S3Server) -> None:
        """A store that was used before a fork works in the child and goes on in the parent."""
        script = """
import os
from core.settings import Settings
from core.store import open_store
store = open_store(Settings.from_env())
store.put("fork/before", b"before")
child = os.fork()
if child == 0:
    ok = store.get("fork/before") == b"before"
    store.put("fork/child", b"child")
    os._exit(0 if ok else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert store.get("fork/child") == b"child"
"""
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, **server.environ()}, check=True
        )


class TestUrls:
    @pytest.mark.parametrize(
        "url",
        ["", "s3://", "memory://", "file://", "file://relative", "/plain", "ftp://x", "s3:/x"],
    )
    def test_not_a_store(self, url: str) -> None:
        """A URL that is none of ours is a setting to correct, and the message shows how."""
        with pytest.raises(Misconfigured, match="s3://bucket/prefix, file:///folder or memory://"):
            open_store(Settings(store_url=url))

    def test_a_folder_with_odd_letters(self, tmp_path: Path) -> None:
        """A file URL may be written with its escapes, as `Path.as_uri` does, or without."""
        folder = tmp_path / "a b ü"
        folder.mkdir()
        open_store(Settings(store_url=folder.as_uri())).put("key", b"x")
        assert open_store(Settings(store_url=f"file://{folder}")).get("key") == b"x"

    def test_memory_is_private_to_its_name(self) -> None:
        """The same name is the same store within the process, another name is another."""
        name = uuid4().hex
        open_store(Settings(store_url=f"memory://{name}")).put("key", b"x")
        assert open_store(Settings(store_url=f"memory://{name}")).get("key") == b"x"
        assert open_store(Settings(store_url=f"memory://{uuid4().hex}")).list("") == []


class TestFolders:
    def test_a_root_that_is_gone(self, tmp_path: Path) -> None:
        """A folder that does not exist is not an empty store: its disk may not be mounted."""
        store = open_store(Settings(store_url=(tmp_path / "unmounted").as_uri()))
        lists: list[Callable[[], object]] = [
            lambda: store.list(""),
            lambda: store.list("folder/"),
        ]
        for call in (*every_call(store, "key"), *lists):
            with pytest.raises(StoreUnavailable, match="create it, mount its disk, or correct"):
                call()

    def test_what_a_crash_left_is_no_object(self, tmp_path: Path) -> None:
        """The draft of a writer who was killed is neither listed nor in the way."""
        store = open_store(Settings(store_url=tmp_path.as_uri()))
        store.put("key", b"x")
        (tmp_path / ".drafts" / "left").write_bytes(b"half of it")
        assert contents(store) == {"key": b"x"}
        store.create("left", b"y")
        assert [path.name for path in (tmp_path / ".drafts").iterdir()] == ["left"]
