import contextlib
import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, TiffImagePlugin

from gaze.errors import PhotoError
from gaze.photo import decoder
from gaze.photo import portrait as module
from gaze.photo.portrait import Portrait, load_portrait
from tests.conftest import ROOT
from trials import corpus, gamuts, oddities


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


@pytest.fixture
def scene() -> Image.Image:
    """Red top left, green top right, blue below: tells orientation and colours apart."""
    image = Image.new("RGB", (120, 160), (0, 0, 200))
    image.paste((200, 0, 0), (0, 0, 60, 80))
    image.paste((0, 200, 0), (60, 0, 120, 80))
    return image


def assert_upright(portrait: Portrait, tolerance: int = 12) -> None:
    height, width = portrait.image.shape[:2]
    corners = [portrait.image[y, x] for y, x in ((9, 9), (9, width - 9), (height - 9, 9))]
    expected = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    assert np.abs(np.array(corners, int) - expected).max() <= tolerance


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "GIF"])
def test_common_formats(scene: Image.Image, format: str) -> None:
    assert_upright(load_portrait(encoded(scene, format)))


def test_heic() -> None:
    """A real HEIC file; see tests/data/README.md."""
    portrait = load_portrait(ROOT / "tests" / "data" / "scene.heic")
    assert_upright(portrait, tolerance=25)


@pytest.mark.parametrize("seed", [190, 325])
def test_a_heic_file_on_which_the_decoder_ends_its_process(seed: int) -> None:
    with pytest.raises(PhotoError, match="damaged or cut off"):
        load_portrait(corpus.flipped(corpus.HEIC.read_bytes(), seed))
    assert load_portrait(corpus.HEIC).width == 256


TURNED = {
    1: [],
    2: [Image.Transpose.FLIP_LEFT_RIGHT],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


@pytest.mark.parametrize("orientation", TURNED)
def test_a_phone_photo_is_turned_upright(scene: Image.Image, orientation: int) -> None:
    stored = scene
    for turn in TURNED[orientation]:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_upright(load_portrait(encoded(stored, "JPEG", exif=exif, quality=95)))


def test_transparency_is_kept_over_white(scene: Image.Image) -> None:
    scene.putalpha(0)
    portrait = load_portrait(encoded(scene, "PNG"))
    assert portrait.image.min() == 255
    assert portrait.alpha is not None
    assert portrait.alpha.shape == (160, 120)
    assert portrait.alpha.max() == 0


def test_a_cut_out_keeps_its_edge(scene: Image.Image) -> None:
    matte = Image.linear_gradient("L").resize(scene.size)
    scene.putalpha(matte)
    for format in ("PNG", "WEBP", "TIFF"):
        portrait = load_portrait(encoded(scene, format, lossless=True))
        assert portrait.alpha is not None
        assert np.array_equal(portrait.alpha, np.asarray(matte)), format


def test_an_opaque_alpha_channel_changes_nothing(scene: Image.Image) -> None:
    portrait = load_portrait(encoded(scene.convert("RGBA"), "PNG"))
    assert_upright(portrait)
    assert portrait.notes == ()
    assert portrait.alpha is None


def test_palette_with_transparency(scene: Image.Image) -> None:
    palette = scene.quantize(8)
    palette.info["transparency"] = int(palette.getpixel((9, 9)))  # type: ignore[arg-type]
    portrait = load_portrait(encoded(palette, "PNG", transparency=palette.info["transparency"]))
    assert tuple(portrait.image[9, 9]) == (255, 255, 255)
    assert tuple(portrait.image[9, 110]) == (0, 200, 0)


def test_cmyk(scene: Image.Image) -> None:
    assert_upright(load_portrait(encoded(scene.convert("CMYK"), "JPEG", quality=98)), tolerance=20)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey(mode: str) -> None:
    image = Image.new("L", (100, 100), 0)
    image.paste(255, (50, 0, 100, 100))
    portrait = load_portrait(encoded(image.convert(mode), "PNG"))
    assert portrait.image[50, 20].tolist() == [0, 0, 0]
    assert portrait.image[50, 80].tolist() == [255, 255, 255]


def test_sixteen_bit_grey_keeps_its_brightness() -> None:
    deep = np.linspace(0, 65535, 100 * 100).reshape(100, 100).astype(np.uint16)
    portrait = load_portrait(encoded(Image.fromarray(deep), "PNG"))
    assert np.abs(portrait.image[..., 0].astype(float) - deep / 257).max() <= 1


@pytest.mark.parametrize("format", ["MPO", "TIFF"])
def test_pictures_beside_the_main_one_are_no_animation(scene: Image.Image, format: str) -> None:
    other = Image.new("RGB", scene.size, "white")
    portrait = load_portrait(encoded(scene, format, save_all=True, append_images=[other]))
    assert_upright(portrait)
    assert portrait.notes == ()


def test_damaged_exif_data_say_nothing_about_the_picture() -> None:
    for photo in oddities.damaged_exif(range(30)):
        assert max(load_portrait(photo).image.shape) == 256


def test_an_animation_gives_its_first_frame(scene: Image.Image) -> None:
    other = Image.new("RGB", scene.size, "white")
    for format in ("GIF", "WEBP", "PNG"):
        portrait = load_portrait(encoded(scene, format, save_all=True, append_images=[other]))
        assert_upright(portrait)
        assert "first frame" in portrait.notes[0]


@pytest.mark.parametrize("gamut", gamuts.GAMUTS)
def test_a_wide_gamut_picture_is_brought_to_srgb(gamut: str) -> None:
    wide = gamuts.in_profile(corpus.face(), gamut)
    for stored in (wide, wide.quantize(250)):
        portrait = load_portrait(encoded(stored, "PNG", icc_profile=gamuts.profile(gamut)))
        assert np.abs(portrait.image.astype(int) - np.asarray(corpus.face())).mean() < 6


def test_a_profile_of_no_use_is_passed_over(scene: Image.Image) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    broken = encoded(scene, "PNG", icc_profile=profile.tobytes())
    assert_upright(load_portrait(broken))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert_upright(load_portrait(encoded(scene, "PNG", icc_profile=srgb)))


@pytest.mark.parametrize(
    ("size", "becomes"), [((6240, 4160), (6240, 4160)), ((6000, 5000), (3000, 2500)), ((10900, 10900), (2725, 2725))]
)
def test_a_photo_is_kept_as_it_is_up_to_what_cameras_give(size: tuple[int, int], becomes: tuple[int, int]) -> None:
    portrait = load_portrait(encoded(Image.new("L", size, 90), "JPEG"))
    assert (portrait.width, portrait.height) == becomes
    assert 89 <= portrait.image.min() <= portrait.image.max() <= 91


def test_arrays_and_pillow_images_are_taken(scene: Image.Image) -> None:
    assert_upright(load_portrait(scene))
    assert_upright(load_portrait(np.asarray(scene)))
    assert_upright(load_portrait(io.BytesIO(encoded(scene, "PNG"))))


BAD = {
    "empty": (b"", "empty"),
    "text": (b"this is no picture", "not a picture"),
    "html": (b"<!doctype html><img src=x>", "a web page"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\n", "a PostScript drawing"),
    "pdf": (b"%PDF-1.7\n", "This is a PDF document, not a picture. Use a JPEG"),
    "mp4": (b"\0\0\0\x20ftypisom\0\0\2\0", "This is a video, not a picture"),
    "webm": (b"\x1aE\xdf\xa3\x9fB\x86\x81", "This is a video"),
    "docx": (b"PK\3\4\x14\0", "an office document"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_refused_with_advice(name: str) -> None:
    data, words = BAD[name]
    with pytest.raises(PhotoError, match=words):
        load_portrait(data)


@pytest.mark.parametrize("name", corpus.plain())
def test_flipped_bits_give_a_portrait_or_advice(name: str) -> None:
    for seed in range(12):  # trials/pictures has a thousand
        with contextlib.suppress(PhotoError):
            assert load_portrait(corpus.flipped(corpus.plain()[name], seed)).image.dtype == np.uint8


@pytest.mark.parametrize(
    ("format", "mode", "millions"),
    [
        ("JPEG", "RGB", 120),
        ("PNG", "RGB", 45),
        ("PNG", "RGBA", 26),
        ("AVIF", "RGB", 20),
        ("WEBP", "RGB", 20),
    ],
)
def test_decoders_that_take_less_or_more_memory_have_other_limits(
    scene: Image.Image, format: str, mode: str, millions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = int((millions * 1e6) ** 0.5) + 1
    monkeypatch.setattr(ImageFile.ImageFile, "size", (side, side))
    with pytest.raises(decoder.RefusedError, match=f"more than {millions} million"):
        decoder.decode(encoded(scene.convert(mode), format), 10**9)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "I;16"])
def test_a_large_picture_is_reduced_before_it_is_copied(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    large = Image.new("L", (4200, 600), 255).convert(mode) if mode != "I;16" else Image.new(mode, (4200, 600), 65535)
    made: list[tuple[int, int]] = []

    def upright(image: Image.Image) -> Image.Image:
        made.append(image.size)
        return image

    monkeypatch.setattr(decoder, "_upright", upright)
    picture = decoder.decode(encoded(large, "PNG"), 2_000_000)
    assert made == [(2100, 300)]
    assert (picture.width, picture.height) == (2100, 300)
    assert all(min(rgb) == 255 for rgb, _ in picture.rows)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_that_was_cut_off_is_refused(scene: Image.Image, format: str, share: float) -> None:
    noisy = Image.fromarray(np.random.default_rng(1).integers(0, 255, (160, 120, 3), np.uint8))
    data = encoded(noisy, format)
    with pytest.raises(PhotoError, match=r"cut off|not a picture"):
        load_portrait(data[: int(len(data) * share)])


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    bomb = bytearray(encoded(Image.new("1", (64, 64)), "PNG"))
    bomb[16:24] = (30000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    with pytest.raises(PhotoError, match="45 million pixels"):
        load_portrait(bytes(bomb))


def test_a_tiny_picture_is_refused_with_its_size() -> None:
    with pytest.raises(PhotoError, match="40 × 200"):
        load_portrait(encoded(Image.new("RGB", (40, 200)), "PNG"))


def test_the_hosts_own_pillow_reads_as_before(photo: Path) -> None:
    before = Image.OPEN.copy(), TiffImagePlugin.ImageFileDirectory_v2.load
    load_portrait(corpus.HEIC)
    load_portrait(photo)
    assert (before[0], before[1]) == (Image.OPEN, TiffImagePlugin.ImageFileDirectory_v2.load)
    assert "HEIF" not in Image.OPEN


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "I;16", "CMYK", "HSV", "YCbCr"])
def test_pillow_images_of_any_mode_look_as_they_do(scene: Image.Image, mode: str) -> None:
    deep = np.asarray(scene.convert("L")).astype(np.uint16) * 257
    picture = Image.fromarray(deep) if mode == "I;16" else scene.convert(mode)
    wanted = np.asarray((scene.convert("L") if mode == "I;16" else picture).convert("RGB"), int)
    assert np.abs(load_portrait(picture).image.astype(int) - wanted).max() <= 20


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    path = tmp_path / "huge.jpg"
    path.write_bytes(b"\xff\xd8" + bytes(2**20))
    for photo in (path, path.read_bytes(), path.open("rb")):
        with pytest.raises(PhotoError, match="larger than 1 MB"):
            load_portrait(photo)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(PhotoError, match=r"no file nowhere\.jpg"):
        load_portrait("nowhere.jpg")


def test_an_array_of_another_kind_is_refused_with_its_shape() -> None:
    with pytest.raises(PhotoError, match=r"float64 of shape \(9, 9\)"):
        load_portrait(np.zeros((9, 9)))


DEEP = np.linspace(0, 1, 100 * 100).reshape(100, 100)
GREYS: dict[str, np.ndarray] = {
    "16 bits": (DEEP * 65535).astype(np.uint16),
    "16 bits, white is 0": ((1 - DEEP) * 65535).astype(np.uint16),
    "32 bits": (DEEP * (2**32 - 1)).astype(np.uint32),
    "32 bits that hold 16": (DEEP * 65535).astype(np.uint32),
    "floating point": DEEP.astype(np.float32),
    "floating point of 8 bits": (DEEP * 255).astype(np.float32),
    "floating point, white is 0": (1 - DEEP).astype(np.float32),
    "floating point, one pixel beyond": np.where(DEEP == 1, 1e9, DEEP).astype(np.float32),
    "floating point, one pixel no number": np.where(DEEP == 0, np.nan, DEEP).astype(np.float32),
}


@pytest.mark.parametrize("name", GREYS)
def test_deep_greys_look_right(name: str) -> None:
    image = load_portrait(oddities.grey_tiff(GREYS[name], "white is 0" in name)).image
    assert np.abs(image[..., 0] - DEEP * 255).max() <= 1.01
    assert np.array_equal(image[..., 0], image[..., 2])


def test_twelve_bits_are_white_at_their_own_top() -> None:
    packed = np.full((64, 96), 0xFF, np.uint8)  # 64 pixels a row, each all ones
    assert load_portrait(oddities.grey_tiff(packed, bits=12, width=64)).image.min() == 255


def test_a_photo_that_cannot_be_looked_at_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PhotoError, match=r"/x{50,99} cannot be read: File name too long"):
        load_portrait("/" + 5000 * "x")

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(PhotoError, match=r"photo\.jpg cannot be read: Permission denied"):
        load_portrait(photo)
