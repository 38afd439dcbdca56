"""What policies ask for, checked shapes made values: one state, or the stages that lead to several of them."""

from __future__ import annotations

from collections.abc import Sequence

from cleanup_gitops.policy.conditions import match_of
from cleanup_gitops.policy.documents import NOTHING_ASKED, Ensure, Stage
from cleanup_gitops.policy.state_shapes import EnsureSpec, StageSpec
from cleanup_gitops.policy.yaml_values import Map, Seq


def ensure_of(shape: EnsureSpec, data: Map, file: str) -> Ensure:
    """One state; ``data`` is the mapping that it was read from."""
    groups = shape.groups
    return Ensure(
        status=shape.status,
        groups_present=_names(groups.present if groups else None),
        groups_absent=_names(groups.absent if groups else None),
        groups_exactly=_names(groups.exactly if groups else None),
        where_groups=_where("groups", data, file),
        no_access=shape.product_access is not None,
        where_access=_where("product_access", data, file),
        no_tokens=shape.api_tokens is not None,
        where_tokens=_where("api_tokens", data, file),
    )


def stages_of(shapes: Sequence[StageSpec], data: Seq | None, file: str) -> tuple[Stage, ...]:
    """The stages of a policy; ``data`` is the list that they were read from."""
    return tuple(_stage(shape, entry, file) for shape, entry in zip(shapes, data or (), strict=True))


def _stage(shape: StageSpec, data: Map, file: str) -> Stage:
    asked = shape.ensure
    return Stage(
        name=shape.name,
        ensure=ensure_of(asked, data["ensure"], file) if asked else NOTHING_ASKED,
        notify=shape.notify,
        after=shape.after or 0,
        when=match_of(shape.when) if shape.when else None,
        allow_shared_groups=asked.allow_shared_groups if asked else False,
        where=f"{file}:{data.at_key('ensure' if asked else 'notify')[0]}",
    )


def _where(key: str, data: Map, file: str) -> str:
    """file:line of a key of ``ensure``, or nothing where it is not given."""
    return f"{file}:{data.at_key(key)[0]}" if key in data else ""


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)
