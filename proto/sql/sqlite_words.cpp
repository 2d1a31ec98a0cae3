// proto/sql/sqlite_words.cpp: clauses, key words and definitions that SQLite spells another way.
#include <algorithm>
#include <array>
#include <span>

#include "proto/sql/sqlite_rewriter.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::sql {

bool sqlite_rewriter::clause_word()
{
    // The catalogs are attached schemas, and nothing to analyze.
    if (at_ == 0 && (at("analyze") || at("reindex")) && kind(1) == token_kind::end) {
        at("analyze") ? replace("ANALYZE main") : copy();
        return true;
    }
    if (groups_.empty())
        upsert_source();
    if (at("for"))
        return locking_clause();
    if (at("limit")) {
        limit_seen_ = true;
        const bool all = at("all", 1) || at("null", 1);
        all ? replace("LIMIT -1", 2) : copy();
        end_operand();
        return true;
    }
    if (at("offset") || at("fetch"))
        return row_bounds();
    return false;
}

// INSERT ... SELECT ... FROM t ON CONFLICT: SQLite takes the ON for a join's, unless a clause like
// WHERE ends the FROM.
void sqlite_rewriter::upsert_source()
{
    if (at("select") || at("where") || at("group") || at("having") || at("order") || at("limit")) {
        open_from_ = false;
    } else if (at("from")) {
        open_from_ = true;
    } else if (open_from_ && at("on") && at("conflict", 1)) {
        gap();
        out_.text += "WHERE true ";
        open_from_ = false;
    }
}

// FOR [NO KEY] UPDATE | [KEY] SHARE [OF t, ...] [NOWAIT | SKIP LOCKED]: one writer, nothing to
// lock.
bool sqlite_rewriter::locking_clause()
{
    std::size_t n = 1;
    if (at("no", n) && at("key", n + 1))
        n += 2;
    else if (at("key", n))
        ++n;
    if (!at("update", n) && !at("share", n))
        return false;
    ++n;
    if (at("of", n))
        do {
            n += 2;
            while (kind(n) == token_kind::dot)
                n += 2;
        } while (kind(n) == token_kind::comma);
    if (at("nowait", n))
        ++n;
    else if (at("skip", n) && at("locked", n + 1))
        n += 2;
    drop(n);
    end_operand();
    return true;
}

// One token that says how many rows.
std::string sqlite_rewriter::row_count(std::size_t n)
{
    if (kind(n) != token_kind::parameter)
        return std::string(ahead(n).text);
    parameter_number(ahead(n));
    return '?' + std::string(ahead(n).text.substr(1));
}

// FETCH {FIRST | NEXT} [count] {ROW | ROWS} ONLY at `n`: the tokens it takes, 0 if it is not there.
std::size_t sqlite_rewriter::fetch_clause(std::size_t n, std::string& count)
{
    if (!at("fetch", n) || (!at("first", n + 1) && !at("next", n + 1)))
        return 0;
    const bool counted = kind(n + 2) == token_kind::number || kind(n + 2) == token_kind::parameter;
    const std::size_t rows = n + (counted ? 3 : 2);
    if ((!at("row", rows) && !at("rows", rows)) || !at("only", rows + 1))
        return 0;
    count = counted ? row_count(n + 2) : "1";
    return rows + 2 - n;
}

// OFFSET m [ROWS] [FETCH FIRST n ROWS ONLY | LIMIT n]: in SQLite OFFSET follows a LIMIT.
bool sqlite_rewriter::row_bounds()
{
    std::string limit = "-1";
    if (const auto n = fetch_clause(0, limit)) {
        replace("LIMIT " + limit, n);
        end_operand();
        return true;
    }
    if (!at("offset") || (kind(1) != token_kind::number && kind(1) != token_kind::parameter))
        return false;
    const auto offset = row_count(1);
    std::size_t n = 2;
    if (at("row", n) || at("rows", n))
        ++n;
    bool limited = limit_seen_;
    if (const auto more = limited ? 0 : fetch_clause(n, limit)) {
        n += more;
    } else if (!limited && at("limit", n) &&
               (kind(n + 1) == token_kind::number || kind(n + 1) == token_kind::parameter)) {
        limit = row_count(n + 1);
        n += 2;
    }
    replace((limited ? "OFFSET " : "LIMIT " + limit + " OFFSET ") + offset, n);
    limit_seen_ = true;
    end_operand();
    return true;
}

bool sqlite_rewriter::expression_word()
{
    if (at("case")) {
        gap();
        group made;
        made.kind = group_kind::case_;
        made.begin = out_.text.size();
        made.limit_seen = limit_seen_;
        groups_.push_back(std::move(made));
        copy();
        end_operand();
        return true;
    }
    if (at("end") && !groups_.empty() && groups_.back().kind == group_kind::case_) {
        copy();
        end_operand();
        operand_.begin = groups_.back().begin;
        groups_.pop_back();
        return true;
    }
    if (at("cast") && kind(1) == token_kind::open_paren) {
        gap();
        push(group_kind::cast, out_.text.size());
        copy();
        copy();
        end_operand();
        return true;
    }
    if (at("as") && !groups_.empty() && groups_.back().kind == group_kind::cast)
        return cast_call_type();
    if (at("ilike")) {
        replace("LIKE");
        end_operand();
        return true;
    }
    return typed_literal() || collation() || operator_call();
}

// date '2020-01-01' and the like.
bool sqlite_rewriter::typed_literal()
{
    static constexpr std::array<std::string_view, 8> types{
        "date", "time", "timestamp", "timestamptz", "timetz", "uuid", "json", "jsonb"};
    if (std::none_of(types.begin(), types.end(), [this](std::string_view t) { return at(t); }))
        return false;
    const auto type = parse_type(std::span(tokens_).subspan(at_));
    if (!is_string(kind(type.tokens)))
        return false;
    drop(type.tokens);
    return true;
}

// COLLATE "default", COLLATE pg_catalog.default: SQLite's own. COLLATE "C": bytes.
bool sqlite_rewriter::collation()
{
    if (!at("collate"))
        return false;
    const std::size_t n = at("pg_catalog", 1) && kind(2) == token_kind::dot ? 3 : 1;
    const auto& name = ahead(n);
    if (at("default", n) || name.text == "\"default\"") {
        drop(n + 1);
        return true;
    }
    if (name.text == "\"C\"" || name.text == "\"POSIX\"") {
        replace("COLLATE BINARY", n + 1);
        return true;
    }
    return false;
}

// OPERATOR(pg_catalog.~)
bool sqlite_rewriter::operator_call()
{
    if (!at("operator") || kind(1) != token_kind::open_paren)
        return false;
    std::size_t n = 2;
    while (kind(n) == token_kind::word && kind(n + 1) == token_kind::dot)
        n += 2;
    if (kind(n) != token_kind::op || kind(n + 1) != token_kind::close_paren)
        return false;
    const auto op = ahead(n).text;
    if (!replace_operator(op, n + 2))
        replace(op, n + 2);
    end_operand();
    return true;
}

// Functions that PostgreSQL calls without parentheses.
bool sqlite_rewriter::keyword_function()
{
    struct pair {
        std::string_view word;
        std::string_view call;
    };
    static constexpr std::array<pair, 6> functions{{
        {"current_user", "current_user()"},
        {"current_role", "current_user()"},
        {"session_user", "session_user()"},
        {"current_schema", "current_schema()"},
        {"current_catalog", "current_catalog()"},
        {"user", "current_user()"},
    }};
    if (kind(1) == token_kind::open_paren || kind(1) == token_kind::dot ||
        (at_ > 0 && is_word(tokens_[at_ - 1], "as")))
        return false;
    // SQLite's users have tables and columns called "user", which PostgreSQL's grammar forbids.
    if (at("user") && (form_ != statement_form::select || has_from_))
        return false;
    for (const auto& f : functions) {
        if (!at(f.word))
            continue;
        begin_operand();
        replace(f.call);
        return true;
    }
    return false;
}

// pg_catalog.f( -> f(, public.t -> t
bool sqlite_rewriter::qualifier()
{
    if (kind(1) != token_kind::dot || (at_ > 0 && tokens_[at_ - 1].kind == token_kind::dot))
        return false;
    if (kind(2) != token_kind::word && kind(2) != token_kind::quoted_word)
        return false;
    const bool catalog =
        at("pg_catalog") || now().text == "\"pg_catalog\"" || at("information_schema");
    const bool ours = at("public") || now().text == "\"public\"";
    const bool definition = form_ == statement_form::create_table ||
                            form_ == statement_form::create_index ||
                            (at_ > 0 && is_word(tokens_[at_ - 1], "into"));
    if (!(catalog && kind(3) == token_kind::open_paren && !definition) && !ours)
        return false;
    drop(2);
    end_operand();
    bare_at_ = at_;
    return true;
}

}  // namespace sluice::sql
