// gateway/translate/my_commands.cpp: PREPARE, EXECUTE and DEALLOCATE as statements; LOAD DATA
// LOCAL.
#include "gateway/translate/my_commands.hpp"

#include <charconv>

#include "proto/sql/key_words.hpp"
#include "proto/sql/mysql_literal.hpp"

namespace sluice::gateway {
namespace {

using sql::token;
using sql::token_kind;

class reader {
public:
    reader(std::string_view text, const my_state& session) : text_(text), session_(session)
    {
        auto lex = sql::mysql_lexer(text, session);
        do {
            tokens_.push_back(lex.next());
        } while (tokens_.back().kind != token_kind::end);
    }

    bool read(my_command& out)
    {
        const bool dropped = is("drop") && is("prepare", 1);
        if (is("prepare") || is("execute") || dropped || (is("deallocate") && is("prepare", 1))) {
            prepare(out.prepare.emplace());
        } else if (is("load") && is("data", 1)) {
            load(out);
        } else {
            return false;
        }
        if (!good_ && !out.problem)
            out.problem = my_error{1064,
                                   "42000",
                                   "You have an error in your SQL syntax near '" +
                                       std::string(text_.substr(offset())) + "'"};
        return true;
    }

private:
    const token& now() const { return tokens_[at_]; }
    bool is(std::string_view word, std::size_t n = 0) const
    {
        return at_ + n < tokens_.size() && sql::is_word(tokens_[at_ + n], word);
    }
    bool at_end() const { return now().kind == token_kind::end; }
    void step() { at_ += !at_end(); }
    bool take(std::string_view word)
    {
        const bool here = is(word);
        at_ += here;
        return here;
    }
    bool take(token_kind kind)
    {
        const bool here = now().kind == kind && !at_end();
        at_ += here;
        return here;
    }
    void need(bool there) { good_ = good_ && there; }
    std::size_t offset() const
    {
        return at_end() ? text_.size() : static_cast<std::size_t>(now().text.data() - text_.data());
    }
    std::string name()
    {
        need(now().kind == token_kind::word || now().kind == token_kind::quoted_word);
        auto out = good_ ? sql::mysql_name_value(now()) : std::string();
        step();
        return out;
    }
    std::string string()
    {
        need(now().kind == token_kind::string);
        auto out = good_ ? sql::mysql_string_value(now().text, !session_.no_backslash_escapes)
                         : std::string();
        step();
        return out;
    }
    std::string variable()
    {
        need(now().kind == token_kind::variable);
        std::string out(now().text);
        step();
        return out;
    }

    void prepare(my_prepare& out)
    {
        using verb = my_prepare::verb;
        if (take("prepare")) {
            out.name = lower(name());
            need(take("from"));
            if (now().kind == token_kind::variable)
                out.variable = variable();
            else
                out.text = string();
        } else if (take("execute")) {
            out.what = verb::execute;
            out.name = lower(name());
            if (take("using")) {
                do {
                    out.arguments.push_back(variable());
                } while (good_ && take(token_kind::comma));
            }
        } else {
            out.what = verb::deallocate;
            at_ += 2;
            out.name = lower(name());
        }
        need(at_end());
    }

    static std::string lower(std::string text)
    {
        for (char& c : text)
            c = sql::lower_ascii(c);
        return text;
    }

    void refuse(my_command& out, std::string why)
    {
        out.problem = my_error{1235, "42000", std::move(why)};
    }

    char character()
    {
        const auto text = string();
        need(text.size() <= 1);
        return text.size() == 1 ? text[0] : '\0';
    }

    void load(my_command& out)
    {
        auto& how = out.load.emplace();
        at_ += 2;
        if (!take("low_priority"))
            take("concurrent");
        if (!take("local"))
            return refuse(out, "LOAD DATA reads files of clients only: use LOAD DATA LOCAL INFILE");
        need(take("infile"));
        how.file = string();
        how.replace = take("replace");
        if (!how.replace)
            take("ignore");
        need(take("into") && take("table"));
        const auto first = offset();
        (void)name();
        auto end = first + (good_ ? tokens_[at_ - 1].text.size() : 0);
        if (good_ && take(token_kind::dot)) {
            const auto table = now().text;
            (void)name();
            how.table = std::string(table);
        } else if (good_) {
            how.table = std::string(text_.substr(first, end - first));
        }
        if (is("partition"))
            return refuse(out, "LOAD DATA into partitions is not available for SQLite databases");
        if (take("character")) {
            need(take("set"));
            (void)name();
        }
        clauses(out, how);
    }

    void clauses(my_command& out, my_load& how)
    {
        if (take("fields") || take("columns")) {
            for (bool more = true; more && good_;) {
                more = false;
                if (take("terminated")) {
                    need(take("by"));
                    how.fields_end = string();
                    more = true;
                }
                const bool optionally = take("optionally");
                if (take("enclosed")) {
                    need(take("by"));
                    how.enclosed = character();
                    more = true;
                } else {
                    need(!optionally);
                }
                if (take("escaped")) {
                    need(take("by"));
                    how.escape = character();
                    more = true;
                }
            }
        }
        if (take("lines")) {
            if (take("starting")) {
                need(take("by"));
                how.lines_start = string();
            }
            if (take("terminated")) {
                need(take("by"));
                how.lines_end = string();
            }
        }
        if (take("ignore")) {
            const auto digits = now().text;
            const auto [end, failed] =
                std::from_chars(digits.data(), digits.data() + digits.size(), how.ignored_lines);
            need(failed == std::errc() && now().kind == token_kind::number);
            step();
            need(take("lines") || take("rows"));
        }
        if (take(token_kind::open_paren)) {
            do {
                if (now().kind == token_kind::variable)
                    return refuse(out,
                                  "LOAD DATA into variables is not available for SQLite databases");
                const std::string quote(now().kind == token_kind::word ? "`" : "");
                how.columns.push_back(quote + std::string(now().text) + quote);
                (void)name();
            } while (good_ && take(token_kind::comma));
            need(take(token_kind::close_paren));
        }
        if (is("set"))
            return refuse(out, "LOAD DATA ... SET is not available for SQLite databases");
        need(at_end());
        if (good_ && (how.fields_end.empty() || how.lines_end.empty()))
            refuse(out,
                   "LOAD DATA of fields or lines without an end is not available for SQLite "
                   "databases");
    }

    std::string_view text_;
    const my_state& session_;
    std::vector<token> tokens_;
    std::size_t at_ = 0;
    bool good_ = true;
};

// One record's fields, from its first byte on.
class record_reader {
public:
    record_reader(std::string_view data, const my_load& how, bool last)
        : data_(data), how_(how), last_(last)
    {
    }

    std::optional<my_fields> read()
    {
        if (!how_.lines_start.empty()) {
            const auto begin = data_.find(how_.lines_start);
            if (begin == std::string_view::npos) {
                at_ = last_ ? data_.size() : 0;
                return std::nullopt;
            }
            at_ = begin + how_.lines_start.size();
        }
        if (at_ >= data_.size())
            return std::nullopt;
        my_fields out;
        for (;;) {
            out.push_back(field());
            if (incomplete_)
                return std::nullopt;
            if (starts(how_.fields_end)) {
                at_ += how_.fields_end.size();
                continue;
            }
            at_ += starts(how_.lines_end) ? how_.lines_end.size() : 0;
            return out;
        }
    }

    std::size_t taken() const noexcept { return incomplete_ ? 0 : at_; }

private:
    bool starts(std::string_view what) const noexcept
    {
        return data_.substr(at_).starts_with(what);
    }
    bool at_end() const noexcept { return at_ >= data_.size(); }

    std::optional<std::string> field()
    {
        std::string out;
        const bool quoted = how_.enclosed != 0 && !at_end() && data_[at_] == how_.enclosed;
        at_ += quoted;
        const auto begin = at_;
        bool null = false;
        for (;; ++at_) {
            if (at_end()) {
                incomplete_ = !last_;
                break;
            }
            const char c = data_[at_];
            if (how_.escape != 0 && c == how_.escape && how_.escape != how_.enclosed) {
                if (at_ + 1 >= data_.size()) {
                    incomplete_ = !last_;
                    ++at_;
                    break;
                }
                ++at_;
                if (data_[at_] == 'N' && at_ == begin + 1 && !quoted)
                    null = true;
                else
                    out.push_back(sql::mysql_unescaped(data_[at_]));
                continue;
            }
            if (quoted && c == how_.enclosed) {
                if (at_ + 1 < data_.size() && data_[at_ + 1] == c) {
                    out.push_back(c);
                    ++at_;
                    continue;
                }
                if (at_ + 1 >= data_.size() && !last_)
                    incomplete_ = true;
                ++at_;
                if (at_end() || incomplete_ || starts(how_.fields_end) || starts(how_.lines_end))
                    break;
                --at_;  // a quote inside of a field is one
            } else if (!quoted && (starts(how_.fields_end) || starts(how_.lines_end))) {
                break;
            }
            out.push_back(data_[at_]);
        }
        if (null && out.empty())
            return std::nullopt;
        if (!quoted && how_.enclosed != 0 && out == "NULL")
            return std::nullopt;
        return out;
    }

    std::string_view data_;
    const my_load& how_;
    bool last_;
    bool incomplete_ = false;
    std::size_t at_ = 0;
};

}  // namespace

std::optional<my_command> read_my_command(std::string_view text, const my_state& session)
{
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos ||
        std::string_view("pPeEdDlL").find(text[begin]) == std::string_view::npos)
        return std::nullopt;
    my_command out;
    if (!reader(text, session).read(out))
        return std::nullopt;
    return out;
}

std::optional<my_fields> next_loaded_record(std::string_view& data, const my_load& how, bool last)
{
    record_reader in(data, how, last);
    auto out = in.read();
    if (out || last)
        data.remove_prefix(std::min(in.taken(), data.size()));
    return out;
}

}  // namespace sluice::gateway
