"""`byoa open`: the dashboard's page of a component, in a browser."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from byoa_cli.commands import Option, UsageError, command
from byoa_cli.options import API, APP, DASHBOARD, PROFILE, label, page_address
from byoa_cli.output import FINE, MEND, err, print_line, print_note
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from byoa_cli.profiles import Profile


@command(
    Option("component", metavar="COMPONENT", nargs="?", type=label, help="Its page; without, the app's."),
    DASHBOARD, API, PROFILE, APP,
    Option("--print", "-p", dest="printed", action="store_true", help="Print the page's address, and open nothing."),
)  # fmt: skip
def open_page(
    component: str | None,
    dashboard: str | None,
    api: str | None,
    profile: str | None,
    app: str | None,
    *,
    printed: bool,
) -> int:
    """Open the dashboard's page of a component in a browser, or that of the app, or the first one.

    The dashboard is where --dashboard, BYOA_DASHBOARD or the profile says; `byoa login --dashboard URL` keeps it there.

    Examples:
        byoa open web --app shop

        byoa open --print
    """
    own = _own(api, profile)
    place = dashboard or _of_profile(own)
    if place is None:
        raise UsageError(
            "nothing says where the dashboard is: --dashboard, BYOA_DASHBOARD, or `byoa login --dashboard URL`; "
            "it is the stack's output DashboardUrl"
        )
    page = place + path_of(app or (own.app if own else None), component)
    if printed:
        print_line(page)
        return FINE
    return _open(page)


def path_of(app: str | None, component: str | None) -> str:
    """Where the page is below the dashboard's address. Raises ``UsageError`` for a component of no app."""
    if component and not app:
        raise UsageError("--app is wanted, or BYOA_APP, or an app in the profile")
    if component:
        return f"/apps/{app}/components/{component}"
    return f"/apps/{app}" if app else "/"


def _own(api: str | None, profile: str | None) -> Profile | None:
    """The profile, if it is of the API that is spoken to: a dashboard shows one API's."""
    from byoa_cli.profiles import kept_profile

    kept = kept_profile(profile)
    return kept if kept and api in (None, kept.api) else None


def _of_profile(own: Profile | None) -> str | None:
    from byoa.errors import ProfileUnreadable
    from byoa_cli.profiles import place

    if own is None or own.dashboard is None:
        return None
    try:
        return page_address(own.dashboard)
    except ArgumentTypeError as error:
        raise ProfileUnreadable(f"The dashboard of the profile is none: {error}.", where=str(place())) from None


def _open(page: str) -> int:
    import webbrowser

    if webbrowser.open(page):
        err().print(styled(f"opened {page}"))
        return FINE
    print_line(page)
    print_note("no browser could be started here")
    return MEND
