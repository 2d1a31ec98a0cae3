// proto/sql/statement_settings.cpp: SET, RESET and set_config(): which settings of the session
// change.
//
// Grammar: VariableSetStmt and VariableResetStmt in PostgreSQL's src/backend/parser/gram.y.
#include "proto/sql/statement_scanner.hpp"

namespace sluice::sql {
namespace {

// Without its quotes; empty when it cannot be given as a view (doubled quotes, U&"...").
std::string_view bare(const token& t) noexcept
{
    if (t.kind == token_kind::word)
        return t.text;
    if (t.kind != token_kind::quoted_word || t.text.size() < 2)
        return {};
    const auto inner = t.text.substr(1, t.text.size() - 2);
    return inner.find('"') == std::string_view::npos ? inner : std::string_view{};
}

// A token that SET takes as a value and that means the same when it is sent again later.
bool is_constant(const token& t) noexcept
{
    switch (t.kind) {
        case token_kind::word:
        case token_kind::quoted_word:
        case token_kind::string:
        case token_kind::escape_string:
        case token_kind::dollar_string:
        case token_kind::number:
        case token_kind::comma:
        case token_kind::op:
            return true;
        default:
            return false;
    }
}

// Unread tokens that set_config() may have before its arguments count as unknown: the look-ahead
// must not read a long text once for every call in it.
constexpr int set_config_tokens_max = 64;

}  // namespace

// The value from `now_` to the statement's end as written; empty unless all of it is constant.
std::string_view statement_scanner::value_to_end() noexcept
{
    const char* begin = now_.text.data();
    const char* end = begin;
    bool constant = true;
    for (; !at_end(); advance()) {
        constant &= is_constant(now_);
        end = now_.text.data() + now_.text.size();
    }
    constant &= !lexer_.unterminated();
    return constant ? std::string_view(begin, static_cast<std::size_t>(end - begin))
                    : std::string_view{};
}

// A setting's name, perhaps with dots. Empty when it cannot be given as one view.
std::string_view statement_scanner::setting_name() noexcept
{
    auto name = bare(now_);
    advance();
    while (now_.kind == token_kind::dot) {
        advance();
        const auto part = bare(now_);
        // Only parts that touch ("a.b", without blanks, comments or quotes) are one view.
        if (!name.empty() && !part.empty() && name.data() + name.size() + 1 == part.data())
            name = {name.data(), name.size() + 1 + part.size()};
        else
            name = {};
        advance();
    }
    return name;
}

void statement_scanner::assignment(std::string_view name) noexcept
{
    if (same_word(name, "session_authorization")) {
        pin(pin_reason::session_authorization);
        return;
    }
    const bool equals = now_.kind == token_kind::op && now_.text == "=";
    if (!equals && !at("to")) {
        touch(name);  // FROM CURRENT, or a syntax error
        return;
    }
    advance();
    touch(name, value_to_end());
}

// SET SESSION CHARACTERISTICS AS TRANSACTION mode, ...
void statement_scanner::session_characteristics() noexcept
{
    while (!at_end()) {
        if (accept("isolation")) {
            touch("default_transaction_isolation");
            accept("level");  // READ may follow here, too
        } else if (at("read")) {
            touch("default_transaction_read_only");
        } else if (at("deferrable")) {
            touch("default_transaction_deferrable");
        }
        advance();
    }
}

statement_kind statement_scanner::set_head() noexcept
{
    if (at("local") || at("transaction") || at("constraints"))
        return statement_kind::set_local;
    if (accept("session")) {
        if (accept("characteristics")) {
            session_characteristics();
            return statement_kind::set;
        }
        if (accept("authorization")) {
            at("default") ? unpin(pin_reason::session_authorization)
                          : pin(pin_reason::session_authorization);
            return statement_kind::set;
        }
        if (at("transaction"))
            return statement_kind::set_local;
    }
    const token first = now_;
    const auto name = setting_name();
    const bool assigned = (now_.kind == token_kind::op && now_.text == "=") || at("to");
    const bool plain = !assigned && first.kind == token_kind::word;
    if (plain && same_word(first.text, "time") && accept("zone")) {
        // LOCAL is a key word here alone, an interval has no form as a plain value.
        const bool interval = at("interval");
        const auto value = value_to_end();
        touch("TimeZone",
              interval                    ? std::string_view{}
              : same_word(value, "local") ? std::string_view("DEFAULT")
                                          : value);
    } else if (plain && same_word(first.text, "names")) {
        const auto value = at_end() ? std::string_view("DEFAULT") : value_to_end();
        touch("client_encoding", value);
    } else if (plain && same_word(first.text, "schema")) {
        touch("search_path", value_to_end());
    } else if (plain && same_word(first.text, "role")) {
        touch("role", value_to_end());
    } else if (plain && same_word(first.text, "xml") && accept("option")) {
        touch("xmloption", value_to_end());
    } else {
        assignment(name);
    }
    return statement_kind::set;
}

statement_kind statement_scanner::reset_head() noexcept
{
    const token first = now_;
    const auto name = setting_name();
    if (first.kind == token_kind::word && !name.empty()) {
        if (same_word(name, "all")) {
            out_.resets_all = true;
            return statement_kind::reset;
        }
        if (same_word(name, "time") && at("zone")) {
            touch("TimeZone");
            return statement_kind::reset;
        }
        if (same_word(name, "transaction") && at("isolation"))
            return statement_kind::reset;
        if (same_word(name, "session") && at("authorization")) {
            unpin(pin_reason::session_authorization);
            return statement_kind::reset;
        }
    }
    if (same_word(name, "session_authorization"))
        unpin(pin_reason::session_authorization);
    else
        touch(name);
    return statement_kind::reset;
}

// At the parenthesis of set_config(name, value, is_local). Looks ahead on a copy: the arguments
// are read once more by body(), they may hold calls that matter.
void statement_scanner::set_config_call() noexcept
{
    lexer ahead = lexer_;
    const token name = ahead.next();
    bool literal = name.kind == token_kind::string && name.text.front() == '\'' &&
                   name.text.size() > 2 && name.text.find('\'', 1) == name.text.size() - 1;

    // The third argument, if it is one token alone.
    token local;
    int depth = 1;
    int commas = 0;
    int local_tokens = 0;
    bool closed = false;
    for (int count = 0; count < set_config_tokens_max && !closed; ++count) {
        const token t = ahead.next();
        if (count == 0)
            literal &= t.kind == token_kind::comma;
        if (t.kind == token_kind::end)
            break;
        if (t.kind == token_kind::open_paren)
            ++depth;
        closed = t.kind == token_kind::close_paren && --depth == 0;
        if (t.kind == token_kind::comma && depth == 1) {
            ++commas;
        } else if (commas == 2 && !closed) {
            local = t;
            ++local_tokens;
        }
    }
    const bool is_local =
        closed && local_tokens == 1 &&
        (is_word(local, "true") || same_word(local.text, "'true'") || same_word(local.text, "'t'"));
    if (is_local)
        return;
    const auto inner = literal ? name.text.substr(1, name.text.size() - 2) : std::string_view{};
    if (same_word(inner, "session_authorization"))
        pin(pin_reason::session_authorization);
    else
        touch(inner);
}

}  // namespace sluice::sql
