"""The challenges that registries send, as they send them: who is asked for a token then, for what, and with what.

Each row is one registry of the world. Its challenges are as its documentation, its source or clients' tests quote them.
"""

from __future__ import annotations

import base64
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl

import pytest

from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.locations import endpoint_of
from byoa.adapters.registries.traits import traits_of
from byoa.engine.patience import Patience
from byoa.errors import AuthFailed, ByoaError, CredentialMalformed, InsecureTransport, RealmRefused
from byoa.oci.reference import Registry as Named
from byoa.trust.credentials import Credential
from local.registry import Request, Response
from tests.adapters.registries.played import Played, part_of
from tests.faults.artifacts import Maker, put
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

ARTIFACT: Final = Maker(1).make("plain")
ROBOT: Final = Credential("robot$team+puller", "pa:ss$%d-ä")
IDENTITY: Final = Credential("", "", identity_token="refresh-canary")


class Row(NamedTuple):
    """A registry: what it is called in references, what it asks for, and what must then be asked of whom."""

    host: str
    challenges: tuple[str, ...]
    realm: str
    query: tuple[tuple[str, str], ...] = ()
    repository: str = "vendor/app"
    scope: str | None = None
    token_host: str | None = None
    registry: str | None = None

    @property
    def endpoint(self) -> str:
        return f"https://{self.registry or self.host}"

    @property
    def service(self) -> str:
        return "/".join(self.realm.split("/")[:3])

    @property
    def path(self) -> str:
        return self.realm.removeprefix(self.service).partition("?")[0]

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [*self.query, ("scope", self.scope or f"repository:{self.repository}:pull")]


def service(name: str) -> tuple[tuple[str, str], ...]:
    return (("service", name),)


ROWS: Final = {
    "Docker Hub": Row(
        "docker.io",
        ('Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:vendor/app:pull"',),
        "https://auth.docker.io/token", service("registry.docker.io"), registry="registry-1.docker.io",
    ),
    "GitHub": Row(
        "ghcr.io",
        ('Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:vendor/app:pull"',),
        "https://ghcr.io/token", service("ghcr.io"),
    ),
    "Quay": Row(
        "quay.io", ('Bearer realm="https://quay.io/v2/auth",service="quay.io",scope="repository:vendor/app:pull"',),
        "https://quay.io/v2/auth", service("quay.io"),
    ),
    "a Quay of one's own": Row(
        "quay.example.com:8443",
        ('Bearer realm="https://quay.example.com:8443/v2/auth",service="quay.example.com:8443"',),
        "https://quay.example.com:8443/v2/auth", service("quay.example.com:8443"),
    ),
    "GitLab": Row(
        "registry.gitlab.com",
        ('Bearer realm="https://gitlab.com/jwt/auth",service="container_registry",scope="repository:vendor/app:pull"',),
        "https://gitlab.com/jwt/auth", service("container_registry"),
    ),
    "a GitLab of one's own, beside its registry": Row(
        "registry.example.co.uk", ('Bearer realm="https://gitlab.example.co.uk/jwt/auth",service="container_registry"',),
        "https://gitlab.example.co.uk/jwt/auth", service("container_registry"),
    ),
    "a GitLab of one's own, with its registry behind another port": Row(
        "gitlab.example.com:5050", ('Bearer realm="https://gitlab.example.com/jwt/auth",service="container_registry"',),
        "https://gitlab.example.com/jwt/auth", service("container_registry"),
    ),
    "a GitLab of one's own, of another domain": Row(
        "registry.example.com", ('Bearer realm="https://gitlab.example.net/jwt/auth",service="container_registry"',),
        "https://gitlab.example.net/jwt/auth", service("container_registry"), token_host="gitlab.example.net",
    ),
    "a token service behind another port": Row(
        "registry.example.com:5000", ('Bearer realm="https://registry.example.com:5001/auth",service="Docker"',),
        "https://registry.example.com:5001/auth", service("Docker"), token_host="registry.example.com:5001",
    ),
    "Harbor": Row(
        "harbor.example.com",
        (('Bearer realm="https://harbor.example.com/service/token",service="harbor-registry",'
         'scope="repository:vendor/app:pull"'),),
        "https://harbor.example.com/service/token", service("harbor-registry"),
    ),
    "Public ECR": Row(
        "public.ecr.aws", ('Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"',),
        "https://public.ecr.aws/token/", service("public.ecr.aws"), scope="aws",
    ),
    "Google Artifact Registry": Row(
        "europe-docker.pkg.dev", ('Bearer realm="https://europe-docker.pkg.dev/v2/token"',),
        "https://europe-docker.pkg.dev/v2/token",
    ),
    "Google Container Registry": Row(
        "eu.gcr.io", ('Bearer realm="https://eu.gcr.io/v2/token",service=eu.gcr.io',),
        "https://eu.gcr.io/v2/token", service("eu.gcr.io"),
    ),
    "Google Container Registry, nothing quoted": Row(
        "gcr.io", ("Bearer realm=https://gcr.io/v2/token,service=gcr.io",),
        "https://gcr.io/v2/token", service("gcr.io"),
    ),
    "Azure": Row(
        "vendor.azurecr.io",
        (('Bearer realm="https://vendor.azurecr.io/oauth2/token",service="vendor.azurecr.io",'
         'scope="repository:vendor/app:pull"'),),
        "https://vendor.azurecr.io/oauth2/token", service("vendor.azurecr.io"),
    ),
    "DigitalOcean": Row(
        "registry.digitalocean.com",
        (('Bearer realm="https://api.digitalocean.com/v2/registry/auth",service="registry.digitalocean.com",'
         'scope="registry:catalog:*"'),),
        "https://api.digitalocean.com/v2/registry/auth", service("registry.digitalocean.com"),
    ),
    "Gitea, Forgejo and Codeberg": Row(
        "codeberg.org", ('Bearer realm="https://codeberg.org/v2/token",service="container_registry",scope="*"',),
        "https://codeberg.org/v2/token", service("container_registry"),
    ),
    "Nexus, with a field for each way": Row(
        "nexus.example.com:8082",
        ('BASIC realm="Sonatype Nexus Repository Manager"', 'Bearer realm="https://nexus.example.com:8082/v2/token"'),
        "https://nexus.example.com:8082/v2/token",
    ),
    "both ways in one field": Row(
        "registry.example.com",
        ('Basic realm="a, b", Bearer realm="https://registry.example.com/token",service="x", Negotiate',),
        "https://registry.example.com/token", service("x"),
    ),
    "Oracle": Row(
        "uk-london-1.ocir.io",
        ('Bearer realm="https://uk-london-1.ocir.io/12345678/docker/token",service="uk-london-1.ocir.io",scope=""',),
        "https://uk-london-1.ocir.io/12345678/docker/token", service("uk-london-1.ocir.io"),
    ),
    "Alibaba": Row(
        "registry.cn-shanghai.aliyuncs.com",
        (('Bearer realm="https://dockerauth.cn-hangzhou.aliyuncs.com/auth",'
         'service="registry.aliyuncs.com:cn-shanghai:26842",scope="repository:vendor/app:pull"'),),
        "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", service("registry.aliyuncs.com:cn-shanghai:26842"),
    ),
    "Alibaba, of the region": Row(
        "registry.cn-beijing.aliyuncs.com", ('Bearer realm="https://dockerauth.cn-beijing.aliyuncs.com/auth"',),
        "https://dockerauth.cn-beijing.aliyuncs.com/auth",
    ),
    "Alibaba, one customer's": Row(
        "crpi-x.cn-beijing.personal.cr.aliyuncs.com", ('Bearer realm="https://dockerauth.cn-beijing.aliyuncs.com/auth"',),
        "https://dockerauth.cn-beijing.aliyuncs.com/auth",
    ),
    "Chainguard": Row(
        "cgr.dev", ('Bearer realm="https://cgr.dev/token",service="cgr.dev"',),
        "https://cgr.dev/token", service("cgr.dev"),
    ),
    "Nvidia": Row(
        "nvcr.io", ('Bearer realm="https://nvcr.io/proxy_auth?scope=repository:vendor/app:pull,push"',),
        "https://nvcr.io/proxy_auth",
    ),
    "Red Hat": Row(
        "registry.redhat.io",
        (('Bearer realm="https://registry.redhat.io/auth/realms/rhcc/protocol/redhat-docker-v2/auth",'
         'service="docker-registry"'),),
        "https://registry.redhat.io/auth/realms/rhcc/protocol/redhat-docker-v2/auth", service("docker-registry"),
    ),
    "IBM": Row(
        "us.icr.io", ('Bearer realm="https://us.icr.io/oauth/token",service="registry"',),
        "https://us.icr.io/oauth/token", service("registry"),
    ),
}  # fmt: skip
EVERY: Final = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


@pytest.fixture
def world() -> Iterator[Scripted]:
    with Scripted() as made:
        put(made, "vendor/app", ARTIFACT, "v1")
        yield made


@pytest.fixture
def played(world: Scripted) -> Iterator[Played]:
    made = Played(world)
    yield made
    made.close()


def as_in(world: Scripted, row: Row, forms: list[bytes] | None = None) -> None:
    """Have the registry and its token service answer as the row's do."""

    def script(request: Request) -> Response | None:
        if part_of(request) == row.service and request.path == row.path:
            if forms is not None and request.method == "POST":
                forms.append(request.body.read(4096))
            return Response(200, [], b'{"access_token": "good", "expires_in": 300}')
        if part_of(request) == row.endpoint and request.headers["Authorization"] != "Bearer good":
            return Response(401, [("WWW-Authenticate", each) for each in row.challenges])
        return None

    world.script = script


def source(played: Played, row: Row, credential: Credential | None, **settings: Any) -> DistributionRepository:
    name = Named.parse(row.host)
    traits = traits_of(name)
    named = frozenset({row.token_host} if row.token_host else ())
    return DistributionRepository(
        played, endpoint_of(name), row.repository, role="source", credential=credential,
        traits=traits._replace(token_hosts=traits.token_hosts | named), patience=Patience(attempts=1), **settings,
    )  # fmt: skip


def sent_as(credential: Credential) -> str:
    return "Basic " + base64.b64encode(f"{credential.username}:{credential.password}".encode()).decode()


@EVERY
def test_a_login_becomes_a_token_where_and_as_the_registry_has_it(row: Row, world: Scripted, played: Played) -> None:
    as_in(world, row)
    assert source(played, row, ROBOT).fetch_manifest("v1") == ARTIFACT.root
    first, asked, again = played.sent
    assert first == ("GET", row.endpoint, f"/v2/{row.repository}/manifests/v1", None)
    assert again == (*first[:3], "Bearer good")
    method, service, path, shown = asked
    assert (method, service, path.partition("?")[0], shown) == ("GET", row.service, row.path, sent_as(ROBOT))
    assert parse_qsl(path.partition("?")[2], keep_blank_values=True) == row.asked


@EVERY
def test_whoever_has_no_login_gets_what_anybody_gets(row: Row, world: Scripted, played: Played) -> None:
    as_in(world, row)
    assert source(played, row._replace(token_host=None), None).fetch_manifest("v1") == ARTIFACT.root
    assert [(service, shown) for _, service, _, shown in played.sent][1] == (row.service, None)


@EVERY
def test_a_refresh_token_goes_there_in_a_form_and_nowhere_else(row: Row, world: Scripted, played: Played) -> None:
    forms: list[bytes] = []
    as_in(world, row, forms)
    assert source(played, row, IDENTITY).fetch_manifest("v1") == ARTIFACT.root
    _, (method, service, path, shown), _ = played.sent
    assert (method, service, path.partition("?")[0], shown) == ("POST", row.service, row.path, None)
    assert "refresh-canary" not in path
    assert parse_qsl(forms[0].decode()) == [
        ("grant_type", "refresh_token"), *row.asked, ("client_id", "byoa"), ("refresh_token", "refresh-canary"),
    ]  # fmt: skip


@EVERY
def test_a_token_of_the_login_is_shown_to_the_registry_alone(row: Row, world: Scripted, played: Played) -> None:
    as_in(world, row)
    kept = Credential("", "", registry_token="good")
    assert source(played, row, kept).fetch_manifest("v1") == ARTIFACT.root
    assert [(to, shown) for _, to, _, shown in played.sent] == [(row.endpoint, None), (row.endpoint, "Bearer good")]


@EVERY
@pytest.mark.parametrize(
    "realm",
    ["https://attacker.example.org/token", "https://192.0.2.1/token", "https://[2001:db8::1]/token",
     "https://evil.oss-cn-hangzhou.aliyuncs.com/auth", "https://dockerauth.oss-cn-hangzhou.aliyuncs.com/auth",
     "https://evil.s3.amazonaws.com/token", "https://evil.github.io/token", "https://vendor.azurecr.io.example.org/"],
)  # fmt: skip
def test_no_login_goes_to_a_stranger_whatever_the_challenge_says(
    row: Row, realm: str, world: Scripted, played: Played
) -> None:
    as_in(world, row._replace(challenges=(f'Bearer realm="{realm}",service="x"',)))
    for credential in (ROBOT, IDENTITY):
        with pytest.raises(RealmRefused) as caught:
            source(played, row, credential).fetch_manifest("v1")
        assert "--token-host" in caught.value.remedy
    assert {(to, shown) for _, to, _, shown in played.sent} == {(row.endpoint, None)}


CROSSING: Final = ("Docker Hub", "GitLab", "DigitalOcean", "Alibaba")


@pytest.mark.parametrize(("name", "other"), list(permutations(CROSSING, 2)))
def test_a_token_service_of_one_registry_is_none_of_anothers(
    name: str, other: str, world: Scripted, played: Played
) -> None:
    row = ROWS[name]._replace(challenges=ROWS[other].challenges)
    as_in(world, row)
    with pytest.raises(RealmRefused):
        source(played, row, ROBOT).fetch_manifest("v1")
    assert {shown for *_, shown in played.sent} == {None}


OWN: Final = Row("registry.example.com", (), "https://registry.example.com/token")


def challenged(*challenges: str) -> Row:
    return OWN._replace(challenges=challenges)


@pytest.mark.parametrize(
    ("challenges", "error"),
    [
        (['Bearer realm="http://registry.example.com/token"'], InsecureTransport),
        (['Bearer realm="http://auth.example.com/token"'], InsecureTransport),
        (['Bearer realm="https://registry.example.com:8443/token"'], RealmRefused),
        (['Bearer realm="https://u:p@registry.example.com/token"'], RealmRefused),
        (['Bearer realm="https:///token"'], RealmRefused),
        (['Bearer realm="https://"'], RealmRefused),
        (['Bearer realm="javascript:alert(1)"'], RealmRefused),
        (['Bearer realm="file:///etc/passwd"'], RealmRefused),
        (['Bearer realm="/token"'], RealmRefused),
        (['Bearer realm="//registry.example.com/token"'], RealmRefused),
        (['Bearer realm=""'], RealmRefused),
        (["Bearer"], RealmRefused),
        (['Bearer service="x"'], RealmRefused),
        (['Bearer realm="https://registry.example.com\\\\@evil.example/"'], RealmRefused),
        (['Bearer realm="https://registry.example.com /token"'], RealmRefused),
        ([f'Bearer realm="https://registry.example.com/{"x" * 8192}"'], ByoaError),
        (['Bearer realm="https://evil.example/token", Basic realm="y"'], RealmRefused),
        (['Basic realm="y"', 'Bearer realm="https://evil.example/token"'], RealmRefused),
        ([], AuthFailed),
        (["Negotiate"], AuthFailed),
    ],
)  # fmt: skip
def test_a_challenge_that_leads_nowhere_sound_gets_nothing(
    challenges: list[str], error: type[ByoaError], world: Scripted, played: Played
) -> None:
    as_in(world, challenged(*challenges))
    with pytest.raises(error):
        source(played, OWN, ROBOT).fetch_manifest("v1")
    assert [(to, shown) for _, to, _, shown in played.sent] == [(OWN.endpoint, None)]


def test_of_many_challenges_the_first_that_will_do_is_answered(world: Scripted, played: Played) -> None:
    first = 'Bearer realm="https://registry.example.com/token",realm="https://evil.example/token"'
    others = [f'Bearer realm="https://evil{number}.example/token"' for number in range(20)]
    as_in(world, challenged(first, *others))
    assert source(played, OWN, ROBOT).fetch_manifest("v1") == ARTIFACT.root
    assert {to for _, to, _, _ in played.sent} == {OWN.endpoint}


@pytest.mark.parametrize("scope", ["registry:catalog:*", "repository:other/private:pull,push", "aws", "*"])
def test_no_challenge_widens_what_is_asked_for(scope: str, world: Scripted, played: Played) -> None:
    realm = f"https://registry.example.com/token?scope={scope}&%73cope={scope}&account=x"
    as_in(world, challenged(f'Bearer realm="{realm}",scope="{scope}"'))
    source(played, OWN, ROBOT).fetch_manifest("v1")
    query = parse_qsl(played.sent[1][2].partition("?")[2])
    assert query == [("account", "x"), ("scope", "repository:vendor/app:pull")]


def test_where_a_redirect_leads_the_realm_of_there_sees_no_login(world: Scripted, played: Played) -> None:
    """Threat B18: a stranger's 401 is answered as anybody would."""

    def script(request: Request) -> Response | None:
        part, shown = part_of(request), request.headers["Authorization"]
        if part == OWN.endpoint and request.path in ("/token", "/other"):
            return Response(200, [], b'{"token": "ours"}' if request.path == "/token" else b'{"token": "anybody"}')
        if part == OWN.endpoint and shown == "Bearer ours":
            return Response(307, [("Location", f"https://elsewhere.example{request.path}")])
        if part == OWN.endpoint:
            return Response(401, [("WWW-Authenticate", 'Bearer realm="https://registry.example.com/token"')])
        if part == "https://elsewhere.example" and shown != "Bearer anybody":
            return Response(401, [("WWW-Authenticate", 'Bearer realm="https://registry.example.com/other"')])
        return None

    world.script = script
    assert source(played, OWN, ROBOT).fetch_manifest("v1") == ARTIFACT.root
    assert [shown for _, to, path, shown in played.sent if "elsewhere" in to or path.startswith("/other")] == [
        None, None, "Bearer anybody",
    ]  # fmt: skip


def test_ecr_is_shown_its_password_and_asked_for_no_token(world: Scripted, played: Played) -> None:
    row = Row("123456789012.dkr.ecr.us-west-2.amazonaws.com", (), "https://none.example/")
    world.script = lambda request: (
        None if request.headers["Authorization"] == sent_as(Credential("AWS", "twelve-hours")) else Response(401)
    )
    assert source(played, row, Credential("AWS", "twelve-hours")).fetch_manifest("v1") == ARTIFACT.root
    assert len(played.sent) == 1


def test_a_refused_refresh_token_is_a_matter_of_the_login(world: Scripted, played: Played) -> None:
    """RFC 6749, 5.2: invalid_grant is a 400."""
    challenge = ("WWW-Authenticate", 'Bearer realm="https://registry.example.com/token"')
    world.script = lambda request: Response(400) if request.path == "/token" else Response(401, [challenge])
    with pytest.raises(AuthFailed):
        source(played, OWN, IDENTITY).fetch_manifest("v1")


@pytest.mark.parametrize(
    "credential",
    [
        Credential("us:er", "secret-canary"), Credential("us", "secret-canary\ud800"),
        Credential("", "", registry_token="secret-canary\r\nX: y"), Credential("", "", registry_token="secret canary"),
        Credential("", "", identity_token="secret-canary\ud800"),
    ],
    ids=["colon", "surrogate", "line", "blank", "refresh"],
)  # fmt: skip
def test_a_login_that_no_request_can_carry_is_named_and_not_sent(
    credential: Credential, world: Scripted, played: Played
) -> None:
    as_in(world, OWN._replace(challenges=(f'Bearer realm="{OWN.realm}"',)))
    with pytest.raises(CredentialMalformed) as caught:
        source(played, OWN, credential).fetch_manifest("v1")
    assert "canary" not in f"{caught.value!r} {caught.value.as_json()} {caught.value.__cause__}"
    assert caught.value.__context__ is None
    assert {shown for *_, shown in played.sent} == {None}
