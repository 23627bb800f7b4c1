"""Bringing in what existing installations kept, and taking it out again."""

from memory.services.imports.files import MAX_BYTES, MAX_FILES
from memory.services.imports.rollback import RolledBack, import_rollback
from memory.services.imports.runs import Progress, Report, import_create, import_run
from memory.services.imports.uploads import (
    import_apply,
    import_discard,
    import_upload,
    upload_work,
    uploads_tidy,
)

__all__ = [
    "MAX_BYTES",
    "MAX_FILES",
    "Progress",
    "Report",
    "RolledBack",
    "import_apply",
    "import_create",
    "import_discard",
    "import_rollback",
    "import_run",
    "import_upload",
    "upload_work",
    "uploads_tidy",
]
