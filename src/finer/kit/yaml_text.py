"""YAML that somebody sent: read within limits, and with the line of every place in it.

Nothing that is read here has a use for anchors, and an alias is how a few bytes become gigabytes, so neither is read.
Size, depth and the number of values are bounded before anything is built of them: libyaml itself ends the process at a
text that is nested some ten thousand levels deep.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

TEXT_BYTES_MAX = 256 * 1024
_DEPTH_MAX = 16
_VALUES_MAX = 20_000
_STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[(\d+)\]|( \([^)]*\))")
# libyaml where the wheel brings it: a text at the limit is read in 20 ms instead of a second.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlInvalid(ValueError):
    """A text is no YAML or beyond the limits; `line` says where, from 1, when that is known."""

    def __init__(self, said: str, *, line: int | None = None) -> None:
        super().__init__(said)
        self.line = line


class YamlText:
    """A document: its `value`, and where its parts stand."""

    def __init__(self, text: str, place: str) -> None:
        """Raises YamlInvalid, beginning with `place`, for what is no YAML or beyond the limits."""
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > TEXT_BYTES_MAX:
            raise YamlInvalid(f"{place}: the text has {size:,} bytes; {TEXT_BYTES_MAX:,} are the limit.")
        try:
            _bounded(text, place)
            self._root = yaml.compose(text, _Loader)
            self.value: Any = _value(text)
        except yaml.MarkedYAMLError as error:
            line = None if error.problem_mark is None else error.problem_mark.line + 1
            where = "" if line is None else f", line {line}"
            raise YamlInvalid(f"{place}: this is not YAML: {error.problem or error}{where}.", line=line) from error
        except YamlInvalid:
            raise
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            raise YamlInvalid(f"{place}: this is not YAML: {error}") from error
        _no_name_twice(self._root, place)

    def line_of(self, path: str) -> int | None:
        """The line, from 1, of a place like `schema[0].properties[2] (amount).logicalTypeOptions`.

        Where that does not exist it is the line of the deepest part that does; what follows the path is left aside.
        """
        node, position = self._root, 0
        while (step := _STEP.match(path, position)) is not None:
            position = step.end()
            if step[3] is not None:
                continue
            inner = _inside(node, step[1] if step[2] is None else int(step[2]))
            if inner is None:
                break
            node = inner
        return None if node is None else node.start_mark.line + 1


def _inside(node: Any, key: str | int) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key]
    return None


def _bounded(text: str, place: str) -> None:
    depth = values = 0
    for event in yaml.parse(text, _Loader):
        line = 1 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlInvalid(f"{place}: line {line} uses an anchor or an alias; write the value out.", line=line)
        if isinstance(event, yaml.NodeEvent):
            values += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_MAX:
            raise YamlInvalid(f"{place}: line {line} is nested deeper than {_DEPTH_MAX} levels.", line=line)
        if values > _VALUES_MAX:
            raise YamlInvalid(f"{place}: there are more than {_VALUES_MAX:,} values up to line {line}.", line=line)


def _no_name_twice(node: Any, place: str) -> None:
    """YAML keeps the last of two equal names in silence, and the one that was meant is lost."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _no_name_twice(item, place)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for name, value in node.value:
            key = str(name.value)
            if key in seen:
                line = name.start_mark.line + 1
                raise YamlInvalid(f"{place}: line {line} gives {key[:80]!r} again.", line=line)
            seen.add(key)
            _no_name_twice(value, place)


def _value(text: str) -> Any:
    """What the document says. Both loaders are safe ones: they make plain values only."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
