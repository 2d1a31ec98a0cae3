// gateway/cli/settings_command.hpp: sluice settings [--markdown] [NAME].
#pragma once

#include <iosfwd>
#include <string_view>

namespace sluice::gateway {

// Every setting with what it takes, its default and what it is for, for a terminal; or those whose
// section or key holds `wanted`. False: there is none.
bool print_settings(std::string_view wanted, std::ostream& out);

// The page gateway/config/SETTINGS.md.
void print_settings_page(std::ostream& out);

}  // namespace sluice::gateway
