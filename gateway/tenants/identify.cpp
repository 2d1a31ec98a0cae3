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

// Of its own, or in libpq's options=-c sluice.tenant=acme.
std::string option_of(const client_identity& who)
{
    for (const auto& [name, value] : who.parameters) {
        if (lower_case(name) == tenant_option)
            return value;
    }
    for (const auto& [name, value] : who.parameters) {
        if (name == "options" && !who.mysql)
            return value_in_options(value, tenant_option);
    }
    return {};
}

}  // namespace

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
            return named(option_of(who));
        case tenant_key::server_name:
            return named(server_name);
    }
    return nobody;
}

}  // namespace sluice::gateway
