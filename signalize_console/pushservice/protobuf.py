"""As much of the protobuf wire format as Google's push protocol needs."""

import struct
from collections.abc import Iterator


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def integer(tag: int, value: int) -> bytes:
    return varint(tag << 3) + varint(value)


def fixed64(tag: int, value: int) -> bytes:
    return varint(tag << 3 | 1) + struct.pack("<Q", value)


def text(tag: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(tag << 3 | 2) + varint(len(data)) + data


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Tag and value of each field; nested messages stay bytes."""
    position = 0

    def read_varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(data):
        key = read_varint()
        match key & 7:
            case 0:
                yield key >> 3, read_varint()
            case 1:
                yield key >> 3, struct.unpack_from("<Q", data, position)[0]
                position += 8
            case 2:
                length = read_varint()
                yield key >> 3, data[position : position + length]
                position += length
            case 5:
                yield key >> 3, struct.unpack_from("<I", data, position)[0]
                position += 4
            case kind:
                raise ValueError(f"Unknown wire type {kind}")
