// gateway/translate/my_statement.cpp: who answers a MySQL client's statement.
#include "gateway/translate/my_statement.hpp"

#include <algorithm>
#include <array>

#include "gateway/translate/my_show.hpp"
#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;
using tokens = std::vector<token>;

struct refused_verb {
    std::string_view verb;
    std::string_view why;
};

constexpr std::string_view text_prepare =
    "PREPARE and EXECUTE as statements are not available for SQLite databases; use the protocol's "
    "prepared statements (every driver can)";
constexpr std::string_view privileges =
    "Privileges are kept in the gateway's configuration, see [users]";

constexpr std::array refused{
    refused_verb{"prepare", text_prepare},
    refused_verb{"execute", text_prepare},
    refused_verb{"deallocate", text_prepare},
    refused_verb{"load", "LOAD DATA is not available for SQLite databases"},
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

tokens read_tokens(std::string_view text, const my_state& session)
{
    tokens out;
    auto lex = sql::mysql_lexer(text, session);
    do {
        out.push_back(lex.next());
    } while (out.back().kind != token_kind::end);
    return out;
}

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = sql::lower_ascii(c);
    return out;
}

class reader {
public:
    reader(my_sqlite_statement& out, const my_state& session)
        : out_(out), session_(session), tokens_(read_tokens(out.text, session))
    {
    }

    void read()
    {
        while (now().kind == token_kind::open_paren)
            ++at_;
        if (transaction() || settings() || special())
            return;
        at_ = 0;
        engine();
    }

private:
    const token& now() const { return tokens_[at_]; }
    const token& ahead(std::size_t n) const
    {
        return tokens_[std::min(at_ + n, tokens_.size() - 1)];
    }
    bool is(std::string_view word, std::size_t n = 0) const { return sql::is_word(ahead(n), word); }
    bool take(std::string_view word)
    {
        const bool here = is(word);
        at_ += here;
        return here;
    }
    bool take(token_kind kind)
    {
        const bool here = now().kind == kind;
        at_ += here;
        return here;
    }
    bool at_end() const { return now().kind == token_kind::end; }

    void refuse(std::uint16_t number, std::string state, std::string message)
    {
        out_.who = my_answer::refusal;
        out_.refused = {number, std::move(state), std::move(message)};
    }
    void syntax_error()
    {
        const auto rest = now().text.data() - out_.text.data();
        refuse(1064,
               "42000",
               "You have an error in your SQL syntax near '" +
                   out_.text.substr(static_cast<std::size_t>(rest)) + "'");
    }

    bool transaction();
    void begin_options();
    void end_options();
    bool settings();
    bool setting();
    bool set_transaction(my_setting& one);
    std::size_t value_end() const;
    std::string value_text(std::size_t to);
    bool special();
    void engine();
    void take_show(my_show&& shown);

    my_sqlite_statement& out_;
    const my_state& session_;
    tokens tokens_;
    std::size_t at_ = 0;
};

bool reader::transaction()
{
    using verb = my_transaction::verb;
    auto& t = out_.transaction;
    const bool start = is("start") && is("transaction", 1);
    const bool begin =
        is("begin") && (ahead(1).kind == token_kind::end || is("work", 1) || is("immediate", 1) ||
                        is("deferred", 1) || is("exclusive", 1) || is("transaction", 1));
    if (start || begin) {
        at_ += start ? 2 : 1;
        t.what = verb::begin;
        if (begin)
            while (now().kind == token_kind::word)
                ++at_;
        else
            begin_options();
    } else if (is("commit") || is("rollback")) {
        t.what = is("commit") ? verb::commit : verb::rollback;
        ++at_;
        take("work");
        if (t.what == verb::rollback && take("to")) {
            t.what = verb::rollback_to;
            take("savepoint");
            t.name = lower(sql::mysql_name_value(now()));
            ++at_;
        } else {
            end_options();
        }
    } else if (is("savepoint") || (is("release") && is("savepoint", 1))) {
        t.what = is("savepoint") ? verb::savepoint : verb::release;
        at_ += is("savepoint") ? 1 : 2;
        t.name = lower(sql::mysql_name_value(now()));
        at_ += !at_end();
    } else {
        return false;
    }
    out_.who = my_answer::transaction;
    const bool named =
        t.what == verb::savepoint || t.what == verb::release || t.what == verb::rollback_to;
    if (!at_end() || (named && t.name.empty()))
        syntax_error();
    return true;
}

// WITH CONSISTENT SNAPSHOT, READ ONLY, READ WRITE
void reader::begin_options()
{
    auto& t = out_.transaction;
    do {
        if (is("with") && is("consistent", 1) && is("snapshot", 2)) {
            t.snapshot = true;
            at_ += 3;
        } else if (is("read") && (is("only", 1) || is("write", 1))) {
            t.read_only = is("only", 1);
            at_ += 2;
        }
    } while (take(token_kind::comma));
}

// AND [NO] CHAIN, [NO] RELEASE
void reader::end_options()
{
    auto& t = out_.transaction;
    if (take("and")) {
        t.chain = !take("no");
        if (!take("chain"))
            t.chain = false;
    }
    if (is("no") && is("release", 1))
        at_ += 2;
    else
        t.leave = take("release");
}

// To the comma that ends a value, or the end.
std::size_t reader::value_end() const
{
    std::size_t depth = 0;
    for (std::size_t i = at_;; ++i) {
        const auto kind = tokens_[i].kind;
        if (kind == token_kind::end || (kind == token_kind::comma && depth == 0))
            return i;
        depth += kind == token_kind::open_paren;
        depth -= kind == token_kind::close_paren && depth > 0;
    }
}

std::string reader::value_text(std::size_t to)
{
    const auto from = std::exchange(at_, to);
    if (from >= to)
        return {};
    const auto& last = tokens_[to - 1].text;
    return std::string(tokens_[from].text.data(), last.data() + last.size());
}

bool reader::settings()
{
    if (!is("set"))
        return false;
    ++at_;
    out_.who = my_answer::set;
    do {
        if (!setting()) {
            syntax_error();
            return true;
        }
    } while (take(token_kind::comma));
    if (!at_end())
        syntax_error();
    return true;
}

bool reader::set_transaction(my_setting& one)
{
    one.what = my_setting::kind::transaction;
    do {
        if (is("isolation") && is("level", 1)) {
            at_ += 2;
            const bool two = is("read") || is("repeatable");
            std::string words = lower(now().text);
            if (two)
                words += " " + lower(ahead(1).text);
            at_ += two ? 2 : 1;
            one.isolation = sql::isolation_from_text(words);
            if (!one.isolation)
                return false;
        } else if (is("read") && (is("only", 1) || is("write", 1))) {
            one.read_only = is("only", 1);
            at_ += 2;
        } else {
            return false;
        }
    } while (take(token_kind::comma));
    return true;
}

bool reader::setting()
{
    my_setting one;
    const bool scoped =
        is("session") || is("local") || is("global") || is("persist") || is("persist_only");
    if (scoped && ahead(1).kind != token_kind::op) {
        one.global = !is("session") && !is("local");
        one.session = !one.global;
        ++at_;
    }
    if (is("transaction")) {
        ++at_;
        const bool read = set_transaction(one);
        out_.settings.push_back(std::move(one));
        return read;
    }
    if (is("names") || is("charset") || (is("character") && is("set", 1))) {
        at_ += is("character") ? 2 : 1;
        one.what = my_setting::kind::names;
        one.name = lower(sql::mysql_name_value(now()));
        ++at_;
        if (take("collate")) {
            one.expression = lower(sql::mysql_name_value(now()));
            ++at_;
        }
        out_.settings.push_back(std::move(one));
        return true;
    }
    if (now().kind == token_kind::variable && !now().text.starts_with("@@")) {
        one.what = my_setting::kind::user;
        one.name = sql::mysql_name_value(sql::mysql_lexer(now().text.substr(1), session_).next());
        ++at_;
    } else {
        std::string name(now().text);
        if (now().kind == token_kind::quoted_word)
            name = sql::mysql_name_value(now());
        if (now().kind != token_kind::word && now().kind != token_kind::variable &&
            now().kind != token_kind::quoted_word)
            return false;
        name = lower(name);
        std::erase(name, '`');
        if (name.starts_with("@@"))
            name.erase(0, 2);
        for (const std::string_view scope : {"session.", "local.", "global.", "persist."})
            if (name.starts_with(scope)) {
                one.global = scope[0] == 'g' || scope[0] == 'p';
                name.erase(0, scope.size());
            }
        one.name = std::move(name);
        ++at_;
    }
    if (now().kind != token_kind::op || (now().text != "=" && now().text != ":="))
        return false;
    ++at_;
    one.expression = value_text(value_end());
    const bool complete = !one.expression.empty();
    out_.settings.push_back(std::move(one));
    return complete;
}

void reader::take_show(my_show&& shown)
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
bool reader::special()
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

void reader::engine()
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
    const auto verb = lower(now().text);
    out_.inserts = verb == "insert" || verb == "replace";
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

}  // namespace

my_sqlite_statement_ptr read_my_statement(std::string_view text, const my_state& session)
{
    auto out = std::make_shared<my_sqlite_statement>();
    out->text = text;
    reader(*out, session).read();
    return out;
}

}  // namespace sluice::gateway
