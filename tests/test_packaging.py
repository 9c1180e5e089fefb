"""What we ship: the rules inside the package, the type marker, and nothing that does not belong."""

from __future__ import annotations

import email
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ivpush import PackError
from ivpush.commands.docs import _pages
from ivpush.pack.bundle import bundle_of
from tests.building import build

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SDIST: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
PAPERS = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md")
STEM = f"ivpush-{PROJECT['project']['version']}"
CACHES = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis", "*.pyc")


def files_under(folder: Path) -> set[str]:
    """Files below a folder, caches apart, as a distribution names them."""
    return {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the sdist is made from, so that building leaves the checkout alone."""
    copy = tmp_path_factory.mktemp("project")
    for name in (*SDIST, "pyproject.toml", ".gitignore"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=CACHES)
        elif source.exists():
            shutil.copy(source, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build(project, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build(project, "sdist", folder)) as archive:
        archive.extractall(folder, filter="data")
    return folder / STEM


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_build_elsewhere_has_the_same_bytes(
    kind: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = build(project, kind, tmp_path)
    elsewhere = tmp_path / "another folder" / "copy"
    shutil.copytree(project, elsewhere)
    for file in elsewhere.rglob("*"):
        file.chmod(file.stat().st_mode & 0o700)
        os.utime(file, (0, 1_000_000_000))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "C")
    again = build(elsewhere, kind, tmp_path / "another folder")
    assert again.name == once.name and again.read_bytes() == once.read_bytes()


def names_in(wheel: Path) -> set[str]:
    """Names of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_the_wheel_holds_package_rules_and_pages_and_nothing_else(wheel: Path) -> None:
    wanted = {f"ivpush/{name}" for name in files_under(ROOT / "src" / "ivpush")}
    for folder in ("rules", "docs", "examples"):
        wanted |= {f"ivpush/{folder}/{name}" for name in files_under(ROOT / folder)}
    wanted |= {f"ivpush/{name}" for name in (*PAPERS, "rules.bundle")}
    info = f"{STEM}.dist-info"
    wanted |= {f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    wanted |= {f"{info}/licenses/LICENSE"}
    assert names_in(wheel) == wanted


def test_the_wheel_holds_no_stray_kinds_of_files(wheel: Path) -> None:
    kinds = {name.rsplit(".", 1)[-1] for name in names_in(wheel) if name.startswith("ivpush/")}
    kinds -= {"html", "css", "js", "json", "png", "svg"}
    kinds -= {"ivpush/examples/deploy/Containerfile", "service"}
    assert kinds == {"bundle", "csv", "md", "py", "typed", "yaml"}
    assert "ivpush/py.typed" in names_in(wheel)
    assert {"ivpush/rules/pack.yaml", "ivpush/rules/codes.yaml"} <= names_in(wheel)


def test_no_link_of_the_long_description_is_dead_on_a_package_index(
    wheel: Path, project: Path
) -> None:
    """An index shows the text alone: it names commands and files of the package, and no links."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(f"{STEM}.dist-info/METADATA"))
        text = metadata.get_payload()
    assert isinstance(text, str)
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert re.findall(r"\]\((?!https?://)[^)]*\)", text) == []
    pages = set(re.findall(r"`ivpush docs ([a-z][a-z/-]*)`", text))
    assert len(pages) > 10
    assert pages <= _pages(project).keys()
    files = re.findall(r" \(`((?:docs|rules)[^`]*)`\)", text)
    assert files
    assert all((project / file).exists() for file in files)


def test_the_bundle_of_the_wheel_is_made_of_its_rules(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        assert archive.read("ivpush/rules.bundle") == bundle_of(tmp_path / "ivpush/rules")


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("src/ivpush/rules.bundle", "ivpush-bundle 1 0\n{}\n", "other rules than rules/ holds"),
        ("rules/checks/roles/IVP199-x.yaml", "id: IVP199\n", "lacks the key"),
    ],
    ids=["a bundle of other rules", "a rule that is not fit"],
)
def test_no_wheel_is_built_of(
    file: str, text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text, "utf-8")
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))
    with pytest.raises((ValueError, PackError), match=told):
        hook["_bundle"](tmp_path)


def test_the_sdist_holds_rules_tests_and_papers(unpacked: Path) -> None:
    shipped = files_under(unpacked)
    wanted = {f"rules/{name}" for name in files_under(ROOT / "rules")}
    wanted |= {f"src/ivpush/{name}" for name in files_under(ROOT / "src" / "ivpush")}
    wanted |= {name for name in SDIST if (ROOT / name).is_file()} | {"pyproject.toml", "PKG-INFO"}
    wanted |= {"requirements/test.txt", "tests/test_packaging.py", ".ci/run"}
    assert sorted(wanted - shipped) == []
    known = {*SDIST, "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert sorted(name for name in shipped if name.split("/")[0] not in known) == []


def test_a_wheel_built_from_the_sdist_is_the_same(
    wheel: Path, unpacked: Path, tmp_path: Path
) -> None:
    assert names_in(build(unpacked, "wheel", tmp_path)) == names_in(wheel)


def test_the_installed_package_finds_its_rules(wheel: Path, tmp_path: Path) -> None:
    """Unpacked as pip does it, away from the checkout, the package reads the rules beside it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    text = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import ivpush, ivpush.pack.folder as files, ivpush.pack.pack as pack\n"
        "print(ivpush.__file__, files.rules_folder(), len(pack.Pack.load().rules), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", text, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    door, rules, count = done.stdout.splitlines()
    assert Path(door) == tmp_path / "ivpush" / "__init__.py"
    assert Path(rules) == tmp_path / "ivpush" / "rules"
    assert int(count) > 0


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as an installer unpacks it, away from the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder / "ivpush"


LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def test_links_of_the_pages_hold_in_the_installed_package(installed: Path) -> None:
    dead = []
    count = 0
    for page in installed.rglob("*.md"):
        for target in LINK.findall(page.read_text("utf-8")):
            if not target.startswith(("https://", "http://")):
                count += 1
                where = (page.parent / target).resolve()
                if not where.exists() or not where.is_relative_to(installed):
                    dead.append(f"{page.relative_to(installed)}: {target}")
    assert count > 50
    assert dead == []


def test_the_installed_command_lists_and_prints_its_pages(installed: Path) -> None:
    text = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "from ivpush.__main__ import main; raise SystemExit(main())"
    )

    def docs(*words: str) -> str:
        command = [sys.executable, "-I", "-c", text, str(installed.parent), "docs", *words]
        done = subprocess.run(
            command, cwd=installed.parent, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "From Python" in docs()
    assert docs("docs/python.md").startswith("From Python\n")
    assert Path(docs("python", "--path").strip()) == installed / "docs" / "python.md"


def test_an_editable_install_reads_the_rules_of_the_checkout(project: Path, tmp_path: Path) -> None:
    """An editable wheel is a pointer to ``src``; a copy of the rules in it would go stale."""
    names = names_in(build(project, "editable", tmp_path))
    assert [name for name in names if "rules" in name or "docs" in name] == []


def test_pinned_requirements_are_hashed_and_name_no_place() -> None:
    """Every pin carries hashes; none names an index, an address or a path of a machine."""
    text = (ROOT / "requirements" / "test.txt").read_text("utf-8")
    body = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    pins = [line for line in body if not line.startswith(" ")]
    assert pins and all("==" in pin and pin.endswith("\\") for pin in pins)
    assert all(line.lstrip().startswith("--hash=sha256:") for line in body if line not in pins)
    assert not any(sign in line for line in body for sign in ("/", "@", "file:", "--index"))


def test_every_dependency_is_pinned_as_it_is_asked_for() -> None:
    """A change in ``pyproject.toml`` must be pinned again, see CONTRIBUTING.md."""
    text = (ROOT / "requirements" / "test.txt").read_text("utf-8")
    pins = [Requirement(line.rstrip(" \\")) for line in text.splitlines() if "==" in line]
    pinned = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in pins}
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["test"]]
    for requirement in map(Requirement, asked):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_tests_and_benchmarks_are_no_extras() -> None:
    """Extras are for users; ``pip install 'ivpush[test]'`` would bring none of the tests."""
    assert set(PROJECT["project"]["optional-dependencies"]) == {
        "all",
        "cms",
        "frames",
        "spark",
        "web",
        "xlsx",
    }
    assert set(PROJECT["dependency-groups"]) == {"test", "bench"}


def test_groups_ask_for_no_less_than_the_extras() -> None:
    """What is tested and measured is what users get: all libraries of all extras."""
    extras = PROJECT["project"]["optional-dependencies"]

    def names(requirements: list[str]) -> set[str]:
        return {canonicalize_name(Requirement(each).name) for each in requirements}

    groups = PROJECT["dependency-groups"]
    readers = names(extras["frames"]) | names(extras["spark"])
    assert readers | names(extras["cms"]) | names(extras["web"]) <= names(groups["test"])
    assert readers <= names(groups["bench"])
