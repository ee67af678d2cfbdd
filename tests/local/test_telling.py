"""How `make up` tells of the private places' logins: as commands that hold no secret."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from byoa_cli.secrets import Given
from local import private
from local.pages.commands import all_commands, parser_of
from local.private import Place

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a-secret"
WITH_PASSWORD = Place(
    *("private-basic", "flux", "127.0.0.1:5103", "127.0.0.1:5103", "private/flux", "v2.3.1"),
    credentials="vendor-login",
    options=("--kind", "basic", "--host", "127.0.0.1:5103", "--username", "vendor"),
    secret=SECRET,
)
WITH_ROLE = Place(
    *("private-ecr", "kustomizer", private.ECR, "127.0.0.1:5105", "manifests", "v1.0.0"),
    credentials="aws-ecr-creds",
    options=("--kind", "aws_ecr", "--host", private.ECR, "--role-arn", private.ROLE_ARN),
)


def test_a_password_comes_from_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    private.write_secrets([WITH_PASSWORD, WITH_ROLE], tmp_path)
    (file,) = tmp_path.iterdir()
    assert (file.read_text(), file.stat().st_mode & 0o777) == (SECRET, 0o600)
    store, _ = private.commands(WITH_PASSWORD, tmp_path)
    assert store.endswith(f" < {file}")
    assert SECRET not in store


def test_what_is_told_is_what_the_command_takes(tmp_path: Path) -> None:
    known = dict(all_commands())
    for place in (WITH_PASSWORD, WITH_ROLE):
        for line in private.commands(place, tmp_path):
            words = shlex.split(line.partition(" < ")[0])
            name = " ".join(["byoa", *words[1:3]])
            parser = parser_of(name, known[name])
            rest = ["--org", "org_0123456789ab", *(["--function", "f"] if words[2] == "test" else [])]
            read = vars(parser.parse_intermixed_args([*words[3:], *rest]))
            assert read["name"] == place.credentials
            if words[2] == "test":
                assert read["reference"] == f"oci://{place.host}/{place.repository}:{place.tag}"
            else:
                given = Given(**{option: read[option] for option in Given.__dataclass_fields__})
                given.check()
                assert given.host == place.host
