"""The data of the book: whole, split without leaks, and the same each time."""

import gzip
import sysconfig
from pathlib import Path

import pytest
import torch

from explainers import data, resources


def test_the_standard_library_is_a_corpus_of_megabytes() -> None:
    corpus = data.standard_library()
    assert 5e6 < len(corpus.train) < 5e7
    assert 0.03 < len(corpus.validation) / len(corpus.train) < 0.3
    assert corpus.name.startswith("standard library of Python 3.")
    text = data.as_text(corpus.train)
    assert '"""Temporary files.' in text + data.as_text(corpus.validation)
    assert data.as_bytes(text.encode()).shape == corpus.train.shape


def test_no_file_is_in_both_parts() -> None:
    corpus = data.standard_library()
    train, validation = (set(data.as_text(part).split("\0")) for part in (corpus.train, corpus.validation))
    assert len(train) > 300
    assert len(validation) > 20
    assert not train & validation
    assert "" not in train | validation


def test_a_split_depends_on_paths_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        file = tmp_path / f"package/module_{number}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"number = {number}\n")
    (tmp_path / "package/test").mkdir()
    (tmp_path / "package/test/test_it.py").write_text("assert True\n")
    (tmp_path / "copy.py").write_text("number = 7\n")
    (tmp_path / "empty.py").write_text("")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    read = data.standard_library.__wrapped__
    first, again = read(), read()
    assert first.name == again.name
    assert torch.equal(first.train, again.train)
    texts = [data.as_text(part).split("\0") for part in (first.train, first.validation)]
    assert len(texts[0]) + len(texts[1]) == 200  # no test, nothing empty, one of two equal files
    (tmp_path / "package/module_0.py").write_text("number = 1000\n")
    other = read()
    assert other.name != first.name
    moved = [set(data.as_text(part).split("\0")) for part in (other.train, other.validation)]
    assert all(set(texts[part]) - {"number = 0\n"} <= moved[part] for part in (0, 1))


def test_a_library_without_source_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(ValueError, match="has no source files"):
        data.standard_library.__wrapped__()


def test_bytes_and_text_are_each_others_inverse() -> None:
    assert data.as_text(data.as_bytes("naïve ½\n")) == "naïve ½\n"
    assert data.as_text(torch.tensor([0x66, 0xFF])) == "f\ufffd"


def test_patches_are_those_of_the_photographs_and_no_pixel_is_in_both_parts() -> None:
    from sklearn.datasets import load_sample_images

    first = torch.from_numpy(load_sample_images().images[0].copy()).permute(2, 0, 1).float() / 255
    train, validation = data.photograph_patches(16), data.photograph_patches(16, "validation")
    height, width = first.shape[1:]
    line = height * 3 // 4
    per_row = width // 16
    assert train.shape == (2 * (line // 16) * per_row, 3, 16, 16)
    assert validation.shape == (2 * ((height - line) // 16) * per_row, 3, 16, 16)
    assert torch.equal(train[per_row + 2], first[:, 16:32, 32:48])
    assert torch.equal(validation[1], first[:, line : line + 16, 16:32])
    assert train.min() >= 0
    assert train.max() <= 1


@pytest.mark.skipif(not data._DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_fashion_mnist_is_whole() -> None:
    train, validation = data.fashion_mnist(), data.fashion_mnist("validation")
    assert train.pixels.shape == (60_000, 28, 28)
    assert validation.labels.shape == (10_000,)
    assert train.labels.bincount().tolist() == [6000] * 10
    boots = train.pixels[train.labels == data.FASHION_CLASSES.index("ankle boot")].float().mean(0)
    trousers = train.pixels[train.labels == data.FASHION_CLASSES.index("trouser")].float().mean(0)
    assert boots[:, :4].mean() > 3 * trousers[:, :4].mean()  # a boot reaches the left edge


def test_other_bytes_are_not_fashion_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_DEBIAN", tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16 + 2 * 784)))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(bytes(8 + 2))
    with pytest.raises(ValueError, match="these bytes are not those of Fashion-MNIST"):
        data.fashion_mnist.__wrapped__("validation")
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(5000))[:20])
    with pytest.raises(ValueError, match="t10k-images-idx3-ubyte: cannot be read"):
        data.fashion_mnist.__wrapped__("validation")


def test_who_has_no_fashion_mnist_is_told_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "_DEBIAN", tmp_path / "none")
    monkeypatch.setitem(__import__("sys").modules, "torchvision.datasets", None)
    with pytest.raises(ValueError, match="apt install dataset-fashion-mnist; elsewhere: pip install"):
        data.fashion_mnist.__wrapped__()


def test_bad_input_is_named() -> None:
    for call in (lambda: data.fashion_mnist("test"), lambda: data.photograph_patches(8, "test")):
        with pytest.raises(ValueError, match=r"split: expected one of .*, got 'test'"):
            call()
    with pytest.raises(ValueError, match="patch_size: expected an integer from 1 to 107, got 108"):
        data.photograph_patches(108, "validation")
    with pytest.raises(ValueError, match="patch_size: expected an integer from 1 to"):
        data.photograph_patches(0)


def test_the_cache_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAINERS_CACHE", str(tmp_path))
    assert resources.cache_folder() == tmp_path
    monkeypatch.delenv("EXPLAINERS_CACHE")
    assert resources.cache_folder().is_relative_to(Path.home())
