// gateway/tenants/identify.cpp: whose client this is.
#include "gateway/tenants/identify.hpp"

#include "gateway/relay/settings.hpp"

namespace sluice::gateway {
namespace {

const std::string nobody = "default";

std::string named(std::string_view name)
{
    return name.empty() ? nobody : std::string(name.substr(0, tenant_name_max));
}

}  // namespace

std::string startup_option(const client_identity& who, std::string_view wanted)
{
    for (const auto& [name, value] : who.parameters) {
        if (lower_case(name) == wanted)
            return value;
    }
    for (const auto& [name, value] : who.parameters) {
        if (name == "options" && !who.mysql)
            return value_in_options(value, wanted);
    }
    return {};
}

std::string_view login_name(const tenants_config& settings, std::string_view user) noexcept
{
    if (settings.key != tenant_key::user_suffix)
        return user;
    return user.substr(0, user.rfind(settings.separator));
}

std::string tenant_name(const tenants_config& settings,
                        const client_identity& who,
                        std::string_view server_name)
{
    switch (settings.key) {
        case tenant_key::database:
            return {};
        case tenant_key::user:
            return named(who.user);
        case tenant_key::user_suffix: {
            const auto at = who.user.rfind(settings.separator);
            return at == std::string::npos
                       ? nobody
                       : named(std::string_view(who.user).substr(at + settings.separator.size()));
        }
        case tenant_key::option:
            return named(startup_option(who, tenant_option));
        case tenant_key::server_name:
            return named(server_name);
    }
    return nobody;
}

}  // namespace sluice::gateway
