# SPDX-License-Identifier: Apache-2.0
#
# This file is licensed as the rest of Rollcall is, and has nothing of Synapse in it. Synapse is under the AGPL, version 3, with which
# the Apache License 2.0 is compatible: Synapse with this module in it is a work under the AGPL as a whole, and whoever changes
# the two and lets others use them over a network owes them the source, this file's included.
"""A module for Synapse that has the presence of its users from Rollcall: docs/synapse.md.

It follows the events for services of Rollcall's HTTP edge, and tells Synapse what has changed. Needs Synapse 1.96 or later, and

    presence:
      enabled: untracked
    modules:
      - module: rollcall_presence.RollcallPresence
        config:
          url: http://127.0.0.1:8080
          token_file: /etc/matrix-synapse/rollcall.token
          position_file: /var/lib/matrix-synapse/rollcall.position
"""
from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Set, Tuple

if TYPE_CHECKING:
    from synapse.module_api import ModuleApi

# Not the module's name: it is loaded before Synapse sets logging up, and that silences all loggers that were there, unless
# they are children of one that log.yaml names, as Debian's names synapse.
logger = logging.getLogger("synapse.rollcall_presence")

Presence = Tuple[str, Optional[str]]
"""A state as Matrix names it, and a text: what set_presence_for_users takes of a user."""

OFFLINE: Presence = ("offline", None)

STATES = {"online": "online", "idle": "unavailable"}
"""All others are offline: one that Rollcall does not know, too."""

POLL_S = 30
"""Synapse's HTTP client gives up an answer that has not begun after 60 s."""

COLLECT_S = 1
"""What changes within this time after a call is told in one: with 300 clients that sync, a call takes Synapse 27 ms, however many users
it is of, and 1.5 ms for each of them."""

MAX_USERS = 100
"""In one call, during which Synapse does nothing else."""

ABSENT_S = 60
"""How long users whom a snapshot does not have stay as they are: so long devices may take to come back to a Rollcall that has lost what
it had."""

REPORT_S = 60
MAX_BACKOFF_S = 10


@dataclass(frozen=True)
class Config:
    url: str
    token_file: Optional[Path]
    position_file: Path


class RollcallPresence:
    @staticmethod
    def parse_config(config: Dict[str, Any]) -> Config:
        unknown = set(config) - {"url", "token_file", "position_file"}
        if unknown:
            raise ValueError(f"rollcall_presence: unknown settings: {', '.join(sorted(unknown))}")
        for name in ("url", "position_file"):
            if not isinstance(config.get(name), str):
                raise ValueError(f"rollcall_presence: {name} is missing")
        if not config["url"].startswith(("http://", "https://")):
            raise ValueError(f"rollcall_presence: url must begin with http:// or https://, and is {config['url']}")
        token_file = config.get("token_file")
        return Config(config["url"].rstrip("/"), Path(token_file) if token_file else None, Path(config["position_file"]))

    def __init__(self, config: Config, api: ModuleApi, clock: Callable[[], float] = time.monotonic):
        self._config = config
        self._api = api
        self._clock = clock
        # Synapse tells modules neither of the following. Its own attributes do.
        homeserver = api._hs
        if homeserver.config.server.track_presence:
            raise RuntimeError("rollcall_presence: set presence: enabled: untracked, or Synapse goes on to decide who is here")
        if homeserver.get_instance_name() not in homeserver.config.worker.writers.presence:
            return  # only this process may tell
        self._known: Optional[Dict[str, Presence]] = None
        """What Synapse has of its own users, without those who are offline and have no text; None: not read yet."""
        self._position = self._stored_position()
        self._batch: Dict[str, Presence] = {}
        """What was read and is to be told."""
        self._is_complete = False
        """Whether the batch may be told."""
        self._snapshot: Optional[Set[str]] = None
        """The users in the snapshot that is being read."""
        self._absent: Set[str] = set()
        """Users whom the last snapshot did not have."""
        self._absent_until = 0.0
        self._can_store = True
        self._next_poll_at = clock()
        self._backoff_s = 0
        self._next_report_at = clock() + REPORT_S
        self._calls = self._told = self._polls = self._failures = 0
        api.delayed_background_call(0, self._follow, desc="rollcall_presence")

    async def _follow(self) -> None:
        logger.info("Follows %s %s", self._config.url, "where it left off" if self._position else "from a snapshot on")
        while True:
            await self._try()

    async def _try(self) -> None:
        """One step; after a failure it waits, longer each time, and the next one begins where this one did."""
        try:
            await self._step()
            if self._backoff_s:
                logger.info("Follows %s again", self._config.url)
            self._backoff_s = 0
        except Exception as e:
            self._failures += 1
            if not self._backoff_s:
                logger.warning("Cannot follow %s, and tries again: %s", self._config.url, reason(e))
            self._backoff_s = min(2 * self._backoff_s or 1, MAX_BACKOFF_S)
            await self._api.sleep(self._backoff_s)
        if self._clock() >= self._next_report_at:
            self._report()

    async def _step(self) -> None:
        if self._known is None:
            self._known = await self._in_synapse()
        if not self._is_complete:
            await self._api.sleep(max(0.0, self._next_poll_at - self._clock()))
            await self._read(await self._poll())
        if not self._is_complete:
            return
        if self._absent and self._clock() >= self._absent_until:
            logger.info("%d users have not come back since the snapshot: they are offline", len(self._absent))
            self._batch.update({user: OFFLINE for user in self._absent})
            self._absent = set()
        await self._tell()
        self._is_complete = False
        if not self._absent:  # else the next start needs the snapshot again, to find them
            self._store_position()

    async def _poll(self) -> Dict[str, Any]:
        self._polls += 1
        wait_s = POLL_S
        if self._absent:
            wait_s = max(0, min(wait_s, self._absent_until - self._clock()))
        args = {"timeout": str(int(1000 * wait_s))}
        if self._position:
            args["next_batch"] = self._position
        headers = {}
        if self._config.token_file:
            headers["Authorization"] = ["Bearer " + self._config.token_file.read_text().strip()]
        try:
            return await self._api.http_client.get_json(self._config.url + "/v2/presence/events", args, headers)
        except Exception as e:
            if getattr(e, "code", None) == 400 and self._position:
                self._position = None  # of another Rollcall, perhaps
            raise

    async def _read(self, answer: Mapping[str, Any]) -> None:
        if answer["snapshot"]:
            self._batch = {}
            self._snapshot = set()
            self._absent = set()
        for entry in answer["presences"]:
            user = entry["user_id"]
            # PostgreSQL takes no NUL.
            if self._api.is_mine(user) and "\0" not in user:
                self._batch[user] = (STATES.get(entry["state"], "offline"), (entry.get("status") or "").replace("\0", "") or None)
                self._absent.discard(user)
                if self._snapshot is not None:
                    self._snapshot.add(user)
        if self._snapshot is not None and not answer["more"]:
            self._known = await self._in_synapse()
            self._absent = set(self._known) - self._snapshot
            self._absent_until = self._clock() + ABSENT_S
            logger.info(
                "Read a snapshot of %d users; %d whom it does not have stay as they are for %d s",
                len(self._snapshot), len(self._absent), ABSENT_S)
            self._snapshot = None
        self._position = answer["next_batch"]
        self._is_complete = not answer["more"]

    async def _tell(self) -> None:
        assert self._known is not None
        changes = {user: presence for user, presence in self._batch.items() if self._known.get(user, OFFLINE) != presence}
        users = iter(changes)
        while chunk := {user: changes[user] for user in islice(users, MAX_USERS)}:
            began_at = self._clock()
            await self._api.set_presence_for_users(chunk)
            self._calls += 1
            self._told += len(chunk)
            for user, presence in chunk.items():
                if presence == OFFLINE:
                    self._known.pop(user, None)
                else:
                    self._known[user] = presence
            if len(chunk) == MAX_USERS:
                await self._api.sleep(self._clock() - began_at)  # half of the time is for Synapse's clients
        if changes:
            self._next_poll_at = self._clock() + COLLECT_S
        self._batch = {}

    async def _in_synapse(self) -> Dict[str, Presence]:
        def select(transaction: Any) -> Dict[str, Presence]:
            transaction.execute(
                "SELECT user_id, state, status_msg FROM presence_stream"
                " WHERE state <> 'offline' OR status_msg IS NOT NULL ORDER BY stream_id")
            return {user: (state, text) for user, state, text in transaction}

        rows = await self._api.run_db_interaction("rollcall_presence", select)
        return {user: presence for user, presence in rows.items() if self._api.is_mine(user)}

    def _stored_position(self) -> Optional[str]:
        try:
            return self._config.position_file.read_text().strip() or None
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as e:
            logger.warning("Begins with a snapshot, since %s cannot be read: %s", self._config.position_file, e)
            return None

    def _store_position(self) -> None:
        file = self._config.position_file
        new = file.with_name(file.name + ".new")
        try:
            new.write_text(self._position or "")
            os.replace(new, file)
            self._can_store = True
        except OSError as e:
            if self._can_store:
                logger.warning("The next start begins with a snapshot, since %s cannot be written: %s", file, e)
            self._can_store = False

    def _report(self) -> None:
        logger.info(
            "Told Synapse of %d changes in %d calls; %d polls, %d failures; %d users are not offline or have a text",
            self._told, self._calls, self._polls, self._failures, len(self._known or ()))
        self._calls = self._told = self._polls = self._failures = 0
        self._next_report_at = self._clock() + REPORT_S


def reason(error: Exception) -> str:
    """What Rollcall says is wrong, or what Synapse's HTTP client does."""
    code = getattr(error, "code", None)
    if code is None:
        return f"{type(error).__name__}: {error}"
    try:
        text = json.loads(error.response)["error"]  # type: ignore[attr-defined]
    except Exception:
        text = getattr(error, "msg", "")
    return f"{code} {text}"
