// proto/sql/mysql_heads.cpp: first words of MySQL's statements that need a look at what follows.
#include <charconv>

#include "proto/sql/mysql_scanner.hpp"

namespace sluice::sql {

mysql_kind mysql_scanner::insert_head(mysql_kind kind) noexcept
{
    while (accept("low_priority") || accept("high_priority") || accept("delayed") ||
           accept("ignore")) {
    }
    accept("into");
    // The table's name: the parenthesis behind it is no call's.
    for (bool more = true; more && !at_end() && now_.kind != token_kind::open_paren;) {
        advance();
        more = now_.kind == token_kind::dot;
        if (more)
            advance();
    }
    return kind;
}

mysql_kind mysql_scanner::begin_head() noexcept
{
    return at("not") ? compound() : mysql_kind::begin;
}

// Statements in the text's own control structures: the rest of the text belongs to them.
mysql_kind mysql_scanner::compound() noexcept
{
    state_.whole_text = true;
    state_.variables_pin = true;
    out_.opaque = true;
    return mysql_kind::compound;
}

// [WORK] [AND [NO] CHAIN] [[NO] RELEASE]
mysql_kind mysql_scanner::end_of_transaction(mysql_kind kind) noexcept
{
    for (bool no = false; !at_end(); advance()) {
        if (at("release") && !no)
            out_.disconnects = true;
        no = at("no");
    }
    return kind;
}

mysql_kind mysql_scanner::rollback_head() noexcept
{
    accept("work");
    if (!accept("to"))
        return end_of_transaction(mysql_kind::rollback);
    accept("savepoint");
    return named(mysql_kind::rollback_to);
}

mysql_kind mysql_scanner::named(mysql_kind kind) noexcept
{
    if (now_.kind != token_kind::word && now_.kind != token_kind::quoted_word)
        return kind;
    if (out_.name.empty()) {
        out_.name = now_.text;
        out_.name_kind = kind;
    } else {
        out_.more_names = true;
    }
    advance();
    return kind;
}

mysql_kind mysql_scanner::show_head() noexcept
{
    if (at("warnings") || at("errors") || at("count")) {
        look(looks_back::diagnostics);
        return mysql_kind::show_warnings;
    }
    if (at("profile") || at("profiles"))
        look(looks_back::profile);
    return mysql_kind::show;
}

mysql_kind mysql_scanner::lock_head() noexcept
{
    pin(at("instance") ? mysql_pin::global_lock : mysql_pin::table_lock);
    return mysql_kind::lock_tables;
}

mysql_kind mysql_scanner::unlock_head() noexcept
{
    if (!at("instance"))
        unpin(mysql_pin::table_lock | mysql_pin::global_lock);
    return mysql_kind::unlock_tables;
}

mysql_kind mysql_scanner::flush_head() noexcept
{
    for (; !at_end(); advance())
        if (at("lock") || at("export"))
            pin(mysql_pin::global_lock);
    return mysql_kind::flush;
}

// BACKUP STAGE stage, BACKUP LOCK table, BACKUP UNLOCK (MariaDB)
mysql_kind mysql_scanner::backup_head() noexcept
{
    const bool stage = accept("stage");
    if (at("unlock") || (stage && at("end")))
        unpin(mysql_pin::global_lock);
    else
        pin(mysql_pin::global_lock);
    return mysql_kind::maintenance;
}

mysql_kind mysql_scanner::handler_head() noexcept
{
    named(mysql_kind::handler_read);
    while (now_.kind == token_kind::dot) {
        advance();
        advance();
    }
    const bool first = out_.name_kind == mysql_kind::handler_read && !out_.more_names;
    auto kind = mysql_kind::handler_read;
    if (at("open")) {
        pin(mysql_pin::handler);
        kind = mysql_kind::handler_open;
    } else if (at("close")) {
        kind = mysql_kind::handler_close;
    }
    if (first)
        out_.name_kind = kind;
    return kind;
}

mysql_kind mysql_scanner::load_head() noexcept
{
    if (!accept("data") && !accept("xml"))
        return mysql_kind::maintenance;
    state_.variables_pin = true;
    while (accept("low_priority") || accept("concurrent")) {
    }
    out_.local_infile |= at("local");
    return mysql_kind::load_data;
}

// [OR REPLACE] [DEFINER = user] [TEMPORARY | AGGREGATE] what
mysql_kind mysql_scanner::create_head() noexcept
{
    for (int tokens = 0; tokens < 12 && !at_end(); ++tokens, advance()) {
        if (at("temporary")) {
            pin(mysql_pin::temporary_table);
            return mysql_kind::create_temporary_table;
        }
        if (at("procedure") || at("function") || at("trigger") || at("event") || at("package")) {
            state_.routine = true;
            break;
        }
        if (at("table") || at("view") || at("index") || at("database") || at("schema") ||
            at("user") || at("role") || at("server"))
            break;
    }
    return mysql_kind::create;
}

mysql_kind mysql_scanner::drop_head() noexcept
{
    if (accept("prepare"))
        return named(mysql_kind::deallocate);
    return at("temporary") ? mysql_kind::drop_temporary_table : mysql_kind::ddl;
}

mysql_kind mysql_scanner::prepare_head() noexcept
{
    pin(mysql_pin::sql_prepare);
    return named(mysql_kind::prepare);
}

mysql_kind mysql_scanner::execute_head() noexcept
{
    out_.opaque = true;
    return at("immediate") ? mysql_kind::execute : named(mysql_kind::execute);
}

mysql_kind mysql_scanner::deallocate_head() noexcept
{
    accept("prepare");
    return named(mysql_kind::deallocate);
}

mysql_kind mysql_scanner::diagnostics_head() noexcept
{
    look(looks_back::diagnostics);
    state_.variables_pin = true;
    return mysql_kind::get_diagnostics;
}

// KILL [HARD | SOFT] [CONNECTION | QUERY [ID]] number, or something else
mysql_kind mysql_scanner::kill_head() noexcept
{
    kill_words words;
    if (!accept("hard"))
        accept("soft");
    words.query = at("query");
    if (words.query || at("connection"))
        advance();
    words.by_query_id = words.query && accept("id");
    if (now_.kind == token_kind::number) {
        const auto* end = now_.text.data() + now_.text.size();
        const auto read = std::from_chars(now_.text.data(), end, words.connection);
        words.constant = read.ec == std::errc() && read.ptr == end;
        advance();
        words.constant &= at_end();
    }
    if (!(out_.kinds >> static_cast<unsigned>(mysql_kind::kill) & 1u))
        out_.kill = words;
    return mysql_kind::kill;
}

mysql_kind mysql_scanner::xa_head() noexcept
{
    if (at("start") || at("begin"))
        pin(mysql_pin::xa);
    else if (at("commit") || at("rollback"))
        unpin(mysql_pin::xa);
    return mysql_kind::xa;
}

}  // namespace sluice::sql
