"""Real data without a download: source code as text, photographs and small images.

What scikit-learn loads itself (`load_digits`, ...) is used from there.
"""

import gzip
import hashlib
import os
import platform
import re
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from explainers import checks, resources

SPLITS = ("train", "validation")

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)

# tests are data more than code; the rest is not the standard library, or differs from
# machine to machine
_LEFT_OUT = re.compile(
    r"tests?|idle_test|lib2to3|(site|dist)-packages|config-3\..*|_sysconfigdata.*"
)


@dataclass(frozen=True)
class Corpus:
    """Bytes to train on, and bytes of other files to validate on.

    `name` says which Python it came from and holds a hash of both parts: results on two
    machines compare where the names are equal. Raises `TypeError` if a part is not a
    uint8 tensor, `ValueError` for another shape.
    """

    name: str
    train: UInt8[Tensor, " train"]
    validation: UInt8[Tensor, " validation"]

    def __post_init__(self) -> None:
        checks.instance("name", self.name, str)
        for name, part in (("train", self.train), ("validation", self.validation)):
            checks.tensor(name, part, ("length",), (torch.uint8,))


@cache
def standard_library() -> Corpus:
    """The source of this Python's standard library, about 12 MB.

    Files in the order of their paths, a zero byte between two. The hash of a path
    decides where the file goes, one in sixteen to validation; a file's copies are left
    out, so none is in both.
    """
    parts: dict[str, list[bytes]] = {split: [] for split in SPLITS}
    hashes = set()
    for path, text in _sources(Path(sysconfig.get_path("stdlib"))):
        content = hashlib.sha256(text).digest()
        if content in hashes or not text:
            continue
        hashes.add(content)
        chosen = hashlib.sha256(path.encode()).digest()[0] < 16
        parts["validation" if chosen else "train"].append(text)
    train, validation = (b"\0".join(parts[split]) for split in SPLITS)
    digest = hashlib.sha256(train + b"\0" + validation).hexdigest()[:8]
    name = f"standard library of Python {platform.python_version()}, {digest}"
    return Corpus(name, as_bytes(train), as_bytes(validation))


def as_bytes(text: str | bytes) -> UInt8[Tensor, " length"]:
    """Text, in UTF-8, as a uint8 tensor. Raises `TypeError` for other types."""
    checks.instance("text", text, str | bytes)
    raw = text.encode() if isinstance(text, str) else text
    return torch.from_numpy(np.frombuffer(raw, np.uint8).copy())


def as_text(text: Int[Tensor, " length"] | UInt8[Tensor, " length"]) -> str:
    """Bytes as text; invalid UTF-8 becomes a replacement sign.

    Raises `TypeError` if `text` is not an integer tensor, `ValueError` for numbers
    below 0 or above 255 and for another shape than (length,).
    """
    checks.tensor("text", text, ("length",), _INTEGERS)
    checks.within("text", text, 0, 255)
    return bytes(text.tolist()).decode(errors="replace")


def photograph_patches(
    patch_size: int, split: str = "train"
) -> Float[Tensor, "patches 3 size size"]:
    """Patches of scikit-learn's two photographs, side by side, values in [0, 1].

    The lower quarter of each picture is for validation. Raises `ValueError` for another
    split and for a patch that is larger than the picture, `TypeError` if `patch_size`
    is not an integer.
    """
    from sklearn.datasets import load_sample_images

    checks.one_of("split", split, SPLITS)
    patches = []
    for image in load_sample_images().images:
        picture = torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255
        line = picture.shape[1] * 3 // 4
        part = picture[:, :line] if split == "train" else picture[:, line:]
        checks.integer("patch_size", patch_size, least=1, most=min(part.shape[1:]))
        rows = part.unfold(1, patch_size, patch_size).unfold(2, patch_size, patch_size)
        patches.append(rows.flatten(1, 2).transpose(0, 1))
    return torch.cat(patches)


@dataclass(frozen=True)
class Images:
    """Grey pictures, 0 to 255, and the number of each one's class.

    Raises `TypeError` or `ValueError` for other types and shapes.
    """

    pixels: UInt8[Tensor, "images 28 28"]
    labels: UInt8[Tensor, " images"]

    def __post_init__(self) -> None:
        checks.tensor("pixels", self.pixels, ("images", 28, 28), (torch.uint8,))
        wanted = (len(self.pixels),)
        checks.tensor("labels", self.labels, wanted, (torch.uint8,), fit="pixels")


FASHION_CLASSES = (
    "T-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

_DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of dataset-fashion-mnist
_FASHION_FILES = {
    "train": (
        "train",
        "16d82e2b505296aa2b78bd5ea0992634f30419a4c97def7c907d154a35ac6157",
    ),
    "validation": (
        "t10k",
        "9f1ec356a747bfe4ebab3cfb722d3694c9ca737e2570f6f90cf31d7b6fd689d4",
    ),
}


@cache
def fashion_mnist(split: str = "train") -> Images:
    """Fashion-MNIST (Xiao et al., arXiv 1708.07747): 60,000 or 10,000 pictures.

    From Debian's package `dataset-fashion-mnist`, else by torchvision, which downloads
    it. Wherever the bytes are from, their hash is checked: `ValueError` if it differs,
    and for another split.
    """
    checks.one_of("split", split, SPLITS)
    stem, expected = _FASHION_FILES[split]
    folder = _DEBIAN if _DEBIAN.is_dir() else _torchvision_folder()
    pixels = _idx(folder, f"{stem}-images-idx3-ubyte", 16)
    labels = _idx(folder, f"{stem}-labels-idx1-ubyte", 8)
    if hashlib.sha256(pixels + labels).hexdigest() != expected:
        raise ValueError(f"{folder}: these bytes are not those of Fashion-MNIST")
    return Images(as_bytes(pixels).view(-1, 28, 28), as_bytes(labels))


def _sources(root: Path) -> list[tuple[str, bytes]]:
    """Path, from the root and with slashes, and text of each file, in order."""
    sources = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not _LEFT_OUT.fullmatch(name)]
        for name in files:
            if name.endswith(".py") and not _LEFT_OUT.fullmatch(name[:-3]):
                file = Path(folder, name)
                sources.append((file.relative_to(root).as_posix(), file.read_bytes()))
    if not sources:
        raise ValueError(f"{root}: this Python's library has no source files")
    return sorted(sources)


def _idx(folder: Path, name: str, header: int) -> bytes:
    """What follows the header of an IDX file, packed or not."""
    try:
        packed = folder / f"{name}.gz"
        whole = (
            gzip.decompress(packed.read_bytes())
            if packed.is_file()
            else (folder / name).read_bytes()
        )
    except (OSError, EOFError) as error:
        raise ValueError(f"{folder / name}: cannot be read: {error}") from error
    return whole[header:]


def _torchvision_folder() -> Path:
    """Where torchvision has put the files; it downloads what is missing."""
    try:
        from torchvision.datasets import FashionMNIST
    except ImportError as error:
        raise ValueError(
            "fashion_mnist: not on this machine. On Debian: apt install "
            "dataset-fashion-mnist; elsewhere: pip install torchvision, which "
            "downloads it"
        ) from error
    FashionMNIST(resources.cache_folder(), download=True)
    return resources.cache_folder() / "FashionMNIST/raw"
