import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from gaze import __version__
from gaze.__main__ import COMMANDS, main
from gaze.face import detection
from gaze.face.confidence import DOUBTFUL, SURE
from gaze.output.pack_reader import read_pack
from gaze.photo.portrait import Portrait
from gaze.pipeline import key_plan

QUICK = ["--size", "4", "--frame-size", "128"]


def test_it_makes_a_folder_that_opens(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main([str(photo), "-o", str(out), *QUICK]) == 0
    assert json.loads((out / "metadata.json").read_text())["gridSize"] == 4
    assert f"{out / 'index.html'}: made with the warp engine." in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [out]


def test_one_of_several_faces_can_be_chosen(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(photo), "-o", str(tmp_path / "out"), "--face", "1", *QUICK]) == 1
    assert "There is no face number 1" in capsys.readouterr().err


def test_a_face_whose_eyes_are_hard_to_see_is_taken_anyway(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, portrait: Portrait
) -> None:
    doubted = replace(detection.find_faces(portrait)[0], confidence=(DOUBTFUL + SURE) / 2)
    monkeypatch.setattr(detection, "find_faces", lambda _: [doubted])
    arguments = [str(photo), "-o", str(tmp_path / "out"), *QUICK]
    assert main(arguments) == 1
    assert "hard to see" in (told := capsys.readouterr().err)
    assert told.endswith("To use it anyway, add --anyway.\n")
    assert not (tmp_path / "out").exists()
    assert main([*arguments, "--anyway"]) == 0
    assert (tmp_path / "out" / "index.html").exists()


def test_the_number_of_keys_can_be_chosen(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(photo), "-o", str(tmp_path / "out"), "--size", "10", "--frame-size", "128"]
    assert main([*arguments, "--no-sheets", "--keys", "5"]) == 0
    motion = read_pack(tmp_path / "out" / "gaze.pack").motion
    assert motion
    assert len(motion.looks) == 5
    assert main([*arguments, "--keys", "6", "--overwrite"]) == 1
    assert "keys per side is 6" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "--keys", "few"])
    assert "“few” is neither auto nor" in capsys.readouterr().err


def test_the_background_can_be_removed(green_photo: Path, green_network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([str(green_photo), "-o", str(out), "-q", "--remove-background", "--matting", "finest", *QUICK]) == 0
    assert json.loads((out / "metadata.json").read_text())["hasAlpha"]


def test_what_was_rendered_can_be_continued_from(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_plan, "_SLOW", 0.0)
    arguments = [str(photo), "--size", "10", "--frame-size", "128"]
    assert main([*arguments, "-o", str(tmp_path / "five"), "-q", "--keys", "5"]) == 0
    again = [*arguments, "-o", str(tmp_path / "nine"), "--keys", "9", "--continue", str(tmp_path / "five")]
    assert main([*again, "--eyes", "0.5"]) == 1
    assert "five cannot be continued: its frames were made" in capsys.readouterr().err
    assert not (tmp_path / "nine").exists()
    assert main(again) == 0
    assert "30 rendered frames of an earlier portrait were reused" in capsys.readouterr().out


def test_sheets_can_be_left_out_and_made_later(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main([str(photo), "-o", str(out), "-q", "--no-sheets", *QUICK]) == 0
    assert not list(out.glob("q*.webp"))
    assert main(["sheets", str(out), "-q", "--sheet-size", "100"]) == 0
    assert len(list(out.glob("q*.webp"))) == 4
    assert json.loads((out / "metadata.json").read_text())["imageWidth"] == 100
    assert main(["check", str(out), "--morph"]) == 0
    told = capsys.readouterr().out
    assert "nothing is wrong" in told
    assert re.search(r"eyes of 16 morphs .* 0\.9\d+ on average", told)
    assert main(["sheets", str(tmp_path)]) == 1


def test_it_makes_a_zip(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "face.zip"
    assert main([str(photo), "-o", str(out), "-q", *QUICK]) == 0
    assert "gaze-portrait/index.html" in zipfile.ZipFile(out).namelist()
    assert list(tmp_path.iterdir()) == [out]


def test_quiet_prints_nothing(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(photo), "-o", str(tmp_path / "out"), "-q", *QUICK]) == 0
    assert capsys.readouterr() == ("", "")


def test_an_earlier_portrait_is_replaced_only_when_asked(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(photo), "-o", str(tmp_path / "out"), "-q", *QUICK]
    assert main(arguments) == 0
    (tmp_path / "out" / "mark").touch()
    assert main(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "out" / "mark").exists()
    assert main([*arguments, "--overwrite"]) == 0
    assert not (tmp_path / "out" / "mark").exists()


def test_a_folder_of_other_things_is_never_replaced(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "thesis.txt").touch()
    monkeypatch.setattr("gaze.commands.make.generate", lambda *_: pytest.fail("that is told before the work"))
    assert main([str(photo), "-o", str(tmp_path), "-q", "--overwrite", *QUICK]) == 1
    assert "something other" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize("name", ["a" * 300, "file/out", "file"])
def test_a_place_that_cannot_be_written_is_told_in_one_line(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "file").touch()
    assert main([str(photo), "-o", str(tmp_path / name), "-q", "--overwrite", *QUICK]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"gaze: {tmp_path / name} cannot be written: ")
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.jpg"], "no file missing.jpg"),
        (["."], "is a folder"),
        (["PHOTO", "--size", "5"], "is 5"),
        (["PHOTO", "--eyes", "3"], "is 3"),
    ],
)
def test_what_cannot_be_done_ends_with_one_line_and_status_1(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    filled = [str(photo) if argument == "PHOTO" else argument for argument in arguments]
    assert main([*filled, "-o", str(tmp_path / "out"), "-q"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("gaze: ")
    assert error.count("\n") == 1
    assert words in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file/out", "file/deeper/out"])
def test_a_place_that_cannot_be_written_is_told_in_words(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (tmp_path / "file").touch()
    assert main([str(photo), "-o", str(tmp_path / place), "-q"]) == 1
    assert f"{tmp_path / place} cannot be written: " in capsys.readouterr().err


def test_an_expression_that_the_engine_cannot_change_is_told(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(photo), "-o", str(tmp_path / "out"), "--engine", "warp", "--smile", "1", *QUICK]) == 0
    assert "only LivePortrait changes it" in capsys.readouterr().out


def test_what_it_makes_can_be_checked(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    main([str(photo), "-o", str(out), "-q", *QUICK])
    assert main(["check", str(out)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    (out / "gaze.pack").write_bytes((out / "gaze.pack").read_bytes()[:-1])
    assert main(["check", str(out), "-q"]) == 1
    assert capsys.readouterr().err.startswith(f"gaze: {out / 'gaze.pack'}: ")


def test_sheets_can_be_packed(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    main([str(photo), "-o", str(out), "-q", *QUICK])
    (out / "gaze.pack").unlink()
    assert main(["pack", str(out)]) == 0
    assert "gaze.pack" in capsys.readouterr().out
    assert main(["check", str(out), "-q"]) == 0
    assert main(["pack", str(out), "--quality", "0"]) == 1
    assert "quality is 0" in capsys.readouterr().err
    assert main(["pack", str(tmp_path), "-q"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "gaze", *arguments], capture_output=True, text=True, check=False)


def test_wrong_arguments_end_with_status_2() -> None:
    done = run("photo.jpg")
    assert done.returncode == 2
    assert "-o" in done.stderr


def test_help_and_version() -> None:
    assert "follows the pointer" in " ".join(run("--help").stdout.split())
    assert "check FOLDER" in " ".join(run("--help").stdout.split())
    assert "docs/format.md" in run("check", "--help").stdout
    assert "without rendering" in " ".join(run("pack", "--help").stdout.split())
    assert run("--version").stdout.strip() == f"gaze {__version__}"


@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent as on POSIX systems")
def test_an_interrupt_ends_with_status_130_and_leaves_nothing(photo: Path, tmp_path: Path) -> None:
    code = (
        "import signal, sys, gaze.__main__ as m, gaze.pipeline.making as p; pack = p._pack\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # which background jobs of a shell ignore\n"
        "def interrupted(*a):\n    signal.raise_signal(signal.SIGINT); yield from pack(*a)\n"
        f"p._pack = interrupted; sys.exit(m.main([{str(photo)!r}, '-o', {str(tmp_path / 'out')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "interrupted" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["check", "pack", "sheets", "clip"])
def test_an_interrupted_command_says_so(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(COMMANDS[command], "run", interrupted)
    assert main([command, str(tmp_path)]) == 130
    assert capsys.readouterr().err == "gaze: interrupted.\n"
