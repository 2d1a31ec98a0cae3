// tests/integration/drivers_pg/connecting.cpp: shared servers and raw protocol.
#include "integration/drivers_pg/connecting.hpp"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include "proto/core/byte_queue.hpp"

namespace sluice {
namespace {

using support::pg_cluster;
using support::pg_settings;

class servers : public ::testing::Environment {
public:
    void TearDown() override
    {
        plain.reset();
        tls.reset();
        read_only.reset();
    }
    std::unique_ptr<pg_cluster> plain;
    std::unique_ptr<pg_cluster> tls;
    std::unique_ptr<pg_cluster> read_only;
};
servers* const all = static_cast<servers*>(::testing::AddGlobalTestEnvironment(new servers));

pg_cluster& shared(std::unique_ptr<pg_cluster>& server, const pg_settings& settings)
{
    if (!server)
        server = std::make_unique<pg_cluster>(settings);
    return *server;
}

void wait_for(int fd, short events, std::chrono::milliseconds longest)
{
    pollfd one{fd, events, 0};
    if (::poll(&one, 1, static_cast<int>(longest.count())) != 1)
        throw std::runtime_error("nothing from the server");
}

}  // namespace

pg_cluster& plain_server()
{
    return shared(all->plain, {});
}

pg_cluster& tls_server()
{
    return shared(all->tls, {.tls = true, .hba = {"hostnossl all all 127.0.0.1/32 reject"}});
}

pg_cluster& read_only_server()
{
    return shared(all->read_only, {.conf = {"default_transaction_read_only = on"}});
}

void raw_send_query(const pg::opened& on, const std::string& sql)
{
    byte_queue out;
    out.append_byte('Q');
    out.append_be(static_cast<std::uint32_t>(4 + sql.size() + 1));
    out.append_cstring(sql);
    const auto bytes = out.readable();
    const ssize_t sent = on.ssl ? ::SSL_write(on.ssl, bytes.data(), static_cast<int>(bytes.size()))
                                : ::send(on.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent != std::ssize(bytes))
        throw std::runtime_error("short write");
}

void wait_until_active(const support::pg_cluster& server, const pg::opened& on)
{
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto sql =
        "SELECT state = 'active' AND wait_event = 'PgSleep' FROM pg_stat_activity"
        " WHERE pid = " +
        std::to_string(on.backend_pid);
    while (server.query(sql) != "t") {
        if (std::chrono::steady_clock::now() > until)
            throw std::runtime_error("the statement does not start");
    }
}

std::string raw_reply(const pg::opened& on, std::chrono::milliseconds longest)
{
    std::string in;
    // ReadyForQuery: 'Z', length 5, status.
    const std::string ready("Z\0\0\0\5", 5);
    while (in.size() < 6 || in.compare(in.size() - 6, 5, ready) != 0) {
        char chunk[4096];
        const ssize_t got = on.ssl ? ::SSL_read(on.ssl, chunk, sizeof chunk)
                                   : ::recv(on.fd, chunk, sizeof chunk, 0);
        if (got == 0)
            throw std::runtime_error("the server closed");
        if (got > 0)
            in.append(chunk, static_cast<std::size_t>(got));
        else
            wait_for(on.fd, POLLIN, longest);
    }
    return in;
}

std::string raw_query(const pg::opened& on,
                      const std::string& sql,
                      std::chrono::milliseconds longest)
{
    raw_send_query(on, sql);
    return raw_reply(on, longest);
}

std::optional<std::string> parameter(const pg::opened& on, const std::string& name)
{
    for (const auto& [key, value] : on.parameters) {
        if (key == name)
            return value;
    }
    return {};
}

}  // namespace sluice
