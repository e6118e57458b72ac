"""Multi-index hashing loses nothing: equal to brute force for any size, threshold and skew."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from core.index.layers import postings
from core.index.layers.binary import BinaryKind, BinarySignals
from core.index.layers.packed import Codes
from core.index.layers.postings import Postings, chunks_for, probe_count, radii, write_postings

Bits = NDArray[np.uint8]
Make = Callable[[np.random.Generator, int], Bits]

QUERIES = int(os.environ.get("PROVE_QUERIES", "1500"))
"""`make prove-index` asks many more, each of a small layer at 64 thresholds."""


def random_codes(rng: np.random.Generator, rows: int) -> Bits:
    return rng.integers(0, 256, (rows, 32), dtype=np.uint8)


def skewed_codes(rng: np.random.Generator, rows: int) -> Bits:
    """A few originals and their alterations, as banks of real pictures are."""
    originals = random_codes(rng, max(1, rows // 50))
    codes = originals[rng.integers(len(originals), size=rows)]
    share = rng.choice([0.0, 0.02, 0.06, 0.12, 0.2], size=(rows, 1))
    return codes ^ np.packbits(rng.random((rows, 256)) < share, axis=1)


def flipped(rng: np.random.Generator, code: Bits, distance: int) -> Bits:
    flips = np.zeros(256, np.uint8)
    flips[rng.choice(256, distance, replace=False)] = 1
    return code ^ np.packbits(flips)


def brute_force(codes: Bits, queries: Bits) -> NDArray[np.int16]:
    """The distance of each of `queries` from each code, by another way than ours: (q, rows)."""
    ones, asked = (np.unpackbits(bits, axis=1).astype(np.float32) for bits in (codes, queries))
    both = asked @ ones.T
    apart: NDArray[np.float32] = asked.sum(axis=1)[:, None] + ones.sum(axis=1) - 2 * both
    return apart.astype(np.int16)


def near_and_far(rng: np.random.Generator, codes: Bits, count: int) -> Bits:
    """Queries: most of them 0 to 70 bits from some code, every tenth at random."""
    queries = [flipped(rng, codes[rng.integers(len(codes))], at % 71) for at in range(count)]
    queries[::10] = random_codes(rng, len(queries[::10]))
    return np.stack(queries)


def assert_exact(
    signals: BinarySignals, queries: Bits, threshold: int, apart: NDArray[np.int16]
) -> None:
    """Every row within the threshold, each once, with its distance; `apart`: (q, rows)."""
    found = signals.search([query.tobytes().hex() for query in queries], threshold)
    assert [len(hits.rows) for hits in found] == (apart <= threshold).sum(axis=1).tolist()
    for hits, distances in zip(found, apart, strict=True):
        rows = np.flatnonzero(distances <= threshold)
        order = np.argsort(hits.rows)
        assert (hits.rows[order] == rows).all()
        assert (hits.distances[order] == distances[rows]).all()


def written(codes: Bits) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        write_postings(codes, Path(file.name))
        return file.read()


def opened(codes: Bits) -> Postings:
    return Postings(written(codes), codes)


def searched(codes: Bits, *, by_postings: bool = True) -> BinarySignals:
    postings_file = {"postings": written(codes)} if by_postings else {}
    return BinarySignals(BinaryKind().files(Codes(codes)) | postings_file)


@pytest.mark.parametrize("by_postings", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 3, 63, 64, 65, 1000])
@pytest.mark.parametrize("make", [random_codes, skewed_codes])
def test_every_threshold_finds_what_brute_force_finds(
    monkeypatch: pytest.MonkeyPatch, make: Make, rows: int, by_postings: bool
) -> None:
    """Thresholds 0 to 63, with the fall-back for crowded lists switched off."""
    monkeypatch.setattr(postings, "SHARE_OF_SCAN", 1e9)
    rng = np.random.default_rng(rows)
    codes = make(rng, rows)
    signals = searched(codes, by_postings=by_postings)
    queries = near_and_far(rng, codes, QUERIES // 30)
    apart = brute_force(codes, queries)
    for threshold in range(64):
        assert_exact(signals, queries, threshold, apart)


@pytest.mark.parametrize("make", [random_codes, skewed_codes])
def test_a_million_codes_find_what_brute_force_finds(make: Make) -> None:
    """With the tables of that size, and as it is used: scans where they are cheaper."""
    rng = np.random.default_rng(6)
    codes = make(rng, 1_000_000)
    signals = searched(codes)
    each = max(1, QUERIES // 2000)
    queries = near_and_far(rng, codes, 64 * each)
    rng.shuffle(queries)
    parts = np.array_split(codes, 40)
    apart = np.concatenate([brute_force(part, queries) for part in parts], axis=1)
    for threshold in range(64):
        chosen = slice(threshold * each, (threshold + 1) * each)
        assert_exact(signals, queries[chosen], threshold, apart[chosen])


def test_up_to_pdq_s_threshold_postings_answer_and_no_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above say something about postings only if these are what answers."""
    monkeypatch.setattr(postings, "SHARE_OF_SCAN", 1e9)
    codes = random_codes(np.random.default_rng(1), 65)
    for threshold in range(32):
        assert None not in opened(codes).search(codes[:3], threshold)


def test_a_batch_answers_as_each_query_alone() -> None:
    """More queries than go at once, some refused: what each finds depends on no other."""
    rng = np.random.default_rng(6)
    crowd = np.repeat(random_codes(rng, 1), 5000, axis=0)
    codes = np.concatenate([skewed_codes(rng, 20_000), crowd])
    index = opened(codes)
    queries = np.stack([flipped(rng, codes[rng.integers(len(codes))], i % 40) for i in range(100)])
    together = index.search(queries, 31)
    assert any(found is None for found in together)
    assert any(found is not None and len(found[0]) > 1 for found in together)
    for query, found in zip(queries, together, strict=True):
        (alone,) = index.search(query.reshape(1, -1), 31)
        if found is None or alone is None:
            assert found is alone
        else:
            assert found[0].tolist() == alone[0].tolist()
            assert found[1].tolist() == alone[1].tolist()


@pytest.mark.parametrize("count", [10, 11, 12, 16])
def test_radii_are_the_least_that_lose_nothing(count: int) -> None:
    """Σ(t_i + 1) is one more than the threshold: no less may be probed, and no more need be."""
    for threshold in range(64):
        assert sum(radius + 1 for radius in radii(count, threshold)) == threshold + 1


@pytest.mark.parametrize("rows", [1, 600_000, 5_000_000, 60_000_000])
def test_chunks_cover_every_bit_once(rows: int) -> None:
    """Put together again, the chunks of a code are the code."""
    words = postings.big_endian_words(random_codes(np.random.default_rng(1), 20))
    chunks = chunks_for(rows)
    assert sum(chunk.width for chunk in chunks) == 256
    for code in words.T:
        whole = 0
        for chunk in chunks:
            whole = whole << chunk.width | int(chunk.keys(code.reshape(4, 1))[0])
        assert whole == int.from_bytes(code.astype(">u8").tobytes())


def test_masks_are_all_patterns_of_few_bits() -> None:
    """Each once, as many as are counted on, and none with more bits."""
    masks = postings.masks(23, 2)
    assert len(masks) == len(set(masks.tolist())) == probe_count(23, 2)
    assert max(int(mask).bit_count() for mask in masks) == 2


def test_a_query_that_half_the_index_resembles_is_left_to_the_scan() -> None:
    """The worst case is bounded: long lists are refused before they are read."""
    rng = np.random.default_rng(5)
    codes = np.repeat(random_codes(rng, 2), 50_000, axis=0)
    assert opened(codes).search(codes[:1], 31) == [None]


def test_our_file_of_codes_is_the_one_faiss_writes() -> None:
    """Byte for byte, so that FAISS maps it and any FAISS tool reads it."""
    for rows in (0, 1, 77):
        codes = random_codes(np.random.default_rng(rows), rows)
        flat = faiss.IndexBinaryFlat(256)
        flat.add(codes)
        ours = BinaryKind().files(Codes(codes))["codes"]
        assert ours == faiss.serialize_index_binary(flat).tobytes()
