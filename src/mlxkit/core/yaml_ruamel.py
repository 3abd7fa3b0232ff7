"""`ruamel.yaml` set up as DVC sets it up; imported only where the fast ways do not reach."""

import io
import sys
from collections import OrderedDict
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarfloat import ScalarFloat


class _Representer(RoundTripRepresenter):
    """DVC's representer, but one that does not change numbers."""

    def represent_scalar_float(self, data: Any) -> Any:
        """Keep the spelling of a float that was read, unless ruamel would alter its value.

        ruamel truncates what it should round: each rewrite turns `6.429530039508039e-17` into
        a smaller number, and a stage whose locked parameter drifts never is up to date.
        """
        node = super().represent_scalar_float(data)
        try:
            exact = float(node.value.replace("_", "")) == float(data)
        except ValueError:  # .inf, .nan
            exact = True
        return node if exact else self.represent_float(float(data))


_Representer.add_representer(OrderedDict, _Representer.represent_dict)
_Representer.add_representer(ScalarFloat, _Representer.represent_scalar_float)


def parse_for_update(text: str) -> Any:
    """The document with its comments and styles; an empty one is None."""
    return YAML().load(text)


def dump(data: Any, *, wide: bool = False) -> str:
    """The text of plain or round-trip `data`, in blocks as DVC writes them; `wide`: no folds."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.Representer = _Representer
    if wide:
        yaml.width = sys.maxsize
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
