// tests/integration/drivers_mysql/connecting.cpp: shared servers and raw protocol.
#include "integration/drivers_mysql/connecting.hpp"

#include <poll.h>

#include <csignal>

#include "drivers/io/transport.hpp"
#include "proto/mysql/messages.hpp"

namespace sluice {
namespace {

using support::mariadb_server;
using support::mariadb_settings;

class servers : public ::testing::Environment {
public:
    void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }  // as the gateway does
    void TearDown() override
    {
        plain.reset();
        tls.reset();
    }
    std::unique_ptr<mariadb_server> plain;
    std::unique_ptr<mariadb_server> tls;
};
servers* const all = static_cast<servers*>(::testing::AddGlobalTestEnvironment(new servers));

mariadb_server& shared(std::unique_ptr<mariadb_server>& server, const mariadb_settings& settings)
{
    if (!server)
        server = std::make_unique<mariadb_server>(settings);
    return *server;
}

void wait_for(int fd, short events, std::chrono::milliseconds longest)
{
    pollfd one{fd, events, 0};
    if (::poll(&one, 1, static_cast<int>(longest.count())) != 1)
        throw std::runtime_error("nothing came in time");
}

}  // namespace

mariadb_server& plain_server()
{
    return shared(all->plain, {});
}
mariadb_server& tls_server()
{
    return shared(all->tls, {.tls = true});
}

mysql::connect_options options_for(const mariadb_server& server,
                                   const std::string& user,
                                   const std::string& password)
{
    mysql::connect_options options;
    options.host = "127.0.0.1";
    options.port = server.port();
    options.user = user;
    options.password = password;
    options.database = user;
    return options;
}

std::shared_ptr<const mysql::tls_context> tls(mysql::tls_mode mode, const std::string& ca_file)
{
    std::string error;
    auto made = mysql::tls_context::make({.mode = mode, .ca_file = ca_file}, error);
    EXPECT_TRUE(made) << error;
    return made;
}

void raw_send_query(const mysql::opened& on, const std::string& sql)
{
    transport stream(on.fd(), on.ssl.get());
    byte_queue out;
    std::uint8_t sequence = 0;
    mysql::append_message(out, as_bytes("\x03" + sql), sequence);
    if (stream.send(out.readable()) != io_status::ok)
        throw std::runtime_error("the socket does not take a statement");
}

packets raw_reply(const mysql::opened& on, std::chrono::milliseconds longest)
{
    transport stream(on.fd(), on.ssl.get());
    byte_queue in;
    packets reply;
    for (;;) {
        while (true) {
            const auto found = mysql::next_message(in.readable(), 1 << 24);
            if (!found)
                throw std::runtime_error("a malformed packet");
            if (found->missing > 0)
                break;
            const std::string payload(as_text(found->found.payload()));
            in.consume(found->found.packets.size());
            reply.push_back(payload);
            const char first = payload.empty() ? '\0' : payload[0];
            const bool only = reply.size() == 1 && (first == '\0' || first == '\xff');
            if (only || (reply.size() > 1 && (first == '\xfe' || first == '\xff')))
                return reply;
        }
        std::array<std::byte, 65536> some;
        const auto got = stream.read(some);
        if (got.status == io_status::ok)
            in.append(bytes_view(some).first(got.bytes));
        else if (got.status == io_status::would_block)
            wait_for(on.fd(), POLLIN, longest);
        else
            throw std::runtime_error("the connection is closed");
    }
}

packets raw_query(const mysql::opened& on,
                  const std::string& sql,
                  std::chrono::milliseconds longest)
{
    raw_send_query(on, sql);
    return raw_reply(on, longest);
}

std::string value_of(const packets& reply)
{
    if (const auto error = mysql::parse_err(as_bytes(reply.back())); error)
        return "ERROR " + std::to_string(error->number) + " " + std::string(error->text);
    // Column count, column, row, OK: DEPRECATE_EOF.
    if (reply.size() != 4)
        return "not one value";
    mysql::field_reader row(as_bytes(reply[2]));
    return row.null() ? "NULL" : std::string(row.lenenc_string());
}

std::optional<std::string> variable(const mysql::opened& on, const std::string& name)
{
    for (const auto& [key, value] : on.variables) {
        if (key == name)
            return value;
    }
    return std::nullopt;
}

}  // namespace sluice
