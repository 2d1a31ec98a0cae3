// gateway/import/ini.hpp: PgBouncer's configuration and user list, read as PgBouncer reads them.
//
//   file    := line*          line := "%include" NAME | "[" SECTION "]" | KEY "=" VALUE | comment
//   comment := (";" | "#") to the end of the line; a value is never followed by one
//   KEY     := a word, or "..." in which "" is one quote
//
// Layer: gateway. A file is at most 8 MiB, inclusion at most 10 deep; everything wrong is named.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::gateway::importing {

struct place {
    std::string file;
    std::size_t line = 1;

    std::string text() const { return file + ":" + std::to_string(line); }
};

struct ini_entry {
    std::string section;  // lower case
    std::string key;
    std::string value;
    place at;
};

struct ini_file {
    std::vector<ini_entry> entries;   // in order; of two with the same key the later one counts
    std::vector<std::string> errors;  // file:line: text
};

// Names in %include are looked for beside the file that names them if the working directory, where
// PgBouncer looks, has none.
ini_file read_ini(const std::string& file);

struct listed_user {
    std::string name;
    std::string password;  // plain text, md5..., SCRAM-SHA-256$... or ""
    place at;
};

struct user_list {
    std::vector<listed_user> users;
    std::vector<std::string> errors;
};
user_list read_user_list(const std::string& file);

// `host=db1 password='it''s'`: nothing when it cannot be read.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_connection_string(
    std::string_view text);

// "relative" as PgBouncer would find it if it were started in the folder of `named_in`.
std::string beside(const std::string& named_in, const std::string& name);

std::string_view trimmed(std::string_view text) noexcept;
std::string lower(std::string_view text);

}  // namespace sluice::gateway::importing
