"""Files of a case: kept sealed, handed out as files that no browser opens by itself."""

from __future__ import annotations

import hashlib
import uuid

from finer.decisions.errors import AttachmentNotFound
from finer.decisions.rules.attachments import check_size, file_name, media_type
from finer.decisions.service.cases import change, get_case, open_case
from finer.decisions.store.case_files import CaseFileStore
from finer.decisions.types.cases import Attachment, EntryKind
from finer.identity.service.audit import note_read
from finer.identity.types.access import Permission
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx


def add(tx: Tx, identifier: uuid.UUID, name: str, said: str, content: bytes) -> Attachment:
    """Keep a file. Raises as open_case, and AttachmentRefused, AttachmentTooLarge, CaseNotAcceptable."""
    case = open_case(tx, identifier, Permission.CASES_WORK)
    files = CaseFileStore(tx)
    check_size(content, len(files.attachments(identifier)))
    kind = media_type(said, content)
    new = Attachment(
        id=new_id(), name=file_name(name, kind), media_type=kind, size=len(content),
        sha256=hashlib.sha256(content).hexdigest(), added_by=tx.actor.name, added_at=tx.now(),
    )  # fmt: skip
    files.add_attachment(identifier, new, content)
    shown = show_id("att", new.id)
    change(tx, case, EntryKind.ATTACHMENT, detail={"added": shown, "size": new.size, "sha256": new.sha256})
    return new


def fetch(tx: Tx, identifier: uuid.UUID, attachment: uuid.UUID) -> tuple[Attachment, bytes]:
    """A file with its content, noted as a read of something sensitive. Raises CaseNotFound, AttachmentNotFound."""
    get_case(tx, identifier)
    files = CaseFileStore(tx)
    found = next((one for one in files.attachments(identifier) if one.id == attachment), None)
    content = files.content(identifier, attachment)
    if found is None or content is None:
        raise _missing(attachment)
    note_read(tx, "cases:attachment", show_id("att", attachment), {"case": show_id("cas", identifier)})
    return found, content


def remove(tx: Tx, identifier: uuid.UUID, attachment: uuid.UUID) -> None:
    """Delete a file for good; that it was there stays in the history. Raises as open_case, and AttachmentNotFound."""
    case = open_case(tx, identifier, Permission.CASES_WORK)
    if not CaseFileStore(tx).remove_attachment(identifier, attachment):
        raise _missing(attachment)
    change(tx, case, EntryKind.ATTACHMENT, detail={"removed": show_id("att", attachment)})


def _missing(attachment: uuid.UUID) -> AttachmentNotFound:
    return AttachmentNotFound(f"The case has no file {show_id('att', attachment)}.")
