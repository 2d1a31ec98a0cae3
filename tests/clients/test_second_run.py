"""A test of a time is run again when it failed, is counted once, and leaves nothing behind."""
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

pytestmark = pytest.mark.gateway

TESTS = """
import pytest
runs = dict.fromkeys(("once", "never", "other"), 0)


@pytest.fixture(scope="session")
def server():
    print("server begins")
    yield
    print("server ends")


@pytest.fixture(scope="module")
def shared(server):
    print("shared begins")
    yield
    print("shared ends")


@pytest.fixture(scope="module")
def first(server):
    yield
    print("first ends")


@pytest.fixture
def own(shared):
    yield
    print("own ends")


@pytest.fixture
def unwell():
    yield
    assert runs["other"] == 0


def test_before(first):
    pass


@pytest.mark.clock
@pytest.mark.parametrize("failures", [0, 1, 3])
def test_clock(own, failures):
    runs[failures] = runs.get(failures, 0) + 1
    assert runs[failures] > failures, "too late"


@pytest.mark.clock
def test_ends_badly(unwell):
    runs["other"] += 1


@pytest.mark.clock
def test_goes_and_ends_badly(shared, unwell):
    assert False


@pytest.mark.clock
def test_skipped():
    pytest.skip("no matter")


def test_no_clock():
    runs["never"] += 1
    assert runs["never"] > 1
"""


def test_what_is_run_again(tmp_path):
    (tmp_path / "test_times.py").write_text(TESTS)
    (tmp_path / "test_zz.py").write_text("def test_after():\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "second_run", "-s",
         "--strict-markers", f"--junitxml={tmp_path}/junit.xml", tmp_path],
        cwd=pathlib.Path(__file__).parent, capture_output=True, text=True, timeout=60)
    cases = list(xml.parse(tmp_path / "junit.xml").iter("testcase"))
    kinds = {}
    for case in cases:
        kinds.setdefault(case.get("name"), []).extend(
            child.tag for child in case if child.tag != "properties")
    assert kinds == {
        "test_before": [], "test_clock[0]": [], "test_clock[1]": [], "test_clock[3]": ["failure"],
        "test_ends_badly": ["error"], "test_goes_and_ends_badly": ["failure", "error"],
        "test_skipped": ["skipped"], "test_no_clock": ["failure"], "test_after": []}, done.stdout
    # JUnit has two cases where both the test and its end failed.
    assert len(cases) == len(kinds) + 1, done.stdout
    again = {case.get("name"): [each.get("value") for each in case.iter("property")
                                if each.get("name") == "run_again"] for case in cases}
    assert {name: len(each) for name, each in again.items() if each} == {
        "test_clock[1]": 1, "test_clock[3]": 2}
    assert again["test_clock[1]"][0].startswith("AssertionError: too late")
    words = done.stdout
    for once in ("server begins", "server ends", "shared begins", "shared ends", "first ends"):
        assert words.count(once) == 1, words
    assert words.count("own ends") == 1 + 2 + 3, words
    assert words.count("run again: ") == 3, words
