// gateway/import/pgbouncer.hpp: a pgbouncer.ini in, the sluice.toml that does the same out.
//
// What has no counterpart is named, with its place and what to use instead; so is what works
// otherwise. Settings at PgBouncer's own default are not mentioned.
#pragma once

#include <string>
#include <vector>

namespace sluice::gateway::importing {

struct import_result {
    std::string toml;                 // holds the passwords of the user list
    std::vector<std::string> notes;   // file:line: setting: text; without passwords
    std::vector<std::string> errors;  // not empty: toml is not to be used

    explicit operator bool() const noexcept { return errors.empty(); }
};

import_result import_pgbouncer(const std::string& file);

}  // namespace sluice::gateway::importing
