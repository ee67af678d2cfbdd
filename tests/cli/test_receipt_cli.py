"""`byoa receipt` as a process, with no network and no AWS: what verifies, what doesn't, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256K1,
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.bootstrap import terminal as bootstrap
from byoa.builds import receipts
from byoa.builds import record as record_step
from byoa.builds.messages import BuildEnded
from byoa.builds.records import entry
from byoa.components.reading import check_config
from byoa.errors import BuildNotFound
from byoa_cli.receipts import receipt
from tests.keys import MemoryKey

if TYPE_CHECKING:
    from collections.abc import Callable


ROOT = Path(__file__).parents[2]
BYOA = Path(sys.executable).with_name("byoa")
SAMPLE = BuildEnded.model_validate_json((ROOT / "events" / "record_build.json").read_bytes())
assert SAMPLE.artifact
BUILD_ID = SAMPLE.artifact.build_id
RECEIPT = receipts.receipt_of(SAMPLE, SAMPLE.artifact.nodes, 2_000)
FINE, MEND, USAGE = 0, 1, 2


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.out.count("\n") == 1, "one document on one line"
        return json.loads(self.out)


@dataclass(frozen=True)
class Files:
    key: MemoryKey
    receipt: Path
    pem: Path

    def alter(self, **changes: Any) -> None:
        self.receipt.write_text(json.dumps(json.loads(self.receipt.read_text()) | changes))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    key = MemoryKey()
    found = Files(key, tmp_path / "receipt.json", tmp_path / "key.pem")
    found.receipt.write_text(receipts.seal(RECEIPT, key))
    found.pem.write_bytes(key.pem)
    return found


@pytest.fixture
def byoa(tmp_path: Path) -> Callable[..., Done]:
    """The environment holds nothing: no AWS, no home, no proxy."""
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "COLUMNS": "200"}

    def run(*arguments: str | Path, stdin: str = "") -> Done:
        command = [BYOA, "receipt", *arguments]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=environment, timeout=60, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def test_people_read_what_was_verified(byoa: Callable[..., Done], files: Files) -> None:
    done = byoa("verify", files.receipt, "--key", files.pem)
    assert (done.code, done.err) == (FINE, "")
    assert done.out.startswith(f"verified {BUILD_ID}  org_demo00000000 demo/flux v1\n")
    assert f"source oci://127.0.0.1:5101/vendor/flux:v2.3.1 → {RECEIPT.source.digest}\n" in done.out
    assert f"target ecr: {RECEIPT.targets[0].reference}\n" in done.out
    assert "3 manifests and blobs, 1111 bytes; 0 attached\n" in done.out
    assert "the vendor's signatures: not required\n" in done.out


def test_programs_read_the_receipt_itself(byoa: Callable[..., Done], files: Files) -> None:
    done = byoa("verify", files.receipt, "--key", files.pem, "--json")
    assert done.code == FINE
    assert done.json() == {"verified": True, "receipt": RECEIPT.model_dump(mode="json")}


def test_a_receipt_may_come_through_a_pipe(byoa: Callable[..., Done], files: Files) -> None:
    assert byoa("verify", "-", "--key", files.pem, stdin=files.receipt.read_text()).code == FINE


def _refused(done: Done) -> str:
    assert done.code == MEND
    error = done.json()["error"]
    assert error["code"] == "ReceiptInvalid"
    assert error["remedy"]
    return str(error["cause"])


def test_an_altered_payload_is_found(byoa: Callable[..., Done], files: Files) -> None:
    other = RECEIPT.model_copy(update={"ended_at_ts": 3_000})
    files.alter(payload=json.loads(receipts.seal(other, None))["payload"])
    assert "altered" in _refused(byoa("verify", files.receipt, "--key", files.pem, "--json"))


def test_another_key_does_not_vouch_for_it(byoa: Callable[..., Done], files: Files) -> None:
    files.pem.write_bytes(MemoryKey().pem)
    assert "another key" in _refused(byoa("verify", files.receipt, "--key", files.pem, "--json"))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"payloadType": "application/vnd.in-toto+json"}, "something else"),
        ({"signatures": []}, "not signed"),
        ({"signatures": [{"keyid": "x", "sig": "AAAA"}]}, "altered"),
        ({"payload": 7}, "no envelope"),
    ],
    ids=["type", "no signature", "no DER", "no text"],
)
def test_a_wrong_envelope_is_refused(
    byoa: Callable[..., Done], files: Files, change: dict[str, Any], word: str
) -> None:
    files.alter(**change)
    assert word in _refused(byoa("verify", files.receipt, "--key", files.pem, "--json"))


@pytest.mark.parametrize("text", ["", "{", "[1]", "x" * (4 * 1024 * 1024 + 1)], ids=["empty", "broken", "list", "long"])
def test_what_is_no_envelope_is_refused(byoa: Callable[..., Done], files: Files, text: str) -> None:
    _refused(byoa("verify", "-", "--key", files.pem, "--json", stdin=text))


def test_an_input_without_end_is_given_up(byoa: Callable[..., Done], files: Files) -> None:
    assert "larger than 4 MiB" in _refused(byoa("verify", "/dev/zero", "--key", files.pem, "--json"))


def _other_curve(curve: EllipticCurve) -> bytes:
    key = generate_private_key(curve).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "no public key"),
        (b"\x00" * 70_000, "no public key"),
        (_private(), "no public key"),
        (_other_curve(SECP384R1()), "another kind"),
        (_other_curve(SECP256K1()), "another kind"),
    ],
    ids=["empty", "bytes", "private", "P-384", "secp256k1"],
)
def test_a_key_that_is_none_is_told(byoa: Callable[..., Done], files: Files, content: bytes, word: str) -> None:
    files.pem.write_bytes(content)
    assert word in _refused(byoa("verify", files.receipt, "--key", files.pem, "--json"))


def test_people_read_the_cause_and_the_next_step(byoa: Callable[..., Done], files: Files) -> None:
    files.alter(signatures=[])
    done = byoa("verify", files.receipt, "--key", files.pem)
    assert (done.code, done.out) == (MEND, "")
    assert "ReceiptInvalid: The receipt is not signed." in done.err
    assert "next:" in done.err


def test_a_file_that_isn_t_there_is_a_slip_of_usage(byoa: Callable[..., Done], files: Files) -> None:
    assert byoa("verify", files.receipt.with_name("gone.json"), "--key", files.pem).code == USAGE
    assert byoa("verify", files.receipt).code == USAGE


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> MemoryLedger:
    """A ledger instead of the table, with the sample's build queued."""
    ledger = MemoryLedger(SteppingClock())
    text = 'name = "flux"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\nmanifest = "a: 1"\n'
    config = check_config(text).config
    assert config
    assert ledger.submit("org_demo00000000", "demo", config).build.key == SAMPLE.key
    ledger.begin(SAMPLE.key, SAMPLE.execution, entry("planning", "begun", SteppingClock().now()))
    monkeypatch.setattr(bootstrap, "catalogue", lambda table: ledger)
    return ledger


def _get(*arguments: str) -> int:
    """The exit code; an error of ours is raised, as `run` would have it."""
    command = ["get", BUILD_ID, "--org", "org_demo00000000", "--table", "t", *arguments]
    return receipt.call("byoa receipt", command)


def test_a_kept_receipt_is_printed_as_it_is(
    kept: MemoryLedger, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    record_step.record(SAMPLE, kept, SteppingClock(), files.key)
    assert _get() == FINE
    assert capsys.readouterr() == (f"{kept.receipts[SAMPLE.key, SAMPLE.execution]}\n", "")


def test_an_unsigned_receipt_is_given_with_a_word_about_it(
    kept: MemoryLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_step.record(SAMPLE, kept, SteppingClock())
    assert _get("--out", str(tmp_path / "r.json"), "--json") == FINE
    printed, said = capsys.readouterr()
    assert json.loads(printed)["signed"] is False
    assert "not signed: the stack had no key" in said
    assert json.loads((tmp_path / "r.json").read_text())["signatures"] == []


def test_a_build_that_is_not_active_has_none(kept: MemoryLedger) -> None:
    with pytest.raises(BuildNotFound) as caught:
        _get()
    assert "`byoa builds get`" in caught.value.remedy


def test_a_key_needs_aws_and_says_so(byoa: Callable[..., Done]) -> None:
    done = byoa("key", "--key", "alias/byoa-receipts", "--json")
    assert (done.code, done.json()["error"]["code"]) == (MEND, "PlatformForbidden")


@pytest.mark.parametrize("command", ["get", "key", "verify"])
def test_help_has_examples(byoa: Callable[..., Done], command: str) -> None:
    done = byoa(command, "--help")
    assert done.code == FINE
    assert f"byoa receipt {command}" in done.out


def test_no_function_and_no_start_of_the_terminal_loads_cryptography() -> None:
    names = sorted(path.stem for path in (ROOT / "functions").glob("*.py") if path.stem != "__init__")
    modules = ["byoa_cli.main", *(f"functions.{name}" for name in names)]
    script = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\n"
    script += "print([name for name in sys.modules if name.partition('.')[0] == 'cryptography'])"
    command = [sys.executable, "-c", script, *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
