// proto/sql/sqlite_casts.cpp: expr::type and CAST(expr AS type).
#include <algorithm>
#include <span>

#include "proto/sql/sqlite_rewriter.hpp"
#include "proto/sql/string_literal.hpp"

namespace sluice::sql {
namespace {

// A cast that wraps a long operand moves it in the output. Past this many bytes in one statement
// casts are dropped: what needs more is nested deeper than SQLite parses.
constexpr std::size_t moved_bytes_max = std::size_t{16} << 20;

bool is_any_of(std::string_view value, std::initializer_list<std::string_view> words) noexcept
{
    return std::any_of(
        words.begin(), words.end(), [value](std::string_view w) { return same_word(value, w); });
}

}  // namespace

void sqlite_rewriter::type_of(std::uint32_t parameter, std::string_view type)
{
    if (typed_.size() <= parameter)
        typed_.resize(parameter + 1);
    if (!typed_[parameter])
        out_.types.push_back({parameter, std::string(type)});
    typed_[parameter] = true;
}

// The string just written, as a value of `type`. True: it has been replaced.
bool sqlite_rewriter::literal_cast(const token& literal, std::string_view type)
{
    std::string text;
    const auto value = string_value(literal);
    if (type == "bool") {
        if (is_any_of(value, {"t", "true", "y", "yes", "on", "1"}))
            text = "TRUE";
        else if (is_any_of(value, {"f", "false", "n", "no", "off", "0"}))
            text = "FALSE";
    } else if (type == "bytea" && value.starts_with("\\x") && value.size() % 2 == 0 &&
               value.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos) {
        text = "x'" + value.substr(2) + '\'';
    }
    if (text.empty())
        return false;
    out_.text.resize(operand_.begin);
    out_.text += text;
    return true;
}

// Whether what ends before token `n` is a column of the result, or cast to text.
bool sqlite_rewriter::is_shown_as_text(std::size_t n) const noexcept
{
    if (kind(n) == token_kind::cast) {
        const auto next = parse_type(std::span(tokens_).subspan(at_ + n + 1));
        return sqlite_affinity(next.name) == "TEXT";
    }
    return level_.at == clause::list &&
           (kind(n) == token_kind::comma || kind(n) == token_kind::end || at("as", n) ||
            at("from", n));
}

// 't'::regclass is a number where it is compared, and a name where it is shown.
bool sqlite_rewriter::registry_cast(std::string_view type, std::size_t count)
{
    if (!type.starts_with("reg") || type.ends_with("[]"))
        return false;
    if (operand_.parameter != 0) {
        type_of(operand_.parameter, "text");
        operand_.parameter = 0;
    }
    insert(operand_.begin,
           std::string(is_shown_as_text(count) ? "pg_reg_name('" : "pg_reg('") + std::string(type) +
               "', ");
    replace(")", count);
    operand_.literal = nullptr;
    return true;
}

void sqlite_rewriter::cast()
{
    const auto type = parse_type(std::span(tokens_).subspan(at_ + 1));
    const auto count = 1 + type.tokens;
    if (type.tokens == 0) {
        copy();
        return end_operand();
    }
    if (operand_.begin == none)
        return drop(count);
    if (registry_cast(type.name, count))
        return;
    if (operand_.parameter != 0) {
        type_of(operand_.parameter, type.name);
        operand_.parameter = 0;
        return drop(count);
    }
    if (operand_.literal && literal_cast(*operand_.literal, type.name)) {
        operand_.literal = nullptr;
        return drop(count);
    }
    const auto affinity = sqlite_affinity(type.name);
    const auto moved = out_.text.size() - operand_.begin;
    if (affinity.empty() || moved_bytes_ + moved > moved_bytes_max)
        return drop(count);
    moved_bytes_ += moved;
    insert(operand_.begin, "CAST(");
    replace(" AS " + std::string(affinity) + ')', count);
    operand_.literal = nullptr;
}

// At the AS in CAST(expr AS type). A cast that must not happen leaves "    (expr)".
bool sqlite_rewriter::cast_call_type()
{
    const auto type = parse_type(std::span(tokens_).subspan(at_ + 1));
    if (type.tokens == 0 || kind(1 + type.tokens) != token_kind::close_paren)
        return false;
    const auto cast_begin = groups_.back().begin;
    if (type.name.starts_with("reg")) {
        out_.text.replace(cast_begin, 4, "    ");
        insert(cast_begin, "pg_reg('" + type.name + "', ");
        groups_.back().suffix = ")";
        drop(1 + type.tokens);
        end_operand();
        return true;
    }
    if (operand_.parameter != 0 && tokens_[at_ - 2].kind == token_kind::open_paren)
        type_of(operand_.parameter, type.name);
    const bool literal = operand_.literal && tokens_[at_ - 2].kind == token_kind::open_paren &&
                         literal_cast(*operand_.literal, type.name);
    const auto affinity = literal ? std::string_view{} : sqlite_affinity(type.name);
    if (affinity.empty()) {
        out_.text.replace(cast_begin, 4, "    ");
        drop(1 + type.tokens);
    } else {
        replace("AS " + std::string(affinity), 1 + type.tokens);
    }
    end_operand();
    return true;
}

}  // namespace sluice::sql
