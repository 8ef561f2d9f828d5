"""The map shows what the lessons' headers say, and these say what the lessons themselves do."""

from __future__ import annotations

import dataclasses
import re

import pytest
from PIL import Image

from course_lib.authoring import course_map
from course_lib.errors import CourseError
from course_lib.files import text_of
from course_lib.lessons import lessons, numbered


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_a_lesson_builds_on_what_it_tells_the_learner_to_know(lesson):
    (need,) = re.findall(
        r"\*\*What you need\.\*\* ([^.;]*)", text_of(lesson.source).replace("\n# ", " ")
    )
    named = [one for one in lessons() if one.number in lesson.after]
    assert need.lower().startswith(numbered(named)) if named else not re.search(r"\d\d", need)


def test_what_a_lesson_builds_on_is_reached_by_arrows():
    direct = course_map.needs()
    reached: dict[str, set[str]] = {}
    for lesson, ones in direct.items():
        reached[lesson.number] = {one.number for one in ones}.union(
            *(reached[one.number] for one in ones)
        )
        assert set(lesson.after) <= reached[lesson.number]
        for one in ones:
            others = [reached[other.number] for other in ones if other != one]
            assert not any(one.number in other for other in others)


def test_a_lesson_that_builds_on_a_later_one_is_named(monkeypatch):
    first, *rest = lessons()
    odd = [dataclasses.replace(first, after=("02",)), *rest]
    monkeypatch.setattr(course_map, "lessons", lambda: odd)
    with pytest.raises(CourseError, match=r"^01_losses\.py says that it builds on lesson 02"):
        course_map.words()


def test_the_picture_is_drawn_again_when_a_lesson_changes(tmp_path, monkeypatch):
    file = tmp_path / "map.png"
    monkeypatch.setattr(course_map, "file", lambda: file)
    assert not course_map.is_current()
    assert course_map.draw() == [file]
    assert course_map.is_current()
    assert course_map.draw() == []
    first, *rest = lessons()
    longer = [dataclasses.replace(first, minutes=first.minutes + 1), *rest]
    monkeypatch.setattr(course_map, "lessons", lambda: longer)
    assert not course_map.is_current()
    before = file.read_bytes()
    assert course_map.draw() == [file]
    assert file.read_bytes() != before


def test_each_lesson_has_a_place_of_its_own_right_of_what_it_needs():
    corners = course_map._corners()
    assert [*corners] == lessons()
    for lesson, (x, y) in corners.items():
        for other, (a, b) in corners.items():
            apart = abs(x - a) >= course_map.WIDTH or abs(y - b) >= course_map.HEIGHT
            assert apart or lesson == other
        assert all(corners[one][0] < x for one in course_map.needs()[lesson])


def test_the_ways_name_lessons_that_there_are_and_the_last_is_the_whole_course():
    known = {lesson.number for lesson in lessons()}
    assert all(set(way.numbers) <= known for way in course_map.WAYS)
    assert course_map.ways().splitlines()[-1].startswith(f"- **Everything**: {numbered(lessons())}")


def test_readme_and_the_start_page_show_it_with_its_words():
    words = course_map.words()
    for text in (course_map.picture(), course_map.attached()):
        assert f"![{words}](" in text
    for lesson in lessons():
        assert f"{lesson.number} {lesson.title}, {lesson.minutes} minutes" in words
    with Image.open(course_map.file()) as found:
        assert found.info["Description"].startswith(words)
