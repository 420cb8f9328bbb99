"""What each role sees of each class of data. Nobody sees secrets; personal data is partial, and revealed one by one."""

from __future__ import annotations

from finer.identity.types.access import Role
from finer.kit.masking import DataClass, Form, Masking

_C, _CLEAR, _PART = DataClass, Form.CLEAR, Form.PARTIAL


def _masking(internal: Form, personal: Form, sensitive: Form, card: Form) -> Masking:
    return Masking(
        {
            _C.PUBLIC: _CLEAR,
            _C.INTERNAL: internal,
            _C.PERSONAL: personal,
            _C.SENSITIVE: sensitive,
            _C.SECRET: Form.ABSENT,
            _C.CARD: card,
        }
    )


MASKS: dict[Role, Masking] = {
    Role.ADMINISTRATOR: _masking(_CLEAR, _PART, Form.ABSENT, _PART),
    Role.AUDITOR: _masking(_CLEAR, _PART, Form.ABSENT, _PART),
    Role.CREDIT_OFFICER: _masking(_CLEAR, _PART, _PART, Form.ABSENT),
    Role.CUSTOMER: _masking(Form.ABSENT, Form.ABSENT, Form.ABSENT, Form.ABSENT),
    Role.CUSTOMER_MANAGER: _masking(_CLEAR, _PART, _PART, Form.ABSENT),
    Role.DATA_ENGINEER: _masking(_CLEAR, _PART, Form.ABSENT, Form.ABSENT),
    Role.EXECUTIVE: _masking(_CLEAR, Form.ABSENT, Form.ABSENT, Form.ABSENT),
    Role.MARKETING_MANAGER: _masking(_CLEAR, Form.ABSENT, Form.ABSENT, Form.ABSENT),
    Role.RISK_ANALYST: _masking(_CLEAR, _PART, _PART, _PART),
    # A machine is the firm's own system: it sent the records and mends those that were refused. Its scopes bound it.
    Role.SERVICE: _masking(_CLEAR, _CLEAR, _CLEAR, _PART),
}
