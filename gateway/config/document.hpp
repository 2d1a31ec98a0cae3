// gateway/config/document.hpp: TOML files as one tree that remembers where each value stands.
//
// Reads the file and what it includes, expands ${NAME} in strings. The only file that knows toml++
// is document.cpp: everything else walks this tree.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway {

struct position {
    std::shared_ptr<const std::string> file;
    std::uint32_t line = 1;
    std::uint32_t column = 1;
};

// Everything that is wrong with a configuration, or odd about it.
class problems {
public:
    void error(const position& at, std::string_view text);
    void warning(const position& at, std::string_view text);

    // file:line:column: text, in the order of files and lines.
    std::vector<std::string> errors() const;
    std::vector<std::string> warnings() const;
    // What is wrong without where, in the order found.
    std::vector<std::string> error_texts() const;

private:
    struct entry {
        position at;
        std::string text;
    };
    static std::vector<std::string> sorted(std::vector<entry> entries);

    std::vector<entry> errors_;
    std::vector<entry> warnings_;
};

enum class node_kind { text, integer, real, boolean, array, table, other };

struct member;

struct node {
    node_kind kind = node_kind::other;
    position at;
    std::string text;     // ${NAME} expanded: may be a secret
    std::string written;  // as the file has it: safe to show where the key is no secret
    std::int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    std::vector<node> items;
    std::vector<member> members;

    const member* find(std::string_view key) const noexcept;
};

struct member {
    std::string key;
    position key_at;
    node value;
};

// A table, maybe empty: what could not be read is among the problems.
node read_document(const std::string& file, problems& found);

// `path` as seen from the folder of the file that names it.
std::string resolve_path(const position& named_in, const std::string& path);

}  // namespace sluice::gateway
