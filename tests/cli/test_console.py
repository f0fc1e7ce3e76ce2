"""One way to say something: a line on stderr, whole also while something stands at the terminal's foot."""

from __future__ import annotations

import pytest

from standout.cli.console import progress_bar, said_above, say


def test_a_sentence_is_a_line_with_the_program_s_name(capsys: pytest.CaptureFixture[str]) -> None:
    say("nothing was [bold]written[/bold].")
    assert capsys.readouterr() == ("", "standout: nothing was [bold]written[/bold].\n")


def test_in_a_file_there_is_no_bar_but_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Working", unit="images/s", at_once=True) as move:
        move(1, 3)
        say("`a.jpg` failed.")
        move(3, 3, "note")
    assert capsys.readouterr() == ("", "standout: `a.jpg` failed.\n")


def test_on_a_terminal_a_sentence_stands_above_the_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    long = "x" * 150
    with progress_bar("Working") as move:
        say("before there is a bar.")
        move(1, 3, "loss 0.5")
        say(f"{long} [1/2].")
    shown = capsys.readouterr().err
    assert shown.startswith("standout: before there is a bar.\n")
    assert "Working" in shown and "1/3" in shown and "loss 0.5" in shown
    assert f"standout: {long} [1/2].\n" in shown, "neither wrapped nor taken for markup"


def test_who_holds_the_foot_of_the_terminal_gets_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    with said_above(lines.append):
        say("one.")
    say("two.")
    assert lines == ["standout: one.\n"] and capsys.readouterr().err == "standout: two.\n"
