from gaze.output.validator import check
from gaze.ui import hero


def test_the_living_example_has_all_that_players_ask_for() -> None:
    folder = hero.folder()
    assert not check(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(hero.NAMES)
    assert hero.hero()["base"] == "gradio_api/gaze-hero/"
