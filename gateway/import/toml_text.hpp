// gateway/import/toml_text.hpp: a TOML file in the making: tables in order, values as literals.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::gateway::importing {

// "text" as a TOML string that `sluice` reads back unchanged: ${ is written $${.
std::string toml_string(std::string_view text);
// A bare key where TOML allows one, else in quotes.
std::string toml_key(std::string_view name);

class toml_text {
public:
    // A key that is there already is replaced. `literal` is TOML.
    void put(const std::string& table, const std::string& key, std::string literal);
    bool has(const std::string& table, const std::string& key) const;
    void add_comment(std::string line) { comments_.push_back(std::move(line)); }

    // Tables in the order of the manual (gateway, listen, auth, ...), then that of their naming.
    std::string text() const;

private:
    struct table {
        std::string name;
        std::vector<std::pair<std::string, std::string>> lines;
    };
    std::vector<std::string> comments_;
    std::vector<table> tables_;
};

}  // namespace sluice::gateway::importing
