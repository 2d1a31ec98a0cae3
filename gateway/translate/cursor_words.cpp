// gateway/translate/cursor_words.cpp: what PREPARE and EXECUTE, DECLARE, FETCH, MOVE and CLOSE say.
#include "gateway/translate/cursor_words.hpp"

#include <algorithm>
#include <charconv>

#include "proto/sql/lexer.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;

class reader {
public:
    explicit reader(std::string_view text) : text_(text)
    {
        sql::lexer lex(text);
        do {
            tokens_.push_back(lex.next());
        } while (tokens_.back().kind != token_kind::end);
    }

    const token& now() const { return tokens_[at_]; }
    bool at_end() const { return now().kind == token_kind::end; }
    bool take(std::string_view word)
    {
        if (!sql::is_word(now(), word))
            return false;
        ++at_;
        return true;
    }
    bool take(token_kind kind)
    {
        if (now().kind != kind || kind == token_kind::end)
            return false;
        ++at_;
        return true;
    }
    bool name(std::string& out)
    {
        if (now().kind != token_kind::word && now().kind != token_kind::quoted_word)
            return false;
        out = sql::name_value(tokens_[at_++]);
        return true;
    }
    // [-] digits
    bool number(std::int64_t& out)
    {
        const auto before = at_;
        const bool minus = now().kind == token_kind::op && now().text == "-";
        at_ += minus;
        const auto digits = now().text;
        const auto [end, failed] =
            std::from_chars(digits.data(), digits.data() + digits.size(), out);
        if (now().kind != token_kind::number || failed != std::errc() ||
            end != digits.data() + digits.size()) {
            at_ = before;
            return false;
        }
        out = minus ? -out : out;
        ++at_;
        return true;
    }
    // What stands between the parentheses at hand; leaves the walk behind them.
    bool parentheses(std::string_view& inside)
    {
        if (!take(token_kind::open_paren))
            return false;
        const auto first = offset();
        for (int depth = 1; !at_end(); ++at_) {
            depth += now().kind == token_kind::open_paren;
            depth -= now().kind == token_kind::close_paren;
            if (depth == 0) {
                inside = text_.substr(first, offset() - first);
                ++at_;
                return true;
            }
        }
        return false;
    }
    std::size_t offset() const
    {
        return at_end() ? text_.size() : static_cast<std::size_t>(now().text.data() - text_.data());
    }
    words_problem syntax_error() const
    {
        return {"42601",
                at_end() ? "syntax error at end of input"
                         : "syntax error at or near \"" + std::string(now().text) + "\"",
                ""};
    }

private:
    std::string_view text_;
    std::vector<token> tokens_;
    std::size_t at_ = 0;
};

void read_declare(reader& in, cursor_words& out)
{
    for (bool more = true; more;) {
        more = in.take("binary") || in.take("insensitive") || in.take("asensitive");
        if (in.take("no")) {
            more = in.take("scroll");
        } else if (in.take("scroll")) {
            out.problem = {"0A000",
                           "scrollable cursors are not available for SQLite databases",
                           "Leave SCROLL out and fetch forward."};
            return;
        }
    }
    if (!in.take("cursor")) {
        out.problem = in.syntax_error();
        return;
    }
    if (in.take("with")) {
        out.problem = {"0A000",
                       "cursors WITH HOLD are not available for SQLite databases",
                       "Fetch inside of the transaction."};
        return;
    }
    const bool held = !in.take("without") || in.take("hold");
    if (!held || !in.take("for") || in.at_end()) {
        out.problem = in.syntax_error();
        return;
    }
    out.query = in.offset();
}

// FETCH's direction: how far, as PostgreSQL's grammar has it.
void read_direction(reader& in, cursor_words& out)
{
    using direction = cursor_words::direction;
    const auto amount = [&in, &out](std::int64_t otherwise) {
        if (in.take("all"))
            out.count = cursor_words::everything;
        else if (!in.number(out.count))
            out.count = otherwise;
    };
    if (in.take("next")) {
        out.count = 1;
    } else if (in.take("prior")) {
        out.where = direction::backward;
    } else if (in.take("first")) {
        out.where = direction::absolute;
    } else if (in.take("last")) {
        out.where = direction::absolute;
        out.count = -1;
    } else if (in.take("absolute") || in.take("relative")) {
        out.where = direction::absolute;
        if (!in.number(out.count))
            out.problem = in.syntax_error();
    } else if (in.take("forward")) {
        amount(1);
    } else if (in.take("backward")) {
        out.where = direction::backward;
        amount(1);
    } else {
        amount(1);
    }
    if (out.where == direction::forward && out.count < 0)
        out.where = direction::backward;
}

}  // namespace

prepare_words read_prepare_words(std::string_view text)
{
    prepare_words out;
    reader in(text);
    const bool prepares = in.take("prepare");
    if (!prepares)
        in.take("execute");
    std::string_view inside;
    const bool named = in.name(out.name);
    const bool opened = named && in.now().kind == token_kind::open_paren;
    const bool listed = opened && in.parentheses(inside);
    if (!named || opened != listed || (prepares && !in.take("as")) || (!prepares && !in.at_end())) {
        out.problem = in.syntax_error();
        return out;
    }
    out.query = in.offset();
    if (!prepares) {
        out.arguments = inside;
        return out;
    }
    // numeric(10, 2), double precision
    for (std::size_t begin = 0, depth = 0, i = 0; listed && i <= inside.size(); ++i) {
        depth += i < inside.size() && inside[i] == '(';
        depth -= i < inside.size() && inside[i] == ')' && depth > 0;
        if (i < inside.size() && (inside[i] != ',' || depth > 0))
            continue;
        auto type = inside.substr(begin, i - begin);
        type.remove_prefix(std::min(type.find_first_not_of(" \t\n\r"), type.size()));
        type = type.substr(0, type.find_last_not_of(" \t\n\r") + 1);
        out.types.emplace_back(type.substr(0, type.find('(')));
        begin = i + 1;
    }
    return out;
}

cursor_words read_cursor_words(std::string_view text)
{
    using verb = cursor_words::verb;
    using direction = cursor_words::direction;
    cursor_words out;
    reader in(text);
    if (in.take("declare")) {
        if (in.name(out.name))
            read_declare(in, out);
        else
            out.problem = in.syntax_error();
        return out;
    }
    if (in.take("close")) {
        out.what = verb::close;
        out.all = in.take("all");
        if ((!out.all && !in.name(out.name)) || !in.at_end())
            out.problem = in.syntax_error();
        return out;
    }
    out.what = in.take("fetch") ? verb::fetch : verb::move;
    if (out.what == verb::move)
        in.take("move");
    const bool relative = sql::is_word(in.now(), "relative");
    read_direction(in, out);
    if (relative)
        out.where = out.count > 0 ? direction::relative : direction::backward;
    if (!in.take("from"))
        in.take("in");
    if (out.problem.sqlstate.empty() && (!in.name(out.name) || !in.at_end()))
        out.problem = in.syntax_error();
    return out;
}

}  // namespace sluice::gateway
