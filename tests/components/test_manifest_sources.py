"""What a manifest is: the manifests themselves, or a name for them; and files read in its place."""

from __future__ import annotations

import pytest

from byoa.components.faults import Fault
from byoa.components.reading import OTHER_TYPES, ComponentConfig, check_config
from byoa.components.values import named_source

HEAD = 'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "web"\n'
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"


@pytest.mark.parametrize(
    "text",
    ["./a.yaml", "../a.yaml", "/etc/passwd", "~/a.yaml", "a.yaml", "a.yml", "a.json", "manifests/web", r".\a.yaml",
     r"C:\a.yaml", "C:/a.yaml", " ./a.yaml\n", "./{{.nuon.app.id}}.yaml", "manifests/my file.yaml", "a.yaml.tmpl",
     "./a:b.yaml"],
)  # fmt: skip
def test_a_path_is_told_from_manifests(text: str) -> None:
    assert named_source(text) == "path"


@pytest.mark.parametrize(
    "text",
    ["https://example.com/a.yaml", "HTTP://a/b", "s3::https://a/b", "git::https://a/b", "git@github.com:a/b.git", "oci://a/b",
     "file:///etc/passwd", "github.com/a/b", "www.example.com/a.yaml", "s3://a/b", "\thttps://a/b "],
)  # fmt: skip
def test_an_address_is_told_from_manifests(text: str) -> None:
    assert named_source(text) == "url"


@pytest.mark.parametrize(
    "text",
    [
        OBJECT,
        OBJECT.strip(),
        "{apiVersion: v1}",
        '{"a":"b/c.yaml"}',
        "# ./a.yaml\na: 1",
        "a: ./b.yaml",
        "{{ .manifest }}",
        "---\na: 1",
    ],
)
def test_manifests_are_manifests(text: str) -> None:
    assert named_source(text) is None


def test_no_text_takes_long() -> None:
    for text in ("a" * 200_000, "/" * 200_000, "a/" * 100_000 + " ", "." * 200_000, "a." * 100_000, "w@" * 100_000):
        assert named_source(text) in {"path", "url", None}


def test_a_files_text_is_what_the_config_holds() -> None:
    asked: list[str] = []

    def read(named: str) -> str:
        asked.append(named)
        return OBJECT

    checked = check_config(HEAD + 'manifest = " ./web.yaml"\n', read)
    assert checked.faults == ()
    assert checked.config
    assert (checked.config.manifest, asked) == (OBJECT, ["./web.yaml"])
    assert ComponentConfig.model_validate(checked.config.model_dump(mode="json")) == checked.config


def test_a_file_that_names_another_is_not_followed() -> None:
    checked = check_config(HEAD + 'manifest = "./web.yaml"\n', lambda _: "./other.yaml")
    assert [fault.code for fault in checked.faults] == ["manifest_path"]


def test_a_file_that_cannot_be_read_is_told_with_the_other_faults() -> None:
    fault = Fault("manifest_unreadable", "", "the file is gone", "Bring it back.")
    checked = check_config(HEAD + 'manifest = "./web.yaml"\nmax_auto_retries = -1\n', lambda _: fault)
    told = [(fault.code, fault.field, fault.line) for fault in checked.faults]
    assert told == [("manifest_unreadable", "manifest", 4), ("field_value", "max_auto_retries", 5)]
    assert check_config(HEAD + 'manifest = "./web.yaml"\n', lambda _: fault).config is None


@pytest.mark.parametrize("first", ["./web.yaml", "https://example.com/web.yaml"])
def test_no_stored_config_names_its_manifests(first: str) -> None:
    with pytest.raises(ValueError, match="manifest"):
        ComponentConfig.model_validate(
            {"name": "a", "type": "kubernetes_manifest", "namespace": "a", "manifest": first}
        )


@pytest.mark.parametrize("kind", OTHER_TYPES)
def test_nuons_other_types_are_known(kind: str) -> None:
    (fault,) = check_config(f'name = "a"\ntype = "{kind}"\nmanifest = 7\n').faults
    assert (fault.code, fault.field) == ("type_unsupported", "type")


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("# helm", "type_unsupported"),
        ("# terraform", "type_unsupported"),
        ("# container-image", "type_unsupported"),
        ("#:schema https://api.nuon.co/v1/general/config-schema?type=helm", "type_unsupported"),
        ("#:schema https://api.nuon.co/v1/general/config-schema?type=docker-build", "type_unsupported"),
        ("# kubernetes-manifest", "field_missing"),
        ("# web", "field_missing"),
        ("# helm is elsewhere", "field_missing"),
    ],
)
def test_the_first_line_gives_the_type_of_a_file_without_one(first: str, code: str) -> None:
    checked = check_config(f'{first}\nname = "web"\nnamespace = "web"\nmanifest = "a: 1"\n')
    assert [fault.code for fault in checked.faults] == [code]
