"""A database of HMA 1.1.7 as it looks from outside, filled with what people put into one."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection, sql

SCHEMA = """
CREATE TABLE exchange (
    id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, api_cls varchar(255) NOT NULL,
    typed_config json NOT NULL, fetching_enabled boolean NOT NULL,
    retain_api_data boolean NOT NULL, retain_data_with_unknown_signal_types boolean NOT NULL);
CREATE TABLE bank (
    id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, enabled_ratio float NOT NULL,
    import_from_exchange_id integer CONSTRAINT bank_exchange REFERENCES exchange);
CREATE TABLE exchange_data (
    id serial PRIMARY KEY, collab_id integer NOT NULL REFERENCES exchange, fetch_id text NOT NULL,
    pickled_fetch_signal_metadata bytea, fetched_metadata_summary json NOT NULL,
    matched boolean NOT NULL, verification_result boolean, UNIQUE (collab_id, fetch_id));
CREATE TABLE bank_content (
    id serial PRIMARY KEY, bank_id integer NOT NULL CONSTRAINT content_bank REFERENCES bank,
    imported_from_id integer CONSTRAINT content_record REFERENCES exchange_data,
    disable_until_ts integer NOT NULL, original_content_uri varchar,
    bank_content_metadata json, note varchar(255));
CREATE INDEX ON bank_content (bank_id);
CREATE TABLE content_signal (
    content_id integer CONSTRAINT signal_content REFERENCES bank_content,
    signal_type varchar, signal_val text NOT NULL, create_time timestamp NOT NULL DEFAULT now(),
    PRIMARY KEY (content_id, signal_type));
CREATE TABLE exchange_fetch_status (
    collab_id integer PRIMARY KEY REFERENCES exchange, running_fetch_start_ts integer,
    last_fetch_succeeded boolean, last_fetch_complete_ts integer, is_up_to_date boolean NOT NULL,
    checkpoint_ts integer, checkpoint_json json);
CREATE TABLE exchange_api_config (
    id serial PRIMARY KEY, api varchar(255) NOT NULL UNIQUE, default_credentials_json json);
CREATE TABLE signal_type_override (
    id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, enabled_ratio float NOT NULL);
CREATE TABLE signal_index (
    id serial PRIMARY KEY, signal_type varchar NOT NULL, signal_count integer NOT NULL,
    updated_to_id integer NOT NULL, updated_to_ts integer NOT NULL,
    serialized_index_large_object_oid integer);
"""

PICKLE = b"cos\nsystem\n(S'touch /tmp/hma-was-unpickled'\ntR."
"""Whoever loads it runs a command."""

LOOSE = """
ALTER TABLE bank DROP CONSTRAINT bank_exchange;
ALTER TABLE bank_content DROP CONSTRAINT content_bank, DROP CONSTRAINT content_record;
ALTER TABLE bank_content ALTER note TYPE text;
ALTER TABLE content_signal DROP CONSTRAINT signal_content;
"""
"""Lets in what HMA's own checks would have kept out."""


@dataclass(frozen=True)
class Row:
    """A content as it stands in the database, and as it should come out here."""

    id: int
    bank: str
    signals: dict[str, str]
    disable_until_ts: int = 1
    uri: str | None = None
    metadata: dict[str, Any] | None = None
    note: str | None = None
    record: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Hma:
    """One database, by URL, to which its own HMA could write at any time."""

    url: str

    def run(self, statement: str, *parameters: Any) -> None:
        """Run statements, in one transaction."""
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.SQL(statement), parameters or None)

    def put(self, *rows: Row) -> None:
        """Write content."""
        with psycopg.connect(self.url) as connection:
            fill(connection, iter(rows))


def new_hma(url: str) -> Hma:
    """Make the tables, with three banks, one of them fed by an exchange."""
    hma = Hma(url)
    hma.run(SCHEMA)
    hma.run(
        "INSERT INTO exchange (id, name, api_cls, typed_config, fetching_enabled, retain_api_data,"
        " retain_data_with_unknown_signal_types) VALUES (4, 'NCMEC_LIST', 'ncmec', "
        """'{"name":"NCMEC_LIST","api":"ncmec","enabled":true,"only_esp_ids":[7,3],"""
        """"environment":"https://hashsharing.ncmec.org/npo"}', false, true, false)"""
    )
    hma.run(
        "INSERT INTO bank (id, name, enabled_ratio, import_from_exchange_id) VALUES "
        "(3, 'TERROR', 1, NULL), (5, 'SOMETIMES', 0.25, NULL), (9, 'NCMEC_LIST', 1, 4),"
        "(12, 'EMPTY', 0, NULL)"
    )
    hma.run("INSERT INTO exchange_api_config (api, default_credentials_json) VALUES "
            """('ncmec', '{"user":"someone","password":"hunter2"}'),
               ('stop_ncii', NULL)""")  # fmt: skip
    hma.run("INSERT INTO signal_type_override (name, enabled_ratio) VALUES ('video_md5', 0.5)")
    return hma


def rows(count: int, seed: int = 0, first: int = 10) -> Iterator[Row]:
    """`count` contents in which everything occurs that HMA can say; ids have gaps."""
    draw = random.Random(seed)
    content_id = first
    for n in range(count):
        content_id += draw.choice((1, 1, 1, 2, 7))
        bank = draw.choice(("TERROR", "TERROR", "SOMETIMES", "NCMEC_LIST"))
        signals = {"pdq": f"{draw.getrandbits(256):064x}"}
        if n % 10 == 0:
            signals["video_md5"] = f"{draw.getrandbits(128):032x}"
        yield Row(
            content_id,
            bank,
            signals,
            draw.choice((1,) * 20 + (0, 1_600_000_000, 2_000_000_000)),
            f"https://example.com/{n}" if n % 50 == 1 else None,
            {"content_id": f"c{n}", "json": {"é": [n, 1.5, None]}} if n % 20 == 2 else None,
            f"note {n}, “quoted”" if n % 20 == 3 else None,
            f"{content_id}-key" if bank == "NCMEC_LIST" else None,
        )


def fill(connection: Connection, contents: Iterator[Row]) -> int:
    """Write `contents` in bulk, as one transaction; how many they were."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE more (id int, bank text, signals json, until int, "
                       "uri text, metadata json, note text, record text)")  # fmt: skip
        count = 0
        with cursor.copy("COPY more FROM STDIN") as copy:
            for row in contents:
                count += 1
                metadata = None if row.metadata is None else json.dumps(row.metadata)
                copy.write_row((row.id, row.bank, json.dumps(row.signals), row.disable_until_ts,
                                row.uri, metadata, row.note, row.record))  # fmt: skip
        cursor.execute(
            "INSERT INTO exchange_data (collab_id, fetch_id, pickled_fetch_signal_metadata,"
            " fetched_metadata_summary, matched) SELECT b.import_from_exchange_id, record, %s,"
            " '[]', false FROM more JOIN bank b ON b.name = bank WHERE record IS NOT NULL"
            " ON CONFLICT DO NOTHING",
            (PICKLE,),
        )
        cursor.execute(
            "INSERT INTO bank_content SELECT more.id, b.id, d.id, until, uri, metadata, note "
            "FROM more JOIN bank b ON b.name = bank LEFT JOIN exchange_data d "
            "ON d.collab_id = b.import_from_exchange_id AND d.fetch_id = record "
            "ON CONFLICT (id) DO UPDATE SET disable_until_ts = excluded.disable_until_ts,"
            " original_content_uri = excluded.original_content_uri, note = excluded.note,"
            " bank_content_metadata = excluded.bank_content_metadata"
        )
        cursor.execute("DELETE FROM content_signal WHERE content_id IN (SELECT id FROM more)")
        cursor.execute(
            "INSERT INTO content_signal (content_id, signal_type, signal_val) "
            "SELECT id, key, value FROM more, json_each_text(signals)"
        )
        cursor.execute("SELECT setval('bank_content_id_seq', max(id) + 5) FROM bank_content")
        cursor.execute("DROP TABLE more")
    return count
