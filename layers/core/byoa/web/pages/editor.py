"""The component editor: a form and the file beside it, which say the same, checked as they are typed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from byoa.web.forms import (
    BY_PATH,
    EMPTY,
    NAME,
    OF_SOURCES,
    OTHERS,
    SOURCES,
    changes_of,
    differences,
    source_of,
    texts_of,
)
from byoa.web.routes import Here, Moved, Page, Routes, Sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from byoa.web.asking import Reply

routes = Routes()
NEW: Final = "/apps/<app>/new"
EDIT: Final = "/apps/<app>/components/<component>/edit"
TAGS_CHARACTERS: Final = 12 * 1024
"""Of a repository's tags, so that the page stays small."""

_FIELD: Final = "f."
_CREATED: Final = 201
_CHANGED: Final = 412
_INVALID: Final = 422
_MISSING: Final = 404
_JSON: Final = "application/json; charset=utf-8"


@dataclass(slots=True)
class Draft:
    """What somebody has before them: the file's ``toml``, what it says, what is wrong with it, what is typed."""

    app: str
    component: str
    toml: str
    form: dict[str, Any] | None
    faults: list[dict[str, Any]]
    typed: dict[str, str]
    source: str
    match: str = ""
    """The ETag of the config that was newest when the editor was opened; empty for a component that is new."""

    saved: dict[str, Any] = field(default_factory=dict)
    """What the newest config says."""

    saved_toml: str | None = None
    """Its file; ``None`` where there is none."""

    notice: dict[str, str] | None = None
    found: dict[str, Any] | None = None
    """What a reference was found to mean and to hold."""

    tags: dict[str, Any] | None = None
    """The repository's tags; or where there are none why, as ``fault``."""

    touched: bool = True

    @property
    def valid(self) -> bool:
        """Whether it could be saved."""
        return self.form is not None and not self.faults and self.notice is None

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """What saving would change."""
        return differences(self.saved, self.form) if self.form is not None else []

    @property
    def only_layout(self) -> bool:
        """Whether saving changes comments and layout, and nothing that the file says."""
        known = self.form is not None and self.saved_toml is not None and not self.changes
        return known and self.toml.strip() != (self.saved_toml or "").strip()


# ---- pages -------------------------------------------------------------------------------------------------------


@routes.add("GET", NEW)
def show_new(here: Here, app: str) -> Page:
    """An editor of a component that isn't there yet."""
    toml = EMPTY
    draft = _checked(here, app, "", toml, {})
    draft.touched = False
    return _page(here, draft)


@routes.add("GET", EDIT)
def show_edit(here: Here, app: str, component: str) -> Page:
    """An editor of a component's newest config."""
    here.api.get(f"/v1/apps/{app}/components/{component}")
    latest = _latest(here, app, component)
    toml = latest.document["toml"] if latest.good else EMPTY.replace('name = ""', f'name = "{component}"')
    draft = _checked(here, app, component, toml, {})
    draft.match = latest.headers["etag"] if latest.good else ""
    draft.saved = draft.form or {} if latest.good else {}
    draft.saved_toml = toml if latest.good else None
    draft.touched = latest.good
    return _page(here, draft)


@routes.add("POST", NEW)
def save_new(here: Here, app: str) -> Page | Moved:
    """Check, look up or save what was typed."""
    return _done(here, _typed(here, app, ""))


@routes.add("POST", EDIT)
def save_edit(here: Here, app: str, component: str) -> Page | Moved:
    """The same of a component that is there."""
    return _done(here, _typed(here, app, component))


@routes.add("POST", f"{NEW}/check")
def check_new(here: Here, app: str) -> Sent:
    """What the form and the file say now, for the page's script."""
    return _told(_typed(here, app, ""))


@routes.add("POST", f"{EDIT}/check")
def check_edit(here: Here, app: str, component: str) -> Sent:
    """The same of a component that is there."""
    return _told(_typed(here, app, component))


# ---- what was typed ----------------------------------------------------------------------------------------------


def _typed(here: Here, app: str, component: str) -> Draft:
    """What a request of the form has, with what was typed put into the file."""
    said = here.request.form()
    typed = {name.removeprefix(_FIELD): value for name, value in said.items() if name.startswith(_FIELD)}
    if said.get("act") == "take" and said.get("tags"):
        typed |= {"oci_artifact.tag": said["tags"], "oci_artifact.digest": ""}
    if component:
        typed.pop("name", None)
    file, base = said.get("toml", ""), said.get("base", "")
    before = _check(here, app, base).document["form"] or {}
    now = before if file == base else _check(here, app, file).document["form"]
    source = _chosen(said, now)
    changes = changes_of(before, now, typed, source) if now is not None else {}
    draft = _checked(here, app, component, file, changes, typed, source)
    draft.match = said.get("match", "")
    latest = _latest(here, app, component) if component else None
    if latest and latest.good:
        draft.saved_toml = latest.document["toml"]
        draft.saved = _check(here, app, latest.document["toml"]).document["form"]
    return draft


def _chosen(said: Mapping[str, str], now: Mapping[str, Any] | None) -> str:
    """Which source is meant: the one that was just picked, else the file's, else the one that the form has."""
    picked = said.get("source", "")
    picked = picked if picked in SOURCES else "oci_artifact"
    if now is None or picked != said.get("was_source", picked) or not now.keys() & SOURCES.keys():
        return picked
    return source_of(now)


def _checked(  # noqa: PLR0913, PLR0917 - whose file, what it is and what is typed
    here: Here,
    app: str,
    component: str,
    toml: str,
    changes: Mapping[str, Any],
    typed: Mapping[str, str] | None = None,
    source: str = "",
) -> Draft:
    """The file with changes, its faults, and what the form shows of it: of other sources what was typed."""
    reply = _check(here, app, toml, changes)
    notice = None
    if not reply.good:
        notice = {"cause": reply.document["detail"], "remedy": reply.document["remedy"]}
        reply = _check(here, app, toml)
    found, kept = reply.document, dict(typed or {})
    form: dict[str, Any] | None = found["form"]
    source = source or source_of(form or {})
    shown = {path: kept.get(path, "") for path in BY_PATH} if form is None else texts_of(form)
    for other, fields in OF_SOURCES.items():
        if other != source:
            shown |= {each.path: kept.get(each.path, "") or shown[each.path] for each in fields}
    faults = [*found["faults"], *_misnamed(component, form)]
    return Draft(app, component, found["toml"], form, faults, shown, source, notice=notice)


def _misnamed(component: str, form: dict[str, Any] | None) -> list[dict[str, Any]]:
    if not component or form is None or form.get("name") == component:
        return []
    told = {"code": "name", "field": "name", "line": 1, "column": 1}
    return [{**told, "message": f"this is the file of {component}", "remedy": f'Write name = "{component}".'}]


def _check(here: Here, app: str, toml: str, changes: Mapping[str, Any] | None = None) -> Reply:
    return here.api.ask("POST", f"/v1/apps/{app}/components/configs/check", {"toml": toml, "changes": changes or None})


def _latest(here: Here, app: str, component: str) -> Reply:
    return here.api.reply(f"/v1/apps/{app}/components/{component}/configs/latest")


# ---- what is done with it ----------------------------------------------------------------------------------------


def _done(here: Here, draft: Draft) -> Page | Moved:
    act = here.request.form().get("act", "check")
    if act in LOOKUPS:
        return _page(here, LOOKUPS[act](here, draft))
    if act != "save":
        return _page(here, draft)
    if not draft.valid:
        return _page(here, draft, _INVALID)
    name = draft.component or str((draft.form or {})["name"])
    place = f"/v1/apps/{draft.app}/components/{name}/configs/kubernetes-manifest"
    condition = {"if_match": draft.match} if draft.match else {"if_none_match": "*"}
    made = here.api.write("POST", place, {"toml": draft.toml}, **condition)
    if made.status == _CHANGED:
        return _page(here, _overtaken(here, draft, name), _CHANGED)
    if made.status == _INVALID:
        draft.notice = {"cause": made.document["detail"], "remedy": made.document["remedy"]}
        return _page(here, draft, _INVALID)
    place, build = f"/apps/{draft.app}/components/{name}", made.held().document["build_id"]
    return Moved(f"{place}/builds/{build}" if made.status == _CREATED else place)


def _overtaken(here: Here, draft: Draft, name: str) -> Draft:
    """Somebody saved meanwhile: what is typed stays, and saving again puts it over theirs."""
    latest = _latest(here, draft.app, name).held()
    theirs = _check(here, draft.app, latest.document["toml"]).document["form"]
    draft.component, draft.match, draft.saved = name, latest.headers["etag"], theirs
    draft.saved_toml = latest.document["toml"]
    draft.notice = {
        "cause": f"Somebody saved version {latest.document['version']} meanwhile.",
        "remedy": "What you typed is kept. Below is how it differs from theirs; saving again puts yours over it.",
    }
    return draft


def _resolved(here: Here, draft: Draft) -> Draft:
    """What the registry has under the reference that is typed."""
    reply = _asked(here, draft, "inspect", ("url", "tag", "digest", "credentials_ref"))
    if reply.good and reply.document.get("digest"):
        draft.found = reply.document
    elif reply.good:
        draft.notice = {"cause": "The registry takes its time.", "remedy": "Resolve again in a minute."}
    else:
        draft.notice = {"cause": reply.document["detail"], "remedy": reply.document["remedy"]}
    return draft


def _listed(here: Here, draft: Draft) -> Draft:
    """The tags of the repository that is typed; that they can't be had is said at the field and is no fault of it."""
    reply = _asked(here, draft, "tags", ("url", "credentials_ref"))
    if reply.good and "tags" in reply.document:
        shown = [tag for tag, so_far in _summed(reply.document["tags"]) if so_far <= TAGS_CHARACTERS]
        more = reply.document["truncated"] or len(shown) < len(reply.document["tags"])
        draft.tags = {"names": shown, "more": more, "fault": ""}
    elif reply.good:
        draft.tags = {"names": [], "fault": "The registry takes its time. List them again in a minute."}
    else:
        draft.tags = {"names": [], "fault": f"{reply.document['detail']} {reply.document['remedy']}"}
    return draft


def _summed(tags: list[str]) -> Iterator[tuple[str, int]]:
    """Each tag with how many characters it and those before it have."""
    return zip(tags, accumulate(len(tag) for tag in tags), strict=True)


def _asked(here: Here, draft: Draft, action: str, names: tuple[str, ...]) -> Reply:
    said = {name: draft.typed[f"oci_artifact.{name}"].strip() for name in names}
    asked = {name: value for name, value in said.items() if value}
    return here.api.write("POST", f"/v1/artifacts/{action}", {"url": "", **asked})


LOOKUPS: Final = {"resolve": _resolved, "tags": _listed}
"""What is asked of a registry, by the button that asks it."""


# ---- what is shown -----------------------------------------------------------------------------------------------


def _page(here: Here, draft: Draft, status: int = 200) -> Page:
    told = {each["field"]: each for each in reversed(draft.faults)} if draft.touched else {}
    names = here.api.reply("/v1/credentials", limit=100)
    data = {
        "draft": draft, "app": draft.app, "component": draft.component, "sources": SOURCES, "of_sources": OF_SOURCES,
        "others": OTHERS, "name_field": NAME, "told": told, "elsewhere": _elsewhere(draft) if draft.touched else [],
        "credentials": [each["ref"] for each in names.document] if names.good else [],
        "action": f"/apps/{draft.app}/" + (f"components/{draft.component}/edit" if draft.component else "new"),
    }  # fmt: skip
    title = f"Edit {draft.component}" if draft.component else "New component"
    return Page("editor.html", title, data, status)


def _elsewhere(draft: Draft) -> list[dict[str, Any]]:
    """Faults that no field of the form has."""
    return [each for each in draft.faults if each["field"] not in BY_PATH]


def _told(draft: Draft) -> Sent:
    """The same as the page, for its script."""
    answer = {
        "toml": draft.toml,
        "typed": draft.typed,
        "source": draft.source,
        "faults": draft.faults,
        "elsewhere": _elsewhere(draft),
        "changes": draft.changes,
        "only_layout": draft.only_layout,
        "valid": draft.valid,
        "notice": draft.notice,
    }
    return Sent(json.dumps(answer, ensure_ascii=False).encode(), _JSON, headers={"Cache-Control": "no-store"})
