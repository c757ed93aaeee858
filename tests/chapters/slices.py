"""Run a chapter with one function of the library made wrong, and only the cells that can notice.

A first, right run notes of each cell which of the functions in question ran in it, which names it read and
bound, and what it did to random states and torch's default dtype. With a wrong version a cell runs again if
the function ran in it, or if it reads something that came out otherwise: a name, a state, a cached study.
What comes out the same ends there, so a cell that imports and calls the function drags nothing along; and a
cell on which no verdict depends that is asked for is left out.
"""

import functools
import io
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from explainers.derive import Derivation
from tests.cells import ROOT, Cell, Said, Verdict, cells, listening
from tests.chapters.digest import digest, mutable_parts
from tests.chapters.wrong import Function, Wrong, of_chapter

# Modules whose caches and state no wrong version can reach: what they keep is read from files, or no science
APART = ("explainers.resources", "explainers.notebook", "explainers.derive")
STATES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "torch": (torch.get_rng_state, torch.set_rng_state),
    "numpy": (np.random.get_state, np.random.set_state),
    "random": (random.getstate, random.setstate),
    "dtype": (torch.get_default_dtype, torch.set_default_dtype),
}
SEEDS = {"torch": (torch, "manual_seed"), "numpy": (np.random, "seed"), "random": (random, "seed")}


class Names(dict[str, Any]):
    """A namespace that notes which names a cell reads before it binds them, and which it binds.

    Python asks a namespace that is no plain dictionary by its methods, from within functions too.
    """

    def __init__(self) -> None:
        super().__init__(__name__="cells")
        self.reads: set[str] = set()
        self.binds: set[str] = set()

    def listen(self) -> None:
        """Forget the last cell."""
        self.reads, self.binds = set(), set()

    def value(self, name: str) -> Any:
        """The value of a name, unheard."""
        return super().__getitem__(name)

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if name not in self.binds:
            self.reads.add(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.binds.add(name)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self.binds.add(name)


@dataclass
class Trace:
    """What a cell did in the right run."""

    cell: Cell
    called: Counter[Function]
    reads: set[str]
    bound: dict[str, Any]
    deleted: set[str]
    digests: dict[str, bytes]  # of what it bound
    mutates: set[str]  # names of other cells whose values it changed in place
    before: dict[str, Any]
    after: dict[str, Any]
    draws: set[str]  # the random states that it reads: drawn from before any seed
    said: dict[str, Verdict]
    printed: str
    derivations: list[Derivation]  # those it made, and those it read

    @property
    def moved(self) -> set[str]:
        """The states that are not afterwards as they were before."""
        return {state for state in STATES if not _same(self.before[state], self.after[state])}


@dataclass(frozen=True)
class Outcome:
    """What a run with a wrong version said, which cells it ran (their places), and which names and states
    were after one of them not as in the right run.

    There is no verdict from a cell that could notice and was left out.
    """

    verdicts: Mapping[str, Verdict]
    ran: frozenset[int]
    differed: frozenset[str]

    @property
    def failed(self) -> set[str]:
        """The claims whose conditions came out false."""
        return {id for id, verdict in self.verdicts.items() if not verdict.true}


class Chapter:
    """The right run of a chapter's cells, and the runs with a function made wrong.

    `functions` are all that will ever be made wrong, as (module, name).
    """

    def __init__(self, cells: Iterable[Cell], functions: Iterable[Function]) -> None:
        self._calls = _Calls(functions)
        self._names = Names()
        self._digests: dict[str, bytes] = {}
        self.traces: list[Trace] = []
        with listening() as said, self._calls.watched():
            self.said: Said = said
            state = _library_state()
            for cell in cells:
                self.traces.append(self._trace(cell))
            changed = [name for name, value in _library_state().items() if state.get(name, value) != value]
        assert not changed, f"the library keeps what cells gave it, where no test could see it: {changed}"
        self._shared = self._shared_by_mutation()

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts of the right run."""
        return {id: verdict for trace in self.traces for id, verdict in trace.said.items()}

    def wrong(self, wrong: Wrong, claims: Set[str] | None = None, *, everything: bool = False) -> Outcome:
        """Run what can notice the wrong version and decides `claims` (by default all of them), or, for
        comparison, `everything`."""
        if everything:
            return self._again(wrong.place, wrong.version, {*range(len(self.traces))})
        left_out = self._without(self.verdicts.keys() if claims is None else claims)
        return self._again(wrong.place, wrong.version, frozenset(), left_out)

    def right(self, places: Set[int]) -> Outcome:
        """The cells at these places, run again with nothing made wrong.

        If no name and no state differed, each began as in the right run, and would in any choice among them.
        """
        return self._again(None, None, {i for i, t in enumerate(self.traces) if t.cell.index in places})

    def in_reverse(self) -> Iterator[tuple[Trace, dict[str, Verdict], str]]:
        """After the whole right run, cells that gave verdicts or printed run again, the last one first.

        Gives what each said, and what it printed.
        """
        names = self._names
        names.clear()
        names["__name__"] = "cells"
        with listening() as said:
            for trace in self.traces:
                self._restore(trace)
            for state, (_, put) in STATES.items():
                put(self.traces[-1].after[state])
            for trace in reversed(self.traces):
                if trace.said or trace.printed:
                    said.verdicts.clear()
                    with redirect_stdout(io.StringIO()) as printed:
                        exec(trace.cell.code, names)
                    yield trace, {**said.verdicts}, printed.getvalue()

    def _restore(self, trace: Trace) -> None:
        """Names as a cell left them in the right run."""
        self._names.update(trace.bound)
        for name in trace.deleted:
            self._names.pop(name, None)

    # ---- the right run

    def _trace(self, cell: Cell) -> Trace:
        names, said = self._names, self.said
        claims, proofs, before = {*said.verdicts}, len(said.derivations), _states()
        names.listen()
        with (
            self._calls.collected() as called,
            _drawing(before) as drawn,
            redirect_stdout(io.StringIO()) as printed,
        ):
            exec(cell.code, names)
            draws = {state for state in SEEDS if drawn(state)}
        bound = {name: names.value(name) for name in names.binds if name in names}
        mutates = set()
        for name in names.reads - names.binds:
            if name in self._digests and self._digests[name] != (now := digest(names.value(name))):
                mutates.add(name)
                self._digests[name] = now
        digests = {name: digest(value) for name, value in bound.items()}
        self._digests |= digests
        read = [names.value(name) for name in names.reads if name in names]
        return Trace(
            cell,
            called=called,
            reads=names.reads | _read_by_classes(cell.code),
            bound=bound,
            deleted=names.binds - bound.keys(),
            digests=digests,
            mutates=mutates,
            before=before,
            after=_states(),
            draws=draws,
            said={id: verdict for id, verdict in said.verdicts.items() if id not in claims},
            printed=printed.getvalue(),
            derivations=said.derivations[proofs:] + [d for d in read if isinstance(d, Derivation)],
        )

    def _shared_by_mutation(self) -> set[int]:
        """The places of all cells that touch a value which a cell changes in place: they run together."""
        changed = {name for trace in self.traces for name in trace.mutates}
        if changed:  # and by its other names
            pieces = {id(part) for name in changed for part in mutable_parts(self._names.value(name))}
            changed |= {
                name
                for name, value in self._names.items()
                if not pieces.isdisjoint(id(part) for part in mutable_parts(value))
            }
        return {i for i, trace in enumerate(self.traces) if changed & (trace.reads | trace.bound.keys())}

    def _without(self, claims: Set[str]) -> set[int]:
        """The places of cells that no verdict on `claims` depends on, directly or through other cells."""
        read, drawn, places = set[str](), {"dtype"}, set[int]()
        for i, trace in reversed([*enumerate(self.traces)]):
            gives = read & (trace.bound.keys() | trace.deleted | trace.mutates)
            if claims & trace.said.keys() or gives or drawn & trace.moved or i in self._shared:
                read = (read - trace.bound.keys()) | trace.reads
                drawn |= trace.draws
            else:
                places.add(i)
        return places

    # ---- the others

    def _again(
        self,
        place: Function | None,
        version: Callable[..., Any] | None,
        forced: Set[int],
        left_out: Set[int] = frozenset(),
    ) -> Outcome:
        """Run the cells at `forced` and those that can notice `version`, but none of `left_out`."""
        names, ran, verdicts, differed = self._names, set[int](), dict[str, Verdict](), set[str]()
        other: set[str] = set()  # names whose values are not those of the right run
        stale: set[str] = set()  # names that should be among them, but their cell was left out
        off: set[str] = set()  # states that are not those of the right run
        names.clear()
        names["__name__"] = "cells"
        with listening() as said, self._calls.watched(place, version):
            for i, trace in enumerate(self.traces):
                touched = place in trace.called or trace.reads & other or trace.draws & off or "dtype" in off
                if touched and i in left_out:
                    stale |= trace.bound.keys()
                if i not in forced and (not touched or i in left_out) and i not in self._shared:
                    self._restore(trace)
                    other -= trace.bound.keys() | trace.deleted
                    off -= trace.moved
                    verdicts |= {} if touched else trace.said
                    continue
                ran.add(trace.cell.index)
                for state, (_, put) in STATES.items():
                    if state not in off:
                        put(trace.before[state])
                said.verdicts.clear()
                names.listen()
                # a search that a wrong version leads astray would go on to its last step
                self._calls.allow(3 * trace.called[place] + 100 if place else 0)
                try:
                    with redirect_stdout(io.StringIO()):
                        exec(trace.cell.code, names)
                # with a wrong function a caption's own assertion may fail, or a fit, and then what a later
                # cell would read is missing
                except Exception:
                    if place is None:
                        raise
                if names.reads & stale:  # only with this wrong version a verdict reads them
                    break
                verdicts |= said.verdicts
                changed = self._changed(trace)
                other = (other - names.binds - trace.bound.keys()) | changed
                now = _states()
                off = {state for state in STATES if not _same(now[state], trace.after[state])}
                differed |= changed | off
            else:
                return Outcome(verdicts, frozenset(ran), frozenset(differed))
        return self._again(place, version, forced)

    def _changed(self, trace: Trace) -> set[str]:
        """The names that a cell, run again, did not bind, or not to what they are in the right run."""
        names, changed = self._names, set[str]()
        for name in trace.bound.keys() | names.binds:
            bound = name in names.binds and name in names
            if not bound or digest(names.value(name)) != trace.digests.get(name):
                changed.add(name)
        return changed


@functools.cache
def right_run(name: str) -> Chapter:
    """The right run of a chapter of the book, made once in a process, for all its wrong versions."""
    functions = [version.place for version in of_chapter(name).versions.values()]
    return Chapter(cells(ROOT / f"notebooks/{name}.md"), functions)


class _Calls:
    """Stand-ins for the functions in question and for the caches of the library.

    A stand-in notes that it was called, and calls the right function or the wrong one. What a cache gives
    back counts as a call of every function that ran when it was filled.
    """

    def __init__(self, functions: Iterable[Function]) -> None:
        self._functions = dict.fromkeys(functions)
        self._collecting: list[Counter[Function]] = []
        self._left = 0  # calls that a wrong version may still have in the cell that runs
        self._version: tuple[Function, Callable[..., Any]] | None = None
        self._touched: dict[Function, set[Function]] = {}  # by cache
        self._caches: dict[Function, Any] = {}
        self._standins = {
            **{place: self._function(place) for place in self._functions},
            **{place: self._cache(place, cached) for place, cached in _caches()},
        }

    @contextmanager
    def watched(
        self, place: Function | None = None, version: Callable[..., Any] | None = None
    ) -> Iterator[None]:
        """Stand-ins in place, the one at `place` calling `version`."""
        assert place is None or place in self._functions
        reached = [cache for cache, functions in self._touched.items() if place in functions]
        self._version = (place, version) if place and version else None
        with pytest.MonkeyPatch.context() as patch:
            for (module, name), standin in self._standins.items():
                owner, attribute = _owner(module, name)
                original = getattr(owner, attribute)
                patch.setattr(owner, attribute, standin)
                for other in _modules():  # wherever else the library holds it
                    for key, value in [*vars(other).items()]:
                        if value is original:
                            patch.setattr(other, key, standin)
                        for inner in (
                            [k for k, v in value.items() if v is original] if type(value) is dict else ()
                        ):
                            patch.setitem(value, inner, standin)
            self._clear(reached)
            try:
                yield
            finally:
                self._clear(reached)
                self._version = None

    @contextmanager
    def collected(self) -> Iterator[Counter[Function]]:
        """How often each function is called inside."""
        called: Counter[Function] = Counter()
        self._collecting.append(called)
        try:
            yield called
        finally:
            self._collecting.pop()
            if self._collecting:
                self._collecting[-1] += called

    def allow(self, calls: int) -> None:
        """The next cell may call the wrong version so often."""
        self._left = calls

    def _clear(self, places: Iterable[Function]) -> None:
        for place in places:
            self._caches[place].cache_clear()

    def _function(self, place: Function) -> Callable[..., Any]:
        owner, attribute = _owner(*place)
        original = getattr(owner, attribute)

        @functools.wraps(original)
        def standin(*arguments: Any, **keywords: Any) -> Any:
            if self._collecting:
                self._collecting[-1][place] += 1
            if self._version is None or self._version[0] != place:
                return original(*arguments, **keywords)
            self._left -= 1
            if self._left < 0:
                raise RuntimeError("with this wrong version the cell does not come to an end")
            return self._version[1](*arguments, **keywords)

        return standin

    def _cache(self, place: Function, cached: Any) -> Callable[..., Any]:
        self._caches[place] = cached
        cached.cache_clear()

        @functools.wraps(cached)
        def standin(*arguments: Any, **keywords: Any) -> Any:
            with self.collected() as called:
                value = cached(*arguments, **keywords)
                self._touched[place] = self._touched.get(place, set()) | called.keys()
                called.update(self._touched[place] - called.keys())
            return value

        return standin


def _items(value: Any) -> list[tuple[Any, Any]]:
    return [*value.items()] if type(value) is dict else []


def _owner(module: ModuleType, name: str) -> tuple[Any, str]:
    *classes, attribute = name.split(".")
    return functools.reduce(getattr, classes, module), attribute


def _modules() -> list[ModuleType]:
    return [
        module
        for name, module in sorted(sys.modules.items())
        if name.startswith("explainers.") and not name.startswith(APART)
    ]


def _caches() -> Iterator[tuple[Function, Any]]:
    for module in _modules():
        for name, value in vars(module).items():
            if hasattr(value, "cache_clear") and getattr(value, "__module__", "") == module.__name__:
                yield (module, name), value


def _library_state() -> dict[str, bytes]:
    """What lies in the lists, sets and dictionaries of the library's modules."""
    return {
        f"{module.__name__}.{name}": digest(value)
        for module in _modules()
        for name, value in vars(module).items()
        if isinstance(value, list | set | dict) and not name.startswith("__")
    }


def _states() -> dict[str, Any]:
    return {name: read() for name, (read, _) in STATES.items()}


def _same(a: Any, b: Any) -> bool:
    return digest(a) == digest(b)


@contextmanager
def _drawing(before: Mapping[str, Any]) -> Iterator[Callable[[str], bool]]:
    """Whether something is drawn from a random state before it is seeded: a question to ask at the end."""
    seeded: dict[str, bool] = {}  # whether it was untouched when it was seeded first
    drawn = []  # whether it was seeded when something was drawn from it

    def seed(state: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def standin(*arguments: Any, **keywords: Any) -> Any:
            seeded.setdefault(state, _same(STATES[state][0](), before[state]))
            return original(*arguments, **keywords)

        return standin

    def draw(original: Callable[..., Any]) -> Callable[..., Any]:
        def standin(*arguments: Any, **keywords: Any) -> Any:
            drawn.append("random" in seeded)
            return original(*arguments, **keywords)

        return standin

    def answer(state: str) -> bool:
        # the type checker that the tests load draws from Python's generator, so its state says nothing
        if state == "random":
            return not all(drawn)
        return not seeded.get(state, _same(before[state], STATES[state][0]()))

    with pytest.MonkeyPatch.context() as patch:
        for state, (module, name) in SEEDS.items():
            patch.setattr(module, name, seed(state, getattr(module, name)))
        for name in vars(random.Random) | vars(random.Random.__base__):
            if not name.startswith("_") and name not in ("seed", "getstate", "setstate", "VERSION"):
                patch.setattr(random, name, draw(getattr(random, name)), raising=False)
        yield answer


def _read_by_classes(code: Any) -> set[str]:
    """Names that bodies of classes read: Python looks them up in a way that cannot be overheard."""
    names: set[str] = set()
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            names |= {*constant.co_names} if "__module__" in constant.co_names else set()
            names |= _read_by_classes(constant)
    return names
