// drivers/sqlite/pattern_compiler.cpp: a regular expression's text to a program.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "drivers/sqlite/pattern.hpp"

namespace sluice::sqlite {
namespace {

constexpr char32_t last_character = 0x10ffff;
constexpr int repeats_max = 255;  // DUPMAX of PostgreSQL's regex library

}  // namespace

// Grammar: alternatives := sequence ('|' sequence)*; sequence := (atom quantifier?)*
class pattern_compiler {
public:
    pattern_compiler(std::string_view text, pattern& into) noexcept : text_(text), out_(into) {}

    std::string run()
    {
        if (text_.starts_with("***:"))
            text_.remove_prefix(4);
        options();
        alternatives(0);
        if (error_.empty() && at_ < text_.size())
            fail("unmatched )");
        emit({pattern::op::match, 0, 0});
        return error_;
    }

private:
    using op = pattern::op;
    using ranges = std::vector<pattern::range>;

    bool more() const noexcept { return at_ < text_.size() && error_.empty(); }
    char now() const noexcept { return text_[at_]; }
    bool ahead(std::string_view what) const noexcept { return text_.substr(at_).starts_with(what); }
    void fail(std::string_view why)
    {
        if (error_.empty())
            error_ = why;
    }
    std::uint32_t here() const noexcept { return static_cast<std::uint32_t>(out_.program_.size()); }
    std::uint32_t emit(pattern::instruction one)
    {
        if (out_.program_.size() >= pattern::program_max) {
            fail("the expression is too large");
            return 0;
        }
        out_.program_.push_back(one);
        return here() - 1;
    }
    void emit_set(ranges of, bool negated)
    {
        out_.sets_.push_back({std::move(of), negated});
        emit({op::set, static_cast<std::uint32_t>(out_.sets_.size() - 1), 0});
    }

    void options()
    {
        if (!text_.starts_with("(?") || text_.size() < 3 || text_[2] == ':' || text_[2] == '=' ||
            text_[2] == '!' || text_[2] == '<')
            return;
        const auto close = text_.find(')');
        if (close == std::string_view::npos)
            return;
        for (const char c : text_.substr(2, close - 2))
            if (c == 'i')
                out_.fold_ = true;
            else if (c != 'c' && c != 'e' && c != 's' && c != 't' && c != 'b')
                fail("this embedded option is not supported");
        at_ = close + 1;
    }

    void alternatives(int depth)
    {
        if (depth > pattern::depth_max)
            return fail("groups are nested too deeply");
        const auto begin = here();
        sequence(depth);
        std::vector<std::uint32_t> ends;
        while (more() && now() == '|') {
            ++at_;
            // What was written so far moves one down, behind a split that leads to both.
            if (out_.program_.size() >= pattern::program_max)
                return fail("the expression is too large");
            insert(begin);
            ends.push_back(emit({op::jump, 0, 0}));
            out_.program_[begin] = {op::split, begin + 1, here()};
            for (auto& e : ends)
                e += &e != &ends.back();
            sequence(depth);
        }
        for (const auto e : ends)
            out_.program_[e].a = here();
    }

    // Makes room for one instruction at `where`; jumps behind it are moved along.
    void insert(std::uint32_t where)
    {
        out_.program_.insert(out_.program_.begin() + where, pattern::instruction{});
        for (std::size_t i = where + 1; i < out_.program_.size(); ++i) {
            auto& one = out_.program_[i];
            if (one.what == op::split || one.what == op::jump) {
                one.a += one.a >= where;
                one.b += one.what == op::split && one.b >= where;
            }
        }
    }

    void sequence(int depth)
    {
        while (more() && now() != '|' && now() != ')') {
            const auto begin = here();
            atom(depth);
            quantifiers(begin);
        }
    }

    void atom(int depth)
    {
        const char c = now();
        ++at_;
        switch (c) {
            case '(':
                if (ahead("?:"))
                    at_ += 2;
                else if (ahead("?"))
                    return fail("look-around is not supported");
                alternatives(depth + 1);
                if (!more() || now() != ')')
                    return fail("unmatched (");
                ++at_;
                return;
            case '[':
                return bracket();
            case '.':
                emit({op::any, 0, 0});
                return;
            case '^':
                emit({op::begin, 0, 0});
                return;
            case '$':
                emit({op::end, 0, 0});
                return;
            case '*':
            case '+':
            case '?':
                return fail("quantifier operand invalid");
            case '\\':
                return escape();
            default:
                --at_;
                const auto character = read_character();
                emit_set({{character, character}}, false);
        }
    }

    char32_t read_character()
    {
        const auto lead = static_cast<unsigned char>(text_[at_++]);
        int more_bytes = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
        char32_t value = more_bytes == 3   ? lead & 0x07u
                         : more_bytes == 2 ? lead & 0x0fu
                         : more_bytes == 1 ? lead & 0x1fu
                                           : lead;
        for (; more_bytes > 0 && at_ < text_.size(); --more_bytes)
            value = value << 6 | (static_cast<unsigned char>(text_[at_++]) & 0x3fu);
        return value;
    }

    static std::optional<ranges> named_class(std::string_view name)
    {
        if (name == "digit")
            return ranges{{'0', '9'}};
        if (name == "alpha")
            return ranges{{'a', 'z'}, {'A', 'Z'}, {0x80, last_character}};
        if (name == "alnum")
            return ranges{{'0', '9'}, {'a', 'z'}, {'A', 'Z'}, {0x80, last_character}};
        if (name == "word")
            return ranges{{'0', '9'}, {'a', 'z'}, {'A', 'Z'}, {'_', '_'}, {0x80, last_character}};
        if (name == "space")
            return ranges{{' ', ' '}, {'\t', '\r'}};
        if (name == "blank")
            return ranges{{' ', ' '}, {'\t', '\t'}};
        if (name == "upper")
            return ranges{{'A', 'Z'}};
        if (name == "lower")
            return ranges{{'a', 'z'}};
        if (name == "xdigit")
            return ranges{{'0', '9'}, {'a', 'f'}, {'A', 'F'}};
        if (name == "punct")
            return ranges{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}};
        if (name == "cntrl")
            return ranges{{0, 31}, {127, 127}};
        return std::nullopt;
    }

    // \d and its kin, in and out of brackets.
    static std::optional<ranges> class_escape(char c)
    {
        return c == 'd'   ? named_class("digit")
               : c == 's' ? named_class("space")
               : c == 'w' ? named_class("word")
                          : std::nullopt;
    }
    static char32_t plain_escape(char32_t c) noexcept
    {
        return c == 'n' ? U'\n' : c == 't' ? U'\t' : c == 'r' ? U'\r' : c == 'f' ? U'\f' : c;
    }

    void escape()
    {
        if (at_ == text_.size())
            return fail("the expression ends with a backslash");
        const char c = now();
        if (auto of = class_escape(c)) {
            ++at_;
            return emit_set(std::move(*of), false);
        }
        if (c == 'D' || c == 'S' || c == 'W') {
            ++at_;
            return emit_set(*class_escape(static_cast<char>(c | 0x20)), true);
        }
        if (c == 'm' || c == 'M' || c == 'y' || c == 'Y' || c == '<' || c == '>') {
            ++at_;
            emit({op::boundary,
                  0,
                  static_cast<std::uint32_t>(c == '<'   ? 'm'
                                             : c == '>' ? 'M'
                                                        : c)});
            return;
        }
        if (c == 'A' || c == 'Z') {
            ++at_;
            emit({c == 'A' ? op::begin : op::end, 0, 0});
            return;
        }
        if (c >= '1' && c <= '9')
            return fail("back references are not supported");
        const auto character = plain_escape(read_character());
        emit_set({{character, character}}, false);
    }

    void bracket()
    {
        ranges of;
        const bool negated = more() && now() == '^';
        at_ += negated;
        for (bool first = true; more() && (first || now() != ']'); first = false) {
            if (ahead("[:")) {
                const auto close = text_.find(":]", at_);
                const auto known = close == std::string_view::npos
                                       ? std::nullopt
                                       : named_class(text_.substr(at_ + 2, close - at_ - 2));
                if (!known)
                    return fail("invalid character class");
                of.insert(of.end(), known->begin(), known->end());
                at_ = close + 2;
                continue;
            }
            char32_t from = read_character();
            if (from == U'\\' && at_ < text_.size()) {
                if (const auto known = class_escape(now())) {
                    ++at_;
                    of.insert(of.end(), known->begin(), known->end());
                    continue;
                }
                from = plain_escape(read_character());
            }
            char32_t to = from;
            if (at_ + 1 < text_.size() && now() == '-' && text_[at_ + 1] != ']') {
                ++at_;
                to = read_character();
                if (to == U'\\' && at_ < text_.size())
                    to = plain_escape(read_character());
                if (to < from)
                    return fail("invalid character range");
            }
            of.push_back({from, to});
        }
        if (!more())
            return fail("brackets [] not balanced");
        ++at_;
        emit_set(std::move(of), negated);
    }

    void quantifiers(std::uint32_t begin)
    {
        while (more()) {
            int least = 0;
            int most = -1;
            if (now() == '*') {
                ++at_;
            } else if (now() == '+') {
                ++at_;
                least = 1;
            } else if (now() == '?') {
                ++at_;
                most = 1;
            } else if (now() == '{' && at_ + 1 < text_.size() && text_[at_ + 1] >= '0' &&
                       text_[at_ + 1] <= '9') {
                if (!bounds(least, most))
                    return fail("invalid repetition count(s)");
            } else {
                return;
            }
            if (more() && now() == '?')
                ++at_;  // lazy: without captures the same
            repeat(begin, least, most);
        }
    }

    bool number(int& value)
    {
        value = 0;
        bool any = false;
        for (; at_ < text_.size() && now() >= '0' && now() <= '9'; ++at_, any = true)
            value = std::min(value * 10 + (now() - '0'), repeats_max + 1);
        return any && value <= repeats_max;
    }
    bool bounds(int& least, int& most)
    {
        ++at_;
        if (!number(least))
            return false;
        most = least;
        if (at_ < text_.size() && now() == ',') {
            ++at_;
            most = -1;
            if (at_ < text_.size() && now() != '}' && !number(most))
                return false;
        }
        if (at_ == text_.size() || now() != '}' || (most >= 0 && most < least))
            return false;
        ++at_;
        return true;
    }

    // Copies what was written from `begin` on as often as asked.
    void repeat(std::uint32_t begin, int least, int most)
    {
        const std::vector<pattern::instruction> body(out_.program_.begin() + begin,
                                                     out_.program_.end());
        out_.program_.resize(begin);
        const auto copy = [&] {
            const auto to = here();
            if (out_.program_.size() + body.size() > pattern::program_max)
                return fail("the expression is too large");
            for (auto one : body) {
                if (one.what == op::split || one.what == op::jump) {
                    one.a += to - begin;
                    one.b += to - begin;
                }
                emit(one);
            }
        };
        for (int i = 0; i < least && error_.empty(); ++i)
            copy();
        if (most < 0) {
            const auto split = emit({op::split, here() + 1, 0});
            copy();
            emit({op::jump, split, 0});
            if (error_.empty())
                out_.program_[split].b = here();
            return;
        }
        std::vector<std::uint32_t> splits;
        for (int i = least; i < most && error_.empty(); ++i) {
            splits.push_back(emit({op::split, here() + 1, 0}));
            copy();
        }
        for (const auto s : splits)
            if (error_.empty())
                out_.program_[s].b = here();
    }

    std::string_view text_;
    pattern& out_;
    std::size_t at_ = 0;
    std::string error_;
};

pattern pattern::compile(std::string_view text, std::string& error)
{
    pattern made;
    error = pattern_compiler(text, made).run();
    return made;
}

}  // namespace sluice::sqlite
