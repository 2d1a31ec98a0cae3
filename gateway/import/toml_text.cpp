// gateway/import/toml_text.cpp: a TOML file in the making: tables in order, values as literals.
#include "gateway/import/toml_text.hpp"

#include <algorithm>
#include <cstdio>

namespace sluice::gateway::importing {

std::string toml_string(std::string_view text)
{
    std::string made = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '"' || c == '\\') {
            made += '\\';
            made += text[i];
        } else if (c < 0x20 || c == 0x7f) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", c);
            made += code;
        } else {
            if (c == '$' && i + 1 < text.size() && text[i + 1] == '{')
                made += '$';
            made += text[i];
        }
    }
    return made + '"';
}

std::string toml_key(std::string_view name)
{
    constexpr std::string_view bare =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (!name.empty() && name.find_first_not_of(bare) == std::string_view::npos)
        return std::string(name);
    // Keys know no ${}.
    std::string made = toml_string(name);
    for (auto at = made.find("$${"); at != std::string::npos; at = made.find("$${", at + 1))
        made.erase(at, 1);
    return made;
}

void toml_text::put(const std::string& name, const std::string& key, std::string literal)
{
    table* into = nullptr;
    for (auto& known : tables_) {
        if (known.name == name)
            into = &known;
    }
    if (!into)
        into = &tables_.emplace_back(table{name, {}});
    for (auto& [known, value] : into->lines) {
        if (known == key) {
            value = std::move(literal);
            return;
        }
    }
    into->lines.emplace_back(key, std::move(literal));
}

bool toml_text::has(const std::string& name, const std::string& key) const
{
    for (const auto& known : tables_) {
        for (const auto& line : known.lines) {
            if (known.name == name && line.first == key)
                return true;
        }
    }
    return false;
}

std::string toml_text::text() const
{
    std::string made;
    for (const auto& line : comments_)
        made += line.empty() ? "#\n" : "# " + line + "\n";
    static constexpr std::string_view order[] = {
        "gateway", "listen", "auth", "admin", "databases", "users", "tenants"};
    const auto rank = [](const table& each) {
        const auto top = std::string_view(each.name).substr(0, each.name.find('.'));
        return std::find(std::begin(order), std::end(order), top) - std::begin(order);
    };
    auto sorted = tables_;
    std::stable_sort(sorted.begin(), sorted.end(), [&](const table& a, const table& b) {
        return rank(a) < rank(b);
    });
    for (const auto& [name, lines] : sorted) {
        made += "\n[" + name + "]\n";
        for (const auto& [key, literal] : lines)
            made += toml_key(key) + " = " + literal + "\n";
    }
    return made;
}

}  // namespace sluice::gateway::importing
