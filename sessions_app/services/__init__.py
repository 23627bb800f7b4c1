"""What changes sessions."""

from sessions_app.services.append import Appended, MessageInput, message_append
from sessions_app.services.sessions import session_create, session_end

__all__ = ["Appended", "MessageInput", "message_append", "session_create", "session_end"]
