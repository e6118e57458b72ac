"""threatexchange behind Flask routes that do nothing else: its hashing, and its index of PDQ.

As HMA serves them; the index holds as many random hashes as ours, and is saved and loaded as
HMA's is.
"""

import pickle
import random

from flask import Flask, request
from threatexchange.signal_type.pdq.signal import PdqSignal

from tests.bench.http import BANKED
from tests.deployment import random_signal

app = Flask(__name__)
_rng = random.Random(6)
_index = PdqSignal.get_index_cls().build([(random_signal(_rng), n) for n in range(BANKED)])
_index = pickle.loads(pickle.dumps(_index))


@app.get("/status/live")
def live() -> str:
    return "I-AM-ALIVE"


@app.post("/h/hash")
def hash_photo() -> dict[str, str]:
    return {"pdq": PdqSignal.hash_from_bytes(request.files["photo"].read())}


@app.get("/m/lookup")
def look_up() -> dict[str, list[dict[str, str | int]]]:
    matches = _index.query(PdqSignal.validate_signal_str(request.args["signal"]))
    return {
        "BANK": [
            {"bank_content_id": match.metadata, "distance": match.similarity_info.pretty_str()}
            for match in matches
        ]
    }
