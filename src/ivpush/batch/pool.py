"""Processes that work on chunks: answers in order, bounded work in flight, deaths survived.

``runner`` uses a ``crew``, which stays while it opens its outputs; ``check_many`` and frames use
``spread``. A process that dies is replaced. Its chunk is tried once more; if that ends in death
too, the chunk is halved until the record that kills stands alone, and that record is set aside.
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
Answer_co = TypeVar("Answer_co", covariant=True)
Task = TypeVar("Task")
Chunks = Iterable[tuple[Task, Sequence[Item]]]

_DEATHS_IN_A_ROW = 20
"""More lost records than this without a single success: the fault lies not with the records."""
_STARTS = 3
"""Times that a process is started before its engine stands; a shortage of memory may pass."""
_ALLOCATIONS = 20_000
"""New objects before a process looks for rings among them: checks leave none behind."""
_DEAD = (EOFError, ConnectionError, OSError)


class Handler(Protocol[Answer_co]):
    """What works on chunks once its engine is built."""

    @property
    def stamp(self) -> Any:
        """What the one who hands out the chunks must know of it; plain data."""

    def __call__(self, items: Sequence[Item]) -> Answer_co:
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
    with crew(make, options, workers=workers, method=method) as team:
        yield from team.map(chunks)


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
    """One process, our end of its pipe, and the chunks it has in hand."""

    def __init__(self, context: Any, make: Any, options: WorkOptions) -> None:
        ours, theirs = context.Pipe()
        self.pipe: Connection = ours
        self.chunks: deque[tuple[int, Sequence[Item]]] = deque()
        self.process = context.Process(
            target=_serve, args=(theirs, ours, make, options, os.getpid()), daemon=True
        )
        self.process.start()
        # Ours alone to hold: else the pipe would not break when the process dies.
        theirs.close()

    def settle(self) -> Any:
        """Wait until its engine stands, once; raises what building it raised, gives its stamp.

        Raises _KilledError where it was killed meanwhile, UsageError where it ended by itself.
        """
        try:
            answer = self.pipe.recv()
        except _DEAD:
            self.process.join()
            # The system ended it; what ends by itself would do so again.
            if self.process.exitcode is not None and self.process.exitcode < 0:
                raise _KilledError from None
            raise _unstartable() from None
        if isinstance(answer, IvpushError):
            raise answer
        return answer

    def give(self, number: int, items: Sequence[Item]) -> None:
        """Hand it a chunk; a process that has died in the meantime is noticed on receiving."""
        self.chunks.append((number, items))
        try:
            self.pipe.send((number, items))
        except _DEAD:
            return

    def end(self) -> None:
        """End it at once."""
        # Not terminate: a process that is stopped would not act on it.
        self.process.kill()
        self.process.join()
        self.pipe.close()


class _KilledError(Exception):
    """The system ended a process before its engine stood."""


def _unstartable() -> UsageError:
    problem = "a process could not be started"
    remedy = (
        "use fewer, or leave it more memory; a script that starts them needs "
        "if __name__ == '__main__'"
    )
    return UsageError(Fault("workers", problem, remedy))


class _Flight(Generic[Task, Answer]):
    """The chunks of one ``map``: those to come, those in work, and answers before their turn."""

    def __init__(self, chunks: Chunks[Task]) -> None:
        self._source = enumerate(chunks)
        self.open = True
        """Whether there may be further chunks."""
        self.tasks: dict[int, Task] = {}
        """Tasks whose answers have not been handed on, by the number of their chunk."""
        self.again: deque[tuple[int, Sequence[Item]]] = deque()
        """Chunks that a dead process had in hand."""
        self.answers: dict[int, list[Answer]] = {}

    def next_chunk(self) -> tuple[int, Sequence[Item]] | None:
        """The next chunk to work on, with its number; None: the last one is in work."""
        if self.again:
            return self.again.popleft()
        numbered = next(self._source, None)
        if numbered is None:
            self.open = False
            return None
        number, (task, items) = numbered
        self.tasks[number] = task
        return number, items


class Pool(Generic[Answer]):
    """A number of processes that each build their engine once.

    ::

        with Pool(Worker, options, workers=4) as pool:
            for task, answers in pool.map(chunks):
                ...
    """

    def __init__(
        self,
        make: Make[Answer],
        options: WorkOptions,
        workers: int,
        method: str = "spawn",
    ) -> None:
        self._make, self._options = make, options
        self._context = multiprocessing.get_context(method)
        # One chunk in work and one in waiting for each process.
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
            self._stamps = [self._settled(place) for place in range(len(self._processes))]
        return self._stamps[0]

    def _settled(self, place: int) -> Any:
        """The stamp of the process at a place, which is replaced if it is killed as it starts."""
        for _ in range(_STARTS):
            try:
                return self._processes[place].settle()
            except _KilledError:
                self._processes[place].end()
                self._processes[place] = self._start()
        raise _unstartable()

    def __exit__(self, *_exception: object) -> None:
        for process in self._processes:
            process.end()
        self._processes = []

    def _start(self) -> _Process:
        return _Process(self._context, self._make, self._options)

    def map(self, chunks: Chunks[Task]) -> Generator[tuple[Task, list[Answer]]]:
        """Answers in the order of the chunks, with at most two chunks a process in flight."""
        self.settle()
        flight = _Flight[Task, Answer](chunks)
        turn = 0
        while True:
            self._hand_out(flight)
            if turn in flight.answers:
                yield flight.tasks.pop(turn), flight.answers.pop(turn)
                turn += 1
            elif not flight.tasks:
                return
            else:
                self._receive(flight)

    def _hand_out(self, flight: _Flight[Task, Answer]) -> None:
        """Give every process up to two chunks: one to work on, and one for when it is done."""
        while flight.open or flight.again:
            idle = min(self._processes, key=lambda process: len(process.chunks))
            full = len(idle.chunks) > 1
            # Answers that wait for their turn count as in flight, else they would fill the memory.
            if full or (not flight.again and len(flight.tasks) >= self._most):
                return
            chunk = flight.next_chunk()
            if chunk is not None:
                idle.give(*chunk)

    def _receive(self, flight: _Flight[Task, Answer]) -> None:
        """Wait until some process answers or dies, and take all that have come."""
        ready = connection.wait([process.pipe for process in self._processes])
        for place, process in enumerate(list(self._processes)):
            if process.pipe not in ready:
                continue
            try:
                number, answer = process.pipe.recv()
            except _DEAD:
                self._bury(place, flight)
                continue
            process.chunks.popleft()
            flight.answers[number] = [answer]
            self._lost = 0

    def _bury(self, place: int, flight: _Flight[Task, Answer]) -> None:
        """Replace a dead process. Answers come in order, so it died of the first of its chunks."""
        dead = self._processes[place]
        dead.end()
        self._processes[place] = self._start()
        # Its engine must stand before it is given work, so that another death is noticed here.
        self._settled(place)
        # It may have died with nothing in hand, which costs no record.
        if dead.chunks:
            number, items = dead.chunks.popleft()
            flight.again.extendleft(reversed(dead.chunks))
            flight.answers[number] = self._rescued(items)

    def _rescued(self, items: Sequence[Item]) -> list[Answer]:
        """Answers of a chunk that has killed a process, less the record that kills."""
        answer = self._alone(items)
        if answer is not None:
            return answer
        if len(items) > 1:
            half = len(items) // 2
            return self._rescued(items[:half]) + self._rescued(items[half:])
        self._lost += 1
        # A record set aside instead: if that kills too, the record was not to blame.
        answer = self._alone([lost(items[0])]) if self._lost <= _DEATHS_IN_A_ROW else None
        if answer is None:
            raise UsageError(
                Fault(
                    "workers",
                    "every process dies, whatever it is given",
                    "leave them more memory, or use fewer",
                )
            )
        return answer

    def _alone(self, items: Sequence[Item]) -> list[Answer] | None:
        """The answer of a process that gets nothing else; None where it dies."""
        self._processes.append(self._start())  # so that an interruption ends it too
        place = len(self._processes) - 1
        try:
            self._settled(place)
            process = self._processes[place]
            process.give(0, items)
            _, answer = process.pipe.recv()
            return [answer]
        except _DEAD:
            return None
        finally:
            self._processes.pop().end()


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
