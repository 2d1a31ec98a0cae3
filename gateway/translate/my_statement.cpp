// gateway/translate/my_statement.cpp: who answers a MySQL client's statement.
#include "gateway/translate/my_statement.hpp"

#include <algorithm>
#include <array>

#include "gateway/translate/my_statement_reader.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;

struct refused_verb {
    std::string_view verb;
    std::string_view why;
};

constexpr std::string_view privileges =
    "Privileges are kept in the gateway's configuration, see [users]";

constexpr std::array refused{
    refused_verb{"call", "Procedures are not available for SQLite databases"},
    refused_verb{"do", "DO is not available for SQLite databases; use SELECT"},
    refused_verb{"handler", "HANDLER is not available for SQLite databases"},
    refused_verb{"grant", privileges},
    refused_verb{"revoke", privileges},
    refused_verb{"xa", "XA transactions are not available for SQLite databases"},
    refused_verb{"install", "Plugins are not available for SQLite databases"},
    refused_verb{"attach", "ATTACH is not allowed: a client sees only its database"},
    refused_verb{"vacuum", "VACUUM is for the administrator: sluice sqlite vacuum NAME"},
};

constexpr std::array<std::string_view, 8> ignored{
    "lock", "unlock", "flush", "optimize", "checksum", "reset", "purge", "cache"};

}  // namespace

std::string lower_my_text(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = sql::lower_ascii(c);
    return out;
}

my_statement_reader::my_statement_reader(my_sqlite_statement& out, const my_state& session)
    : out_(out), session_(session)
{
    auto lex = sql::mysql_lexer(out.text, session);
    do {
        tokens_.push_back(lex.next());
    } while (tokens_.back().kind != token_kind::end);
}

void my_statement_reader::read()
{
    while (now().kind == token_kind::open_paren)
        ++at_;
    if (transaction() || settings() || special())
        return;
    at_ = 0;
    engine();
}

void my_statement_reader::take_show(my_show&& shown)
{
    if (shown.sql.empty()) {
        out_.who = my_answer::refusal;
        out_.refused = std::move(shown.problem);
        return;
    }
    out_.sql.push_back(std::make_shared<const std::string>(std::move(shown.sql)));
    out_.table = std::move(shown.table);
    out_.diagnostics = shown.diagnostics;
    out_.volatile_text = true;
}

// Statements that are neither SQLite's nor about transactions and settings.
bool my_statement_reader::special()
{
    const auto verb = now().text;
    if (is("use")) {
        ++at_;
        out_.who = my_answer::use;
        out_.name = sql::mysql_name_value(now());
        if (at_end())
            syntax_error();
        return true;
    }
    if (is("kill")) {
        out_.who = my_answer::kill;
        out_.kill = sql::classify_mysql(out_.text).kill;
        if (!out_.kill.constant)
            refuse(1235, "42000", "KILL takes a connection's number here");
        return true;
    }
    if (is("show") || is("describe") || is("desc") || is("explain")) {
        if (auto shown = read_show(out_.text, session_)) {
            take_show(std::move(*shown));
            return true;
        }
    }
    if ((is("create") || is("drop") || is("alter")) && (is("database", 1) || is("schema", 1))) {
        const auto& name = tokens_[tokens_.size() - 2];
        const bool exists = is("create") && is("if", 2) && is("not", 3) && is("exists", 4) &&
                            (sql::mysql_name_value(ahead(5)) == session_.database ||
                             sql::mysql_name_value(name) == session_.database);
        if (exists)
            out_.who = my_answer::nothing;
        else
            refuse(1044,
                   "42000",
                   "Databases are made in the gateway's configuration, see [databases]");
        return true;
    }
    if ((is("create") || is("drop") || is("alter")) &&
        (is("user", 1) || is("role", 1) || is("procedure", 1) || is("function", 1) ||
         is("event", 1) || is("server", 1))) {
        refuse(1235, "42000", "SQLite databases have no such objects; users are in [users]");
        return true;
    }
    for (const auto& each : refused) {
        if (!sql::same_word(verb, each.verb))
            continue;
        refuse(1235, "42000", std::string(each.why));
        return true;
    }
    for (const auto word : ignored) {
        if (!sql::same_word(verb, word))
            continue;
        out_.who = my_answer::nothing;
        out_.definition = word == "lock";
        return true;
    }
    return false;
}

void my_statement_reader::engine()
{
    const bool explain = is("explain") || is("describe") || is("desc");
    std::string text = out_.text;
    if (explain) {
        ++at_;
        while (is("extended") || is("partitions") || is("analyze"))
            ++at_;
        if (take("format") && take(token_kind::op))
            ++at_;
        text = out_.text.substr(static_cast<std::size_t>(now().text.data() - out_.text.data()));
    }
    const bool analyze = is("analyze") && is("table", 1);
    if (analyze)
        text = "ANALYZE " +
               out_.text.substr(static_cast<std::size_t>(ahead(2).text.data() - out_.text.data()));
    out_.sqlite = sql::mysql_to_sqlite(text, session_);
    auto& made = out_.sqlite;
    if (!made.problem.empty()) {
        if (made.unknown_variable)
            refuse(1193, "HY000", "Unknown system variable '" + made.problem + "'");
        else if (made.problem.starts_with("Unknown table"))
            refuse(1109, "42S02", made.problem);
        else if (made.problem.starts_with("Unknown database"))
            refuse(1049, "42000", made.problem);
        else
            refuse(1235, "42000", made.problem);
        return;
    }
    if (made.statements.empty()) {
        out_.who = my_answer::nothing;
        out_.definition = true;
        return;
    }
    for (auto& each : made.statements) {
        if (explain)
            each.text.insert(0, "EXPLAIN QUERY PLAN ");
        out_.sql.push_back(std::make_shared<const std::string>(each.text));
    }
    auto hints = std::make_shared<my_hints>();
    if (!explain) {
        hints->names = made.names;
        hints->never_null = made.never_null;
        if (made.statements.size() == 1)
            hints->types = read_column_hints(made.statements.front().text, sql::dialect::sqlite);
    }
    out_.hints = std::move(hints);
    out_.volatile_text = made.session_values;
    const auto verb = lower_my_text(now().text);
    out_.inserts = verb == "insert" || verb == "replace";
    out_.replaces = verb == "replace";
    out_.updates = verb == "update";
    const auto has = [this](std::string_view word) {
        return std::any_of(tokens_.begin(), tokens_.end(), [word](const token& t) {
            return sql::is_word(t, word);
        });
    };
    out_.plain_insert = verb == "insert" && !has("ignore") && !has("duplicate") && !has("conflict");
    out_.definition = verb == "create" || verb == "alter" || verb == "drop" || verb == "rename" ||
                      verb == "truncate" || verb == "analyze" || verb == "reindex";
    out_.opens_transaction =
        !out_.definition && (verb != "select" || has("from")) && !explain && verb != "pragma";
}

my_sqlite_statement_ptr read_my_statement(std::string_view text, const my_state& session)
{
    auto out = std::make_shared<my_sqlite_statement>();
    out->text = text;
    if ((out->command = read_my_command(text, session))) {
        out->who = out->command->prepare ? my_answer::prepare : my_answer::load;
        if (out->command->problem) {
            out->who = my_answer::refusal;
            out->refused = *out->command->problem;
        }
        return out;
    }
    my_statement_reader(*out, session).read();
    return out;
}

}  // namespace sluice::gateway
