from __future__ import annotations

import http.client
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bench.access_log import parse_access_log
from bench.artifacts import TAG, Noise, Pusher, manifests_layer
from bench.figures import OURS, Cpu, Figure, Load, Requests, Run, median_figure, percentile, ratio, rotated, within
from bench.loads.installs import FLAT_MIB, objects, with_memory
from bench.null_content import Content, Layer, digest_of
from bench.null_registry import NullRegistry
from bench.prices import LIST_PRICES, Use, cost_per_thousand, kibs_of, transaction_units
from bench.report import as_json, markdown, rows
from bench.run import GROUPS, wanted
from bench.tools import Copy, copy_command
from byoa.bootstrap import terminal as bootstrap
from byoa.engine.copying import copy
from byoa.errors import DigestMismatch
from byoa.installs.builtin import BUILTIN
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator


# ---- figures -----------------------------------------------------------------------------------------------------


def test_a_figure_is_the_median_of_the_runs_that_nobody_disturbed() -> None:
    runs = [Run(1.0, 10, None), Run(9.0, 12, None, disturbed=True), Run(3.0, 11, None), Run(2.0, 10, None)]
    figure = median_figure("crane", runs)
    assert (figure.seconds, figure.rss_mib) == (2.0, 11)
    assert figure.more == {"runs": 3, "disturbed": 0}


def test_where_most_runs_were_disturbed_all_of_them_count_and_it_is_said() -> None:
    runs = [Run(1.0, 10, None), Run(9.0, 12, None, disturbed=True), Run(3.0, 11, None, disturbed=True)]
    figure = median_figure("crane", runs)
    assert (figure.seconds, figure.more["disturbed"]) == (3.0, 2)


def test_requests_are_medians_of_each_side() -> None:
    runs = [Run(1.0, 1, Requests(*sides)) for sides in ((3, 8), (3, 9), (4, 8))]
    assert median_figure("crane", runs).requests == Requests(3, 8)


def test_cpu_seconds_are_medians_of_each_process() -> None:
    runs = [Run(1.0, 1, None, cpu=Cpu(*seconds)) for seconds in ((0.1, 2.0, 3.0), (0.3, 1.0, 5.0), (0.2, 3.0, 4.0))]
    assert median_figure("crane", runs).cpu == Cpu(0.2, 2.0, 4.0)


def test_a_ratio_needs_both_sides() -> None:
    assert ratio(1.0, 2.0) == 0.5
    assert ratio(1.0, None) is None
    assert ratio(None, 2.0) is None


def test_another_tool_is_first_in_each_round() -> None:
    assert [rotated("abc", by) for by in range(4)] == [list("abc"), list("bca"), list("cab"), list("abc")]
    assert rotated([], 3) == []


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([float(number) for number in range(1, 21)], 0.95) == 19.0
    assert percentile([5.0], 0.95) == 5.0


def test_requests_keep_to_their_goal_on_both_sides() -> None:
    assert within(Requests(3, 7), "3+7")
    assert not within(Requests(2, 8), "3+7")


def test_the_goal_is_held_against_the_best_peer_that_does_the_same_work() -> None:
    figures = [Figure("byoa", 1.0), Figure("crane", 2.0), Figure("regctl", 4.0), Figure("oras", 0.5)]
    load = Load("large", figures, 0.65, no_peers=frozenset({"oras"}))
    assert load.best_peer == Figure("crane", 2.0)
    assert (load.ratio, load.met) == (0.5, True)


def test_a_load_is_missed_when_one_of_its_further_goals_is() -> None:
    figures = [Figure("byoa", 1.0), Figure("crane", 2.0)]
    assert Load("large", figures, 1.0, further=(False,)).met is False


def test_without_a_peer_there_is_no_ratio_and_no_verdict() -> None:
    load = Load("large", [Figure("byoa", 1.0), Figure("crane", None, note="it failed")], 0.65)
    assert (load.ratio, load.met, load.as_dict()["best_peer"]) == (None, None, None)


def test_a_goal_in_seconds_needs_no_peer() -> None:
    assert Load("small", [Figure("byoa", 0.2)], 0.25, "seconds").met is True


def test_a_goal_in_requests_is_compared_by_requests() -> None:
    figures = [Figure("byoa", 9.0, requests=Requests(1, 1)), Figure("crane", 1.0, requests=Requests(2, 2))]
    load = Load("requests", figures, "1+1", "requests")
    assert (load.ratio, load.met) == (0.5, True)


def test_an_install_is_held_to_its_memory_beside_its_time() -> None:
    times = [Load(f"install, {count}", [Figure(OURS, 0.5, mib), Figure("kubectl", 1.0)], 0.7)
             for count, mib in ((25, 30.0), (59, 31.0), (300, 30.0 + FLAT_MIB + 1))]  # fmt: skip
    assert [load.met for load in with_memory(times)] == [True, True, False]
    assert with_memory([Load("install", [Figure(OURS, None)], 0.7)])[0].met is None


def test_what_is_installed_is_of_kinds_that_are_there_and_has_names_of_its_own() -> None:
    found = objects(59)
    assert len({(each["kind"], each["metadata"]["name"]) for each in found}) == 59
    kinds = {(kind.api_version, kind.kind) for kind in BUILTIN}
    assert {(each["apiVersion"], each["kind"]) for each in found} <= kinds


# ---- what is printed ---------------------------------------------------------------------------------------------

_OURS = Figure("byoa", 1.0, 20.0, Requests(3, 7), Cpu(0.5, 0.25, 1))
_LOAD = Load("large", [_OURS, Figure("crane", 2.0)], 0.65)


def test_the_table_has_a_row_for_each_tool() -> None:
    assert rows([_LOAD]) == [
        ["large", "byoa", "1.000", "0.50 of crane", "3+7", "0.50+0.25+1.00", "20", "≤ 0.65", "ok"],
        ["", "crane", "2.000", "", "", "", "", "", ""],
    ]


def test_the_json_says_what_the_table_says() -> None:
    assert '"requests": {"source": 3, "target": 7}' in as_json([_LOAD])
    assert '"cpu_seconds": {"tool": 0.5, "source": 0.25, "target": 1}' in as_json([_LOAD])
    assert "\n" not in as_json([_LOAD])


def test_the_page_names_the_machine() -> None:
    assert "- cores: 2" in markdown([_LOAD], {"cores": 2})


def test_a_load_is_asked_for_by_how_its_name_begins() -> None:
    names = [name for group in GROUPS for name in group]
    assert len(names) == len(set(names)) == 40
    assert [name for name in names if wanted(name, ["fleet", "cost"])] == [
        "fleet of 500, cold",
        "fleet of 500, no-op",
        "cost",
    ]


# ---- access logs, commands ---------------------------------------------------------------------------------------


def test_an_access_log_is_read_among_other_lines() -> None:
    log = (
        '127.0.0.1 - - [25/Nov/2026:02:00:00 +0000] "GET /v2/a/manifests/v1 HTTP/1.1" 200 427 "" "crane/0.22"\n'
        'time="2026-11-25" level=info msg="GET /v2/ is not here"\n'
        '127.0.0.1 - - [25/Nov/2026:02:00:00 +0000] "HEAD /v2/a/blobs/sha256:44 HTTP/1.1" 404 0 "" "-"\n'
    )
    assert parse_access_log(log) == [("GET", "/v2/a/manifests/v1", 200), ("HEAD", "/v2/a/blobs/sha256:44", 404)]


def test_both_hosts_are_named_once_each() -> None:
    command = copy_command("byoa", Copy("127.0.0.1:1/a:v1", "127.0.0.1:2/b:v1"))
    assert command[1:] == [
        *("mirror", "oci://127.0.0.1:1/a:v1", "oci://127.0.0.1:2/b:v1"),
        *("--plain-http", "127.0.0.1:1", "--plain-http", "127.0.0.1:2", "--json", "--no-referrers"),
    ]


# ---- cost --------------------------------------------------------------------------------------------------------


def test_a_cost_is_each_quantity_times_its_price_for_a_thousand_builds() -> None:
    use = Use(
        builds=10,
        invocations=150,
        gb_seconds=1.0,
        transitions=80,
        write_units=400,
        log_bytes=10**6,
        calls={"s3:PutObject": 30, "s3:GetObject": 60, "events:PutEvents": 30, "dynamodb:GetItem": 10, "ecr:X": 9},
    )
    parts = cost_per_thousand(use)
    assert parts.keys() == LIST_PRICES.keys()
    assert parts["state_transition"] == pytest.approx(0.2)
    assert parts["lambda_request"] == pytest.approx(0.003)
    assert parts["lambda_gb_second"] == pytest.approx(0.00166667)
    assert parts["dynamodb_write_unit"] == pytest.approx(0.025)
    assert parts["s3_put"] == pytest.approx(0.015)
    assert parts["log_gb"] == pytest.approx(0.05)


def test_a_transaction_costs_two_units_for_each_kib_of_its_items() -> None:
    item = {"pk": {"S": "x" * 1500}, "list": {"L": [{"N": "1"}]}, "map": {"M": {"a": {"BOOL": True}}}}
    assert kibs_of(item) == 2
    assert transaction_units({"Put": {"Item": item}}, 3) == 4
    assert transaction_units({"Update": {}}, 3) == 6
    assert transaction_units({"ConditionCheck": {}}, 3) == 2


# ---- artifacts ---------------------------------------------------------------------------------------------------


def test_noise_is_the_same_for_the_same_seed_and_has_its_size() -> None:
    noise = Noise(2_500_000, 7)
    content = b"".join(noise.blocks())
    assert len(content) == noise.size
    assert digest_of(content) == noise.digest() != Noise(2_500_000, 8).digest()


def test_small_layers_differ_and_are_of_about_the_same_size() -> None:
    one, other = manifests_layer(1), manifests_layer(2)
    assert one != other
    assert one == manifests_layer(1)
    assert 18_000 < len(one) < 32_000


# ---- the null registry -------------------------------------------------------------------------------------------


@pytest.fixture
def source() -> Iterator[NullRegistry]:
    with closing(NullRegistry(Content.of_layers([20_000]))) as registry:
        yield registry
    bootstrap.transport().close()


@pytest.fixture
def target() -> Iterator[NullRegistry]:
    with closing(NullRegistry(Content())) as registry:
        yield registry
    bootstrap.transport().close()


def test_our_own_client_copies_from_the_null_source_to_the_null_target(
    source: NullRegistry, target: NullRegistry
) -> None:
    origin = bootstrap.repository(Reference.parse(f"oci://{source.address}/a:v1"), "source", None, plain_http=True)
    goal = bootstrap.repository(Reference.parse(f"oci://{target.address}/b:v1"), "target", None, plain_http=True)
    root = origin.fetch_manifest("v1")
    done = copy(origin, goal, root, tag="v1")
    assert done.bytes_copied == 20_002
    assert goal.find_manifest("v1") == root.digest
    assert goal.find_manifest("v2") is None


def test_a_corrupt_source_is_noticed_by_our_own_client(target: NullRegistry) -> None:
    source = NullRegistry(Content.of_layers([20_000], corrupt=True))
    origin = bootstrap.repository(Reference.parse(f"oci://{source.address}/a:v1"), "source", None, plain_http=True)
    goal = bootstrap.repository(Reference.parse(f"oci://{target.address}/b:v1"), "target", None, plain_http=True)
    with pytest.raises(DigestMismatch):
        copy(origin, goal, origin.fetch_manifest("v1"), tag="v1")
    source.close()


def test_the_null_target_takes_what_others_push(target: NullRegistry) -> None:
    pusher = Pusher(target.address)
    digest = pusher.push("many", [manifests_layer(1), Noise(3_000_000, 1)])
    pusher.close()
    goal = bootstrap.repository(Reference.parse(f"oci://{target.address}/many:v1"), "source", None, plain_http=True)
    assert str(goal.fetch_manifest(TAG).digest) == digest


def test_a_layer_repeats_itself_and_hashes_to_its_digest() -> None:
    with closing(Layer(3_000_001)) as one, closing(Layer(3_000_001)) as other, closing(Layer(3_000_002)) as third:
        assert one.digest == other.digest != third.digest


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"HEAD /v2/a/blobs/sha256:00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"POST /v2/a/blobs/uploads/?mount=sha256:00&from=b HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 202),
        (b"PATCH /v2/a/blobs/uploads/1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 202),
        (b"PATCH /v2/a/blobs/uploads/1 HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", 100),
        (b"PUT /v2/a/blobs/uploads/1?digest=sha256:00 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 201),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", 400),
    ],
)
def test_the_null_registry_answers_what_peers_ask(target: NullRegistry, request_text: bytes, status: int) -> None:
    host, _, port = target.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(request_text)
        assert client.recv(64).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_range_of_a_null_layer_is_that_part_of_it(source: NullRegistry) -> None:
    with closing(Layer(20_000)) as layer:
        digest = layer.digest
    client = http.client.HTTPConnection(source.address, timeout=5)
    client.request("GET", f"/v2/a/blobs/{digest}")
    whole = client.getresponse().read()
    client.request("GET", f"/v2/a/blobs/{digest}", headers={"Range": "bytes=100-199"})
    response = client.getresponse()
    assert (response.status, response.headers["Content-Range"]) == (206, "bytes 100-199/20000")
    assert response.read() == whole[100:200]
    client.close()
