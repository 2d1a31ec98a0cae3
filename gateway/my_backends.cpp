// gateway/my_backends.cpp: how the gateway reaches the MySQL servers of its configuration.
#include "gateway/my_backends.hpp"

namespace sluice::gateway {
namespace {

mysql::tls_mode mode_of(mysql_tls_mode configured) noexcept
{
    switch (configured) {
        case mysql_tls_mode::disabled:
            break;
        case mysql_tls_mode::preferred:
            return mysql::tls_mode::preferred;
        case mysql_tls_mode::required:
            return mysql::tls_mode::required;
        case mysql_tls_mode::verify_ca:
            return mysql::tls_mode::verify_ca;
        case mysql_tls_mode::verify_identity:
            return mysql::tls_mode::verify_identity;
    }
    return mysql::tls_mode::disabled;
}

}  // namespace

std::string my_backends::prepare(const config& settings)
{
    for (const auto& [name, entry] : settings.databases) {
        if (entry.engine != engine::mysql || !entry.mysql.socket.empty())
            continue;
        mysql::tls_settings wanted;
        wanted.mode = mode_of(entry.mysql.tls.mode);
        wanted.ca_file = entry.mysql.tls.ca_file;
        wanted.cert_file = entry.mysql.tls.cert_file;
        wanted.key_file = entry.mysql.tls.key_file;
        std::string error;
        auto made = mysql::tls_context::make(wanted, error);
        if (!error.empty())
            return "databases." + name + ".tls: " + error;
        tls_[name] = std::move(made);
    }
    return {};
}

mysql::connect_options my_backends::options_for(const database& entry,
                                                const std::string& name,
                                                const user* who,
                                                std::uint32_t client_capabilities) const
{
    mysql::connect_options options;
    options.host = entry.mysql.host;
    options.port = entry.mysql.port;
    options.socket = entry.mysql.socket;
    options.user = entry.mysql.user;
    options.password = entry.mysql.password.reveal();
    options.database = entry.name == "*" ? name : entry.mysql.dbname;
    options.collation = entry.mysql.collation;
    options.attributes = {{"program_name", "sluice"}};
    options.capabilities |= client_capabilities & my_pool_flags;
    if (who && !who->backend_user.empty()) {
        options.user = who->backend_user;
        options.password =
            who->backend_password.empty() ? options.password : who->backend_password.reveal();
    }
    if (const auto found = tls_.find(entry.name); found != tls_.end())
        options.tls = found->second;
    return options;
}

}  // namespace sluice::gateway
