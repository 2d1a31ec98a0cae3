// gateway/relay/my_answers.cpp: numbers into texts; SHOW WARNINGS from memory.
#include "gateway/relay/my_answers.hpp"

#include <algorithm>
#include <charconv>

#include "gateway/relay/my_charsets.hpp"
#include "proto/mysql/messages.hpp"

namespace sluice::gateway {
namespace {

using sql::is_word;
using sql::token;
using sql::token_kind;

// The last three tokens and what is to be written for them.
class answerer {
public:
    answerer(std::string_view text,
             std::string_view readable,
             sql::dialect how,
             const my_aftermath& before)
        : text_(text), lex_(readable, how), before_(before)
    {
    }

    std::string run()
    {
        token previous;
        token current = lex_.next();
        while (current.kind != token_kind::end) {
            token next = lex_.next();
            const auto number =
                next.kind == token_kind::open_paren ? of_function(current) : std::nullopt;
            if (number) {
                const token close = lex_.next();
                const token behind = lex_.next();
                if (close.kind == token_kind::close_paren)
                    replace(previous, current, close, behind, *number);
                previous = close;
                current = behind;
                continue;
            }
            if (const auto value = of_variable(current)) {
                replace(previous, current, current, next, *value);
            }
            previous = current;
            current = next;
        }
        out_ += text_.substr(copied_);
        return std::move(out_);
    }

private:
    std::optional<std::int64_t> of_function(const token& name) const
    {
        if (is_word(name, "row_count"))
            return before_.row_count;
        if (is_word(name, "found_rows"))
            return static_cast<std::int64_t>(before_.found_rows);
        return std::nullopt;
    }
    std::optional<std::int64_t> of_variable(const token& name) const
    {
        if (name.kind != token_kind::variable)
            return std::nullopt;
        for (const std::string_view scope : {"@@", "@@session.", "@@local."}) {
            if (name.text.size() < scope.size() ||
                !sql::same_word(name.text.substr(0, scope.size()), scope))
                continue;
            const auto rest = name.text.substr(scope.size());
            if (sql::same_word(rest, "warning_count"))
                return before_.warnings;
            if (sql::same_word(rest, "error_count"))
                return before_.errors;
        }
        return std::nullopt;
    }

    // A selected expression has the name of its text.
    void replace(const token& previous,
                 const token& first,
                 const token& last,
                 const token& behind,
                 std::int64_t number)
    {
        const auto begin = lex_.offset(first);
        const auto end = lex_.offset(last) + last.text.size();
        out_ += text_.substr(copied_, begin - copied_);
        // The function inside is not evaluated: it gives the value its type.
        out_.append("IF(1,").append(std::to_string(number)).append(",");
        out_.append(text_.substr(begin, end - begin)).append(")");
        const bool selected = is_word(previous, "select") || previous.kind == token_kind::comma;
        const bool alone = behind.kind == token_kind::end || behind.kind == token_kind::comma ||
                           behind.kind == token_kind::semicolon || is_word(behind, "from");
        if (selected && alone && depth_is_zero(begin))
            out_.append(" AS `").append(text_.substr(begin, end - begin)).append("`");
        copied_ = end;
    }

    bool depth_is_zero(std::size_t until) const
    {
        const auto before = text_.substr(0, until);
        return std::count(before.begin(), before.end(), '(') ==
               std::count(before.begin(), before.end(), ')');
    }

    const std::string_view text_;
    sql::lexer lex_;
    const my_aftermath& before_;
    std::string out_;
    std::size_t copied_ = 0;
};

std::optional<std::uint64_t> number_of(const token& t)
{
    std::uint64_t value = 0;
    const auto* end = t.text.data() + t.text.size();
    const auto parsed = std::from_chars(t.text.data(), end, value);
    if (t.kind != token_kind::number || parsed.ec != std::errc{} || parsed.ptr != end)
        return std::nullopt;
    return value;
}

mysql::column text_column(std::string_view name, std::uint32_t characters, std::string_view charset)
{
    mysql::column column;
    column.name = name;
    if (const auto collation = default_collation(charset))
        column.collation = collation;
    column.length = characters * character_size(charset);
    column.flags = mysql::column_flag::not_null;
    column.decimals = 39;
    return column;
}

mysql::column number_column(std::string_view name, mysql::column_type type, std::uint32_t length)
{
    mysql::column column;
    column.name = name;
    column.collation = mysql::collation::binary;
    column.length = length;
    column.type = type;
    column.flags = mysql::column_flag::is_unsigned | mysql::column_flag::binary;
    return column;
}

}  // namespace

std::string with_answers(std::string_view text, sql::dialect how, const my_aftermath& before)
{
    return answerer(text, text, how, before).run();
}

std::string with_answers(std::string_view text,
                         std::string_view readable,
                         sql::dialect how,
                         const my_aftermath& before)
{
    return answerer(text, readable, how, before).run();
}

std::optional<show_diagnostics> parse_show_diagnostics(std::string_view text, sql::dialect how)
{
    sql::lexer lex(text, how);
    show_diagnostics found;
    if (!is_word(lex.next(), "show"))
        return std::nullopt;
    token t = lex.next();
    if (is_word(t, "count")) {
        if (lex.next().kind != token_kind::open_paren || lex.next().text != "*" ||
            lex.next().kind != token_kind::close_paren)
            return std::nullopt;
        found.count = true;
        t = lex.next();
    }
    if (is_word(t, "errors"))
        found.errors_only = true;
    else if (!is_word(t, "warnings"))
        return std::nullopt;
    t = lex.next();
    if (!found.count && is_word(t, "limit")) {
        const auto first = number_of(lex.next());
        if (!first)
            return std::nullopt;
        found.limit = *first;
        t = lex.next();
        if (t.kind == token_kind::comma || is_word(t, "offset")) {
            const auto second = number_of(lex.next());
            if (!second)
                return std::nullopt;
            found.offset = t.kind == token_kind::comma ? *first : *second;
            found.limit = t.kind == token_kind::comma ? *second : *first;
            t = lex.next();
        }
    }
    if (t.kind == token_kind::semicolon)
        t = lex.next();
    return t.kind == token_kind::end ? std::optional(found) : std::nullopt;
}

void append_diagnostics(byte_queue& out,
                        std::uint8_t sequence,
                        const show_diagnostics& wanted,
                        const std::vector<my_diagnostic>& all,
                        std::uint16_t status,
                        std::uint32_t capabilities,
                        std::string_view charset)
{
    mysql::ok_message end;
    end.status = status;
    const mysql::eof_message eof{0, status};
    if (wanted.count) {
        const auto errors =
            std::count_if(all.begin(), all.end(), [](const auto& each) { return each.is_error(); });
        const auto count = wanted.errors_only ? static_cast<std::size_t>(errors) : all.size();
        mysql::append_column_count(out, sequence, 1);
        mysql::append_column(
            out,
            sequence,
            number_column(wanted.errors_only ? "@@session.error_count" : "@@session.warning_count",
                          mysql::column_type::longlong,
                          21));
        mysql::append_end_of_columns(out, sequence, eof, capabilities);
        mysql::packet_writer(out, sequence).lenenc_string(std::to_string(count));
        mysql::append_end_of_rows(out, sequence, end, capabilities);
        return;
    }
    mysql::append_column_count(out, sequence, 3);
    mysql::append_column(out, sequence, text_column("Level", 7, charset));
    auto code = number_column("Code", mysql::column_type::long_, 4);
    code.flags |= mysql::column_flag::not_null;
    mysql::append_column(out, sequence, code);
    mysql::append_column(out, sequence, text_column("Message", 512, charset));
    mysql::append_end_of_columns(out, sequence, eof, capabilities);
    std::uint64_t at = 0;
    std::uint64_t shown = 0;
    for (const auto& each : all) {
        if ((wanted.errors_only && !each.is_error()) || at++ < wanted.offset ||
            shown++ >= wanted.limit)
            continue;
        mysql::packet_writer row(out, sequence);
        row.lenenc_string(each.level);
        row.lenenc_string(each.code);
        row.lenenc_string(each.message);
    }
    mysql::append_end_of_rows(out, sequence, end, capabilities);
}

}  // namespace sluice::gateway
