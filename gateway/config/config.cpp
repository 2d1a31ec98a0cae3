// gateway/config/config.cpp: the few questions that a configuration answers about itself.
#include "gateway/config/config.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>

namespace sluice::gateway {

bool endpoint::is_loopback() const noexcept
{
    if (is_unix() || host == "localhost")
        return true;
    in_addr v4{};
    if (::inet_pton(AF_INET, host.c_str(), &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    in6_addr v6{};
    return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string endpoint::text() const
{
    if (is_unix())
        return "unix:" + unix_path;
    const std::string name = host.empty()                          ? "*"
                             : host.find(':') == std::string::npos ? host
                                                                   : "[" + host + "]";
    return name + ":" + std::to_string(port);
}

std::string postgres_config::parameter(const std::string& keyword) const
{
    for (const auto& [name, value] : parameters) {
        if (name == keyword)
            return value;
    }
    return {};
}

bool user::may_use(const std::string& database) const noexcept
{
    return databases.empty() ||
           std::find(databases.begin(), databases.end(), database) != databases.end();
}

const database* config::find_database(const std::string& name) const noexcept
{
    auto found = databases.find(name);
    if (found == databases.end())
        found = databases.find("*");
    return found == databases.end() ? nullptr : &found->second;
}

std::string config::control_socket_of() const
{
    if (!gateway.control_socket.empty())
        return gateway.control_socket;
    // systemd may name several, with colons between.
    const char* folders = std::getenv("RUNTIME_DIRECTORY");
    if (folders && *folders) {
        const std::string all = folders;
        return all.substr(0, all.find(':')) + "/control";
    }
    return file + ".control";
}

const user* config::find_user(const std::string& name) const noexcept
{
    const auto found = users.find(name);
    return found == users.end() ? nullptr : &found->second;
}

}  // namespace sluice::gateway
