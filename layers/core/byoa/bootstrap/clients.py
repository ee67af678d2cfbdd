"""Clients of AWS's services, by boto3. Each is made when it is first asked for, and once.

With an organisation it is a client of a session for that organisation (``adapters/aws/vending.py``), of the function's
tenant role or, for credentials of sources, of the role that all who read sources share. Without one it has the
function's own role, or whoever sits at the terminal.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from byoa.bootstrap.process import settings
from byoa.errors import InternalFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.config import Config
    from botocore.session import Session
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

    from byoa.adapters.aws.eks import Keys
    from byoa.adapters.aws.vending import Vending
    from byoa.trust.tenancy import Places

_LONGEST_FUNCTION: Final = 120
"""Seconds that a function which somebody at a terminal waits for may run, and a little."""

_SHORT_FUNCTION: Final = 18
"""Seconds that a function which the API waits for may run, and a little."""


def dynamodb(organisation: str | None = None) -> DynamoDBClient:
    """The table's service."""
    client: DynamoDBClient = _tenant().client("dynamodb", organisation) if organisation else own("dynamodb")
    return client


def ecr(organisation: str) -> ECRClient:
    """The control plane of our own registry."""
    client: ECRClient = _tenant().client("ecr", organisation)
    return client


def events() -> EventBridgeClient:
    """The bus's service."""
    client: EventBridgeClient = own("events")
    return client


def kms() -> KMSClient:
    """Where the receipts' key is."""
    client: KMSClient = own("kms")
    return client


def s3(organisation: str) -> S3Client:
    """The quarantine's service."""
    client: S3Client = _tenant().client("s3", organisation)
    return client


def secretsmanager(organisation: str | None = None) -> SecretsManagerClient:
    """Where organisations' credentials are."""
    client: SecretsManagerClient = (
        _sources().client("secretsmanager", organisation) if organisation else own("secretsmanager")
    )
    return client


def secrets_of_clusters(organisation: str) -> SecretsManagerClient:
    """Where what lets us into an organisation's clusters is kept."""
    client: SecretsManagerClient = _clusters().client("secretsmanager", organisation)
    return client


def secrets_of_clients(organisation: str) -> SecretsManagerClient:
    """Where what an organisation's clients show to issuers is kept."""
    client: SecretsManagerClient = _signing().client("secretsmanager", organisation)
    return client


def sts_of_clusters(organisation: str) -> STSClient:
    """What opens sessions of roles that an organisation lends us for its clusters."""
    client: STSClient = _clusters().client("sts", organisation)
    return client


def sts(organisation: str | None = None) -> STSClient:
    """What opens sessions: ours, and with an organisation those of roles that others lend it."""
    client: STSClient = _sources().client("sts", organisation) if organisation else own("sts")
    return client


def of_api(service: str, organisation: str) -> Any:  # noqa: ANN401 - any of AWS's clients
    """A client for what the API does for an organisation: its items, its tokens, its secrets but for their values."""
    return _faces().client(service, organisation)


@cache
def own(service: str, config: Config | None = None) -> Any:  # noqa: ANN401 - any of AWS's clients
    """A client that works for no organisation; ``config`` is what it has otherwise than all."""
    from byoa.adapters.aws.vending import settled

    made: Any = _ours().client(service, config=settled(service, _config().merge(config) if config else _config()))
    return made


@cache
def _ours() -> Any:  # noqa: ANN401 - boto3's session, whose overloads want literals
    from byoa.adapters.aws.vending import beside

    return beside(session())


@cache
def session() -> Session:
    """What all of boto3's sessions in this process are made beside: handlers, and descriptions of services.

    At DEBUG botocore writes down what AWS answers, secrets and passwords among it: whatever level the surroundings ask
    for (Lambda's own setting asks it of all loggers), it stays above that.
    """
    import logging

    from botocore.session import Session

    from byoa.adapters.aws.parsing import PlainValues
    from byoa.adapters.aws.vending import Descriptions

    logging.getLogger("botocore").setLevel(logging.INFO)
    parent = Session()
    parent.register_component("data_loader", Descriptions())
    parent.register_component("response_parser_factory", PlainValues())
    return parent


@cache
def _tenant() -> Vending:
    """Sessions of this function's tenant role."""
    return _vending(settings().tenant_role, _data)


@cache
def _faces() -> Vending:
    """Sessions of the API's tenant role."""
    return _vending(settings().tenant_role, _faces_data)


@cache
def _sources() -> Vending:
    """Sessions of the role that reads credentials of sources."""
    return _vending(settings().source_role, _credentials)


@cache
def _clusters() -> Vending:
    """Sessions of the role that is let into clusters."""
    return _vending(settings().cluster_role, _cluster_access)


@cache
def _signing() -> Vending:
    """Sessions of the role that reads the secrets of clients at issuers."""
    return _vending(settings().tenant_role, _client_secrets)


def _vending(role: str, policy: Callable[[str], str]) -> Vending:
    from byoa.adapters.aws.vending import Vending

    if not role:
        raise InternalFault("This function has no role that works for organisations.")
    return Vending(role, policy, sts, session(), _region(), _config())


def _data(organisation: str) -> str:
    from byoa.trust.tenancy import session_policy

    return session_policy(organisation, _places(settings().tenant_role))


def _faces_data(organisation: str) -> str:
    from byoa.trust.tenancy import Places, session_policy

    table = _places(settings().tenant_role).table
    _, partition, _, _, account, _ = settings().tenant_role.split(":", 5)
    secrets = f"arn:{partition}:secretsmanager:{_region()}:{account}:secret:byoa"
    return session_policy(organisation, Places(table=table, listing=f"{table}/index/*", kept=secrets))


def _places(role: str) -> Places:
    """Where this function has something to do; partition and account are its role's."""
    from byoa.trust.tenancy import Places

    current, region = settings(), _region()
    _, partition, _, _, account, _ = role.split(":", 5)
    table, prefix = current.table, current.repository_prefix
    return Places(
        table=f"arn:{partition}:dynamodb:{region}:{account}:table/{table}" if table else "",
        bucket=f"arn:{partition}:s3:::{current.bucket}" if current.bucket else "",
        repositories=f"arn:{partition}:ecr:{region}:{account}:repository/{prefix}" if current.account else "",
        key=current.kms_key,
    )


def _credentials(organisation: str) -> str:
    """For what vendors lend: their secrets, and their roles with the external id that is given to them.

    A stranger's id is tried as well: who takes that takes anybody's.
    """
    from byoa.trust.external_id import external_id, strangers_id
    from byoa.trust.tenancy import Places, session_policy

    current = settings()
    _, partition, _, _, account, _ = current.source_role.split(":", 5)
    secrets = f"arn:{partition}:secretsmanager:{_region()}:{account}:secret:byoa"
    ids = (external_id(current.table, organisation), strangers_id(current.table))
    lent = Places(secrets=secrets, account=account, external_ids=ids)
    return session_policy(organisation, lent)


def _cluster_access(organisation: str) -> str:
    """The same for clusters: what is kept for them, and roles of their owners."""
    from byoa.trust.external_id import external_id, strangers_id
    from byoa.trust.tenancy import Places, session_policy

    current = settings()
    _, partition, _, _, account, _ = current.cluster_role.split(":", 5)
    secrets = f"arn:{partition}:secretsmanager:{_region()}:{account}:secret:byoa-clusters"
    ids = (external_id(current.table, organisation), strangers_id(current.table))
    return session_policy(organisation, Places(clusters=secrets, account=account, external_ids=ids))


def _client_secrets(organisation: str) -> str:
    """For signing in: the secrets of the organisation's clients, and nothing else."""
    from byoa.trust.tenancy import Places, session_policy

    _, partition, _, _, account, _ = settings().tenant_role.split(":", 5)
    clients = f"arn:{partition}:secretsmanager:{_region()}:{account}:secret:byoa-issuers"
    return session_policy(organisation, Places(clients=clients))


def _region() -> str:
    """Lambda's variable; botocore reads another one."""
    region: str = os.environ.get("AWS_REGION") or session().get_config_variable("region")
    return region


def lent_ecr(region: str, found: CredentialsTypeDef) -> ECRClient:
    """ECR in any region, in a session that a vendor's role opened: not kept, the next one is another's."""
    keys = found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
    client: ECRClient = _ours().client("ecr", **_lent(region, *keys))
    return client


def lent_eks(region: str, keys: Keys) -> Any:  # noqa: ANN401 - one of AWS's clients, without stubs here
    """EKS in any region, with the keys of a role that somebody lends, or of who sits at the terminal: not kept."""
    return _ours().client("eks", **_lent(region, *keys))


def own_keys() -> Keys:
    """Who sits at the terminal. Raises what botocore has for who has no login."""
    from botocore.exceptions import NoCredentialsError

    from byoa.adapters.aws.eks import Keys

    found = _ours().get_credentials()
    if found is None:
        raise NoCredentialsError
    return Keys(*found.get_frozen_credentials()[:3])


def _lent(region: str, access_key: str, secret_key: str, token: str | None) -> dict[str, Any]:
    return {
        "region_name": region,
        "aws_access_key_id": access_key,
        "aws_secret_access_key": secret_key,
        "aws_session_token": token,
        "config": _config(region),
    }


@cache
def soon_functions() -> LambdaClient:
    """The same as ``functions``, for the API: its own callers wait 29 seconds."""
    return functions(_SHORT_FUNCTION)


@cache
def functions(seconds: int = _LONGEST_FUNCTION) -> LambdaClient:
    """What runs functions: it waits so long for an answer, for the terminal as long as one may run, and asks once."""
    from botocore.config import Config

    patient = Config(read_timeout=seconds, retries={"mode": "standard", "total_max_attempts": 1})
    made: LambdaClient = own("lambda", patient)
    return made


def _config(region: str | None = None) -> Config:
    """A name of ours in AWS's logs: botocore's has fifteen parts and is built twice a call, an eighth of its time.

    Retries are those of all of AWS's newer SDKs, and so is the variable of the region, which botocore doesn't read.
    """
    from botocore.config import Config

    return Config(
        user_agent="byoa",
        region_name=region or os.environ.get("AWS_REGION"),
        retries={"mode": "standard"},
        connect_timeout=5,
    )
