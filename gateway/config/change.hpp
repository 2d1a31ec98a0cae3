// gateway/config/change.hpp: one setting of a loaded configuration changed by its name, as SET of
// the console does.
//
//   gateway.max_clients   databases.app.pool.size   users.bob.max_clients   tenants.acme.max_rate
//
// Layer: gateway. Pure: no files, no clock. Only keys that are plain values and that a running
// process can take; connections, addresses, secrets and files are the configuration file's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"
#include "gateway/config/schema.hpp"

namespace sluice::gateway {

struct setting {
    std::vector<std::string> path;  // without quotes, one word each
    std::string value;              // as the file would have it, quotes may be left out

    std::string name() const;  // the path with dots
};

// Why it cannot be: empty message when it can.
struct change_refused {
    std::string message;
    std::string hint;
};

// Changes it, or nothing.
[[nodiscard]] change_refused change(config& in, const setting& wanted);

// What SHOW CONFIG says of a key of this section (as all_keys() names it): whether change() takes
// it, a reload does, or only a start.
enum class takes_effect { by_set, by_reload, by_restart };
takes_effect effect_of(std::string_view section, const key& which, engine of = engine::postgres);

}  // namespace sluice::gateway
