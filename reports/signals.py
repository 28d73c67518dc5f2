"""SIGINT, SIGTERM and SIGHUP end a run in good order: at a moment that bears it, and never unheard."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_SECONDS = 0.001


class Interrupts:
    """Raises KeyboardInterrupt on SIGINT, and once on SIGTERM or SIGHUP, until the signals are given back.

    Python raises it between any two instructions. There are some that do not bear it, and there it waits: while
    something is `held()` together (a file that was opened, and not yet bound to be closed); around a fork, where what
    is raised in its handlers (those registered before ours) is thrown away, as in a `__del__`; while a process is being
    started, which nobody would know of (it ends with a ResourceWarning and exit code 1); at an instruction without a
    line, of which pytest's account of the interrupt cannot tell (it ends with a TypeError and exit code 1); and in an
    old-style hook wrapper, as Hypothesis has one, of which pluggy warns (it ends with an internal error and exit code 3
    where warnings are errors).
    What was just opened and has no name yet is closed by nobody: that is no fault of a run that was interrupted, and
    where warnings are errors pytest would end it with exit code 1 for it.

    deaf: SIGTERM and SIGHUP are ignored from then on. reason: what the run was ended by, where that was one of these.
    A forked child of a test is no controller: it dies of the signals, as it would without us. They are held back
    meanwhile, since Python drops one that reaches a child before its interpreter is in order. A SIGINT that is ignored,
    as it is for a job in the background, stays so, and a SIGHUP, as under nohup.
    """

    def __init__(self) -> None:
        self.deaf = False
        self.reason = ""
        self._held = 0
        self._forking: set[int] = set()
        self._late: int | None = None
        self._old = {
            number: signal.signal(number, self._interrupted)
            for number in SIGNALS
            if number == signal.SIGTERM or signal.getsignal(number) in {signal.default_int_handler, signal.SIG_DFL}
        }
        os.register_at_fork(before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._in_child)

    def give_back(self) -> None:
        """Leave the signals to whoever had them before."""
        while self._old:
            number, old = self._old.popitem()
            signal.signal(number, old or signal.SIG_DFL)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is done in here is done whole, on the main thread; who interrupts it is heard at its end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if not self._held and self._late is not None:
                late, self._late = self._late, None
                self._interrupt(late)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        if self._held:
            self._late = number
        elif self._forking or not _bears_it(frame):
            self._again(number)
        else:
            self._interrupt(number)

    def _interrupt(self, number: int) -> None:
        if number != signal.SIGINT:
            if self.deaf:
                return
            # Once is enough: a second interrupt would break off the fixtures' clearing up.
            self.deaf = True
            self.reason = f"interrupted: {signal.Signals(number).name}"
        # Not given back: pytest looks for the last of these after that, and then does so itself.
        sys.unraisablehook = _told
        raise KeyboardInterrupt(self.reason)

    def _again(self, number: int) -> None:
        def send() -> None:
            time.sleep(AGAIN_SECONDS)
            signal.pthread_kill(threading.main_thread().ident or 0, number)

        # Whom we interrupted may hold the locks that threading itself starts a thread with.
        _thread.start_new_thread(send, ())

    def _before_fork(self) -> None:
        if self._old:
            self._forking.add(threading.get_ident())
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def _after_fork(self) -> None:
        if self._old:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            self._forking.discard(threading.get_ident())

    def _in_child(self) -> None:
        if self._old:
            self.give_back()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _told(unraisable: sys.UnraisableHookArgs) -> None:
    if not isinstance(unraisable.exc_value, ResourceWarning):
        sys.__unraisablehook__(unraisable)


_NAMED = {"__del__", "run_old_style_hookwrapper"}
_WHOLE = (Interrupts._after_fork.__code__, subprocess.Popen.__init__.__code__)  # noqa: SLF001
"""In the first the fork is over, and its handlers are not."""


def _bears_it(frame: FrameType | None) -> bool:
    """Tell whether every frame can say its line, and none is called by what does not bear it."""
    while frame is not None:
        if frame.f_lineno is None or frame.f_code in _WHOLE or frame.f_code.co_name in _NAMED:
            return False
        frame = frame.f_back
    return True
