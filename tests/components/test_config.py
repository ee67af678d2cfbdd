"""Component files: what is taken, what is refused with which fault, and that the editors' schema agrees."""

from __future__ import annotations

import copy
import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from byoa.components.reading import (
    FAULT_CODES,
    TEXT_LIMIT,
    ComponentConfig,
    check_config,
    fingerprint,
    is_component_name,
    render_schema,
    seconds,
)
from byoa.errors import SourceKindUnsupported
from byoa.oci.digest import Digest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "components").glob("*.toml"))
SCHEMA = Draft202012Validator(render_schema())
SHA256 = "sha256:" + "0123456789abcdef" * 4

HEAD = """
name = "vendor-app"
type = "kubernetes_manifest"
namespace = "vendor"
"""
ARTIFACT = """
[oci_artifact]
url = "oci://ghcr.io/vendor/app-manifests"
tag = "v2.3.1"
"""
REPO = 'repo = "https://github.com/vendor/app"\ndirectory = "deploy"\nbranch = "main"\n'
PUBLIC = "[public_repo]\n" + REPO
CONNECTED = "[connected_repo]\n" + REPO
LABELS_65 = "".join(f"l{i} = ''\n" for i in range(65))
KUSTOMIZE = '[kustomize]\npath = "overlays/production"\n'


def artifact(*lines: str, url: str = "oci://r.io/a") -> str:
    return "\n".join([HEAD, "[oci_artifact]", f"url = {json.dumps(url)}", *lines])


def top(*lines: str) -> str:
    return "\n".join([HEAD, *lines, ARTIFACT])


# (what is wrong, the text, all (code, field) pairs, whether the schema must refuse it too)
FAULTY: list[tuple[str, str, list[tuple[str, str]], bool]] = [
    # sources
    ("no source", HEAD, [("source_missing", "")], True),
    ("two sources", HEAD + 'manifest = "a: 1"' + ARTIFACT, [("source_conflict", "")], True),
    ("three sources", HEAD + 'manifest = "a: 1"\n' + KUSTOMIZE + PUBLIC + ARTIFACT, [("source_conflict", "")], True),
    ("an empty manifest", HEAD + 'manifest = ""', [("field_value", "manifest")], True),
    ("a manifest of another type", HEAD + "manifest = 1", [("field_type", "manifest")], True),
    ("kustomize without a repository", HEAD + KUSTOMIZE, [("repo_missing", "kustomize")], True),
    ("kustomize with two repositories", HEAD + KUSTOMIZE + PUBLIC + CONNECTED, [("repo_conflict", "")], True),
    ("a repository for an artifact", HEAD + ARTIFACT + PUBLIC, [("repo_unexpected", "public_repo")], True),
    (
        "a repository for a manifest",
        HEAD + 'manifest = "a: 1"\n' + CONNECTED,
        [("repo_unexpected", "connected_repo")],
        True,
    ),
    ("kustomize without a path", HEAD + "[kustomize]\n" + PUBLIC, [("field_missing", "kustomize.path")], True),
    (
        "another load restrictor",
        HEAD + KUSTOMIZE + 'load_restrictor = "all"\n' + PUBLIC,
        [("field_value", "kustomize.load_restrictor")],
        True,
    ),
    ("a lone patch", HEAD + KUSTOMIZE + 'patches = "a"\n' + PUBLIC, [("field_type", "kustomize.patches")], True),
    (
        "a patch as a table",
        HEAD + KUSTOMIZE + "patches = [{}]\n" + PUBLIC,
        [("field_type", "kustomize.patches[0]")],
        True,
    ),
    (
        "a password in a repository's address",
        HEAD + KUSTOMIZE + PUBLIC.replace("github", "joe:hunter2@github"),
        [("field_value", "public_repo.repo")],
        True,
    ),
    ("a source that is no table", HEAD + 'oci_artifact = "oci://r.io/a:v1"', [("field_type", "oci_artifact")], True),
    # the artifact
    ("no url", HEAD + '[oci_artifact]\ntag = "v1"', [("field_missing", "oci_artifact.url")], True),
    ("neither tag nor digest", artifact(), [("reference_incomplete", "oci_artifact")], True),
    ("a tag twice", artifact('tag = "v1"', url="oci://r.io/a:v1"), [("reference_conflict", "oci_artifact.tag")], True),
    (
        "a digest twice",
        artifact(f'digest = "{SHA256}"', url=f"oci://r.io/a@{SHA256}"),
        [("reference_conflict", "oci_artifact.digest")],
        True,
    ),
    (
        "both twice",
        artifact('tag = "v1"', f'digest = "{SHA256}"', url=f"oci://r.io/a:v2@{SHA256}"),
        [("reference_conflict", "oci_artifact.digest"), ("reference_conflict", "oci_artifact.tag")],
        True,
    ),
    ("no scheme", artifact('tag = "v1"', url="r.io/a"), [("reference_invalid", "oci_artifact.url")], True),
    (
        "another scheme",
        artifact('tag = "v1"', url="https://r.io/a"),
        [("reference_unsupported", "oci_artifact.url")],
        True,
    ),
    (
        "a password in the url",
        artifact('tag = "v1"', url="oci://joe:hunter2@r.io/a"),
        [("reference_invalid", "oci_artifact.url")],
        True,
    ),
    (
        "an address in another spelling",
        artifact('tag = "v1"', url="oci://127.1/a"),
        [("reference_invalid", "oci_artifact.url")],
        False,  # a pattern for hosts that tells this would help nobody
    ),
    ("a url of another type", HEAD + "[oci_artifact]\nurl = 1", [("field_type", "oci_artifact.url")], True),
    ("an empty url", artifact('tag = "v1"', url=""), [("reference_invalid", "oci_artifact.url")], True),
    (
        "an unknown algorithm in the url",
        artifact(url="oci://r.io/a@md5:00"),
        [("digest_unsupported", "oci_artifact.url")],
        True,
    ),
    ("an empty tag", artifact('tag = ""'), [("tag_invalid", "oci_artifact.tag")], True),
    ("a tag with a digest", artifact(f'tag = "v1@{SHA256}"'), [("tag_invalid", "oci_artifact.tag")], True),
    ("a tag that is a number", artifact("tag = 1.0"), [("field_type", "oci_artifact.tag")], True),
    ("a tag that ends a line", artifact('tag = "v1\\n"'), [("tag_invalid", "oci_artifact.tag")], False),  # Python's $
    ("a short digest", artifact('digest = "sha256:00"'), [("digest_invalid", "oci_artifact.digest")], True),
    ("an old digest", artifact(f'digest = "md5:{"0" * 32}"'), [("digest_unsupported", "oci_artifact.digest")], True),
    *(
        (f"credentials_ref {ref!r}", top().rstrip() + f"\ncredentials_ref = {json.dumps(ref)}", *expected)
        for ref in (
            "byoa/org_b/reg",
            "../org_b/reg",
            "a*",
            "A",
            "a_b",
            "%2e",
            "",
            "a" * 65,
            "arn:aws:x",
            "a.b",
        )  # C1, C2
        for expected in [([("field_value", "oci_artifact.credentials_ref")], True)]
    ),
    # the component
    ("another type", top().replace("kubernetes_manifest", "helm_chart"), [("type_unsupported", "type")], True),
    ("a dash in the type", top().replace("kubernetes_", "kubernetes-"), [("type_unknown", "type")], True),
    ("a slip in the type", top().replace("kubernetes_manifest", "helm_chrat"), [("type_unknown", "type")], True),
    ("a manifest's path", HEAD + 'manifest = "./web.yaml"', [("manifest_path", "manifest")], False),
    ("a manifest's path on Windows", HEAD + r"manifest = '.\web.yaml'", [("manifest_path", "manifest")], False),
    ("a manifest's name", HEAD + 'manifest = "web.yaml"', [("manifest_path", "manifest")], False),
    ("a manifest's folder", HEAD + 'manifest = "manifests/web"', [("manifest_path", "manifest")], False),
    ("a manifest's address", HEAD + 'manifest = "https://example.com/web.yaml"', [("manifest_url", "manifest")], False),
    (
        "a manifest's git address",
        HEAD + 'manifest = "git::ssh://git@example.com/a"',
        [("manifest_url", "manifest")],
        False,
    ),
    (
        "a manifest on GitHub",
        HEAD + 'manifest = "github.com/vendor/app//web.yaml"',
        [("manifest_url", "manifest")],
        False,
    ),
    ("a type of another type", top().replace('"kubernetes_manifest"', "1"), [("field_value", "type")], True),
    ("nothing", "", [("source_missing", ""), *(("field_missing", f) for f in ("name", "type", "namespace"))], True),
    *(
        (f"name {name!r}", top().replace('"vendor-app"', json.dumps(name)), [("field_value", "name")], True)
        for name in ("", "A", "a.b", "a/b", "../a", "-a", "a-", "_a", "a--b", "a__b", "a b", "é", "a" * 64)  # C26
    ),
    ("name with a line end", top().replace('"vendor-app"', '"a\\n"'), [("field_value", "name")], False),  # Python's $
    *(
        (f"namespace {space!r}", top().replace('"vendor"', json.dumps(space)), [("field_value", "namespace")], True)
        for space in ("", "A", "a_b", "a.b", "-a", "a-", "a" * 64, "{{", "{{}}", "{{a}}_b", "{{a}}B", "{{a\n}}")
    ),
    *(
        (
            f"build_timeout {value!r}",
            top(f"build_timeout = {json.dumps(value)}"),
            [("field_value", "build_timeout")],
            schema,
        )
        for value, schema in [
            ("", True),
            ("5", True),
            ("-5m", True),
            ("5 m", True),
            ("m", True),
            ("1d", True),
            ("5M", True),
            ("1h" * 17, True),
            ("0s", False),  # a pattern can't count
            ("1h1s", False),
            ("61m", False),
        ]
    ),
    ("a long deploy", top('deploy_timeout = "1h0.001s"'), [("field_value", "deploy_timeout")], False),
    ("a timeout in seconds", top("build_timeout = 300"), [("field_type", "build_timeout")], True),
    *(
        (f"schedule {cron!r}", top(f"drift_schedule = {json.dumps(cron)}"), [("field_value", "drift_schedule")], schema)
        for cron, schema in [
            ("", True),
            ("* * * *", True),
            ("* * * * * *", True),
            ("@daily", True),
            (" * * * * *", True),
            ("60 * * * *", False),  # a pattern can't count
            ("* 24 * * *", False),
            ("* * 0 * *", False),
            ("* * * 13 *", False),
            ("* * * * 7", False),
            ("5-1 * * * *", False),
            ("*/0 * * * *", False),
            ("1, * * * *", False),
            ("* * * FOO *", False),
            ("MON * * * *", False),
            ("1A * * * *", False),
        ]
    ),
    ("retries as text", top('max_auto_retries = "3"'), [("field_type", "max_auto_retries")], True),
    ("retries as a switch", top("max_auto_retries = true"), [("field_type", "max_auto_retries")], True),
    ("negative retries", top("max_auto_retries = -1"), [("field_value", "max_auto_retries")], True),
    ("endless retries", top("max_auto_retries = 101"), [("field_value", "max_auto_retries")], True),
    ("a switch as a number", top("skip_noops = 1"), [("field_type", "skip_noops")], True),
    ("a switch as text", top('skip_noops = "true"'), [("field_type", "skip_noops")], True),
    ("a lone dependency", top('dependencies = "a"'), [("field_type", "dependencies")], True),
    ("a number among dependencies", top('dependencies = ["a", 1]'), [("field_type", "dependencies[1]")], True),
    ("an odd dependency", top('dependencies = ["a", "B"]'), [("field_value", "dependencies[1]")], True),
    ("101 dependencies", top(f"dependencies = {['a'] * 101}"), [("field_value", "dependencies")], True),
    ("a number as a label", top("labels = {team = 1}"), [("field_type", "labels.team")], True),
    ("a line end in a label", top('labels = {team = "a\\nb"}'), [("field_value", "labels.team")], True),
    ("an odd label key", top('labels = {"a b" = "x"}'), [("field_value", "labels.'a b'")], True),
    ("labels as a list", top('labels = ["team"]'), [("field_type", "labels")], True),
    ("65 labels", HEAD + ARTIFACT + "[labels]\n" + LABELS_65, [("field_value", "labels")], True),
    ("an odd var_name", top('var_name = "a-b"'), [("field_value", "var_name")], True),
    (
        "an odd operation",
        HEAD + ARTIFACT + '[[operation_roles]]\noperation = "x"\nrole = "y"',
        [("field_value", "operation_roles[0].operation")],
        True,
    ),
    (
        "an odd probe",
        HEAD + ARTIFACT + '[[health.probes]]\ntype = "x"\nprot = 1',
        [("field_value", "health.probes[0].type"), ("field_unknown", "health.probes[0].prot")],
        True,
    ),
    ("a date as a name", top().replace('"vendor-app"', "1979-05-27"), [("field_type", "name")], True),
    # unknown fields
    ("a misspelt field", top("skip_noop = true"), [("field_unknown", "skip_noop")], True),
    ("a misspelt nested field", artifact('tag = "a"', 'x = "y"'), [("field_unknown", "oci_artifact.x")], True),
    ("a password", top('password = "hunter2"'), [("field_secret", "password")], True),
    ("a token", artifact('tag = "a"', 'auth_token = "hunter2"'), [("field_secret", "oci_artifact.auth_token")], True),
    ("a table that nobody knows", HEAD + ARTIFACT + "[a.b]\nc = 1", [("field_unknown", "a")], True),
    (
        "a field with an odd name",
        HEAD + ARTIFACT + '[[operation_roles]]\noperation = "deploy"\nrole = "y"\n"[key]" = 1',
        [("field_unknown", "operation_roles[0].'[key]'")],
        True,
    ),
    # several at once
    (
        "everything at once",
        """
        name = "A"
        type = "kubernetes_manifest"
        skip_noops = 1
        manifest = ""
        secret = "x"
        [oci_artifact]
        url = "oci://r.io/a:v1"
        tag = "v2"
        digest = "latest"
        """,
        [
            ("source_conflict", ""),
            ("reference_conflict", "oci_artifact.tag"),
            ("field_value", "name"),
            ("field_missing", "namespace"),
            ("field_value", "manifest"),
            ("digest_invalid", "oci_artifact.digest"),
            ("field_type", "skip_noops"),
            ("field_secret", "secret"),
        ],
        True,
    ),
]

# (what is wrong, the text, code): texts that are no TOML table at all
UNREADABLE: list[tuple[str, str | bytes, str]] = [
    ("syntax", "name = ", "toml_invalid"),
    ("a field twice", 'name = "a"\nname = "b"', "toml_invalid"),
    ("YAML", "name: a\n", "toml_invalid"),
    ("an open list", "a = [1,\n", "toml_invalid"),
    ("a NUL", "a = '\x00'", "toml_invalid"),
    ("a lone surrogate by escape", 'a = "\\ud800"', "toml_invalid"),
    ("deep lists", "a = " + "[" * 100_000, "toml_invalid"),
    ("deep tables", "a = " + "{a = " * 40_000, "toml_invalid"),
    ("a deep key", ".".join("a" * 130_000) + " = 1", "toml_invalid"),
    ("a deep quoted key", " . ".join(['"\\""', "'.'"] * 10_000) + " = 1", "toml_invalid"),
    ("a deep header", "[" + ".".join("a" * 130_000) + "]", "toml_invalid"),
    ("a long number", "a = " + "9" * 100_000, "toml_invalid"),
    ("Latin-1", "name = 'é'".encode("latin-1"), "text_not_utf8"),
    ("UTF-16", "name = 'a'".encode("utf-16"), "text_not_utf8"),
    ("an overlong encoding", b"a = '\xc0\xaf'", "text_not_utf8"),
    ("a lone surrogate", "a = '\ud800'", "text_not_utf8"),
    ("one byte too many", b"#" * (TEXT_LIMIT + 1), "text_too_large"),
    ("too many bytes in few characters", "#" + "é" * (TEXT_LIMIT // 2), "text_too_large"),
]

ids = [row[0] for row in FAULTY]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_sound_for_us_and_for_editors(path: Path) -> None:
    content = path.read_bytes()
    assert content.startswith(b"# kubernetes-manifest\n")
    checked = check_config(content)
    assert checked.faults == ()
    assert checked.config is not None
    SCHEMA.validate(tomllib.loads(content.decode()))


def test_the_examples_show_every_source() -> None:
    shown = {path.stem: check_config(path.read_bytes()).source_type for path in EXAMPLES}
    assert shown == {
        "ecr-private": "oci_artifact",
        "ghcr-public": "oci_artifact",
        "inline": "inline",
        "kustomize": "kustomize",
    }


@pytest.mark.parametrize(("text", "expected"), [row[1:3] for row in FAULTY], ids=ids)
def test_all_faults_of_a_file_are_told_at_once(text: str, expected: list[tuple[str, str]]) -> None:
    checked = check_config(text)
    assert checked.config is None
    assert [(fault.code, fault.field) for fault in checked.faults] == expected


@pytest.mark.parametrize(("text", "also_schema"), [(row[1], row[3]) for row in FAULTY], ids=ids)
def test_the_schema_refuses_what_a_schema_can_tell(text: str, also_schema: bool) -> None:  # noqa: FBT001
    assert SCHEMA.is_valid(tomllib.loads(text)) is not also_schema


@pytest.mark.parametrize("text", [row[1] for row in FAULTY], ids=ids)
def test_a_fault_is_printable_names_a_remedy_and_tells_no_secret(text: str) -> None:
    for fault in check_config(text).faults:
        for sentence in (fault.message, fault.remedy):
            assert 0 < len(sentence) <= 512
            assert sentence.isascii()
            assert sentence.isprintable()
        assert fault.field.isascii()
        assert "hunter2" not in json.dumps(fault.as_dict())


@pytest.mark.parametrize(("text", "code"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_a_text_that_cannot_be_read_is_one_fault(text: str | bytes, code: str) -> None:
    begin = time.perf_counter()
    checked = check_config(text)
    assert time.perf_counter() - begin < 5
    assert [(fault.code, fault.field) for fault in checked.faults] == [(code, "")]
    assert (checked.config, checked.name, checked.source_type) == (None, None, None)
    assert len(checked.faults[0].message) <= 512
    assert checked.faults[0].message.isprintable()


def test_every_code_is_documented_and_every_documented_code_occurs() -> None:
    texts: list[str | bytes] = ["".join(f"k{i} = 1\n" for i in range(200))]
    texts += [row[1] for row in FAULTY]
    texts += [row[1] for row in UNREADABLE]
    assert {fault.code for text in texts for fault in check_config(text).faults} == FAULT_CODES.keys()


@pytest.mark.parametrize(
    ("text", "place"),
    [("a = 1\nb = = 2", "line 2, column 5"), ("a = [1,\n", "line 2, column 1"), ("a = '", "line 1, column 6")],
)
def test_a_syntax_fault_names_line_and_column(text: str, place: str) -> None:
    assert place in check_config(text).faults[0].message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD, "one of 'manifest', 'kustomize' or 'oci_artifact' must be specified"),
        (
            HEAD + 'manifest = "a"' + ARTIFACT,
            "only one of 'manifest', 'kustomize' or 'oci_artifact' can be specified",
        ),
        (HEAD + KUSTOMIZE, "kustomize requires either 'public_repo' or 'connected_repo' to be specified"),
        (HEAD + "[kustomize]\n" + PUBLIC, "kustomize.path is required"),
        (artifact(), "oci_artifact requires either tag or digest"),
        (
            top(credential := 'credential_ref = "x"'),
            "unknown field 'credential_ref', did you mean 'credentials_ref' under [oci_artifact]?",
        ),
        (HEAD + ARTIFACT + credential, "unknown field 'credential_ref', did you mean 'credentials_ref'?"),
        (HEAD + ARTIFACT + "dependencies = []", "did you mean 'dependencies' at the top, before the first [table]?"),
        (HEAD + KUSTOMIZE + "health = {}", "did you mean 'health' at the top, before the first [table]?"),
        (top('helm_password = "x"'), "secrets never go in this file, use credentials_ref"),
        (top('"\\u202e\\u0000" = 1'), r"unknown field '\u202e\x00'"),
        (top(f"{'k' * 200} = 1"), f"unknown field '{'k' * 61}...'"),
        (HEAD.replace("kubernetes_manifest", "helm_chart"), "'helm_chart' is not handled here"),
    ],
)
def test_a_fault_says_what_a_nuon_user_expects(text: str, sentence: str) -> None:
    assert any(sentence in fault.message for fault in check_config(text).faults)


def test_a_file_of_nothing_but_faults_is_cut_short() -> None:
    faults = check_config("".join(f"k{i} = 1\n" for i in range(20_000))).faults
    assert len(faults) == 101
    assert faults[-1].code == "faults_omitted"


@pytest.mark.parametrize(
    ("text", "name", "source_type"),
    [
        (top("x = 1"), "vendor-app", "oci_artifact"),
        (HEAD + "x = 1\nmanifest = 'a'", "vendor-app", "inline"),
        (HEAD + KUSTOMIZE, "vendor-app", "kustomize"),
        (HEAD, "vendor-app", None),
        (HEAD + "manifest = 'a'" + ARTIFACT, "vendor-app", None),
        ("name = '../a'" + ARTIFACT, None, "oci_artifact"),
        ("name = 'a\u202e'", None, None),
        ("name = 1", None, None),
    ],
)
def test_a_faulty_file_still_tells_its_name_and_source_type(text: str, name: str | None, source_type: str) -> None:
    checked = check_config(text)
    assert checked.config is None
    assert (checked.name, checked.source_type) == (name, source_type)


@pytest.mark.parametrize(
    "lines",
    [
        ['build_timeout = "1h"', 'deploy_timeout = "59m60s"'],
        ['build_timeout = "1.5m"', 'deploy_timeout = "1500ms"'],
        ['drift_schedule = "*/15 0-6,12 1 JAN-mar MON"', 'var_name = "vendor_app"'],
        ['drift_schedule = "5/10 * ? * 0"'],
        ["toggleable = true", "default_enabled = false", "auto_approve_on_policies_passing = true"],
        ['labels = {"example.com/team" = "ü", empty = ""}'],
        ['dependencies = ["audit_log_exporter", "db-1"]'],
        ['operation_roles = [{operation = "deploy", role = "{{.nuon.install.id}}-maintenance"}]'],
        ['health = {enabled = true, stabilization_window = "10m", probes = [{type = "exec", command = ["a", "b"]}]}'],
    ],
)
def test_the_neighbours_of_the_source_are_taken_as_nuon_takes_them(lines: list[str]) -> None:
    assert check_config(top(*lines)).faults == ()
    SCHEMA.validate(tomllib.loads(top(*lines)))


@pytest.mark.parametrize(
    "namespace", ["a", "a" * 63, "{{.nuon.install.id}}", "{{.nuon.install.id}}-dne", "x-{{ a }}{{ b }}"]
)
def test_a_namespace_is_a_label_or_holds_templates(namespace: str) -> None:
    text = top().replace('"vendor"', json.dumps(namespace))
    assert check_config(text).faults == ()
    SCHEMA.validate(tomllib.loads(text))


@pytest.mark.parametrize("name", ["a", "0", "vendor-app", "audit_log_exporter", "a1-b2_c3", "a" * 63])
def test_a_name_is_one_label_that_ecr_takes_too(name: str) -> None:
    assert is_component_name(name)
    assert check_config(top().replace('"vendor-app"', json.dumps(name))).name == name


@pytest.mark.parametrize(
    ("lines", "url", "reference"),
    [
        (['tag = "v1"'], "oci://r.io/a", "oci://r.io/a:v1"),
        ([f'digest = "{SHA256}"'], "oci://r.io/a", f"oci://r.io/a@{SHA256}"),
        (['tag = "v1"', f'digest = "{SHA256}"'], "oci://r.io/a", f"oci://r.io/a:v1@{SHA256}"),
        ([], "oci://R.io:443/a:v1", "oci://r.io/a:v1"),
        (['tag = "v1"'], f"oci://r.io/a@{SHA256}", f"oci://r.io/a:v1@{SHA256}"),
        ([f'digest = "{SHA256}"'], "oci://[::1]:5000/a:v1", f"oci://[::1]:5000/a:v1@{SHA256}"),
        (['credentials_ref = "aws-ecr-creds"'], "oci://r.io/a:v1", "oci://r.io/a:v1"),
    ],
)
def test_the_artifact_is_one_reference(lines: list[str], url: str, reference: str) -> None:
    config = check_config(artifact(*lines, url=url)).config
    assert config is not None
    assert str(config.reference) == reference
    assert SCHEMA.is_valid(tomllib.loads(artifact(*lines, url=url)))


def test_with_tag_and_digest_the_digest_is_meant() -> None:
    config = check_config(artifact('tag = "v1"', f'digest = "{SHA256}"')).config
    assert config is not None
    assert config.reference.digest == Digest.parse(SHA256)


def test_a_component_with_another_source_has_no_reference() -> None:
    config = check_config(HEAD + "manifest = 'a'").config
    assert config is not None
    with pytest.raises(SourceKindUnsupported):
        _ = config.reference


def test_defaults_are_nuons() -> None:
    config = check_config(top()).config
    assert config is not None
    assert (config.build_timeout, config.deploy_timeout) == ("5m", "15m")
    assert (config.max_auto_retries, config.skip_noops, config.dependencies) == (0, False, ())


def test_windows_files_are_read_too() -> None:
    assert check_config(b"\xef\xbb\xbf" + top().replace("\n", "\r\n").encode()).faults == ()
    assert check_config("\ufeff" + top()).faults == ()


def test_a_text_of_exactly_the_limit_is_read() -> None:
    text = top() + "#"
    assert check_config(text + "x" * (TEXT_LIMIT - len(text))).faults == ()


def test_long_dotted_names_inside_a_manifest_are_no_deep_keys() -> None:
    reverse = ".".join("0" * 32) + ".ip6.arpa"
    assert check_config(HEAD + f'manifest = """\nhost: {reverse}\n"""').faults == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5m", 300), ("1h30m", 5400), ("90s", 90), ("1.5h", 5400), ("250ms", 0.25), ("0s", 0), ("1m1us", 60.000001)],
)
def test_a_go_duration_is_read_in_seconds(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5m ", "-5m", "5x", "5m3", ".5m", "5.m", "\u0665m", "1e3s"])
def test_what_is_no_go_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


# --- storing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_config_survives_being_stored_as_json(path: Path) -> None:
    config = check_config(path.read_bytes()).config
    assert config is not None
    stored = json.dumps(config.model_dump(mode="json"))
    assert ComponentConfig.model_validate(json.loads(stored)) == config
    assert ComponentConfig.model_validate_json(stored) == config
    assert fingerprint(ComponentConfig.model_validate(json.loads(stored))) == fingerprint(config)


def test_a_config_cannot_change() -> None:
    config = check_config(top()).config
    assert config is not None
    with pytest.raises(ValidationError):
        config.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("text", [row[1] for row in FAULTY], ids=ids)
def test_what_was_tampered_with_is_not_taken_back(text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ComponentConfig.model_validate(tomllib.loads(text))
    assert "hunter2" not in str(refusal.value)


def test_layout_order_comments_and_spelt_out_defaults_leave_the_fingerprint() -> None:
    one = check_config(top('labels = {a = "1", b = "2"}')).config
    other = check_config(
        '# other\nnamespace="vendor"\ntype="kubernetes_manifest"\nname="vendor-app"\nbuild_timeout="5m"\n'
        '[labels]\nb="2"\na="1"\n[oci_artifact]\ntag="v2.3.1"\nurl="oci://ghcr.io/vendor/app-manifests"\n'
    ).config
    assert one is not None
    assert other is not None
    assert fingerprint(one) == fingerprint(other)


def test_every_change_of_content_changes_the_fingerprint() -> None:
    texts = [
        top(),
        top().replace("v2.3.1", "v2.3.2"),
        top().replace("vendor-app", "vendor-app2"),
        top().rstrip() + '\ncredentials_ref = "x"',
        top('build_timeout = "6m"'),
        top('dependencies = ["a", "b"]'),
        top('dependencies = ["b", "a"]'),
        top('labels = {a = "1"}'),
        HEAD + "manifest = 'a'",
    ]
    configs = [check_config(text).config for text in texts]
    assert len({fingerprint(config) for config in configs if config is not None}) == len(texts)


def test_a_fingerprint_is_the_same_in_every_process_and_release() -> None:
    config = check_config(top()).config
    assert config is not None
    assert fingerprint(config) == "7913622bbffc36c9a7608dfee79616e7bf100deec6aff29f52f79e0a2ab642ff"


# --- the schema --------------------------------------------------------------------------------------------------


def _tables(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *schema["$defs"].values()]


def test_the_schema_is_one() -> None:
    schema = render_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema)) == schema


def test_the_schema_has_words_for_every_field_and_knows_them_all() -> None:
    schema = render_schema()
    for table in _tables(schema):
        assert table["additionalProperties"] is False
        for name, field in table["properties"].items():
            assert field["description"].endswith("."), name
            assert field["examples"], name
            assert "title" in field or "$ref" in field, name
            assert field.get("default", ...) is not None, name


def test_every_example_value_in_the_schema_is_valid_there() -> None:
    schema = render_schema()
    for table in _tables(schema):
        for field in table["properties"].values():
            for value in field["examples"]:
                Draft202012Validator({"$defs": schema["$defs"], **field}).validate(value)


def test_rendering_twice_gives_two_independent_equal_schemas() -> None:
    first = render_schema()
    kept = copy.deepcopy(first)
    first["properties"].clear()
    assert render_schema() == kept


# --- anything ----------------------------------------------------------------------------------------------------


@given(st.text() | st.binary())
def test_no_text_makes_the_check_raise(text: str | bytes) -> None:
    checked = check_config(text)
    assert (checked.config is None) == bool(checked.faults)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
known = [*ComponentConfig.model_fields, "url", "tag", "path", "password"]


@example({"[key]": None})
@example({"labels": {"[key]": 1}})
@example({"operation_roles": [{"[key]": 1}]})
@given(st.dictionaries(st.sampled_from(known) | st.text(max_size=5), values, max_size=5))
def test_no_document_makes_the_check_raise(document: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key)} = {_toml(value)}" for key, value in document.items()]
    for fault in check_config("\n".join(lines)).faults:
        assert fault.code in FAULT_CODES
        assert fault.message.isascii()
        assert fault.message.isprintable()
        assert len(fault.message) <= 512


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    if isinstance(value, float):
        return repr(value)
    return "''" if value is None else json.dumps(value)
