"""This client writes and reads the same bytes as every other one: schemas/vectors says which."""

import json
import unittest

from rollcall_wire import SCHEMAS, decode, encode


class VectorsTest(unittest.TestCase):
    def test_should_write_and_read_the_same_bytes_as_every_other_client(self):
        vectors = [
            (path.stem, vector)
            for path in sorted(SCHEMAS.glob("vectors/*.json"))
            for vector in json.loads(path.read_text(encoding="utf-8"))
        ]
        self.assertGreater(len(vectors), 20)  # that there are any
        for record, vector in vectors:
            with self.subTest(record=record, name=vector["name"]):
                self.assertEqual(encode(record, vector["json"]).hex(), vector["hex"])
                self.assertEqual(decode(bytes.fromhex(vector["hex"])), (record, vector["json"]))

    def test_should_take_the_default_when_a_field_is_left_out(self):
        self.assertEqual(
            encode("DeviceHeartbeat", {"device_id": "phone"}).hex(), "c301ce3106490c3f18ff0a70686f6e650000000000"
        )

    def test_should_read_what_an_earlier_version_wrote(self):
        record, value = decode(bytes.fromhex("c30183db8497e194497f0a70686f6e6500000000"))
        self.assertEqual((record, value["device_id"], value["session"]), ("DeviceHeartbeat", "phone", None))

    def test_should_refuse_bytes_when_no_committed_schema_has_written_them(self):
        with self.assertRaisesRegex(ValueError, "no committed schema"):
            decode(bytes.fromhex("c301000000000000000000"))

    def test_should_refuse_bytes_when_there_are_too_many(self):
        with self.assertRaisesRegex(ValueError, "after the end"):
            decode(encode("AppearOffline", {"appear_offline": True}) + b"\x00")


if __name__ == "__main__":
    unittest.main()
