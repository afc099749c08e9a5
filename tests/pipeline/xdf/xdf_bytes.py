"""XDF files written byte by byte, so that tests can write wrong ones."""

import struct

import numpy as np

UUID = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")


def varint(n: int) -> bytes:
    return b"\x01" + struct.pack("<B", n) if n < 256 else b"\x04" + struct.pack("<I", n)


def chunk(tag: int, body: bytes, length: int | None = None) -> bytes:
    n = len(body) + 2 if length is None else length
    return varint(n) + struct.pack("<H", tag) + body


def header(stream: int, name: str, kind: str, n_channels: int, rate: float, dtype: str, desc: str = "") -> bytes:
    xml = (
        f"<info><name>{name}</name><type>{kind}</type><channel_count>{n_channels}</channel_count>"
        f"<nominal_srate>{rate}</nominal_srate><channel_format>{dtype}</channel_format><desc>{desc}</desc></info>"
    )
    return chunk(2, struct.pack("<I", stream) + xml.encode())


def footer(stream: int, n: int) -> bytes:
    stamps = "<first_timestamp>0</first_timestamp><last_timestamp>0</last_timestamp>"
    xml = f"<info>{stamps}<sample_count>{n}</sample_count></info>"
    return chunk(6, struct.pack("<I", stream) + xml.encode())


def offset(stream: int, at_s: float, value_s: float) -> bytes:
    return chunk(4, struct.pack("<Idd", stream, at_s, value_s))


def boundary() -> bytes:
    return chunk(5, UUID)


def samples_body(stream: int, stamps: list[float | None], rows: list[bytes], n: int | None = None) -> bytes:
    parts = [struct.pack("<I", stream), varint(len(rows) if n is None else n)]
    for stamp, row in zip(stamps, rows, strict=True):
        parts.append(b"\0" if stamp is None else b"\x08" + struct.pack("<d", stamp))
        parts.append(row)
    return b"".join(parts)


def numeric(stream: int, stamps: list[float | None], data: np.ndarray) -> bytes:
    """`data` (n_channels, n)."""
    return chunk(3, samples_body(stream, stamps, [column.tobytes() for column in np.ascontiguousarray(data.T)]))


def strings(stream: int, stamps: list[float | None], labels: list[str]) -> bytes:
    return chunk(3, samples_body(stream, stamps, [varint(len(t.encode())) + t.encode() for t in labels]))


def session(n_seconds: int = 20, rate: int = 100, n_channels: int = 4, seed: int = 7) -> bytes:
    """A small complete recording: EEG (stream 1) stamped at the start of each chunk, markers (stream 2)."""
    rng = np.random.default_rng(seed)
    parts = [b"XDF:", chunk(1, b"<info><version>1.0</version></info>")]
    parts += [header(1, "amp", "EEG", n_channels, rate, "float32"), header(2, "marks", "Markers", 1, 0, "string")]
    for second in range(n_seconds):
        data = rng.normal(0, 20, (n_channels, rate)).astype("<f4")
        parts.append(numeric(1, [100.0 + second, *[None] * (rate - 1)], data))
        parts.append(strings(2, [100.5 + second], [f"m{second % 3}"]))
        if second % 5 == 0:
            parts += [offset(1, 100.0 + second, 0.25), offset(2, 100.0 + second, 0.25), boundary()]
    parts += [footer(1, n_seconds * rate), footer(2, n_seconds)]
    return b"".join(parts)
