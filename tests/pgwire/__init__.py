"""A small PostgreSQL client that hides nothing: for stress tests, faults and benches.

Drivers retry, buffer and tidy up; a test of a gateway must see and send the very messages. Two
forms share the message builders and the login: `Connection` (asyncio) and `Blocking` (one socket,
for streaming gigabytes without a per-row cost).
"""
from .connection import Blocking, Closed, Connection, Result, ServerError, cancel
from .login import Login
from .messages import (bind, close, copy_data, copy_done, copy_fail, describe, error_fields, execute,
                       flush, message, parse, query, sync, terminate)

__all__ = ["Blocking", "Closed", "Connection", "Login", "Result", "ServerError", "bind", "cancel",
           "close", "copy_data", "copy_done", "copy_fail", "describe", "error_fields", "execute",
           "flush", "message", "parse", "query", "sync", "terminate"]
