// gateway/import/pgbouncer_settings.hpp: every setting of PgBouncer's [pgbouncer] section.
#pragma once

#include <string_view>

namespace sluice::gateway::importing {

// What becomes of it: written into the TOML, not needed here, or without a counterpart.
enum class fate { written, not_needed, missing };

struct pgbouncer_setting {
    std::string_view name;
    std::string_view fallback;  // PgBouncer's; a setting that has it is not mentioned
    fate becomes;
    std::string_view advice;  // why not needed, or what to use instead
};

// Null for a name that PgBouncer (up to 1.25) does not have.
const pgbouncer_setting* find_pgbouncer_setting(std::string_view name) noexcept;

}  // namespace sluice::gateway::importing
