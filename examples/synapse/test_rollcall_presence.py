"""The module with a fake of Synapse's module API and of Rollcall: /usr/bin/python3 -B -m unittest"""

import asyncio
import logging
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

from rollcall_presence import RollcallPresence


class HttpError(Exception):
    def __init__(self, code, error):
        super().__init__(error)
        self.code = code
        self.response = b'{"errcode": "M_X", "error": "%s"}' % error.encode()


class FakeApi:
    """Of Synapse, as much as the module uses. Its time is what was slept and what calls took."""

    def __init__(self):
        self.now = 1000.0
        self.in_synapse = {}
        self.answers = []
        self.asked = []
        self.told = []
        self.slept = []
        self.call_takes = 0.0
        self.fails_to_tell = 0
        self.started = []
        self.http_client = self
        self._hs = SimpleNamespace(
            config=SimpleNamespace(
                server=SimpleNamespace(track_presence=False),
                worker=SimpleNamespace(writers=SimpleNamespace(presence=["master"])),
            ),
            get_instance_name=lambda: "master",
        )

    def delayed_background_call(self, msec, f, desc):
        self.started.append(f)

    def is_mine(self, user):
        return user.endswith(":here")

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    async def run_db_interaction(self, desc, f):
        rows = [(user, state, text) for user, (state, text) in self.in_synapse.items()]

        class Transaction(list):
            def execute(self, sql):
                self.extend(rows)

        return f(Transaction())

    async def get_json(self, url, args, headers):
        self.asked.append((args, headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def set_presence_for_users(self, users):
        self.now += self.call_takes
        if self.fails_to_tell:
            self.fails_to_tell -= 1
            raise RuntimeError("database is locked")
        self.told.append(dict(users))
        self.in_synapse.update(users)


def batch(*presences, snapshot=False, more=False, position="s1"):
    return {"snapshot": snapshot, "presences": list(presences), "more": more, "next_batch": position}


def of(user, state, status=None):
    return {"user_id": user, "state": state, "status": status}


class RollcallPresenceTest(unittest.TestCase):
    def setUp(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.token = Path(directory.name, "token")
        self.token.write_text("first\n")
        self.position = Path(directory.name, "position")
        self.api = FakeApi()
        self.module = self.start()

    def start(self):
        config = RollcallPresence.parse_config(
            {"url": "http://rollcall/", "token_file": str(self.token), "position_file": str(self.position)}
        )
        return RollcallPresence(config, self.api, clock=lambda: self.api.now)

    def after(self, *answers):
        """Lets the module follow these answers."""
        self.api.answers += answers
        while self.api.answers or self.module._is_complete:
            asyncio.run(self.module._try())

    def test_tells_states_as_matrix_names_them(self):
        self.after(batch(of("@a:here", "online", "hi"), of("@b:here", "idle"), snapshot=True))
        self.after(batch(of("@a:here", "offline", "hi"), of("@b:here", "unknown", "gone")))
        self.assertEqual(
            self.api.told,
            [
                {"@a:here": ("online", "hi"), "@b:here": ("unavailable", None)},
                {"@a:here": ("offline", "hi"), "@b:here": ("offline", "gone")},
            ],
        )

    def test_tells_a_forgotten_user_offline_without_text(self):
        self.after(batch(of("@a:here", "offline", "hi"), snapshot=True), batch({"user_id": "@a:here", "state": "unknown"}))
        self.assertEqual(self.api.told[-1], {"@a:here": ("offline", None)})

    def test_tells_of_local_users_only(self):
        self.after(batch(of("@a:there", "online"), of("carol", "online"), of("@b:here", "online"), snapshot=True))
        self.assertEqual(self.api.told, [{"@b:here": ("online", None)}])

    def test_tells_only_what_synapse_does_not_have(self):
        self.api.in_synapse = {"@a:here": ("online", "hi"), "@b:here": ("online", None)}
        self.after(batch(of("@a:here", "online", "hi"), of("@b:here", "idle"), of("@c:here", "offline"), snapshot=True))
        self.assertEqual(self.api.told, [{"@b:here": ("unavailable", None)}])

    def test_goes_on_after_a_restart_without_a_word(self):
        self.position.write_text("s7")
        self.api.in_synapse = {"@a:here": ("online", None)}
        self.module = self.start()
        self.after(batch(of("@a:here", "online"), position="s8"))
        self.assertEqual(self.api.asked[0][0]["next_batch"], "s7")
        self.assertEqual(self.api.told, [])
        self.assertEqual(self.position.read_text(), "s8")

    def test_tells_a_hundred_users_a_call_and_leaves_synapse_as_much_time(self):
        self.api.call_takes = 0.15
        self.after(batch(*(of(f"@u{i}:here", "online") for i in range(250)), snapshot=True))
        self.assertEqual([len(users) for users in self.api.told], [100, 100, 50])
        self.assertEqual([round(s, 2) for s in self.api.slept if s], [0.15, 0.15])

    def test_collects_for_a_second_after_it_has_told(self):
        self.after(batch(of("@a:here", "online"), snapshot=True))
        told_at = self.api.now
        self.after(batch())
        self.assertEqual(self.api.now - told_at, 1)

    def test_stores_its_position_after_it_has_told(self):
        self.after(batch(of("@a:here", "online"), snapshot=True, position="s1"))
        self.assertEqual(self.position.read_text(), "s1")
        self.api.answers = [batch(of("@a:here", "idle"), position="s2")]
        self.api.fails_to_tell = 1
        asyncio.run(self.module._try())
        self.assertEqual(self.position.read_text(), "s1")
        asyncio.run(self.module._try())
        self.assertEqual(self.api.told[-1], {"@a:here": ("unavailable", None)})
        self.assertEqual(self.position.read_text(), "s2")

    def test_goes_on_where_it_cannot_store(self):
        self.position.mkdir()
        self.module = self.start()
        logging.disable(logging.NOTSET)
        with self.assertLogs("synapse.rollcall_presence", "WARNING") as logs:
            self.after(batch(of("@a:here", "online"), snapshot=True), batch(of("@a:here", "idle")))
        self.assertEqual(len(self.api.told), 2)
        self.assertEqual([s for s in self.api.slept if s], [1])  # no failure
        self.assertEqual(len(logs.output), 1)

    def test_tells_when_all_of_a_batch_is_read(self):
        self.api.in_synapse = {"@a:here": ("online", None), "@b:here": ("online", None)}
        self.api.answers = [batch(of("@a:here", "idle"), snapshot=True, more=True)]
        asyncio.run(self.module._try())
        self.assertEqual(self.api.told, [])
        self.after(batch(of("@b:here", "idle")))
        self.assertEqual(self.api.told, [{"@a:here": ("unavailable", None), "@b:here": ("unavailable", None)}])

    def test_tells_of_each_change(self):
        self.after(batch(of("@a:here", "online"), snapshot=True), *(batch(of("@a:here", s)) for s in ("offline", "online")))
        self.assertEqual([users["@a:here"][0] for users in self.api.told], ["online", "offline", "online"])

    def test_forgets_with_a_snapshot_what_it_has_not_told(self):
        self.after(batch(snapshot=True))
        self.after(batch(of("@a:here", "online"), more=True), batch(snapshot=True))
        self.assertEqual(self.api.told, [])

    def test_lets_absent_users_be_for_a_minute(self):
        self.api.in_synapse = {f"@{name}:here": ("online", None) for name in "abc"}
        self.after(batch(of("@a:here", "online"), snapshot=True, position="s1"))
        self.assertEqual(self.api.told, [])
        self.assertFalse(self.position.exists())  # the next start has to find them again
        self.after(batch(of("@b:here", "online"), position="s2"))
        self.api.now += 59
        self.after(batch(position="s3"))
        self.assertEqual(self.api.asked[-1][0]["timeout"], "1000")
        self.assertEqual(self.api.told, [])
        self.api.now += 1
        self.after(batch(position="s4"))
        self.assertEqual(self.api.told, [{"@c:here": ("offline", None)}])
        self.assertEqual(self.position.read_text(), "s4")

    def test_sends_absent_users_offline_after_a_failure_too(self):
        self.api.in_synapse = {"@a:here": ("online", None)}
        self.after(batch(snapshot=True))
        self.api.now += 60
        self.api.fails_to_tell = 1
        self.after(batch())
        self.assertEqual(self.api.told, [{"@a:here": ("offline", None)}])

    def test_leaves_users_of_other_servers_as_they_are(self):
        self.api.in_synapse = {"@a:there": ("online", None)}
        self.after(batch(snapshot=True))
        self.api.now += 61
        self.after(batch())
        self.assertEqual(self.api.told, [])

    def test_backs_off_and_goes_on_where_it_was(self):
        self.after(batch(snapshot=True, position="s1"))
        self.api.slept.clear()
        self.after(*[HttpError(503, "starting")] * 6, batch(), HttpError(503, "again"), batch())
        self.assertEqual([s for s in self.api.slept if s], [1, 2, 4, 8, 10, 10, 1])
        self.assertEqual({args["next_batch"] for args, _ in self.api.asked[1:]}, {"s1"})

    def test_begins_anew_where_its_position_is_not_one(self):
        self.position.write_text("nonsense")
        self.module = self.start()
        self.after(HttpError(400, "next_batch"), batch(snapshot=True))
        self.assertNotIn("next_batch", self.api.asked[1][0])

    def test_survives_an_answer_that_is_none(self):
        self.after({}, batch(of("@a:here", "online"), snapshot=True))
        self.assertEqual(len(self.api.told), 1)

    def test_reads_its_token_again(self):
        self.after(batch(snapshot=True))
        self.token.write_text("second")
        self.after(batch())
        self.assertEqual(
            [headers["Authorization"] for _, headers in self.api.asked], [["Bearer first"], ["Bearer second"]]
        )

    def test_takes_away_what_no_database_takes(self):
        self.after(batch(of("@a:here", "online", "x\0y"), of("@b\0:here", "online"), snapshot=True))
        self.assertEqual(self.api.told, [{"@a:here": ("online", "xy")}])

    def test_runs_where_presence_is_written_only(self):
        self.assertEqual(len(self.api.started), 1)
        self.api._hs.get_instance_name = lambda: "worker1"
        self.start()
        self.assertEqual(len(self.api.started), 1)

    def test_refuses_a_synapse_that_tracks_presence_itself(self):
        self.api._hs.config.server.track_presence = True
        with self.assertRaisesRegex(RuntimeError, "enabled: untracked"):
            self.start()

    def test_reports_once_a_minute(self):
        logging.disable(logging.NOTSET)
        with self.assertLogs("synapse.rollcall_presence", "INFO") as logs:
            self.after(batch(of("@a:here", "online"), snapshot=True))
            self.api.now += 60
            self.after(batch(), batch())
        told = [line for line in logs.output if "Told Synapse" in line]
        self.assertEqual(len(told), 1)
        self.assertIn("1 changes in 1 calls; 2 polls, 0 failures; 1 users", told[0])

    def test_says_what_rollcall_says(self):
        logging.disable(logging.NOTSET)
        with self.assertLogs("synapse.rollcall_presence", "WARNING") as logs:
            self.after(HttpError(401, "the token has expired"), HttpError(401, "the token has expired"), batch(snapshot=True))
        self.assertEqual(len(logs.output), 1)
        self.assertIn("401 the token has expired", logs.output[0])

    def test_refuses_settings_that_are_none(self):
        good = {"url": "http://x", "position_file": "p"}
        for bad in ({"uri": "http://x"}, {"url": "x"}, {"position_file": None}):
            with self.assertRaises(ValueError):
                RollcallPresence.parse_config({**good, **bad})


if __name__ == "__main__":
    unittest.main()
