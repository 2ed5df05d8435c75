"""The gate before a database: one statement, and nothing in it that writes.

One of several layers: the session is read-only too, and the account should be. Comments that some
servers execute, statements that hide inside a CTE, and functions that act are refused.
"""

import logging
import re
from typing import TYPE_CHECKING

from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.text import msg

if TYPE_CHECKING:
    from sqlglot import exp

_EXECUTED_COMMENT = re.compile(r"/\*M?!")
# Functions that act, read files or reach other hosts, whatever the session's mode.
_ACTING = frozenset(
    """
    lo_create lo_creat lo_import lo_export lo_from_bytea lo_put lo_unlink lo_open lowrite
    pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file pg_file_write pg_reload_conf
    pg_terminate_backend pg_cancel_backend pg_rotate_logfile pg_sleep pg_sleep_for
    pg_sleep_until pg_advisory_lock pg_advisory_xact_lock pg_advisory_lock_shared
    pg_try_advisory_lock pg_advisory_xact_lock_shared pg_try_advisory_xact_lock pg_notify
    pg_switch_wal pg_promote pg_create_restore_point pg_logical_emit_message
    pg_replication_slot_advance set_config nextval setval dblink dblink_exec dblink_connect
    dblink_send_query query_to_xml query_to_xml_and_xmlschema database_to_xml copy_to_program
    load_file sys_exec sys_eval get_lock release_lock release_all_locks is_free_lock
    master_pos_wait sleep benchmark sys_get http_get http_post load_extension writefile readfile
    edit fts3_tokenizer url s3 s3cluster file remote remotesecure mysql postgresql jdbc odbc
    hdfs executable input read_csv read_csv_auto read_parquet parquet_scan read_text read_blob
    read_json read_json_auto read_json_objects read_ndjson sniff_csv getenv query query_table
    sqlite_scan postgres_query postgres_execute mysql_query mysql_execute
    """.split()  # noqa: SIM905
)
_SYNTAX = {"postgresql": "postgres", "bytehouse-mysql": "mysql"}


def syntax_of(family: str) -> str:
    """The parser's name for the SQL of a family of databases."""
    return _SYNTAX.get(family, family)


def not_parsed() -> SourceError:
    """The error for text that is no SQL of its family."""
    return _refused(msg("it cannot be parsed"))


def check(sql: str, dialect: str) -> None:
    """Raise `SourceError` unless `sql` is one query that only reads."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    # It says on stderr what it cannot parse, and quotes the statement, which may hold ids.
    logging.getLogger("sqlglot").disabled = True
    if _EXECUTED_COMMENT.search(sql):
        raise _refused(msg("comments that a server executes are not allowed"))
    try:
        parsed = sqlglot.parse(sql, read=syntax_of(dialect))
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, LookupError):
        # Beside its own errors, that parser stumbles over its own feet on odd statements.
        raise not_parsed() from None
    # A comment behind the last semicolon is taken for a statement of its own.
    statements = [s for s in parsed if s is not None and not isinstance(s, exp.Semicolon)]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise _refused(msg("it must be one SELECT"))
    for node in statements[0].walk():
        if _writes(node):
            raise _refused(msg("it would change something"))
        name = _function(node)
        if name in _ACTING:
            raise _refused(msg("the function {name} is not allowed", name=name))


def _writes(node: "exp.Expr") -> bool:
    from sqlglot import exp

    forbidden = (
        exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter,
        exp.TruncateTable, exp.Command, exp.Copy, exp.Into, exp.Lock, exp.Set, exp.Use,
        exp.Pragma, exp.Attach, exp.Detach, exp.Transaction, exp.Commit, exp.Rollback, exp.Kill,
        exp.Analyze, exp.LoadData,
    )  # fmt: skip
    return isinstance(node, forbidden)


def _function(node: "exp.Expr") -> str:
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    if isinstance(node, exp.Func):
        return str(node.sql_name()).lower()
    alias = node.args.get("alias") if isinstance(node, exp.Table) else None
    if isinstance(alias, exp.TableAlias) and alias.this is None:
        return str(node.name).lower()  # a call that this dialect does not know, taken for an alias
    return ""


def _refused(reason: object) -> SourceError:
    return SourceError(
        "SOURCE_SQL_REFUSED",
        msg("the SQL is refused: {reason}", reason=reason),
        hint=msg("pass one SELECT that reads the rows"),
    )
