"""Rollcall's wire format: Avro single-object encoding, which is the bytes C3 01, the CRC-64-AVRO
fingerprint of the schema (8 bytes, little-endian), and the body."""

import io
import json
import pathlib
import struct

import avro.io
import avro.schema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
HEADER_BYTES = 10


def encode(record, value):
    """The bytes of a value; a field that is left out takes its default."""
    schema, header = _writers[record]
    body = io.BytesIO()
    value = {field.name: field.default for field in schema.fields if field.has_default} | value
    avro.io.DatumWriter(schema).write(value, avro.io.BinaryEncoder(body))
    return header + body.getvalue()


def decode(data):
    """What some bytes hold, as (record, value). Raises ValueError if no committed schema fits them."""
    header = bytes(data[:HEADER_BYTES])
    if header not in _readers:
        raise ValueError(f"no committed schema has the header {header.hex()}")
    writer, reader = _readers[header]
    body = io.BytesIO(data[HEADER_BYTES:])
    value = avro.io.DatumReader(writer, reader).read(avro.io.BinaryDecoder(body))
    if body.read(1):
        raise ValueError("there are bytes after the end of the record")
    return reader.name, value


def _load(path):
    """The schema as the library has it, and the header that its values begin with."""
    text = path.read_text(encoding="utf-8")
    fingerprint = _crc64_avro(_canonical(json.loads(text)).encode("utf-8"))
    # Without the logical types, which the library would turn into datetimes: an instant stays a number.
    return avro.schema.parse(json.dumps(_plain(json.loads(text)))), b"\xc3\x01" + struct.pack("<Q", fingerprint)


def _plain(schema):
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if key not in ("logicalType", "doc")}
    return [_plain(part) for part in schema] if isinstance(schema, list) else schema


def _canonical(schema, namespace=""):
    """Avro's parsing canonical form. Written out, because not every release of the library has it."""
    if isinstance(schema, list):
        return "[" + ",".join(_canonical(branch, namespace) for branch in schema) + "]"
    if isinstance(schema, str):
        primitive = schema in ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
        return json.dumps(schema if primitive or "." in schema else f"{namespace}.{schema}")
    kind = schema["type"]
    if kind not in ("record", "enum", "fixed", "array", "map"):
        return _canonical(kind, namespace)
    parts = []
    if "name" in schema:
        namespace = schema.get("namespace", namespace)
        parts.append(f'"name":"{namespace}.{schema["name"]}"')
    parts.append(f'"type":"{kind}"')
    if kind == "record":
        fields = (
            f'{{"name":"{field["name"]}","type":{_canonical(field["type"], namespace)}}}' for field in schema["fields"]
        )
        parts.append(f'"fields":[{",".join(fields)}]')
    if kind == "enum":
        parts.append(f'"symbols":{json.dumps(schema["symbols"], separators=(",", ":"))}')
    if kind == "array":
        parts.append(f'"items":{_canonical(schema["items"], namespace)}')
    if kind == "map":
        parts.append(f'"values":{_canonical(schema["values"], namespace)}')
    if kind == "fixed":
        parts.append(f'"size":{schema["size"]}')
    return "{" + ",".join(parts) + "}"


def _crc64_avro(data):
    """The Avro specification's 64-bit Rabin fingerprint, bit by bit: it runs once per schema."""
    empty = crc = 0xC15D213AA4D7A795
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (empty if crc & 1 else 0)
    return crc


# The current schemas by the record's name, and how to read every version ever committed by its header.
_writers = {path.stem: _load(path) for path in SCHEMAS.glob("*.avsc")}
_readers = {}
for _path in SCHEMAS.glob("versions/*.avsc"):
    _record = _path.name.split(".")[0]
    if _record in _writers:
        _version, _header = _load(_path)
        _readers[_header] = (_version, _writers[_record][0])
