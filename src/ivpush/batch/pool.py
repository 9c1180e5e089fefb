"""Processes that work on chunks: answers in order, bounded work in flight, deaths survived.

A process that dies is replaced. Its chunk is tried once more; if that ends in death too, the chunk
is halved until the record that kills stands alone, and that record is set aside.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ivpush.batch.plan import Item, WorkOptions
from ivpush.batch.work import lost
from ivpush.errors import Fault, IvpushError, UsageError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Answer", "Crew", "Handler", "Here", "Pool", "crew", "spread"]

Answer = TypeVar("Answer")
Given_co = TypeVar("Given_co", covariant=True)
Task = TypeVar("Task")
Chunks = Iterable[tuple[Task, Sequence[Item]]]

_DEATHS_IN_A_ROW = 20
"""More lost records than this without a single success: the fault lies not with the records."""
_ALLOCATIONS = 20_000
"""New objects before a process looks for rings among them: checks leave none behind."""
_DEAD = (EOFError, ConnectionError, OSError)


class Handler(Protocol[Given_co]):
    """What works on chunks once its engine is built."""

    @property
    def stamp(self) -> Any:
        """What the one who hands out the chunks must know of it; plain data."""

    def __call__(self, items: Sequence[Item]) -> Given_co:
        """The answer to a chunk."""


Make = Callable[[WorkOptions], Handler[Answer]]
"""Builds a handler; named at the top of a module, so that another process finds it."""


class Crew(Protocol[Answer]):
    """Whoever works on chunks: this process, or others."""

    def settle(self) -> Any:
        """Wait until the handlers stand; raises what building raised, gives their stamp."""

    def map(self, chunks: Chunks[Task]) -> Generator[tuple[Task, list[Answer]]]:
        """Answers in the order of the chunks, each with its task; reads only as far as wanted."""


@contextmanager
def crew(
    make: Make[Answer], options: WorkOptions, *, workers: int, method: str = "spawn"
) -> Iterator[Crew[Answer]]:
    """Processes that build their engines while the caller goes on; 0 workers is this process."""
    if workers < 1:
        yield Here(make, options)
        return
    with Pool(make, options, workers, method) as pool:
        yield pool


def spread(
    make: Make[Answer],
    options: WorkOptions,
    chunks: Chunks[Task],
    *,
    workers: int,
    method: str = "spawn",
) -> Generator[tuple[Task, list[Answer]]]:
    """Answers of chunks in the order of the chunks; with 0 workers all is done in this process.

    Each chunk has a task that comes back beside its answers. ``chunks`` is read only as far as
    work is wanted. Raises whatever building an engine raises.
    """
    with crew(make, options, workers=workers, method=method) as those:
        yield from those.map(chunks)


class Here(Generic[Answer]):
    """Works on chunks in this process."""

    def __init__(self, make: Make[Answer], options: WorkOptions) -> None:
        self._handle = make(options)

    def settle(self) -> Any:
        """The handler's stamp: it stands."""
        return self._handle.stamp

    def map(self, chunks: Chunks[Task]) -> Generator[tuple[Task, list[Answer]]]:
        """Answers in the order of the chunks."""
        for task, items in chunks:
            yield task, [self._handle(items)]


class _Process:
    """One process, our end of its pipe, and the chunks it has been given."""

    def __init__(self, context: Any, make: Any, options: WorkOptions) -> None:
        ours, theirs = context.Pipe()
        self.pipe: Connection = ours
        self.given: deque[tuple[int, Sequence[Item]]] = deque()
        self.process = context.Process(
            target=_serve, args=(theirs, ours, make, options, os.getpid()), daemon=True
        )
        self.process.start()
        theirs.close()

    def settle(self) -> Any:
        """Wait until its engine stands, once; raises what building it raised, gives its stamp."""
        try:
            said = self.pipe.recv()
        except _DEAD:
            raise UsageError(
                Fault(
                    "--workers",
                    "a process could not be started",
                    "use fewer, or leave it more memory; a script that starts them needs "
                    "if __name__ == '__main__'",
                )
            ) from None
        if isinstance(said, IvpushError):
            raise said
        return said

    def give(self, number: int, items: Sequence[Item]) -> None:
        """Hand it a chunk; a process that has died in the meantime is noticed on receiving."""
        self.given.append((number, items))
        try:
            self.pipe.send((number, items))
        except _DEAD:
            return

    def end(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Pool(Generic[Answer]):
    """A number of processes that each build their engine once."""

    def __init__(
        self,
        make: Make[Answer],
        options: WorkOptions,
        workers: int,
        method: str = "spawn",
    ) -> None:
        self._make, self._options = make, options
        self._context = multiprocessing.get_context(method)
        self._most = 2 * workers
        self._processes: list[_Process] = []
        self._lost = 0
        self._wanted = workers
        self._stamps: list[Any] = []

    def __enter__(self) -> Pool[Answer]:
        try:
            for _ in range(self._wanted):
                self._processes.append(self._start())
        except BaseException:
            self.__exit__()
            raise
        return self

    def settle(self) -> Any:
        """Wait until every process stands; raises what building raised, gives their stamp."""
        if not self._stamps:
            self._stamps = [one.settle() for one in self._processes]
        return self._stamps[0]

    def __exit__(self, *_exception: object) -> None:
        for one in self._processes:
            one.end()
        self._processes = []

    def _start(self) -> _Process:
        return _Process(self._context, self._make, self._options)

    def map(self, chunks: Chunks[Task]) -> Generator[tuple[Task, list[Answer]]]:
        """Answers in the order of the chunks, with at most two chunks a process in flight."""
        self.settle()
        source = enumerate(chunks)
        tasks: dict[int, Task] = {}
        again: deque[tuple[int, Sequence[Item]]] = deque()
        answers: dict[int, list[Answer]] = {}
        turn, open_ = 0, True
        while True:
            while open_ or again:
                idle = min(self._processes, key=lambda one: len(one.given))
                if len(idle.given) > 1 or (not again and len(tasks) >= self._most):
                    break
                if again:
                    idle.give(*again.popleft())
                    continue
                found = next(source, None)
                if found is None:
                    open_ = False
                    break
                number, (task, items) = found
                tasks[number] = task
                idle.give(number, items)
            if turn in answers:
                yield tasks.pop(turn), answers.pop(turn)
                turn += 1
            elif not tasks:
                return
            else:
                self._receive(answers, again)

    def _receive(
        self, answers: dict[int, list[Answer]], again: deque[tuple[int, Sequence[Item]]]
    ) -> None:
        waiting = {one.pipe: place for place, one in enumerate(self._processes)}
        for pipe in connection.wait(list(waiting)):
            place = waiting[pipe]  # type: ignore[index]
            one = self._processes[place]
            try:
                number, answer = one.pipe.recv()
            except _DEAD:
                self._bury(place, answers, again)
                continue
            one.given.popleft()
            answers[number] = [answer]
            self._lost = 0

    def _bury(
        self,
        place: int,
        answers: dict[int, list[Answer]],
        again: deque[tuple[int, Sequence[Item]]],
    ) -> None:
        """Replace a dead process. Answers come in order, so it died of the first of its chunks."""
        dead = self._processes[place]
        dead.end()
        self._processes[place] = self._start()
        self._processes[place].settle()
        if dead.given:
            number, items = dead.given.popleft()
            again.extendleft(reversed(dead.given))
            answers[number] = self._rescued(items)

    def _rescued(self, items: Sequence[Item]) -> list[Answer]:
        """Answers of a chunk that has killed a process, less the record that kills."""
        answer = self._alone(items)
        if answer is not None:
            return answer
        if len(items) > 1:
            half = len(items) // 2
            return self._rescued(items[:half]) + self._rescued(items[half:])
        self._lost += 1
        answer = self._alone([lost(items[0])]) if self._lost <= _DEATHS_IN_A_ROW else None
        if answer is None:
            raise UsageError(
                Fault(
                    "--workers",
                    "every process dies, whatever it is given",
                    "leave them more memory, or use fewer",
                )
            )
        return answer

    def _alone(self, items: Sequence[Item]) -> list[Answer] | None:
        """The answer of a process that gets nothing else; None where it dies."""
        one = self._start()
        self._processes.append(one)  # so that an interruption ends it too
        try:
            one.settle()
            one.give(0, items)
            return [one.pipe.recv()[1]]
        except _DEAD:
            return None
        finally:
            self._processes.remove(one)
            one.end()


def _serve(pipe: Connection, other: Connection, make: Any, options: WorkOptions, us: int) -> None:
    """A process's life: build an engine, then answer chunks until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    other.close()
    try:
        handle = make(options)
    except IvpushError as error:
        pipe.send(error)
        return
    gc.collect()
    gc.freeze()  # the engine stays; nobody need look at it again
    gc.set_threshold(_ALLOCATIONS, 10, 10)
    pipe.send(handle.stamp)
    inbox: queue.SimpleQueue[tuple[int, Sequence[Item]]] = queue.SimpleQueue()
    # A chunk is taken off the pipe while another is worked on, so that neither end ever waits for
    # the other to read.
    threading.Thread(target=_listen, args=(pipe, inbox, us), daemon=True).start()
    while True:
        number, items = inbox.get()
        answer = handle(items)
        try:
            pipe.send((number, answer))
        except _DEAD:
            return


def _listen(pipe: Connection, inbox: Any, parent: int) -> None:
    """Feed the inbox; end the process once its parent is gone, however that went."""
    try:
        while True:
            if pipe.poll(1.0):
                inbox.put(pipe.recv())
            elif os.getppid() != parent:
                break
    except _DEAD:
        pass
    os._exit(0)
