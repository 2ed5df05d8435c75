"""Keeps a world in a file: JSON, replaced as a whole; the id sets lie in a folder beside it."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from yuntu_push.sandbox.clock import LATEST, PlatformClock
from yuntu_push.sandbox.idsets import IdSets
from yuntu_push.sandbox.options import SandboxOptions
from yuntu_push.sandbox.records import WorldState
from yuntu_push.sandbox.seed import seeded_world
from yuntu_push.sandbox.world import World

_FORMAT = 1


class StateFileError(ValueError):
    """The state file is none of ours, or of another version."""


def open_world(options: SandboxOptions) -> World:
    """The world in the state file, or a fresh one."""
    path = options.state_file
    if path is not None and path.exists():
        state = _load(path)
    else:
        state = seeded_world(options.seed, options.callback_url)
    folder = None if path is None else path.with_name(path.name + ".ids")
    world = World(options, state, PlatformClock(state.offset), IdSets(folder))
    save_world(world)
    return world


def _load(path: Path) -> WorldState:
    import msgspec

    try:
        form, state = msgspec.json.decode(path.read_bytes(), type=tuple[int, WorldState])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateFileError(f"{path} is no sandbox state file") from error
    if form != _FORMAT:
        raise StateFileError(f"{path} was written by another version")
    if abs(state.offset) > LATEST:
        raise StateFileError(f"{path} is no sandbox state file")
    state.app.secret = seeded_world(state.seed, None).app.secret
    # Parts wait in memory only: a file whose last part has not come begins anew.
    state.qc_files = {key: file for key, file in state.qc_files.items() if file.finished}
    return state


@contextlib.contextmanager
def held(path: Path | None) -> Iterator[None]:
    """Keep the state file to this process; StateFileError when another sandbox has it."""
    if path is None:
        yield
        return
    import filelock

    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise StateFileError(f"{path} is in use by another sandbox") from error
    try:
        yield
    finally:
        lock.release()


def save_world(world: World) -> None:
    """Write the world to its state file; nothing when it has none."""
    path = world.options.state_file
    if path is None:
        return
    import msgspec

    world.state.offset = world.clock.offset
    # The Secret follows from the seed and need not lie in a file.
    state = dataclasses.replace(world.state, app=dataclasses.replace(world.state.app, secret=""))
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(partial, flags, 0o600), "wb") as file:
        file.write(msgspec.json.encode((_FORMAT, state)))
    partial.replace(path)


def reset_world(world: World) -> None:
    """Begin anew: the seeded world, the real time."""
    world.state = seeded_world(world.options.seed, world.options.callback_url)
    world.clock.offset = 0.0
    world.list_lag = 0.0
    world.parts.clear()
    world.ids.forget_unused(set())
    save_world(world)
