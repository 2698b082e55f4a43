"""The readers of expressions and of bracket expressions, on whatever text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbtrust.judge.rules.expressions import Pattern, patterns_of
from dbtrust.judge.rules.regex import classes, classes_of_similar

SIGNS = st.text(alphabet="[]^-|\\:.=ab()?#*x'\" ~,", max_size=30)


@given(SIGNS, st.sampled_from(["", "q", "x", "b", "e", "i"]))
def test_every_class_is_a_piece_of_the_pattern(pattern: str, flags: str) -> None:
    for members in classes(pattern, flags):
        assert members.text in pattern and members.text.startswith("[")


@given(SIGNS, st.sampled_from(["", "\\", "#"]))
def test_similar(pattern: str, escape: str) -> None:
    for members in classes_of_similar(pattern, escape):
        assert members.text in pattern


@given(
    st.lists(
        st.sampled_from(
            ["~", "(", ")", "'a'", "||", "regexp_like", ",", "x", "[", "]", "::", "text", "ANY", "."]
        )
    )
)
def test_any_expression(words: list[str]) -> None:
    for pattern in patterns_of(" ".join(words)):
        assert set(pattern.text) <= {"a"}


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    list(patterns_of(text))


def test_members() -> None:
    (found,) = classes(r"x[^]a-c\d[:alpha:]|-]y")
    assert found.parts == ("]", "a-c", r"\d", "[:alpha:]", "|", "-")
    assert found.plain == {"]", "|", "-"} and found.text == r"[^]a-c\d[:alpha:]|-]"


def test_an_escape_is_a_member_in_old_flavours() -> None:
    assert [m.parts for m in classes(r"(?e)[\|]")] == [("\\", "|")]
    assert [m.parts for m in classes(r"***:(?i)[\|]")] == [(r"\|",)]


def test_escape_strings() -> None:
    assert list(patterns_of(r"x ~ E'\\d\'[a|b]'")) == [Pattern(r"\d'[a|b]")]
    assert list(patterns_of("x OPERATOR(public.~) ('[a|b]'::text)")) == [Pattern("[a|b]")]
