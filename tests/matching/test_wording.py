"""What people read: true, and in Chinese with Chinese punctuation; and what nobody reads: their words in an error."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.matching import views
from services.matching.method import METHOD

ROOT = Path(__file__).parents[2]
FILES = sorted(
    [*(ROOT / "services/matching").rglob("*.py"), *(ROOT / "services/notify").rglob("*.py"), ROOT / "shared/events/examples.py"]
)
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff”][,;:!?()]|[,;:!?()][\u4e00-\u9fff“]")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_chinese_has_full_width_punctuation(path):
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert [text for text in texts if isinstance(text, str) and HALF_WIDTH.search(text)] == []


def test_the_method_owns_up_to_what_the_classifier_learned_besides_the_taxonomy():
    assert "只从" not in METHOD.reading.zh
    assert "alone" not in METHOD.reading.en
    assert "寒暄" in METHOD.reading.zh
    assert "small talk" in METHOD.reading.en
    assert "条件相近的组织轮流承接" in METHOD.parts["turn"].zh


@pytest.mark.parametrize("view", ["RequestDetail", "ReferralDetail", "RemarkView", "SubmittedRequest"])
def test_an_error_of_a_view_does_not_repeat_the_words(view):
    with pytest.raises(ValidationError) as raised:
        getattr(views, view).model_validate({"id": ["金丝雀"], "text": ["金丝雀"], "reason": ["金丝雀"], "link": ["金丝雀"]})
    assert "金丝雀" not in str(raised.value)
