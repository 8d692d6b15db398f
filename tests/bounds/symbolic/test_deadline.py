"""Limits of time, one inside another."""

import signal
import sys
import time

import pytest

from bounds.symbolic.deadline import Deadline


def wait(seconds):
    """Do nothing for so long, in steps that an alarm can end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_time_inside_counts_outside():
    """What blocks inside use up is used up of the limit around them."""
    with pytest.raises(TimeoutError, match=r"within 0.2 s"), Deadline(0.2):
        for _ in range(20):
            with Deadline(5.0):
                wait(0.03)


def test_a_limit_ends_a_longer_one_inside_it():
    """The block inside ends when the time of the one around it is over, and so does that one."""
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"within 0.1 s"), Deadline(0.1):
        try:
            with Deadline(30.0):
                wait(20.0)
        except TimeoutError:
            wait(20.0)
    assert time.monotonic() - started < 10


def test_a_limit_leaves_nothing_behind():
    """After the block there is no alarm, and one that was set before is set again with its repeats."""
    with Deadline(5.0):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    with Deadline(5.0):
        with Deadline(1.0):
            pass
        left, again = signal.getitimer(signal.ITIMER_REAL)
        assert 1.0 < left <= 5.0 and again > 0


def test_an_alarm_where_nothing_can_be_raised_is_not_talked_about(capfd):
    """One that goes off while an object is finalised is swallowed there in silence, and rings again."""

    class Slow:
        def __del__(self):
            wait(0.3)

    with pytest.raises(TimeoutError), Deadline(0.1):
        Slow()
        wait(20.0)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("step", ["__enter__", "__exit__"])
def test_an_alarm_between_limit_and_block_leaves_nothing_behind(step):
    """One that rings on any line of setting a limit up or of taking it down leaves no alarm and the handler as it was."""
    before, seen = signal.getsignal(signal.SIGALRM), []

    def ring(frame, event, _):
        if frame.f_code is getattr(Deadline, step).__code__:
            seen.append(event)
            if signal.getsignal(signal.SIGALRM) is not before:
                signal.raise_signal(signal.SIGALRM)
            return ring
        return None

    sys.settrace(ring)
    try:
        with Deadline(60.0):
            pass
    finally:
        sys.settrace(None)
    assert seen.count("line") > 5
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0) and signal.getsignal(signal.SIGALRM) == before
