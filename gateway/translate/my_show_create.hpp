// gateway/translate/my_show_create.hpp: SHOW CREATE TABLE, which drivers read and dumps write.
//
// Layer: gateway. Pure.
#pragma once

#include <string>

#include "gateway/translate/my_state.hpp"

namespace sluice::gateway {

// A SELECT of one row: the name and MySQL's definition, built from the schema as it is when it
// runs.
std::string show_create_table(const std::string& table, bool view, const my_state& session);

}  // namespace sluice::gateway
