"""Where the parts of an index lie in the object store. No other file makes or reads a key.

```
<root>/<signal_type>/snapshots/<20 digits>.json              created if absent, never changed
<root>/<signal_type>/latest.json                             a hint, never trusted
<root>/<signal_type>/segments/<segment>/<file>               immutable
<root>/<signal_type>/segments/<rebuild>/<first>-<last>.json  what a task of a rebuild has made
<root>/<signal_type>/segments/<rebuild>/<sha256>.marks       and the changes it had been told of
<root>/<signal_type>/unnamed.json                            segments that await their collection
```
"""

from dataclasses import dataclass

ROOT = "index"
"""Of what the catalog's banks are published to."""


@dataclass(frozen=True)
class Layout:
    """The keys of the index of one signal type. Indices under different roots share nothing."""

    signal_type: str
    root: str = ROOT

    @property
    def snapshots(self) -> str:
        """What the keys of all snapshots begin with."""
        return f"{self.root}/{self.signal_type}/snapshots/"

    def snapshot(self, number: int) -> str:
        """Twenty digits, so that keys sort as numbers do."""
        return f"{self.snapshots}{number:020d}.json"

    @property
    def hint(self) -> str:
        """Which snapshot was the newest, some time ago."""
        return f"{self.root}/{self.signal_type}/latest.json"

    @property
    def segments(self) -> str:
        """What the keys of all files of segments, and of rebuilds, begin with."""
        return f"{self.root}/{self.signal_type}/segments/"

    def segment_file(self, segment: str, name: str) -> str:
        """A file of the segment with this id, or of the list of banks."""
        return f"{self.segments}{segment}/{name}"

    @property
    def unnamed(self) -> str:
        """Since when each segment has been named by no snapshot."""
        return f"{self.root}/{self.signal_type}/unnamed.json"

    def rebuild(self, rebuild: str) -> str:
        """What the keys of a rebuild's own files begin with: a folder among the segments."""
        return f"{self.segments}{rebuild}/"

    def task_record(self, rebuild: str, first: int, last: int) -> str:
        """What the task for the content ids `first` to `last` has made, there once it is done."""
        return f"{self.rebuild(rebuild)}{first}-{last}.json"

    def task_marks(self, rebuild: str, sha256: str) -> str:
        """The marks, by the checksum of the file, that a task had read before the contents."""
        return f"{self.rebuild(rebuild)}{sha256}.marks"
