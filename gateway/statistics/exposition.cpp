// gateway/statistics/exposition.cpp: lines of the text format.
#include "gateway/statistics/exposition.hpp"

#include <array>

namespace sluice::gateway::statistics {
namespace {

// Prometheus takes UTF-8 only; what is not becomes '?'. Names of databases and users are the
// clients' to choose.
void append_escaped(std::string& out, std::string_view value)
{
    for (std::size_t i = 0; i < value.size();) {
        const auto c = static_cast<unsigned char>(value[i]);
        const std::size_t size = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
        bool whole = size > 0 && i + size <= value.size() && c < 0xf5;
        for (std::size_t k = 1; whole && k < size; ++k)
            whole = (static_cast<unsigned char>(value[i + k]) & 0xc0) == 0x80;
        if (!whole) {
            out += '?';
            ++i;
            continue;
        }
        if (c == '\\' || c == '"')
            out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out.append(value.substr(i, size));
        i += size;
    }
}

}  // namespace

labels& labels::add(std::string_view name, std::string_view value)
{
    if (!text_.empty())
        text_ += ',';
    text_ += name;
    text_ += "=\"";
    append_escaped(text_, value);
    text_ += '"';
    return *this;
}

void exposition::family(std::string_view name, std::string_view type, std::string_view help)
{
    name_ = name;
    out_ += "# HELP ";
    out_ += name;
    out_ += ' ';
    out_ += help;
    out_ += "\n# TYPE ";
    out_ += name;
    out_ += ' ';
    out_ += type;
    out_ += '\n';
}

void exposition::head(const labels& of, std::string_view suffix)
{
    out_ += name_;
    out_ += suffix;
    if (!of.text().empty()) {
        out_ += '{';
        out_ += of.text();
        out_ += '}';
    }
    out_ += ' ';
}

std::string_view exposition::bound_text(unsigned doubling)
{
    static const auto texts = [] {
        std::array<std::string, 64> made;
        for (unsigned i = 0; i < made.size(); ++i) {
            char digits[32];
            const double bound = static_cast<double>(std::uint64_t{1} << i) / 1e9;
            made[i].assign(digits, std::to_chars(digits, digits + sizeof digits, bound).ptr);
        }
        return made;
    }();
    return texts[doubling];
}

void exposition::bucket(const labels& of, std::string_view bound, std::uint64_t count)
{
    out_ += name_;
    out_ += "_bucket{";
    if (!of.text().empty()) {
        out_ += of.text();
        out_ += ',';
    }
    out_ += "le=\"";
    out_ += bound;
    out_ += "\"} ";
    number(count);
    out_ += '\n';
}

}  // namespace sluice::gateway::statistics
