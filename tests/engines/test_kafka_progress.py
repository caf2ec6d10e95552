"""What is done of a partition, and how it is written beside its offset: no broker is needed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from minionize.kafkaclient.progress import FRESH, ROOM, RUNNING, SEEN, Entry, Mark, Progress, Record

RECORD = Record("id", b"x", "")


def filled(count: int, start: int = 0) -> tuple[Progress, list[Entry]]:
    """A partition of which some records have come, all held."""
    progress = Progress(0, start)
    entries = [progress.arrive(start + n, RECORD) for n in range(count)]
    for entry in entries:
        assert entry is not None
        entry.held = True
    return progress, [entry for entry in entries if entry is not None]


def successor(progress: Progress, room: int = ROOM) -> Progress:
    """What another minion learns."""
    offset, note = progress.note({}, room)
    return Progress(0, offset, note)


def test_nothing_done_needs_no_words() -> None:
    progress, _ = filled(100, start=7)
    assert progress.note({}) == (7, "")


def test_all_done_needs_no_words() -> None:
    progress, entries = filled(100, start=7)
    progress.change(dict.fromkeys(entries))
    assert progress.note({}) == (107, "")


def test_what_is_done_out_of_order_is_remembered() -> None:
    progress, entries = filled(6)
    progress.change({entries[1]: None, entries[4]: None})
    again = successor(progress)
    assert list(again.open) == [0, 2, 3]
    assert again.position == 5
    came = [again.arrive(n, RECORD) for n in range(8)]
    assert [entry.offset for entry in came if entry] == [0, 2, 3, 5, 6, 7]


def test_changes_count_only_when_they_are_made() -> None:
    progress, entries = filled(2)
    assert progress.note({entries[0]: None})[0] == 1
    assert progress.note({})[0] == 0


def test_marks_survive() -> None:
    progress, entries = filled(3)
    mark = Mark(failed=3, crashed=1, state=SEEN, due=1795637338.5)
    progress.change({entries[1]: mark})
    assert successor(progress).open[1].mark == mark


def test_what_a_dead_minion_ran_has_crashed() -> None:
    progress, entries = filled(3)
    progress.change({entries[1]: Mark(failed=1, state=RUNNING)})
    again = successor(progress)
    again.take_over(None)
    assert [entry.mark for entry in again.open.values()][1] == Mark(1, 1, SEEN)
    assert again.open[0].mark.state == FRESH


def test_what_is_held_is_held_again_when_the_partition_comes_back() -> None:
    progress, entries = filled(4)
    progress.change({entries[0]: Mark(state=RUNNING), entries[1]: None})
    again = successor(progress)
    again.take_over(progress)
    assert again.open[0] is entries[0]
    assert again.open[0].mark == Mark(state=RUNNING), "it is no crash"
    assert [again.arrive(n, RECORD) for n in range(4)] == [None] * 4, "all others are held too, or done"


def test_what_another_has_done_meanwhile_is_lost() -> None:
    progress, entries = filled(2)
    again = Progress(0, 1)
    again.take_over(progress)
    assert list(again.open.values()) == [entries[1]]


def test_a_note_that_would_be_too_long_tells_the_first_of_it() -> None:
    progress, entries = filled(4000)
    progress.change(
        {
            entry: None if entry.offset % 2 else Mark(entry.offset % 7, 0, SEEN, 1e9 + entry.offset * 13.7)
            for entry in entries
        }
    )
    offset, note = progress.note({})
    assert (offset, len(note) <= ROOM) == (0, True)
    again = Progress(0, offset, note)
    assert 500 < again.position < 4000
    assert list(again.open) == list(range(0, again.position, 2))
    assert successor(progress, room=0).position == 0


def test_a_thousand_open_params_fit() -> None:
    progress, entries = filled(2000)
    progress.change({entry: None if entry.offset % 2 else Mark(state=RUNNING) for entry in entries})
    assert len(successor(progress).open) == 1000


def test_notes_of_others_say_nothing() -> None:
    for note in ("", "kafka-consumer-groups", "minionize1:", "minionize1:xyz", "minionize1:" + "z" * 100):
        progress = Progress(0, 5, note)
        assert (progress.position, progress.open) == (5, {})


def test_what_the_broker_deleted_is_gone_and_counted() -> None:
    progress, entries = filled(6)
    progress.change({entries[4]: None})
    again = successor(progress)
    again.expire(2)
    assert (list(again.open), again.gone) == ([2, 3], 2)
    assert again.arrive(5, RECORD) is not None, "2 and 3 did not come"
    assert (list(again.open), again.gone) == ([5], 4)


def test_records_for_others_are_passed_over() -> None:
    progress = Progress(0, 0)
    assert progress.arrive(0, None) is None
    assert progress.note({}) == (1, "")


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 2)), max_size=60), st.integers(0, 10**12))
def test_every_note_can_be_read(params: list[tuple[bool, int, int]], start: int) -> None:
    progress, entries = filled(len(params), start)
    marks = {
        entry: None if done else Mark(failed, 0, state)
        for entry, (done, failed, state) in zip(entries, params, strict=True)
    }
    progress.change(marks)
    again = successor(progress)
    came = [again.arrive(start + n, RECORD) for n in range(len(params))]
    assert [entry.offset for entry in came if entry] == [
        entry.offset for entry, mark in marks.items() if mark is not None
    ]
    assert [entry.mark for entry in came if entry] == [mark for mark in marks.values() if mark is not None]
