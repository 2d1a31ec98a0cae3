// gateway/my_backends.hpp: how the gateway reaches the MySQL servers of its configuration.
//
// Layer: gateway. After prepare() nothing changes any more: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "drivers/mysql/connect.hpp"
#include "gateway/config/config.hpp"

namespace sluice::gateway {

// Flags of a client that its connection to the server must have been opened with.
// CLIENT_INTERACTIVE is none of them: all it does is choose a time-out for connections that the
// gateway keeps itself.
inline constexpr std::uint32_t my_pool_flags =
    mysql::capability::found_rows | mysql::capability::ignore_space;

class my_backends {
public:
    // Reads certificates. Not empty: what is wrong with them.
    std::string prepare(const config& settings);

    // `name`: as the client said it; `entry`: its table in the configuration, maybe "*".
    mysql::connect_options options_for(const database& entry,
                                       const std::string& name,
                                       const user* who,
                                       std::uint32_t client_capabilities) const;

private:
    std::map<std::string, std::shared_ptr<const mysql::tls_context>> tls_;  // by database
};

}  // namespace sluice::gateway
