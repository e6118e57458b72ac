"""threatexchange's hashing behind a Flask route that does nothing else, as HMA serves it."""

from flask import Flask, request
from threatexchange.signal_type.pdq.signal import PdqSignal

app = Flask(__name__)


@app.get("/status/live")
def live() -> str:
    return "I-AM-ALIVE"


@app.post("/h/hash")
def hashed() -> dict[str, str]:
    return {"pdq": PdqSignal.hash_from_bytes(request.files["photo"].read())}
