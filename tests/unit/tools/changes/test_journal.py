"""Changes that are noted in a file of JSON lines."""

from datetime import timedelta
from pathlib import Path

from tests.fakes.shop import NOW
from tools.changes.journal import Journal
from tools.changes.port import ChangeKind, Scope
from tools.contract import Window

DAY = Scope(Window(NOW - timedelta(days=1), NOW))
LINE = '{"at": "2026-11-23T05:00:00Z", "title": "pool: 8 -> 4", "service": "payments", "environment": "production"}'


async def test_a_line_is_a_change_of_configuration_unless_it_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "changes.jsonl"
    file.write_text(
        f'{LINE}\n{{"at": "2026-11-23T05:30:00+01:00", "title": "flag on", "kind": "action", "by": "sam"}}\n'
    )
    known = await Journal(file).changes(DAY)
    assert [(one.kind, one.title, one.by) for one in known.occurrences] == [
        (ChangeKind.CONFIG, "pool: 8 -> 4", ""),
        (ChangeKind.ACTION, "flag on", "sam"),
    ]
    assert known.unchecked == ()


async def test_only_changes_of_what_is_asked_about_are_told(tmp_path: Path) -> None:
    file = tmp_path / "changes.jsonl"
    file.write_text(LINE + "\n")
    assert (await Journal(file).changes(Scope(DAY.window, "catalog"))).occurrences == ()
    assert (await Journal(file).changes(Scope(Window(NOW, NOW + timedelta(days=1))))).occurrences == ()


async def test_lines_that_cannot_be_read_are_named_and_the_others_count(tmp_path: Path) -> None:
    file = tmp_path / "changes.jsonl"
    file.write_text(f'oops\n{LINE}\n{{"at": "2026-11-23T05:00:00", "title": "no zone"}}\n')
    known = await Journal(file).changes(DAY)
    assert len(known.occurrences) == 1
    assert known.unchecked == ("journal changes.jsonl: 2 lines are no change with a time and a title",)


async def test_a_file_that_is_not_there_yet_has_no_changes(tmp_path: Path) -> None:
    assert (await Journal(tmp_path / "none.jsonl").changes(DAY)).occurrences == ()
