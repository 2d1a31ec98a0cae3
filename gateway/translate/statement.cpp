// gateway/translate/statement.cpp: who answers a statement, and its command tag.
#include "gateway/translate/statement.hpp"

#include <array>
#include <cctype>

#include "gateway/translate/alter_words.hpp"
#include "gateway/translate/result_types.hpp"
#include "proto/sql/normalize.hpp"
#include "proto/sql/lexer.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;

std::string upper(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

// The verb behind WITH ...: the first of them outside of parentheses.
std::string_view main_verb(std::string_view text)
{
    sql::lexer lex(text);
    int depth = 0;
    for (auto t = lex.next(); t.kind != token_kind::end; t = lex.next()) {
        if (t.kind == token_kind::open_paren)
            ++depth;
        if (t.kind == token_kind::close_paren)
            --depth;
        if (depth != 0 || t.kind != token_kind::word)
            continue;
        for (const std::string_view verb :
             {"select", "insert", "update", "delete", "values", "replace"})
            if (sql::same_word(t.text, verb))
                return verb;
    }
    return "select";
}

// CREATE [OR REPLACE] [TEMP ...] [UNIQUE] TABLE: the tag names what was made.
std::string definition_tag(std::string_view verb, sql::lexer lex)
{
    for (auto t = lex.next(); t.kind == token_kind::word; t = lex.next()) {
        for (const std::string_view what : {"table", "index", "view", "trigger"})
            if (sql::same_word(t.text, what))
                return upper(verb) + " " + upper(what);
        if (sql::same_word(t.text, "virtual"))
            return upper(verb) + " TABLE";
    }
    return upper(verb);
}

struct refused_verb {
    std::string_view verb;
    std::string_view why;
};

constexpr std::string_view pubsub = "LISTEN and NOTIFY are not available for SQLite databases";

constexpr std::array refused{
    refused_verb{"listen", pubsub},
    refused_verb{"notify", pubsub},
    refused_verb{"lock",
                 "explicit locks are not available for SQLite databases; one transaction "
                 "writes at a time anyway"},
    refused_verb{"do", "DO is not available for SQLite databases"},
    refused_verb{"call", "procedures are not available for SQLite databases"},
    refused_verb{"load", "LOAD is not available for SQLite databases"},
    refused_verb{"grant", "privileges are kept in the gateway's configuration, see [users]"},
    refused_verb{"revoke", "privileges are kept in the gateway's configuration, see [users]"},
    refused_verb{"truncate", "TRUNCATE is not available for SQLite databases; use DELETE FROM"},
};

void set_engine_tag(client_statement& out, std::string_view verb, const sql::lexer& behind)
{
    out.who = answered_by::engine;
    const auto is = [verb](std::string_view word) { return sql::same_word(verb, word); };
    if (is("select") || is("values") || is("table")) {
        out.tag = "SELECT";
        out.counts = tag_count::rows;
        out.reads_only = true;
    } else if (is("insert") || is("replace")) {
        out.tag = "INSERT 0";
        out.counts = tag_count::changes;
    } else if (is("update") || is("delete")) {
        out.tag = upper(verb);
        out.counts = tag_count::changes;
    } else if (is("create") || is("drop") || is("alter")) {
        out.tag = definition_tag(verb, behind);
    } else if (is("pragma")) {
        out.tag = "SELECT";
        out.counts = tag_count::rows;
    } else {
        out.tag = upper(verb);
        out.reads_only = is("explain");
    }
}

bool set_session_command(client_statement& out, std::string_view verb)
{
    for (const std::string_view word : {"discard", "deallocate", "unlisten"}) {
        if (!sql::same_word(verb, word))
            continue;
        out.who = answered_by::session;
        out.tag = upper(verb);
        return true;
    }
    return false;
}

bool set_cursor_command(client_statement& out, std::string_view verb)
{
    const auto is = [verb](std::string_view word) { return sql::same_word(verb, word); };
    if (is("prepare") || is("execute")) {
        out.who = is("prepare") ? answered_by::prepare : answered_by::execute;
        out.prepare = read_prepare_words(out.text);
        return true;
    }
    if (!is("declare") && !is("fetch") && !is("move") && !is("close"))
        return false;
    out.who = answered_by::cursor;
    out.cursor = read_cursor_words(out.text);
    return true;
}

bool is_transaction(client_statement& out)
{
    out.transaction = sql::parse_transaction(out.text);
    if (out.transaction.verb == sql::transaction_verb::none && !out.transaction.error)
        return false;
    out.who = answered_by::transaction;
    return true;
}

bool is_settings(client_statement& out)
{
    out.settings = sql::parse_settings(out.text);
    if (out.settings.verb == sql::settings_verb::none && !out.settings.error)
        return false;
    out.who = answered_by::settings;
    return true;
}

constexpr std::string_view hex_begin = "'\\x";
constexpr std::string_view bytes_begin = " X'";
static_assert(hex_begin.size() == bytes_begin.size());

std::shared_ptr<client_statement> read_anew(std::string_view text, std::size_t offset)
{
    auto out = std::make_shared<client_statement>();
    out->text = text;
    out->offset = offset;
    out->digest = sql::digest_of(out->text, sql::dialect::postgres);
    sql::lexer lex(out->text);
    auto first = lex.next();
    while (first.kind == token_kind::open_paren)
        first = lex.next();
    if (first.kind == token_kind::end)
        return out;
    if (is_transaction(*out) || is_settings(*out) || set_session_command(*out, first.text) ||
        set_cursor_command(*out, first.text))
        return out;
    for (const auto& each : refused) {
        if (!sql::same_word(first.text, each.verb))
            continue;
        out->who = answered_by::refusal;
        out->refused_because = each.why;
        return out;
    }
    if (sql::same_word(first.text, "copy")) {
        std::string problem;
        if (auto command = read_copy(out->text, problem)) {
            out->who = answered_by::copy;
            out->copy = std::move(*command);
            out->tag = "COPY";
        } else {
            out->who = answered_by::refusal;
            out->refused_because = problem;
        }
        return out;
    }
    if (sql::same_word(first.text, "alter")) {
        if (const auto words = read_alter_table(out->text)) {
            out->tag = "ALTER TABLE";
            out->who = words->instead.empty() ? answered_by::refusal : answered_by::engine;
            out->refused_because = words->why;
            out->sqlite.text = words->instead;
            out->sql = std::make_shared<const std::string>(words->instead);
            return out;
        }
    }
    const bool with = sql::same_word(first.text, "with");
    set_engine_tag(*out, with ? main_verb(out->text) : first.text, lex);
    out->sqlite = sql::to_sqlite(out->text);
    out->sql = std::make_shared<const std::string>(out->sqlite.text);
    out->hints = read_column_hints(out->text);
    out->hex_literals = out->sqlite.text.find(hex_begin) != std::string::npos;
    return out;
}

}  // namespace

bool client_statement::allowed_when_failed() const noexcept
{
    using sql::transaction_verb;
    return who == answered_by::transaction && (transaction.verb == transaction_verb::commit ||
                                               transaction.verb == transaction_verb::rollback ||
                                               transaction.verb == transaction_verb::rollback_to);
}

statement_ptr read_statement(std::string_view text, std::size_t offset)
{
    return read_anew(text, offset);
}

statement_ptr with_bytes(const client_statement& statement, const std::vector<std::size_t>& at)
{
    auto out = read_anew(statement.text, statement.offset);
    for (const auto literal : at)
        out->sqlite.text.replace(literal, hex_begin.size(), bytes_begin);
    out->sql = std::make_shared<const std::string>(out->sqlite.text);
    out->hex_literals = false;
    return out;
}

}  // namespace sluice::gateway
