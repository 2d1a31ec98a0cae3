// gateway/http/page.hpp: the pages, as CMake puts them together from gateway/http/pages and
// Chart.js.
#pragma once

#include <string_view>

namespace sluice::gateway {

extern const std::string_view dashboard_page;
extern const std::string_view login_page;

}  // namespace sluice::gateway
