"""A small MySQL client of the tests' own: it sees every packet, and can stop in the midst of one.

messages.py is bytes alone, login.py a machine without I/O, connection.py sockets (asyncio).
"""
from . import messages
from .connection import Blocking, Closed, Connection, Prepared, Reply, Result, ServerError
from .login import DEFAULT, Login
from .messages import (ANSI_QUOTES, AUTOCOMMIT, CHANGE_USER, CLOSE, CONNECT_ATTRS, CURSOR_EXISTS,
                       DEPRECATE_EOF, EXECUTE, FETCH, FIELD_LIST, FOUND_ROWS, INIT_DB, IN_TRANS,
                       LAST_ROW_SENT, LOCAL_FILES, LONG_DATA, MORE_RESULTS, MULTI_STATEMENTS, PING,
                       PREPARE, PROCESS_KILL, QUERY, QUIT, RESET, RESET_CONNECTION, SESSION_TRACK,
                       SET_OPTION, STATISTICS, Column, execute, frame, lenenc, parse_ok, text_row)

__all__ = ["ANSI_QUOTES", "AUTOCOMMIT", "Blocking", "CHANGE_USER", "CLOSE", "CONNECT_ATTRS",
           "CURSOR_EXISTS", "Closed", "Column", "Connection", "DEFAULT", "DEPRECATE_EOF", "EXECUTE",
           "FETCH", "FIELD_LIST", "FOUND_ROWS", "INIT_DB", "IN_TRANS", "LAST_ROW_SENT",
           "LOCAL_FILES", "LONG_DATA", "Login", "MORE_RESULTS", "MULTI_STATEMENTS", "PING",
           "PREPARE", "PROCESS_KILL", "Prepared", "QUERY", "QUIT", "RESET", "RESET_CONNECTION",
           "Reply", "Result", "SESSION_TRACK", "SET_OPTION", "STATISTICS", "ServerError", "execute",
           "frame", "lenenc", "messages", "parse_ok", "text_row"]
